"""The whole loop of mirror maps: preferences, an objective, its formulas, agents, a report.

data.json         the datasets, the first of them the one that is searched and distilled on
data/             those that were made here
start.npz         the agent that all trainings begin with, if one was named
search/KEY/       the search, where no objective was given
objective.json    the objective that everything follows from, its networks beside it
density.npz       the log-probabilities that a training with it met
psi/, phi_inverse/    the fronts of its two maps
distilled.json    the objective with the knees of both as formulas, where both are proved
comparison.json   what agents of all objectives reach on all datasets
report.html, report.md
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mirrordrift import landscape, map_distilling, runs
from mirrordrift.aligning import plan as plans
from mirrordrift.aligning import results, running
from mirrordrift.aligning.pictures import RETURNS, draw_returns
from mirrordrift.fronts import files
from mirrordrift.mirror import pictures, searching
from mirrordrift.report import loop, map_loop
from mirrordrift.writing import writing
from rl.offline.population import check_minibatch
from rl.preference.cards import CARD
from rl.preference.data import PreferenceData
from rl.records import plain
from search.folder import SearchFolder
from search.mirror.folder import OBJECTIVE_FILE, MirrorFolder
from search.mirror.training import orpo, search_mirror_maps
from search.pipeline import map_config
from search.pipeline.map_config import OWN, MapDiscoverConfig
from search.pipeline.stages import Stage, file_hash, file_hashes, hash_of, run
from symbolic.arrays import write_arrays, write_atomically
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.mirror_network import MirrorNetwork
from symbolic.preference.objective import SLOT_KINDS
from symbolic.preference.reading import load_objective, save_objective

if TYPE_CHECKING:
    from symbolic.preference.objective import PreferenceObjective

_START = "start.npz"
_KEY = 12
"""Characters of a hash in the name of a folder."""
Tell = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)."""


@dataclass(frozen=True)
class Watch:
    """Who hears of what is done."""

    stage: Callable[[str, bool], None]
    """A stage begins: its name, and whether it is skipped."""
    doing: Tell
    generation: Callable[[dict[str, Any]], None]


def discover(config: MapDiscoverConfig, folder: Path, watch: Watch) -> list[dict[str, Any]]:
    """Do what is not done in the folder yet; the comparison.

    Raises ConfigError for what cannot be done.
    """
    searching.kept_start(config.search.start, folder / _START)
    stages = _Stages(config, folder, watch)
    run(stages.all(), folder, lambda stage, skipped: watch.stage(stage.name, skipped))
    return map_loop.comparison_of(folder)


