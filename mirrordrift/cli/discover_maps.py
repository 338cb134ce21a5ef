"""`drift discover --kind mirror-map`: the whole loop, from preferences to a report."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.aligning import tables
from mirrordrift.cli import PROVED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.discover import begin
from mirrordrift.cli.mirror_maps import (
    SETTLED,
    lasting_path,
    refuse_unprefixed,
    with_paths,
    with_settings,
)
from mirrordrift.cli.options import fields_asked
from mirrordrift.cli.stalls import ended_if_stalled
from mirrordrift.cli.streams import complain
from mirrordrift.mirror import discovery
from mirrordrift.mirror.tables import BASELINE
from mirrordrift.report import loop, map_loop
from search.pipeline.map_config import MapDiscoverConfig, preset
from symbolic.errors import ConfigError
from symbolic.preference.reading import load_objective

if TYPE_CHECKING:
    from mirrordrift.cli.discover import Options

SCHEMA = "mirrordrift/discovered-objective/1"
_SEARCH = "search."
_OF_SEARCH = tuple(
    _SEARCH + field
    for field in (
        "generations", "seeds", "strategy.", "network.", "held_out_every", "held_out_seeds"
    )
)  # fmt: skip
"""What is asked of nothing but a search."""
_OWN_FIELDS = [field.name for field in fields(MapDiscoverConfig)]
_FLAGS = ("objective", "datasets", "seed", "search")
_DOING = {
    "data": "making or reading preferences",
    "objective": "searching for it, or taking it",
    "density": "training with it, to see where its maps are asked",
    "fronts": "distilling and deciding both maps",
    "agents": "training agents with ORPO, known objectives, what was found and its formulas",
    "report": "writing it",
}


def run(options: Options) -> int:
    """Do what is not done, and say where the report is."""
    from mirrordrift.meta.tables import News
    from mirrordrift.progress import generation_progress, stage_progress
    from mirrordrift.render import say, show_table

    folder, config = begin(options, discovery.MapDiscoverFolder, _asked, discovery.check)

    def stage(name: str, skipped: bool) -> None:
        if not options.json:
            say(f"{name}: {'done before' if skipped else _DOING[name]}")

    generations = 0 if config.objective else config.search.generations
    with (
        alone_in(folder),
        ended_if_stalled(f"drift discover --resume {folder}"),
        stage_progress() as doing,
        generation_progress(generations, News(BASELINE)) as generation,
    ):
        found = discovery.discover(config, folder, discovery.Watch(stage, doing, generation))
    if options.json:
        record = {"schema": SCHEMA, "report": str(folder / loop.HTML), **_found(folder, found)}
        print(json.dumps(record, allow_nan=False))
        return PROVED
    print()
    show_table(("dataset", *tables.HEADER), tables.by_dataset(found))
    for row in found:
        for note in row.get("notes", ()):
            complain(f"drift: {row['dataset']}: {note}")
    say(f"difference: from {BASELINE}, seed by seed, with its 95 % interval")
    say(f"written: {folder}/{loop.HTML}, {loop.MARKDOWN}")
    return PROVED


def _found(folder: Path, comparison: list[dict[str, Any]]) -> dict[str, Any]:
    """The fronts and the comparison, as they stand in the folder."""
    from mirrordrift.fronts import files

    maps = load_objective(folder / map_loop.OBJECTIVE).maps
    fronts = {slot: files.read(folder / slot / files.FRONT) for slot in maps}
    both = (folder / map_loop.DISTILLED).exists()
    objective = str(folder / (map_loop.DISTILLED if both else map_loop.OBJECTIVE))
    return {"objective": objective, "fronts": fronts, "comparison": comparison}


def _asked(options: Options) -> MapDiscoverConfig:
    if options.env:
        raise ConfigError(
            "mirror maps are trained on data: --set search.data.env=… names the environment"
        )
    config = preset(options.preset)
    settings = [text.strip() for text in options.set]
    own = [text for text in settings if not text.startswith(_SEARCH)]
    search = [text for text in settings if text.startswith(_SEARCH)]
    refuse_unprefixed(
        [text for text in own if text.partition("=")[0].strip() not in _OWN_FIELDS], _SEARCH
    )
    if options.dataset:
        _refuse(settings, ("transfer", "search.data."), "--dataset")
    if options.network:
        _refuse(settings, _OF_SEARCH, "--network")
    return replace(
        config,
        objective=lasting_path(options.network),
        datasets=tuple(lasting_path(path) for path in options.dataset),
        seed=options.seed,
        search=with_paths(with_settings(config.search, search, _SEARCH, without=SETTLED)),
        **fields_asked(MapDiscoverConfig, own, without=_FLAGS),
    )


def _refuse(settings: list[str], names: tuple[str, ...], flag: str) -> None:
    """Raise ConfigError for a setting that a flag leaves without effect."""
    for text in settings:
        if text.startswith(names):
            raise ConfigError(f"--set {text:.60} does nothing beside {flag}; leave one out")
