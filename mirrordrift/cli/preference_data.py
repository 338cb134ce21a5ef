"""`drift preference-data`: ranked pairs of trajectories, in a folder that survives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.options import UNSET, Common, check_resumed
from mirrordrift.cli.stalls import ended_if_stalled
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from rl.environments import Task
    from rl.preference.actors import Actor
    from rl.preference.folder import PreferenceFolder

EXAMPLES = """
drift preference-data --env hopper --expert hopper-2100 --reference hopper-900 --out data/base
drift preference-data --env hopper --kind shuffled --expert runs/a --reference runs/b --out data/mixed
drift preference-data --resume data/base
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Make a preference dataset: rows of two trajectories from one state, ranked by their returns.

    A judge of Bradley and Terry prefers w to l with probability sigmoid((R_w - R_l)/temperature).
    Kinds: base, expert against reference; noisy, with a share of the rankings flipped; shuffled, 25 %
    expert twice, 50 % expert against reference, 25 % reference twice; poor-judge, a higher
    temperature. Kinds of one seed share their trajectories.

    An agent is a name that is shipped, an actor's .npz file, or a folder of `drift train`. The
    folder gets card.json and rows-00000.npz, rows-00001.npz and so on; the reference describes them.

    Exit code: 0 made, 2 could not run, 130 interrupted (resumable).
    """

    env: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    """The environment; `drift train --env help` lists them."""
    kind: Annotated[str, arg(metavar="KIND")] = "base"
    """base, noisy, shuffled or poor-judge."""
    expert: Annotated[str, arg(metavar="AGENT", help_behavior_hint="")] = ""
    """The better agent: a name or a path."""
    reference: Annotated[str, arg(metavar="AGENT", help_behavior_hint="")] = ""
    """The other agent: a name or a path."""
    rows: Annotated[int, arg(metavar="N")] = 5120
    """Pairs of trajectories."""
    steps: Annotated[int, arg(metavar="T")] = 1000
    """Steps after which a trajectory is cut off."""
    noise: Annotated[float, arg(metavar="P", help_behavior_hint="(0.1 for noisy, else 0)")] = UNSET
    """Probability that a ranking is flipped."""
    temperature: Annotated[
        float, arg(metavar="ETA", help_behavior_hint="(273.1 for poor-judge, else 101.9)")
    ] = UNSET
    """Of the judge; it is right about returns 300 apart in 95 % of all cases at 101.9, 85 % at
    173.0, 75 % at 273.1."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Everything random follows from it."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The folder to make."""
    resume: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """Go on with the dataset of this folder, or mend it."""

    def __post_init__(self) -> None:
        if self.resume:
            check_resumed(self, _SETTLED)
        elif not (self.env and self.expert and self.reference and self.out):
            raise ConfigError(
                "give --env NAME, --expert AGENT, --reference AGENT and --out DIR, or --resume DIR"
            )


_SETTLED = (
    "env", "kind", "expert", "reference", "rows", "steps", "noise", "temperature", "seed", "out",
)  # fmt: skip


def run(options: Options) -> int:
    """Make the dataset, or go on with it, and say what it is."""
    from rl.start import start

    start(devices=1)  # a row's last digits would depend on how the rows are shared out
    from mirrordrift.progress import stage_progress
    from rl.preference.generation import generate

    folder, task, agents = _begin(options)
    with (
        alone_in(folder.path),
        ended_if_stalled(f"drift preference-data --resume {folder.path}"),
        stage_progress() as tell,
    ):
        card = generate(folder, task, agents, lambda done, total: tell("chunks", done, total))
    if options.json:
        print(json.dumps({name: value for name, value in card.items() if name != "chunks"}))
    else:
        _show(card, folder.path)
    return PROVED


def _begin(options: Options) -> tuple[PreferenceFolder, Task, dict[str, Actor]]:
    """The folder, new or going on, the task and the agents, checked before anything is written."""
    from mirrordrift.actors import actor_of
    from mirrordrift.runs import versions
    from rl import environments
    from rl.preference.config import PreferenceConfig
    from rl.preference.folder import PreferenceFolder, check_free
    from rl.preference.generation import check_agents

    if options.resume:
        folder, agents = PreferenceFolder.open(Path(options.resume))
        return folder, environments.make(folder.config.env, backend=folder.config.backend), agents
    environments.check_name(options.env)
    settings: dict[str, Any] = {
        name: getattr(options, name) for name in ("env", "kind", "rows", "steps", "seed")
    }
    for name in ("noise", "temperature"):
        value = getattr(options, name)
        settings[name] = None if value == UNSET else value
    PreferenceConfig.usual(**settings)  # what breaks a rule is told before the agents are read
    agents = {"expert": actor_of(options.expert), "reference": actor_of(options.reference)}
    check_free(Path(options.out), agents)
    config = PreferenceConfig.usual(**settings, backend=agents["expert"].backend)
    task = environments.make(config.env, backend=config.backend)
    check_agents(task, config.backend, agents)
    made = PreferenceFolder.create(Path(options.out), config, agents, task, versions())
    return made, task, agents


def _show(card: dict[str, Any], folder: Path) -> None:
    from mirrordrift.render import show_field

    judge = card["judge"]
    show_field("rows", f"{card['rows']:,}, {card['kind']}, of {card['env']}")
    show_field(
        "returns", f"chosen {card['chosen_return']:.5g}, rejected {card['rejected_return']:.5g}"
    )
    ties = f"{100 * card['tie_rate']:.3g} % of the rows are ties" if card["tie_rate"] else ""
    if judge["accuracy"] is None:
        show_field("judge", "every row is a tie: nothing can be learnt from it; try more --steps")
    else:
        show_field(
            "judge",
            f"right in {100 * judge['accuracy']:.3g} % of the rows, "
            f"{100 * judge['expected_accuracy']:.3g} % expected" + (f"; {ties}" if ties else ""),
        )
    show_field("flipped", f"{100 * card['flip_rate']:.3g} % of the rows, noise included")
    show_field("folder", str(folder))
