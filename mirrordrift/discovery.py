"""The whole loop: a network, its samples, their formulas, agents retrained with them, a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift import distilling, runs
from mirrordrift.bench import comparison, pictures, table
from mirrordrift.bench.plan import Plan
from mirrordrift.fronts import files
from mirrordrift.fronts import pictures as front_pictures
from mirrordrift.report import loop
from mirrordrift.spec import Target, resolve_line
from mirrordrift.writing import writing
from search.distill.distillation import box_of, distil
from search.distill.engines import choose
from search.distill.sampling import check_points
from search.folder import SearchFolder
from search.pipeline import steps
from search.pipeline.config import DiscoverConfig
from search.pipeline.stages import Stage, file_hashes, hash_of, run
from symbolic.arrays import write_atomically
from symbolic.distill.samples import load_samples
from symbolic.drift import Drift
from symbolic.network import load_network

if TYPE_CHECKING:
    from mirrordrift.progress import Begin
    from search.distill.front import Tell

BASELINES = ("ppo; eps=0.2", "dpo")
RETRAINED = "retrained"
_KEY = 12
"""Characters of a hash in the name of a folder."""


@dataclass(frozen=True)
class Watch:
    """Who hears of what is done."""

    stage: Callable[[str, bool], None]
    """A stage begins: its name, and whether it is skipped."""
    training: Begin
    distilling: Tell
    generation: Callable[[dict[str, Any]], None]


def discover(config: DiscoverConfig, folder: Path, watch: Watch) -> dict[str, Any]:
    """Do what is not done in the folder yet; the summary of the comparison.

    Raises ConfigError for what cannot be done.
    """
    stages = _Stages(config, folder, watch)
    run(stages.all(), folder, lambda stage, skipped: watch.stage(stage.name, skipped))
    found: dict[str, Any] = json.loads((folder / loop.SUMMARY).read_bytes())
    return found


class _Stages:
    """The stages of one discovery."""

    def __init__(self, config: DiscoverConfig, folder: Path, watch: Watch) -> None:
        self.config, self.folder, self.watch = config, folder, watch
        self.asked = config.record()

    def all(self) -> list[Stage]:
        """In their order."""
        return [
            Stage("network", self._asked_network, lambda: (steps.NETWORK,), self._network),
            Stage("density", self._asked_density, self._densities, self._density),
            Stage("samples", self._asked_samples, lambda: (steps.SAMPLES,), self._samples),
            Stage(
                "front",
                self._asked_front,
                lambda: (files.FRONT, files.CERTIFICATES, "front.png"),
                self._front,
            ),
            Stage(
                "retrain",
                self._asked_retrain,
                lambda: (loop.SUMMARY, "curves.png", "entropy.png"),
                self._retrain,
            ),
            Stage("report", self._asked_report, lambda: (loop.HTML, loop.MARKDOWN), self._report),
        ]

    def _some(self, *names: str) -> dict[str, Any]:
        """Fields of the configuration that a stage depends on."""
        return {name: self.asked[name] for name in names}

    def _files(self, *names: str) -> dict[str, str | None]:
        return file_hashes(self.folder, names)

    def _asked_network(self) -> Mapping[str, Any]:
        given = steps.network_hash(self.config, self.folder)
        return self._some("network", "meta_preset", "seed") | {"hash": given}

    def _network(self) -> None:
        steps.make_network(self.config, self.folder, runs.versions(), self.watch.generation)

    def _asked_density(self) -> Mapping[str, Any]:
        return self._some("envs", "inner", "density_seeds", "seed") | self._files(steps.NETWORK)

    def _density_folder(self) -> Path:
        """Named by what it depends on: trainings of something else stay beside it."""
        return self.folder / steps.DENSITY / hash_of(self._asked_density())[:_KEY]

    def _densities(self) -> tuple[str, ...]:
        found = steps.densities(self.config, self._density_folder())
        return tuple(str(path.relative_to(self.folder)) for path in found)

    def _density(self) -> None:
        place = self._density_folder()
        steps.make_density(self.config, self.folder / steps.NETWORK, place, self.watch.training)

    def _asked_samples(self) -> Mapping[str, Any]:
        return self._some("points", "seed") | self._files(steps.NETWORK, *self._densities())

    def _samples(self) -> None:
        steps.make_samples(self.config, self.folder, self._density_folder())

    def _asked_front(self) -> Mapping[str, Any]:
        engine = choose(self.config.engine).record()
        return (
            self._some("effort", "seed")
            | {"engine": engine}
            | self._files(steps.SAMPLES, steps.NETWORK)
        )

    def _front(self) -> None:
        network = load_network(self.folder / steps.NETWORK)
        samples = load_samples(self.folder / steps.SAMPLES)
        engines = choose(self.config.engine)
        front = distil(
            samples,
            engines,
            reference=network,
            effort=self.config.effort,
            seed=self.config.seed,
            tell=self.watch.distilling,
        )
        if front.interrupted:
            raise KeyboardInterrupt
        about = {"target": distilling.hash_of(network), "seed": self.config.seed}
        record = files.record_of(front, samples, box_of(samples), engines.record(), about)
        front_pictures.draw(front, record, network, self.folder)
        files.write(self.folder, front, record)

    def _asked_retrain(self) -> Mapping[str, Any]:
        return self._some("envs", "inner", "seeds", "seed", "retrained") | self._files(
            steps.NETWORK, files.FRONT
        )

    def _retrain(self) -> None:
        plan = self._plan()
        place = self.folder / RETRAINED / hash_of(self._asked_retrain())[:_KEY]
        rows = []
        for found in comparison.run(plan, place, progress=self.watch.training):
            rows += found
        summary = table.summary(rows, plan.baseline)
        pictures.draw(rows, plan.baseline, self.folder)
        lines = [
            json.dumps(runs.answer(score, row.env, row.drift), allow_nan=False)
            for row in rows
            for score in row.scores
        ]
        with writing(str(self.folder)):
            write_atomically(self.folder / "scores.jsonl", ("\n".join(lines) + "\n").encode())
            text = json.dumps(summary, indent=1, allow_nan=False)
            write_atomically(self.folder / loop.SUMMARY, (text + "\n").encode())

    def _plan(self) -> Plan:
        """PPO, DPO, the network, and formulas of the front that are proved."""
        drifts: dict[str, Target] = {}
        for spec in BASELINES:
            drifts[spec.replace("; ", " ")] = resolve_line(spec)
        drifts[loop.NETWORK_LABEL] = load_network(self.folder / steps.NETWORK)
        for member in chosen_members(files.read(self.folder / files.FRONT), self.config.retrained):
            drifts[loop.label_of(member)] = Drift.from_text(member["formula"])
        configs = {env: self.config.trainer(env) for env in self.config.envs}
        first = self.config.seed
        return Plan(
            drifts=drifts, configs=configs, seeds=tuple(range(first, first + self.config.seeds))
        )

    def _asked_report(self) -> Mapping[str, Any]:
        names = (steps.NETWORK, steps.SAMPLES, files.FRONT, files.CERTIFICATES, loop.SUMMARY)
        return self.asked | self._files(*names) | {"layout": loop.LAYOUT}

    def _report(self) -> None:
        document = loop.document(self.config, self.folder)
        loop.write(document, self.folder)


def chosen_members(front: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """The proved members to retrain: the knee and those next to it in size, smaller ones first."""
    proved = [member for member in front["members"] if member["verdict"] == "proved"]
    knee = next((i for i, member in enumerate(proved) if member["knee"]), 0)
    nearest = sorted(range(len(proved)), key=lambda i: (abs(i - knee), i))[:count]
    return [proved[i] for i in sorted(nearest)]


class DiscoverFolder(SearchFolder[Any]):
    """The folder of a discovery: discover.json has what was asked."""

    NAME = "discover.json"
    SCHEMA = "mirrordrift/discover/1"
    WHAT = "discovery"

    @staticmethod
    def settings(record: Mapping[str, Any], path: Path) -> Any:
        """What was asked, from its record."""
        return DiscoverConfig.from_record(record, path / DiscoverFolder.NAME)


def check(config: DiscoverConfig) -> None:
    """Raise ConfigError for what could not be done later, before anything is written."""
    from rl import environments

    for env in config.envs:
        environments.task_of(env, config.trainer(env))
    steps.begin_with(config)
    check_points(config.points)
    choose(config.engine)
