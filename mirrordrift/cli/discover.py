"""`drift discover`: the whole loop, from a network to a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from tyro.conf import UseAppendAction, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.options import Common, Texts, check_resumed, fields_asked
from mirrordrift.cli.stalls import ended_if_stalled
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from search.folder import SearchFolder
    from search.pipeline.config import DiscoverConfig

C = TypeVar("C")
"""What a discovery is asked."""

SCHEMA = "mirrordrift/discovery/1"
KINDS = ("drift", "mirror-map")
EXAMPLES = """
drift discover --preset quick --out found
drift discover --preset quick --network lpo-breakout --env Breakout-MinAtar --out found/breakout
drift discover --preset quick --set seeds=30 --set engine=templates --out found/more
drift discover --kind mirror-map --preset quick --out found/maps
drift discover --kind mirror-map --preset quick --dataset data/mine --out found/mine
drift discover --resume found
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """From a network to proved formulas, agents trained with them, and a report.

    Stages: take or meta-train the network, record where its trainings ask it, sample it there,
    distil and decide, retrain PPO, DPO, the network and the front on the same seeds, report. Each
    leaves files in the folder and is skipped where its inputs have not changed. The report is
    report.html, one page that needs nothing else, and report.md.

    Presets: quick (two cores, five minutes, from the shipped network) and paper (meta-training
    and retraining as in the paper, for accelerators).

    With --kind mirror-map the loop is that of preference objectives: make or take preferences, search
    for an objective or take one, distil its two maps and decide them, train agents offline with ORPO,
    known objectives, what was found and its formulas, also on other data, report. Presets: quick (two
    cores, twenty minutes), paper and temporal (as in the paper, for accelerators).

    Exit code: 0 done, 2 could not run, 130 interrupted (resumable).
    """

    preset: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    """What to do, where, and how much of it."""
    kind: Annotated[str, arg(metavar="KIND")] = "drift"
    """drift, or mirror-map."""
    network: Annotated[str, arg(metavar="SPEC", help_behavior_hint="(the preset's)")] = ""
    """The network to begin with: a shipped one, or a file; of mirror maps an objective.json."""
    env: Annotated[
        UseAppendAction[Texts], arg(metavar="NAME", help_behavior_hint="(the preset's; repeatable)")
    ] = ()
    """An environment to retrain in."""
    dataset: Annotated[
        UseAppendAction[Texts], arg(metavar="DIR", help_behavior_hint="(made; repeatable)")
    ] = ()
    """For mirror maps: a folder of `drift preference-data`; on further ones agents are trained, too."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Everything random follows from it."""
    set: Annotated[
        UseAppendAction[Texts], arg(metavar="FIELD=VALUE", help_behavior_hint="(repeatable)")
    ] = ()
    """Change a field, seeds=20; one of the trainings, inner.num_envs=64; of mirror maps one of the
    search, search.generations=40. The reference has all."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The folder to make."""
    resume: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """Go on with the discovery of this folder; what is done is skipped."""

    def __post_init__(self) -> None:
        if self.resume:
            check_resumed(
                self, ("preset", "kind", "network", "env", "dataset", "seed", "set", "out")
            )
        elif not (self.preset and self.out):
            raise ConfigError("give --preset NAME and --out DIR, or --resume DIR")
        elif self.kind not in KINDS:
            raise ConfigError(f"--kind {self.kind:.40} is unknown; use {' or '.join(KINDS)}")
        elif self.dataset and self.kind == "drift":
            raise ConfigError("--dataset is for mirror maps; say --kind mirror-map")


def run(options: Options) -> int:
    """Do what is not done, and say where the report is."""
    from rl.start import start

    start()
    if _of_maps(options):
        from mirrordrift.cli import discover_maps

        return discover_maps.run(options)
    from mirrordrift import discovery
    from mirrordrift.bench import table
    from mirrordrift.meta.tables import News
    from mirrordrift.progress import generation_progress, stage_progress, training_progress
    from mirrordrift.render import say, show_table
    from mirrordrift.report import loop
    from search.meta.presets import PRESETS as META

    folder, config = begin(options, discovery.DiscoverFolder, _asked, discovery.check)

    generations = META[config.meta_preset].generations if config.meta_preset else 0

    def stage(name: str, skipped: bool) -> None:
        if not options.json:
            say(f"{name}: {'done before' if skipped else _DOING[name]}")

    with (
        alone_in(folder),
        ended_if_stalled(f"drift discover --resume {folder}"),
        training_progress() as training,
        stage_progress() as distilling,
        generation_progress(generations, News()) as generation,
    ):
        watch = discovery.Watch(stage, training, distilling, generation)
        summary = discovery.discover(config, folder, watch)
    if options.json:
        print(json.dumps({"schema": SCHEMA, "report": str(folder / loop.HTML), **_found(folder)}))
        return PROVED
    print()
    for header, rows in table.tables(summary):
        show_table(header, rows, short=("drift",))
        print()
    say(f"written: {folder}/{loop.HTML}, {loop.MARKDOWN}")
    return PROVED


def _of_maps(options: Options) -> bool:
    """Whether the kind, or the folder that goes on, is of mirror maps."""
    if not options.resume:
        return options.kind != "drift"
    from search.pipeline.map_config import SCHEMA as OF_MAPS
    from symbolic.arrays import read_bounded, read_json

    path = Path(options.resume) / "discover.json"
    return path.exists() and read_json(read_bounded(path), str(path)).get("schema") == OF_MAPS


_DOING = {
    "network": "taking or training it",
    "density": "training with it, to see where a drift is asked",
    "samples": "asking it there",
    "front": "distilling, deciding, certifying",
    "retrain": "training agents with PPO, DPO, the network and the front",
    "report": "writing it",
}


def _found(folder: Path) -> dict[str, Any]:
    """The front and the comparison, as they stand in the folder."""
    from mirrordrift.fronts import files
    from mirrordrift.report import loop

    front = json.loads((folder / files.FRONT).read_bytes())
    summary = json.loads((folder / loop.SUMMARY).read_bytes())
    return {"front": front, "comparison": summary}


def begin(
    options: Options,
    kind: type[SearchFolder[Any]],
    asked: Callable[[Options], C],
    check: Callable[[C], None],
) -> tuple[Path, C]:
    """The folder and what is asked of it, checked before anything is written."""
    if options.resume:
        folder = Path(options.resume)
        return folder, kind.open(folder)[1]
    config = asked(options)
    check(config)
    folder = Path(options.out)
    kind.create(folder, config)
    return folder, config


def _asked(options: Options) -> DiscoverConfig:
    from rl.config import TrainerConfig
    from search.pipeline.config import DiscoverConfig, changed, preset
    from search.settings import EVERYWHERE

    config = preset(options.preset)
    settings = [text.strip() for text in options.set]
    inner = [text for text in settings if text.startswith("inner.")]
    plain = [text for text in settings if not text.startswith("inner.")]
    changes = fields_asked(DiscoverConfig, plain, without=("network", "envs", "inner", "seed")) | {
        "seed": options.seed
    }
    if inner:
        asked = fields_asked(TrainerConfig, inner, "inner.")
        changes["inner"] = {
            **config.inner, EVERYWHERE: {**config.inner.get(EVERYWHERE, {}), **asked},
        }  # fmt: skip
    if options.network:
        changes["network"] = options.network
    if options.env:
        changes["envs"] = options.env
    return changed(config, **changes)
