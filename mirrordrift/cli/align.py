"""`drift align`: agents trained offline on ranked pairs, by preference objectives side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import UseAppendAction, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.objectives import ObjectiveChanges, changes_of
from mirrordrift.cli.options import (
    UNSET,
    Declarations,
    Flag,
    Texts,
    check_resumed,
    fields_asked,
)
from mirrordrift.cli.stalls import ended_if_stalled
from mirrordrift.cli.streams import complain
from rl.offline.config import SCRATCH
from symbolic.errors import ConfigError
from symbolic.preference.objective import SETTINGS

if TYPE_CHECKING:
    from mirrordrift.aligning.plan import AlignPlan
    from mirrordrift.aligning.running import Aligned

EXAMPLES = """
drift align --objective orpo --dataset data/base --out runs/orpo
drift align --objective orpo --objective dpo --dataset data/base --seeds 5 --out runs/table
drift align --objective "log(x); log(x) + x**2" --dataset data/base --steps 200 --out runs/mine
drift align --resume runs/table
"""


@dataclass(frozen=True, kw_only=True)
class Options(ObjectiveChanges):
    """Train agents offline on the ranked pairs of a dataset, by one objective or several.

    An objective is a name (direct-preference or dpo, conservative-direct-preference or cdpo, orpo,
    ipo, simpo, log-ratio-modulated or lrml, mpo-closed-form), two formulas "psi; phi_inverse" (a third is the
    link, in z), or a .json file. It maximises E[psi(w) + weight*link(beta*(phi_inverse(w) -
    phi_inverse(l)) - margin)] over pairs. Objectives of one command meet the same first weights and
    minibatches, and are judged online by the same episodes.

    Exit code: 0 trained, 1 an agent failed, 2 could not run, 130 interrupted (resumable).
    """

    objective: Annotated[
        UseAppendAction[Texts], arg(metavar="OBJECTIVE", help_behavior_hint="(repeatable)")
    ] = ()
    """What is maximised."""
    dataset: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """A folder of `drift preference-data`."""
    start: Annotated[str, arg(metavar="AGENT")] = SCRATCH
    """A normal policy from scratch, or the agent to begin with: a name, a file, a run's folder."""
    seeds: Annotated[int, arg(metavar="N")] = 1
    """Agents of each objective."""
    first_seed: Annotated[int, arg(metavar="S")] = 0
    """The first of the seeds."""
    rows: Annotated[int, arg(metavar="N", help_behavior_hint="(all)")] = UNSET
    """Train on the first so many pairs."""
    steps: Annotated[int, arg(metavar="T", help_behavior_hint="(all)")] = UNSET
    """Train on the first so many steps of trajectories, and judge by episodes as long."""
    epochs: Annotated[int, arg(metavar="N", help_behavior_hint="(8)")] = UNSET
    """Passes over the pairs."""
    param: Declarations = ()
    """Bind or declare a parameter of the formulas, alpha=2."""
    set: Annotated[
        UseAppendAction[Texts], arg(metavar="FIELD=VALUE", help_behavior_hint="(repeatable)")
    ] = ()
    """Change a field of the training, learning_rate=1e-3 or action_cell=null."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The folder to make."""
    resume: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """Go on with this folder, as if it had not been interrupted."""
    allow_unproved: Flag = False
    """Train with an objective that is refuted."""

    def __post_init__(self) -> None:
        if self.resume:
            check_resumed(self, _SETTLED)
        elif not (self.objective and self.dataset and self.out):
            raise ConfigError(
                "give --objective OBJECTIVE, --dataset DIR and --out DIR, or --resume DIR"
            )
        if self.seeds < 1:
            raise ConfigError(f"--seeds {self.seeds} must be at least 1")


_SETTLED = (
    "objective", "dataset", "start", "seeds", "first_seed", "rows", "steps", "epochs", "param",
    "set", "out", *SETTINGS,
)  # fmt: skip


def run(options: Options) -> int:
    """Train, or go on, and say how well each objective does."""
    from rl.start import start

    start()
    from mirrordrift.aligning import results, running
    from mirrordrift.aligning.pictures import draw_returns
    from mirrordrift.progress import stage_progress

    plan, folder = _begin(options)
    with (
        alone_in(folder),
        ended_if_stalled(f"drift align --resume {folder}"),
        stage_progress() as tell,
    ):
        found = running.run(plan, folder, tell)
    table = running.summary(plan, found)
    draw_returns({plan.dataset.name: running.returns_of(plan, found)}, folder)
    if options.json:
        for line in results.lines(plan, found):
            print(json.dumps(line, allow_nan=False))
    else:
        _show(plan, found, table, folder)
    return 1 if any(aligned.score.failed for aligned in found) else PROVED


def _begin(options: Options) -> tuple[AlignPlan, Path]:
    """The plan, new or going on, and its folder."""
    from mirrordrift.aligning import plan as plans
    from mirrordrift.aligning.running import all_proved, check
    from rl.offline.config import OfflineConfig

    if options.resume:
        folder = Path(options.resume)
        return plans.load(folder), folder
    fields = fields_asked(OfflineConfig, options.set)
    if options.epochs != UNSET:
        fields["epochs"] = options.epochs
    asked = plans.plan(
        options.objective,
        options.dataset,
        seeds=range(options.first_seed, options.first_seed + options.seeds),
        config=OfflineConfig(**fields),
        start=options.start,
        rows=None if options.rows == UNSET else options.rows,
        steps=None if options.steps == UNSET else options.steps,
        parameters=options.param,
        changes=changes_of(options),
    )
    if not options.allow_unproved:
        for label, objective in asked.objectives.items():
            if not all_proved(label, objective):
                complain(f"drift: note: {label} is not decided; drift verify says what is left")
    folder = Path(options.out)
    check(asked)
    plans.save(asked, folder)
    return asked, folder


def _show(plan: AlignPlan, found: list[Aligned], table: list[dict[str, Any]], folder: Path) -> None:
    from mirrordrift.aligning import results, tables
    from mirrordrift.aligning.plan import opened
    from mirrordrift.render import say, show_field, show_table

    card = opened(plan).card
    show_table(tables.HEADER, tables.rows(table))
    if any(row["difference"] for row in table):
        say(f"difference: from {table[0]['objective']}, seed by seed, with its 95 % interval")
    for note in results.notes(results.agents(plan, found)):
        complain(f"drift: {note}")
    show_field(
        "data", f"{card['rows']:,} pairs, {card['kind']}, of {card['env']}; chosen return "
        f"{card['chosen_return']:.5g}, rejected {card['rejected_return']:.5g}",
    )  # fmt: skip
    if len({row["reduction"] for row in table}) > 1:
        say(
            "note: some of these take log-probabilities as sums over steps, others as means; "
            "--reduction settles it for all"
        )
    show_field("folder", str(folder))
