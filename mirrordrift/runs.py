"""What a run's files say: its settings, drift and versions written down, and read again."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.spec import Target, resolve
from mirrordrift.writing import writing
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.network import load_network, save_network

if TYPE_CHECKING:
    from rl.config import TrainerConfig
    from rl.score import Score

SCHEMA = "mirrordrift/train/1"
NETWORK_FILE = "drift.npz"
_PACKAGES = ("mirrordrift", "jax", "jaxlib", "brax", "gymnax", "flax", "optax", "evosax", "numpy")


def label(target: Target) -> str:
    """A drift in few words: its name or formula, or the hash of a network that is not shipped."""
    if isinstance(target, Drift):
        return target.name or target.text
    from search import pretrained

    return pretrained.name_of(target) or f"network {target.content_hash[:19]}"


def record_of(target: Target, env: str, seed: int, config: TrainerConfig) -> dict[str, Any]:
    """What run.json holds: enough to go on from, and to know what was run with what."""
    return {
        "env": env,
        "seed": seed,
        "drift": drift_record(target),
        "config": asdict(config),
        "versions": versions(),
    }


def versions() -> dict[str, str | None]:
    """Of Python and the packages that results depend on; None for one that is not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def keep_network(target: Target, folder: Path) -> None:
    """Copy a network beside its run, which then needs nothing else to go on."""
    if isinstance(target, Drift):
        return
    with writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        save_network(folder / NETWORK_FILE, target)


def target_of(record: Mapping[str, Any], folder: Path) -> Target:
    """The drift of a run that goes on; raises ConfigError for a record that has none."""
    drift = record.get("drift")
    if not isinstance(drift, dict):
        raise ConfigError(f"{folder}/run.json: 'drift' is missing; the run cannot go on")
    if "formula" in drift:
        found = resolve(drift["formula"], drift.get("parameters") or {}, only="formula")
        assert isinstance(found, Drift)
        return replace(found, name=str(drift.get("name", "")))
    return load_network(folder / NETWORK_FILE)


def config_of(record: Mapping[str, Any], folder: Path) -> TrainerConfig:
    """The configuration of a run that goes on; raises ConfigError for one that is not ours."""
    from rl.config import TrainerConfig

    config = record.get("config")
    known = {field.name for field in fields(TrainerConfig)}
    if not isinstance(config, dict) or set(config) != known:
        raise ConfigError(f"{folder}/run.json: 'config' is of another version; begin a new run")
    return TrainerConfig(**{name: _plain(value) for name, value in config.items()})


def _plain(value: Any) -> Any:
    """JSON's lists and exact decimals as the dataclass has them."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str) and _is_number(value):
        return float(value)
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def answer(score: Score, env: str, drift: str) -> dict[str, Any]:
    """The JSON object of one agent."""
    found = {
        "schema": SCHEMA,
        "env": env,
        "drift": drift,
        "seed": score.seed,
        "return_mean": score.return_mean,
        "return_stderr": score.return_stderr,
        "entropy": score.entropy,
        "env_steps": score.env_steps,
        "seconds": score.seconds,
        "env_steps_per_second": score.env_steps_per_second,
        "compile_seconds": score.compile_seconds,
        "failed": score.failed,
    }
    # A diverged agent has numbers that JSON has not.
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in found.items()
    }


def drift_record(target: Target) -> dict[str, Any]:
    """A drift in a record that `target_of` reads again; a network by its hash."""
    if not isinstance(target, Drift):
        return {"network": target.content_hash}
    values = {
        name: domain.value if domain.value is not None else target.defaults[name]
        for name, domain in target.parameters.items()
        if domain.value is not None or name in target.defaults
    }
    return {
        "name": target.name,
        "formula": target.text,
        "parameters": {name: str(value) for name, value in values.items()},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
