"""`drift meta-train`: drift networks trained by evolution, in a folder that survives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import UseAppendAction, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.options import Texts, check_resumed
from mirrordrift.cli.searches import SearchOptions, changed, resumed
from mirrordrift.cli.stalls import ended_if_stalled
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from search.meta.config import MetaConfig
    from search.meta.folder import MetaFolder

EXAMPLES = """
drift meta-train --preset quick --out meta/quick
drift meta-train --preset quick --env Acrobot-v1 --set strategy.sigma=0.1 --out meta/acrobot
drift meta-train --preset mpo-quick --out meta/maps
drift meta-train --resume meta/quick --generations 100
"""


@dataclass(frozen=True, kw_only=True)
class Options(SearchOptions):
    """Meta-train a drift network by evolution strategies (Learnt Policy Optimisation), or the mirror
    maps of a preference objective (Mirror Preference Optimisation).

    For drifts the folder gets a record of every generation, pictures, and network.npz, which `drift verify
    --network`, `drift train --drift` and `drift plot` take. Presets: quick, classic-control and
    breakout (two cores, minutes and hours), gpu-30min, and lpo-paper, lpo-zero-paper, ta-lpo and
    lpo-ablation at the size of the papers. For mirror maps it gets objective.json, which `drift
    align --objective` takes: mpo-quick (two cores), mpo-paper and ta-mpo (the paper's size), on
    preferences that are made first, or on those of --dataset.

    Exit code: 0 trained, 2 could not run, 130 interrupted (resumable).
    """

    log: Annotated[
        UseAppendAction[Texts], arg(metavar="SINK", help_behavior_hint="(repeatable)")
    ] = ()
    """Log to tensorboard (in the folder) or wandb as well."""
    dataset: Annotated[str, arg(metavar="DIR", help_behavior_hint="(made by the preset)")] = ""
    """For mirror maps: a folder of `drift preference-data`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resume:
            check_resumed(self, ("dataset",))


def run(options: Options) -> int:
    """Meta-train, or go on, one after another where the preset is a study of several."""
    from mirrordrift.cli.mirror_maps import is_mirror
    from rl.start import leads, start
    from search.meta.presets import PRESETS, STUDIES
    from search.mirror.presets import PRESETS as MAPS

    known = (*PRESETS, *STUDIES, *MAPS)
    if not options.resume and options.preset not in known:
        raise ConfigError(
            f"preset='{options.preset:.40}' is unknown; use one of {', '.join(known)}"
        )
    start(distributed=options.distributed)
    if is_mirror(options.preset, options.resume):
        return _mirror_maps(options)
    if options.dataset:
        raise ConfigError("--dataset is for searches of mirror maps; drifts are trained by playing")
    from mirrordrift.meta import pictures, tables
    from mirrordrift.render import say, show_table

    top = Path(options.resume or options.out)
    begun = _begin(options)
    with alone_in(top), ended_if_stalled(f"drift meta-train --resume {top}"):
        for config, folder in begun:
            _train(options, config, folder)
    if not leads():
        return PROVED
    for _, folder in begun:
        drawn = pictures.draw(folder)
        if options.json:
            print(json.dumps(tables.conclusion(folder)), flush=True)
            continue
        show_table(*tables.judgement(folder))
        say(f"written: {folder.path}/network.npz, {', '.join(path.name for path in drawn)}")
    if len(begun) > 1 and not options.json:
        show_table(*tables.study([folder for _, folder in begun]))
    return PROVED


def _mirror_maps(options: Options) -> int:
    """Search for mirror maps, or go on."""
    from mirrordrift.cli.mirror_maps import asked
    from mirrordrift.meta.tables import News, judgement
    from mirrordrift.mirror.searching import check, opened
    from mirrordrift.mirror.tables import BASELINE, conclusion
    from mirrordrift.progress import generation_progress, stage_progress
    from mirrordrift.render import say, show_table
    from mirrordrift.runs import versions
    from mirrordrift.sinks import check_sinks, sinks
    from search.mirror.folder import OBJECTIVE_FILE, MirrorFolder
    from search.mirror.training import search_mirror_maps

    if options.env or options.held_out:
        raise ConfigError("mirror maps are trained on data: --set data.env=… names the environment")
    if options.distributed:
        raise ConfigError("--distributed is for drifts; a search for mirror maps is one process")
    check_sinks(options.log)
    if options.resume:
        config, folder = resumed(options, MirrorFolder, Path(options.resume))
    else:
        config = asked(
            options.preset, options.set, generations=options.generations, seed=options.seed,
            dataset=options.dataset,
        )  # fmt: skip
        check(config)
        folder = MirrorFolder.create(Path(options.out), config)
    with alone_in(folder.path), ended_if_stalled(f"drift meta-train --resume {folder.path}"):
        with stage_progress() as tell:
            _, on = opened(config, folder, tell)
        with (
            sinks(options.log, folder.path, config.record(), axis="generation") as log,
            generation_progress(config.generations, News(BASELINE)) as show,
        ):

            def progress(record: dict[str, Any]) -> None:
                if options.json:
                    print(json.dumps(record), flush=True)
                log([record])
                show(record)

            search_mirror_maps(config, folder, on, versions=versions(), progress=progress)
    if options.json:
        print(json.dumps(conclusion(folder)), flush=True)
        return PROVED
    show_table(*judgement(folder, BASELINE))
    say(f"written: {folder.path / OBJECTIVE_FILE}, with its networks beside it")
    return PROVED


def _train(options: Options, config: MetaConfig, folder: MetaFolder) -> None:
    from mirrordrift.meta.tables import News
    from mirrordrift.progress import generation_progress
    from mirrordrift.runs import versions
    from mirrordrift.sinks import sinks
    from rl.start import leads
    from search.meta.training import meta_train

    with (
        sinks(
            options.log if leads() else (), folder.path, config.record(), axis="generation"
        ) as log,
        generation_progress(config.generations, News()) as show,
    ):

        def progress(record: dict[str, Any]) -> None:
            if options.json and leads():
                print(json.dumps(record), flush=True)
            log([record])
            show(record)

        meta_train(config, folder, versions=versions(), progress=progress)


def _begin(options: Options) -> list[tuple[MetaConfig, MetaFolder]]:
    """What the options ask for, new or going on, checked before anything is written."""
    from mirrordrift.meta import studies
    from mirrordrift.sinks import check_sinks
    from search.meta.folder import MetaFolder
    from search.meta.presets import preset
    from search.meta.training import check_storable

    check_sinks(options.log)
    if options.resume:
        folders = studies.parts(Path(options.resume))
        return [resumed(options, MetaFolder, path) for path in folders]
    parts = {"strategy.": "strategy", "network.": "network"}
    configs = {name: changed(options, c, parts) for name, c in preset(options.preset).items()}
    top = Path(options.out)
    for name, config in configs.items():
        config.tasks()
        check_storable(config)
        MetaFolder.check_free(top / name, config)
    if len(configs) > 1:
        studies.begin(top, list(configs))
    return [(config, MetaFolder.create(top / name, config)) for name, config in configs.items()]