class _Stages:
    """The stages of one discovery."""

    def __init__(self, config: MapDiscoverConfig, folder: Path, watch: Watch) -> None:
        self.config, self.folder, self.watch = config, folder, watch
        self.asked = config.record()

    def all(self) -> list[Stage]:
        """In their order."""
        return [
            Stage("data", self._asked_data, self._left_data, self._data),
            Stage("objective", self._asked_objective, self._left_objective, self._objective),
            Stage("density", self._asked_density, lambda: (map_loop.DENSITY,), self._density),
            Stage("fronts", self._asked_fronts, self._left_fronts, self._fronts),
            Stage(
                "agents",
                self._asked_agents,
                lambda: (map_loop.COMPARISON, RETURNS, map_loop.LANDSCAPE),
                self._agents,
            ),
            Stage("report", self._asked_report, self._left_report, self._report),
        ]

    @property
    def _start(self) -> str:
        """Where trainings begin; an agent by its copy here, whose content no stage need ask."""
        return searching.kept_start(self.config.search.start, self.folder / _START)

    def _files(self, *names: str) -> dict[str, str | None]:
        return file_hashes(self.folder, names)

    def _asked_data(self) -> Mapping[str, Any]:
        given = [(path, file_hash(Path(path) / CARD)) for path in self.config.datasets]
        return {"given": given, "made": {n: asdict(self.config.data_of(n)) for n in self._made()}}

    def _made(self) -> tuple[str, ...]:
        return () if self.config.datasets else (OWN, *self.config.transfer)

    def _place(self, name: str) -> Path:
        """Of a dataset that is made here; named by what is asked of it."""
        key = hash_of(asdict(self.config.data_of(name)))[:_KEY]
        return self.folder / "data" / f"{name}-{key}"

    def _left_data(self) -> tuple[str, ...]:
        cards = (self._place(name) / CARD for name in self._made())
        return (map_loop.DATA, *(str(card.relative_to(self.folder)) for card in cards))

    def _data(self) -> None:
        places = {name: self._place(name) for name in self._made()}
        for name, place in places.items():
            searching.made(self.config.data_of(name), place, self.watch.doing)
        for path in map(Path, self.config.datasets):
            places[_unlike(path.name, places)] = path
        told = ("hash", "env", "kind", "rows", "steps", "chosen_return", "rejected_return", "judge")
        rows = []
        for name, place in places.items():
            card = PreferenceData.open(place).card
            here = place.is_relative_to(self.folder)
            seen = place.relative_to(self.folder) if here else place
            rows.append({"name": name, "path": str(seen), **{field: card[field] for field in told}})
        self._write_rows(map_loop.DATA, map_loop.DATA_SCHEMA, rows)

    def _datasets(self) -> list[dict[str, Any]]:
        return map_loop.datasets_of(self.folder)

    def _own(self) -> Path:
        return self.folder / str(self._datasets()[0]["path"])

    def _asked_objective(self) -> Mapping[str, Any]:
        if self.config.objective:
            found = load_objective(self._given())
            return {"given": _record(found)}
        search = self.config.search.record()
        return {"search": search, "data": self._datasets()[0]["hash"], "seed": self.config.seed}

    def _given(self) -> Path:
        """The objective that was named; the copy in the folder if that is gone."""
        path = Path(self.config.objective)
        return path if path.exists() else self.folder / map_loop.OBJECTIVE

    def _left_objective(self) -> tuple[str, ...]:
        beside = (f"objective-{slot}.npz" for slot in SLOT_KINDS)
        found = tuple(name for name in beside if (self.folder / name).exists())
        return (map_loop.OBJECTIVE, *found)

    def _objective(self) -> None:
        found = load_objective(self._given()) if self.config.objective else self._searched()
        with writing(str(self.folder)):
            save_objective(self.folder / map_loop.OBJECTIVE, found)

    def _search_folder(self) -> MirrorFolder:
        key = hash_of(self._asked_objective())[:_KEY]
        return MirrorFolder(self.folder / "search" / key)

    def _searched(self) -> PreferenceObjective:
        """The objective of a search, which goes on where it was."""
        own = self._own()
        config = replace(
            self.config.search,
            dataset=str(own.resolve()),
            data_hash=self._datasets()[0]["hash"],
            seed=self.config.seed,
            start=self._start,
        )
        search = self._search_folder()
        if not (search.path / MirrorFolder.NAME).exists():
            search = MirrorFolder.create(search.path, config)
        _, on = searching.opened(config, search, self.watch.doing)
        search_mirror_maps(
            config, search, on, versions=runs.versions(), progress=self.watch.generation
        )
        # As it was written at the end: a card made anew would have another date.
        return load_objective(search.path / OBJECTIVE_FILE)

    def _asked_density(self) -> Mapping[str, Any]:
        training = {"start": self.config.search.start, **self.config.search.training.record()}
        return {
            "training": training, "seed": self.config.seed,
            **self._files(map_loop.DATA, *self._left_objective()),
        }  # fmt: skip

    def _density(self) -> None:
        asked = plans.plan(
            [replace(self._found(), name=map_loop.FOUND)],
            self._own(),
            seeds=(self.config.seed,),
            config=self.config.search.training,
            start=self._start,
        )
        place = self.folder / "density" / hash_of(self._asked_density())[:_KEY]
        (agent,), trajectories = self._aligned(asked, place)
        if agent.score.failed:
            raise ConfigError(
                f"an agent of the objective failed ({agent.score.failed}), so that nobody knows where "
                "its maps are asked; try other settings of search.training, or another objective"
            )
        met = trajectories[map_loop.FOUND]
        log_prob = np.concatenate([met.chosen, met.rejected])
        progress = np.concatenate([met.progress, met.progress])
        with writing(str(self.folder)):
            write_arrays(
                self.folder / map_loop.DENSITY,
                {"log_prob": log_prob, "progress": progress},
                {"schema": "mirrordrift/map-density/1"},
            )

    def _aligned(
        self, asked: plans.AlignPlan, place: Path
    ) -> tuple[list[running.Aligned], dict[str, landscape.Trajectory]]:
        """Agents trained, or those of the folder; and the pairs that they met."""
        running.check(asked)
        plans.begin(asked, place)
        kept = plans.load(place)  # with the start that it was begun with
        return running.run(kept, place, self.watch.doing), running.trajectories(kept, place)

    def _found(self) -> PreferenceObjective:
        return load_objective(self.folder / map_loop.OBJECTIVE)

    def _asked_fronts(self) -> Mapping[str, Any]:
        left = self._files(map_loop.DENSITY, *self._left_objective())
        return {"points": self.config.points, "seed": self.config.seed, **left}

    def _left_fronts(self) -> tuple[str, ...]:
        written = (files.FRONT, files.CERTIFICATES, "front.png", "map.png")
        maps = self._found().maps if (self.folder / map_loop.OBJECTIVE).exists() else {}
        names = [f"{slot}/{name}" for slot in maps for name in written]
        if not all((self.folder / name).exists() for name in names):
            return ()
        both = (self.folder / map_loop.DISTILLED).exists()
        return (*names, map_loop.DISTILLED) if both else tuple(names)

    def _fronts(self) -> None:
        objective, done = self._found(), {}
        (self.folder / map_loop.DISTILLED).unlink(missing_ok=True)
        for slot, target in objective.maps.items():
            asked = map_distilling.asked_map(
                target,
                SLOT_KINDS[slot],
                points=self.config.points,
                density=[self.folder / map_loop.DENSITY],
                seed=self.config.seed,
            )
            found = map_distilling.distil_into(
                self.folder / slot, asked, seed=self.config.seed, tell=self.watch.doing
            )
            if found.front.interrupted:
                raise KeyboardInterrupt
            done[slot] = (asked, found.front)
        if all(front.knee is not None for _, front in done.values()):
            with writing(str(self.folder)):
                save_objective(
                    self.folder / map_loop.DISTILLED, map_distilling.with_knees(objective, done)
                )

    def _asked_agents(self) -> Mapping[str, Any]:
        names = ("baselines", "seeds", "seed", "episodes")
        return {
            **{name: self.asked[name] for name in names},
            "orpo": orpo(self.config.search).settings(),
            **self._files(map_loop.DATA, *self._left_objective(), map_loop.DISTILLED),
            "training": self.config.training.record(), "start": self.config.search.start,
        }  # fmt: skip

    def _agents(self) -> None:
        place = self.folder / "agents" / hash_of(self._asked_agents())[:_KEY]
        rows, first, met = [], None, {}
        for data in self._datasets():
            asked = plans.plan(
                self._compared(),
                self.folder / data["path"],
                seeds=range(self.config.seed, self.config.seed + self.config.seeds),
                config=self.config.training,
                start=self._start,
            )
            found, trajectories = self._aligned(asked, place / data["name"])
            if first is None:
                first, met = asked, trajectories
            table, returns = running.summary(asked, found), running.returns_of(asked, found)
            notes = results.notes(results.agents(asked, found))
            rows.append(
                {"dataset": data["name"], "table": table, "returns": returns, "notes": notes}
            )
        assert first is not None  # there is a dataset
        shown = {
            label: objective
            for label, objective in first.objectives.items()
            if label in ("orpo", map_loop.FOUND, map_loop.FORMULAS)
        }
        landscape.plot_landscapes(shown, self.folder / map_loop.LANDSCAPE, trajectories=met)
        draw_returns({row["dataset"]: row["returns"] for row in rows}, self.folder)
        self._write_rows(map_loop.COMPARISON, map_loop.COMPARISON_SCHEMA, rows)

    def _compared(self) -> Sequence[object]:
        """ORPO, the known ones, the networks, and their formulas."""
        compared: list[object] = [orpo(self.config.search), *self.config.baselines]
        compared.append(replace(self._found(), name=map_loop.FOUND))
        if (self.folder / map_loop.DISTILLED).exists():
            formulas = load_objective(self.folder / map_loop.DISTILLED)
            compared.append(replace(formulas, name=map_loop.FORMULAS))
        return compared

    def _asked_report(self) -> Mapping[str, Any]:
        made = (map_loop.DATA, map_loop.COMPARISON, RETURNS, map_loop.LANDSCAPE)
        left = self._files(*made, *self._left_objective(), *self._left_fronts())
        return {**self.asked, **left, "layout": map_loop.LAYOUT}

    def _left_report(self) -> tuple[str, ...]:
        pages = (loop.HTML, loop.MARKDOWN)
        return pages if self.config.objective else (*pages, map_loop.SEARCH)

    def _report(self) -> None:
        if not self.config.objective:
            pictures.draw_search(self._search_folder(), self.folder / map_loop.SEARCH)
        loop.write(map_loop.document(self.config, self.folder), self.folder)

    def _write_rows(self, name: str, schema: str, rows: list[dict[str, Any]]) -> None:
        text = json.dumps({"schema": schema, "rows": plain(rows)}, indent=1, allow_nan=False)
        with writing(str(self.folder)):
            write_atomically(self.folder / name, (text + "\n").encode())


