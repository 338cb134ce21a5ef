"""`drift train`: one agent taught with one drift, in a folder that survives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import UseAppendAction, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.options import (
    UNSET,
    Common,
    Declarations,
    Flag,
    Texts,
    changes_asked,
    check_resumed,
)
from mirrordrift.cli.stalls import ended_if_stalled
from mirrordrift.cli.streams import complain
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from mirrordrift.training import Run
    from rl.folder import RunFolder

EXAMPLES = """
drift train --drift dpo --env CartPole-v1 --steps 200000 --out runs/cartpole
drift train --drift "(r-1)**2*abs(A)/0.4" --env hopper --set num_envs=512 --out runs/hopper
drift train --resume runs/hopper
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Train an agent with a drift: a formula, a name of the catalogue or a network.

    The environment's recipe is used where nothing else is said. A refuted formula is refused with
    its witness unless --allow-unproved is given.

    Exit code: 0 trained, 1 the training failed, 2 could not run, 130 interrupted (resumable).
    """

    drift: Annotated[str, arg(metavar="SPEC", help_behavior_hint="")] = ""
    """The drift to train with."""
    env: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    """The environment; `--env help` lists them."""
    steps: Annotated[int, arg(metavar="N", help_behavior_hint="(the recipe's)")] = UNSET
    """Environment steps, rounded up to whole updates."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Everything random follows from it."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The run folder to make."""
    resume: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """Go on with the run of this folder, as if it had not been interrupted."""
    param: Declarations = ()
    """Bind a parameter of the drift, alpha=3/5."""
    set: Annotated[
        UseAppendAction[Texts], arg(metavar="FIELD=VALUE", help_behavior_hint="(repeatable)")
    ] = ()
    """Change a field of the recipe, learning_rate=1e-3."""
    log: Annotated[
        UseAppendAction[Texts], arg(metavar="SINK", help_behavior_hint="(repeatable)")
    ] = ()
    """Log metrics to tensorboard (in the folder) or wandb as well."""
    allow_unproved: Flag = False
    """Train with a drift that is refuted."""

    def __post_init__(self) -> None:
        if self.env == "help":
            return
        if self.resume:
            check_resumed(self, ("drift", "env", "steps", "seed", "out", "param", "set"))
        elif not (self.drift and self.env and self.out):
            raise ConfigError("give --drift SPEC, --env NAME and --out DIR, or --resume DIR")


def run(options: Options) -> int:
    """Train, or go on, and say how well the agent does."""
    if options.env == "help":
        from rl import environments

        if options.json:
            print(json.dumps(environments.names()))
            return PROVED
        for library, names in environments.names().items():
            extra = f'not installed; pip install "mirrordrift[{library}]"'
            print(f"{library}: {', '.join(names) or extra}")
        return PROVED
    from rl.start import start

    start(devices=1)
    run, folder = _begin(options)
    from mirrordrift.progress import training_progress
    from mirrordrift.runs import answer, label
    from mirrordrift.sinks import sinks
    from rl.training import train

    with (
        alone_in(folder.path),
        ended_if_stalled(f"drift train --resume {folder.path}"),
        sinks(options.log, folder.path, run.record) as log,
        training_progress() as begin,
    ):
        show = begin("training", run.population.config.num_updates)

        def progress(done: int, total: int, records: list[dict[str, Any]]) -> None:
            show(done, total, records)
            log(records)

        (score,) = train(run.population, folder, progress).scores
    found = answer(score, run.record["env"], label(run.target))
    if options.json:
        print(json.dumps(found, allow_nan=False))
    elif score.failed:
        print(f"failed: {score.failed}; {folder.path}/metrics.csv has its record")
    else:
        _show(found, run.population.config.total_env_steps, folder.path)
    return 1 if score.failed else PROVED


def _begin(options: Options) -> tuple[Run, RunFolder]:
    """The run that the options ask for, new or going on, and its folder."""
    from mirrordrift import training
    from mirrordrift.sinks import check_sinks
    from mirrordrift.spec import resolve
    from rl.config import TrainerConfig
    from rl.presets import preset

    check_sinks(options.log)
    if options.resume:
        return training.begun_run(Path(options.resume))
    changes = changes_asked(TrainerConfig, options.set, options.steps)
    run = training.new_run(
        resolve(options.drift, options.param),
        options.env,
        options.seed,
        preset(options.env, **changes),
        allow_unproved=options.allow_unproved,
    )
    if not run.decided:
        complain("drift: note: this drift is not decided; drift verify says what is left")
    return run, training.new_folder(run, Path(options.out))


def _show(answer: dict[str, Any], asked: int, folder: Path) -> None:
    from mirrordrift.render import show_field

    rounded = "" if answer["env_steps"] == asked else f" ({asked:,}, rounded up to updates)"
    mean, error = answer["return_mean"], answer["return_stderr"]
    show_field("return", f"{mean:.5g} ± {error:.3g} (standard error)")
    show_field("entropy", f"{answer['entropy']:.4g}")
    show_field(
        "steps",
        f"{answer['env_steps']:,}{rounded} in {answer['seconds']:.1f} s, "
        f"{answer['env_steps_per_second']:,.0f} a second "
        f"(and {answer['compile_seconds']:.1f} s to compile)",
    )
    show_field("folder", str(folder))
