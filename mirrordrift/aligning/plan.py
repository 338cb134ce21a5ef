"""What an alignment is: objectives, a dataset, seeds and sizes, checked and kept in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift import runs
from mirrordrift.writing import writing
from rl.offline.config import SCRATCH
from symbolic.arrays import read_bounded, read_json, write_atomically
from symbolic.catalogue.objectives import objectives as known_objectives
from symbolic.errors import ConfigError
from symbolic.preference.objective import PreferenceObjective, slot_text
from symbolic.preference.reading import (
    bind_objective,
    load_objective,
    objective_from_text,
    refuse_unused,
    save_objective,
)

if TYPE_CHECKING:
    from rl.offline.config import OfflineConfig
    from rl.preference.data import PreferenceData

SCHEMA = "mirrordrift/align-run/1"
_FILE = "align.json"
_START = "start.npz"


@dataclass(frozen=True, kw_only=True)
class AlignPlan:
    """Objectives to be compared on one dataset."""

    objectives: Mapping[str, PreferenceObjective]
    """By the label that tables show."""
    dataset: Path
    config: OfflineConfig
    seeds: tuple[int, ...]
    start: str = SCRATCH
    """`scratch`, or the agent that training begins with."""
    rows: int | None = None
    """The first so many pairs of the dataset; all of them where not given."""
    steps: int | None = None
    """The first so many steps of each trajectory, and of the episodes that agents are judged by."""
    data_hash: str = ""
    """Of the dataset, so that a run goes on with no other."""
    versions: Mapping[str, str | None] = field(default_factory=dict)


def objective_of(
    spec: object, parameters: Sequence[str] = (), changes: Mapping[str, Any] | None = None
) -> tuple[str, PreferenceObjective]:
    """(label, objective) of a name, of `psi; phi_inverse[; link]`, of a `.json` file, or as it is.

    `parameters` bind those of formulas; `changes` are fields such as `beta`.
    Raises ConfigError or FormulaError for what is none.
    """
    if isinstance(spec, PreferenceObjective):
        label, found = spec.name or spec.text, spec
    elif not isinstance(spec, str):
        raise ConfigError(
            f"objective={spec!r:.60} is {type(spec).__name__}; give text or a PreferenceObjective"
        )
    elif spec.endswith(".json"):
        label, found = _file_label(Path(spec)), bind_objective(load_objective(spec), parameters)
    elif ";" in spec:
        found = objective_from_text(spec, parameters)
        slots = (
            ("psi", "phi_inverse") if found.link_is_log_sigmoid else ("psi", "phi_inverse", "link")
        )
        label = "; ".join(slot_text(getattr(found, slot)) for slot in slots)
    else:
        found = bind_objective(known_objectives[spec.strip()], parameters)
        label = found.name
    changes = dict(changes or {})
    if not changes:
        return label, found
    return label + _told(changes), replace(found, **changes)


def labelled(
    specs: Sequence[object],
    parameters: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
) -> dict[str, PreferenceObjective]:
    """Several objectives by their labels; files of one name have their paths as labels.

    Raises ConfigError or FormulaError as `objective_of` does, and for one that is given twice.
    """
    found: dict[str, PreferenceObjective] = {}
    files: set[Path] = set()
    for spec in specs:
        label, objective = objective_of(spec, parameters, changes)
        if isinstance(spec, str) and spec.endswith(".json"):
            path = Path(spec).resolve()
            if label in found and path not in files:
                label = spec + _told(changes or {})
            files.add(path)
        if label in found:
            raise ConfigError(f"{label} is given twice; leave one out")
        found[label] = objective
    refuse_unused(parameters, found.values())
    return found


def _told(changes: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name}={value}" for name, value in changes.items())
    return f" ({told})" if told else ""


_COMMON_NAMES = ("objective", "distilled")
"""What a search, a distillation and a discovery call their files."""


def _file_label(path: Path) -> str:
    """The name of the file, or of its folder where all such files have one name."""
    return path.resolve().parent.name if path.stem in _COMMON_NAMES else path.stem


def plan(
    specs: Sequence[object],
    dataset: str | Path,
    *,
    seeds: Sequence[int],
    config: OfflineConfig,
    start: str = SCRATCH,
    rows: int | None = None,
    steps: int | None = None,
    parameters: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
) -> AlignPlan:
    """Read objectives and dataset; raises ConfigError or FormulaError for what is no comparison."""
    from rl.population import check_seeds
    from rl.preference.data import PreferenceData

    check_seeds(seeds)
    if not seeds:
        raise ConfigError("no seed to train with; give one at least")
    found = labelled(specs, parameters, changes)
    if not found:
        raise ConfigError("no objective to train with; give --objective orpo, for example")
    return AlignPlan(
        objectives=found,
        dataset=Path(dataset),
        config=config,
        seeds=tuple(seeds),
        start=start,
        rows=rows,
        steps=steps,
        data_hash=_informative(PreferenceData.open(dataset)).card["hash"],
        versions=runs.versions(),
    )


def save(plan: AlignPlan, folder: Path) -> None:
    """Write the plan into a new folder; raises ConfigError if one is there or cannot be written."""
    from mirrordrift.actors import actor_of
    from rl.preference.actors import write_actor

    if (folder / _FILE).exists():
        raise ConfigError(
            f"{folder}: holds an alignment already; go on with --resume {folder}, "
            "or name another folder"
        )
    record = {
        "schema": SCHEMA,
        "objectives": list(plan.objectives),
        "dataset": str(plan.dataset.resolve()),
        "data_hash": plan.data_hash,
        "config": plan.config.record(),
        "seeds": plan.seeds,
        "start": plan.start,
        "rows": plan.rows,
        "steps": plan.steps,
        "versions": dict(plan.versions),
    }
    with writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        for number, objective in enumerate(plan.objectives.values()):
            save_objective(folder / _objective_file(number), objective)
    if plan.start != SCRATCH:
        write_actor(folder / _START, actor_of(plan.start))
    with writing(str(folder)):
        write_atomically(folder / _FILE, (json.dumps(record, indent=1) + "\n").encode())


def begin(plan: AlignPlan, folder: Path) -> None:
    """Write the plan into a folder, or go on where it is; ConfigError for one that has another plan."""
    if not (folder / _FILE).exists():
        save(plan, folder)
        return
    there = load(folder)
    for name in ("config", "seeds", "rows", "steps", "data_hash"):
        if getattr(there, name) != getattr(plan, name):
            raise ConfigError(
                f"{folder}: holds an alignment with another {name}; name another folder"
            )
    if _start_hash(there) != _start_hash(plan):
        raise ConfigError(
            f"{folder}: holds an alignment with another start than {plan.start}; name another folder"
        )
    asked, kept = (
        {label: (o.text, o.settings()) for label, o in one.objectives.items()}
        for one in (plan, there)
    )
    if asked != kept:
        raise ConfigError(f"{folder}: holds an alignment of other objectives; name another folder")


def _start_hash(plan: AlignPlan) -> str:
    """What policies start as, by content: an agent is copied into the folder under another name."""
    from mirrordrift.actors import actor_of

    return plan.start if plan.start == SCRATCH else actor_of(plan.start).content_hash


def load(folder: Path) -> AlignPlan:
    """The plan of an alignment that goes on; raises ConfigError for a folder without one."""
    from rl.offline.config import OfflineConfig

    path = folder / _FILE
    content = read_bounded(path)
    read_json(content, str(path))  # refuses what is no JSON
    record = json.loads(content)
    if record.get("schema") != SCHEMA:
        raise ConfigError(
            f"{path}: schema={record.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
        )
    try:
        start = str(record["start"])
        return AlignPlan(
            objectives={
                str(label): load_objective(folder / _objective_file(number))
                for number, label in enumerate(record["objectives"])
            },
            dataset=Path(record["dataset"]),
            config=OfflineConfig.of(record["config"]),
            seeds=tuple(int(seed) for seed in record["seeds"]),
            start=start if start == SCRATCH else str(folder / _START),
            rows=record["rows"],
            steps=record["steps"],
            data_hash=str(record["data_hash"]),
            versions=dict(record["versions"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: {error} is missing or wrong; begin a new one") from None


def opened(plan: AlignPlan) -> PreferenceData:
    """The dataset of a plan; raises ConfigError if it is gone or is another one."""
    from rl.preference.data import PreferenceData

    data = PreferenceData.open(plan.dataset)
    if data.card["hash"] != plan.data_hash:
        raise ConfigError(
            f"{plan.dataset}: is another dataset than the one this alignment began with; "
            "begin a new one"
        )
    return data


def _informative(data: PreferenceData) -> PreferenceData:
    """The dataset; raises ConfigError for one in which no trajectory is better than its other."""
    if data.card["tie_rate"] == 1:
        raise ConfigError(
            f"{data.path}: every row is a tie, so nothing can be learnt from it; make a dataset with "
            "more --steps, or other agents"
        )
    return data


def _objective_file(number: int) -> str:
    return f"objective-{number:02}.json"