def _unlike(name: str, taken: Mapping[str, Any]) -> str:
    """The name, with a number behind it where there is another of that name."""
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in taken)


def _record(objective: PreferenceObjective) -> dict[str, Any]:
    """What makes an objective another one."""
    slots = {
        name: slot.content_hash
        if isinstance(slot, MirrorNetwork)
        else [str(slot.formula), {n: str(d) for n, d in slot.domains.items()}]
        for name, slot in {**objective.maps, "link": objective.link}.items()
        if isinstance(slot, (MirrorNetwork, Drift))
    }
    return {**slots, **objective.settings()}


class MapDiscoverFolder(SearchFolder[Any]):
    """The folder of a discovery of mirror maps: discover.json has what was asked."""

    NAME = "discover.json"
    SCHEMA = map_config.SCHEMA
    WHAT = "discovery"

    @staticmethod
    def settings(record: Mapping[str, Any], path: Path) -> Any:
        """What was asked, from its record."""
        return MapDiscoverConfig.from_record(record, path / MapDiscoverFolder.NAME)


def check(config: MapDiscoverConfig) -> None:
    """Raise ConfigError for what could not be done later, before anything is written."""
    if config.objective:
        if not Path(config.objective).is_file():
            raise ConfigError(
                f"{config.objective}: is no file; a discovery begins with the objective.json of a "
                "search, or searches itself"
            )
        running.all_proved(config.objective, load_objective(config.objective))
    searching.check(replace(config.search, dataset=config.datasets[0] if config.datasets else ""))
    if not config.datasets:
        check_minibatch(config.training, config.search.data.rows)
    for path in config.datasets:
        compared = [orpo(config.search), *config.baselines]
        running.check(
            plans.plan(
                compared, path, seeds=(0,), config=config.training, start=config.search.start
            )
        )
