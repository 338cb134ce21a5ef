"""What a comparison is: drifts, environments, seeds and sizes, checked and kept in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift import runs
from mirrordrift.spec import Target, resolve_line
from symbolic.arrays import read_bounded, read_json, write_atomically
from symbolic.drift import Drift
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from rl.config import TrainerConfig

SCHEMA = "mirrordrift/bench-run/1"
_FILE = "bench.json"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A comparison, ready to run."""

    drifts: Mapping[str, Target]
    """By the label that tables and pictures show; the first is what others are measured against."""
    configs: Mapping[str, TrainerConfig]
    """By environment."""
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...] = ()
    """Tried with the first drift on each environment; all drifts then use the best."""

    @property
    def baseline(self) -> str:
        """The label of the first drift."""
        return next(iter(self.drifts))


def plan(
    specs: Sequence[str],
    envs: Sequence[str],
    *,
    seeds: int,
    first_seed: int = 0,
    learning_rates: Sequence[float] = (),
    changes: Mapping[str, Any],
) -> Plan:
    """Read the drifts and recipes; raises FormulaError or ConfigError for what is no comparison.

    A spec may bind parameters after a semicolon, as lines of a file do: `ppo; eps=0.3`.
    """
    from rl.population import check_seeds
    from rl.presets import preset

    if seeds < 1:
        raise ConfigError(f"seeds={seeds} must be at least 1; several show the spread, try 5")
    check_seeds((first_seed, first_seed + seeds - 1))
    drifts: dict[str, Target] = {}
    for spec in specs:
        target = resolve_line(spec)
        label = _label(target)
        if label in drifts:
            raise ConfigError(f"{label} is given twice; leave one out, or bind another parameter")
        drifts[label] = target
    configs = {env: preset(env, **changes) for env in envs}
    return Plan(
        drifts=drifts,
        configs=configs,
        seeds=tuple(range(first_seed, first_seed + seeds)),
        learning_rates=tuple(learning_rates),
    )


def save(plan: Plan, folder: Path) -> None:
    """Write the plan into a new folder; raises ConfigError if one is there or cannot be written."""
    if (folder / _FILE).exists():
        raise ConfigError(
            f"{folder}: holds a comparison already; go on with --resume {folder}, "
            "or name another folder"
        )
    record = {
        "schema": SCHEMA,
        "drifts": [
            {"label": label, **runs.drift_record(target)} for label, target in plan.drifts.items()
        ],
        "configs": {env: asdict(config) for env, config in plan.configs.items()},
        "seeds": plan.seeds,
        "learning_rates": plan.learning_rates,
        "versions": runs.versions(),
    }
    try:
        for number, target in enumerate(plan.drifts.values()):
            runs.keep_network(target, _drift_folder(folder, number))
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / _FILE, (json.dumps(record, indent=1) + "\n").encode())
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written ({error.strerror or error}); name another folder"
        ) from None


def load(folder: Path) -> Plan:
    """The plan of a comparison that goes on; raises ConfigError for a folder without one."""
    path = folder / _FILE
    record = read_json(read_bounded(path), str(path))
    if record.get("schema") != SCHEMA:
        raise ConfigError(
            f"{path}: schema={record.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
        )
    try:
        return Plan(
            drifts={
                str(entry["label"]): runs.target_of({"drift": entry}, _drift_folder(folder, number))
                for number, entry in enumerate(record["drifts"])
            },
            configs={
                str(env): runs.config_of({"config": config}, folder)
                for env, config in record["configs"].items()
            },
            seeds=tuple(int(seed) for seed in record["seeds"]),
            learning_rates=tuple(float(rate) for rate in record["learning_rates"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: {error} is missing or wrong; begin a new comparison") from None


def _drift_folder(folder: Path, number: int) -> Path:
    return folder / "drifts" / f"{number:02}"


def _label(target: Target) -> str:
    """The name or the formula, and what is bound in it."""
    label = runs.label(target)
    if not isinstance(target, Drift):
        return label
    bound = {n: domain.value for n, domain in target.parameters.items() if domain.value is not None}
    return " ".join([label, *(f"{name}={float(value):g}" for name, value in bound.items())])
