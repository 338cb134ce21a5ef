"""`drift bench`: drifts compared side by side, with statistics that a few seeds allow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import UseAppendAction, arg

from mirrordrift.cli import PROVED, REFUTED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.options import UNSET, Common, Flag, Texts, changes_asked, check_resumed
from mirrordrift.cli.stalls import ended_if_stalled
from mirrordrift.cli.streams import complain
from symbolic.arrays import write_atomically
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from mirrordrift.bench.comparison import Scored
    from mirrordrift.bench.plan import Plan

EXAMPLES = """
drift bench --drift ppo --drift dpo --env CartPole-v1 --seeds 5 --out bench/cartpole
drift bench --drift "ppo; eps=0.3" --drift "(r-1)**2*abs(A)/0.4" --env hopper --env ant --out bench/two
drift bench --preset minatar-paper --reduced --out bench/minatar
drift bench --resume bench/minatar
"""
_SEEDS = 5
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Train agents with several drifts on the same tasks and seeds, and compare their returns.

    The first drift is the baseline. The folder gets table.md, summary.json, scores.jsonl, the
    pictures curves.png and entropy.png, and the records of every run. A refuted formula is refused
    with its witness unless --allow-unproved is given.

    Presets: brax-paper, minatar-paper and lpo-zero, the comparisons of Lu et al. 2022 (figures 6, 7
    and 8). What --drift gives is compared as well, a network for example; --env replaces the
    preset's.

    Exit code: 0 compared, 1 some training failed, 2 could not run, 130 interrupted (resumable).
    """

    drift: Annotated[
        UseAppendAction[Texts], arg(metavar="SPEC", help_behavior_hint="(repeatable)")
    ] = ()
    """A drift, with parameters bound after a semicolon: "ppo; eps=0.3"."""
    env: Annotated[
        UseAppendAction[Texts], arg(metavar="NAME", help_behavior_hint="(repeatable)")
    ] = ()
    """An environment; `drift train --env help` lists them."""
    preset: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    """A comparison of the paper."""
    reduced: Flag = False
    """The preset at a size for two processor cores."""
    seeds: Annotated[int, arg(metavar="N", help_behavior_hint="(5, or the preset's)")] = UNSET
    """Runs of every drift on every environment."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """The first seed."""
    steps: Annotated[int, arg(metavar="N", help_behavior_hint="(the recipe's)")] = UNSET
    """Environment steps of each run, rounded up to whole updates."""
    set: Annotated[
        UseAppendAction[Texts], arg(metavar="FIELD=VALUE", help_behavior_hint="(repeatable)")
    ] = ()
    """Change a field of every recipe, entropy_cost=0."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The folder to make."""
    resume: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """Go on with the comparison of this folder."""
    memory: Annotated[str, arg(metavar="SIZE", help_behavior_hint="(half of the machine's)")] = ""
    """Most memory that agents may take at once, 4G; what does not fit trains later."""
    distributed: Flag = False
    """Share the agents with the other processes of a SLURM or MPI job."""
    allow_unproved: Flag = False
    """Train with drifts that are refuted."""

    def __post_init__(self) -> None:
        if self.resume:
            settled = ("drift", "env", "preset", "reduced", "seeds", "seed", "steps", "set", "out")
            check_resumed(self, settled)
        elif not self.out or not (self.preset or (self.drift and self.env)):
            raise ConfigError(
                "give --drift SPEC and --env NAME (or --preset NAME), and --out DIR; or --resume DIR"
            )


def run(options: Options) -> int:
    """Train everything that is not trained yet, then compare."""
    memory = _bytes(options.memory) if options.memory else None
    from rl.start import leads, start

    start(distributed=options.distributed)
    from mirrordrift.bench import comparison
    from mirrordrift.progress import training_progress
    from mirrordrift.runs import answer

    folder = Path(options.resume or options.out)
    plan = _begin(options, folder)
    rows: list[Scored] = []
    lines: list[str] = []
    with (
        alone_in(folder),
        ended_if_stalled(f"drift bench --resume {folder}"),
        training_progress() as begin,
    ):
        for found in comparison.run(plan, folder, memory=memory, progress=begin):
            rows += found
            answers = [answer(s, row.env, row.drift) for row in found for s in row.scores]
            lines += [json.dumps(each, allow_nan=False) for each in answers]
            if options.json and leads():
                print("\n".join(lines[-len(answers) :]), flush=True)
    if leads():
        _conclude(options, plan, rows, lines, folder)
    failed = any(score.failed for row in rows for score in row.scores)
    return REFUTED if failed else PROVED


def _begin(options: Options, folder: Path) -> Plan:
    """The plan of the folder, or a new one that has been checked and written into it."""
    from mirrordrift import runs, training
    from mirrordrift.bench import plan, presets
    from mirrordrift.interface import refuse_refuted
    from rl import environments
    from rl.config import TrainerConfig
    from rl.start import leads

    if options.resume:
        return plan.load(folder)
    chosen = (
        presets.preset(options.preset, reduced=options.reduced)
        if options.preset
        else presets.Preset(drifts=(), envs=(), seeds=_SEEDS)
    )
    asked = changes_asked(TrainerConfig, options.set, options.steps)
    made = plan.plan(
        (*chosen.drifts, *options.drift),
        options.env or chosen.envs,
        seeds=chosen.seeds if options.seeds == UNSET else options.seeds,
        first_seed=options.seed,
        learning_rates=chosen.learning_rates,
        changes={**chosen.changes, **asked},
    )
    for target in made.drifts.values():
        training.candidates_of(target)  # what cannot be trained is told before anything is written
        label = runs.label(target)
        if not options.allow_unproved and refuse_refuted(label, target) == "unknown":
            complain(f"drift: note: {label} is not decided")
    for env, config in made.configs.items():
        environments.task_of(env, config)
    if chosen.network and not any(
        spec.endswith((".npz", ".safetensors")) for spec in options.drift
    ):
        complain(
            f"drift: note: the paper's figure has {chosen.network}, too; "
            "give its network with --drift FILE, or a shipped one, --drift lpo-cartpole"
        )
    if leads():
        plan.save(made, folder)
    return made


def _conclude(
    options: Options, plan: Plan, rows: list[Scored], lines: list[str], folder: Path
) -> None:
    """Write the table, the pictures and the scores, and show them."""
    from mirrordrift.bench import pictures, table
    from mirrordrift.render import say, show_table
    from mirrordrift.writing import writing

    found = table.summary(rows, plan.baseline)
    summary = json.dumps(found, allow_nan=False)
    with writing(str(folder)):
        write_atomically(folder / "scores.jsonl", ("\n".join(lines) + "\n").encode())
        write_atomically(folder / "summary.json", (summary + "\n").encode())
        write_atomically(folder / "table.md", table.markdown(found).encode())
    drawn = pictures.draw(rows, plan.baseline, folder)
    if options.json:
        print(summary)
        return
    for header, cells in table.tables(found):
        show_table(header, cells)
        print()
    for sentence in table.sentences(found):
        say(sentence)
    say(f"written: {folder}/table.md, {', '.join(path.name for path in drawn)}")


def _bytes(text: str) -> int:
    """4G, 500M or a number of bytes; raises ConfigError."""
    found = _SIZE.fullmatch(text.strip())
    size = float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " ") if found else 0.0
    if not 1 <= size < 2**62:
        raise ConfigError(f"--memory {text:.40} is no size; write it as 4G or 500M")
    return int(size)
