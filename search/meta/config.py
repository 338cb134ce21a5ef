"""What a meta-training is: environments, inner training, networks, strategy; frozen and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rl import environments
from rl.config import TrainerConfig
from rl.presets import preset as recipe
from search.meta.networks import NetworkShape
from search.meta.strategy import StrategyConfig
from symbolic.arrays import Decimal
from symbolic.errors import ConfigError

EVERYWHERE = "*"
"""In place of an environment's name in `inner`: all of them."""


@dataclass(frozen=True, kw_only=True)
class MetaConfig:
    """How drift networks are meta-trained."""

    envs: tuple[str, ...]
    """Environments that agents are trained in; every member meets them all in each generation."""
    seeds: int = 1
    """Agents of a member in each environment and generation."""
    generations: int = 672
    """Steps of the strategy."""
    network: NetworkShape = field(default_factory=NetworkShape)
    """What is trained."""
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    """How."""
    inner: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By environment, or "*" for all, fields of the training that differ from its recipe."""
    held_out_envs: tuple[str, ...] = ()
    """Environments in which the mean is judged beside those it is trained in."""
    held_out_every: int = 10
    """Generations from one such judgement to the next."""
    held_out_seeds: int = 16
    """Agents of a judgement in each environment."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        if not self.envs:
            raise ConfigError("envs is empty; name at least one environment")
        for name in ("seeds", "generations", "held_out_every", "held_out_seeds"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigError(f"{name}={value!r:.40} must be a whole number of at least 1")
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed={self.seed!r:.40} must be a whole number from 0 to 4294967295")
        if self.strategy.shaping == "pairwise" and self.strategy.name != "Open_ES":
            raise ConfigError(
                f"shaping='pairwise' needs antithetic pairs, which {self.strategy.name} may not "
                "have; use Open_ES or another shaping"
            )
        if unknown := set(self.inner) - {*self.judged_envs, EVERYWHERE}:
            raise ConfigError(
                f"inner changes '{min(unknown):.40}', which is none of the environments; "
                f"use {', '.join(self.judged_envs)}, or * for all"
            )
        for env in self.judged_envs:
            self.trainer(env)

    @property
    def judged_envs(self) -> tuple[str, ...]:
        """Those of the training, then the held-out ones."""
        return tuple(dict.fromkeys((*self.envs, *self.held_out_envs)))

    def trainer(self, env: str) -> TrainerConfig:
        """The inner training in `env`: one evaluation, at its end."""
        changes = {**self.inner.get(EVERYWHERE, {}), **self.inner.get(env, {})}
        return recipe(env, **{**changes, "num_evaluations": 1})

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"inner": {env: dict(c) for env, c in self.inner.items()}}


def check_mixture(envs: tuple[str, ...], tasks: Mapping[str, environments.Task]) -> None:
    """Raise ConfigError for a mixture of discrete and continuous actions."""
    kinds = {env: type(tasks[env].actions).__name__.lower() for env in envs}
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{env} {kind}" for env, kind in kinds.items())
        raise ConfigError(f"envs mixes kinds of actions ({said}); train with one kind at a time")


def from_record(record: Mapping[str, Any], path: Path) -> MetaConfig:
    """The configuration of a folder; raises ConfigError for one of another version."""
    known = {f.name for f in fields(MetaConfig)}
    found = {name: value for name, value in record.items() if name in known}
    try:
        network = {n: _plain(v) for n, v in found.pop("network").items()}
        strategy = {n: _plain(v) for n, v in found.pop("strategy").items()}
        inner = {
            env: {n: _plain(v) for n, v in changes.items()}
            for env, changes in found.pop("inner").items()
        }
        return MetaConfig(
            network=NetworkShape(**network),
            strategy=StrategyConfig(**strategy),
            inner=inner,
            **{name: _plain(value) for name, value in found.items()},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}/meta.json: is of another version ({error})") from None


def differing(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Names of the fields in which two records differ, "strategy.sigma" for one inside another."""
    found = []
    for name in sorted({*one, *other}):
        a, b = one.get(name), other.get(name)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += differing(a, b, f"{prefix}{name}.")
        elif a != b:
            found.append(f"{prefix}{name}")
    return found


def _plain(value: Any) -> Any:
    """JSON's lists and exact decimals as the dataclasses have them."""
    if isinstance(value, list):
        return tuple(value)
    return float(value) if isinstance(value, Decimal) else value
