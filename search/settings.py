"""What all searches are told alike: where candidates are trained, how, and where they are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from rl import environments
from rl.config import TrainerConfig
from rl.presets import preset as recipe
from symbolic.arrays import Decimal
from symbolic.errors import ConfigError

EVERYWHERE = "*"
"""In place of an environment's name in `inner`: all of them."""

SHORT: Mapping[str, Mapping[str, Any]] = {
    EVERYWHERE: {
        "total_env_steps": 20_480, "num_envs": 16, "unroll_length": 128, "num_minibatches": 4,
        "update_epochs": 4, "learning_rate": 2.5e-3, "num_eval_envs": 16,
    }
}  # fmt: skip
"""Inner trainings of classic control that take seconds on two cores."""


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """Environments, inner trainings, generations, judgements; frozen and checked."""

    envs: tuple[str, ...]
    """Environments that agents are trained in; every candidate meets them all."""
    seeds: int = 1
    """Agents of a candidate in each environment."""
    generations: int
    """Steps of the search."""
    inner: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By environment, or "*" for all, fields of the training that differ from its recipe."""
    held_out_envs: tuple[str, ...] = ()
    """Environments to judge in beside those of the training."""
    held_out_seeds: int = 16
    """Agents of a judgement in each environment."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        if not self.envs:
            raise ConfigError("envs is empty; name at least one environment")
        for name in ("seeds", "generations", "held_out_seeds"):
            check_count(name, getattr(self, name))
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed={self.seed!r:.40} must be a whole number from 0 to 4294967295")
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

    def trainer(self, env: str, **more: Any) -> TrainerConfig:
        """The inner training in `env`: one evaluation, at its end; `more` comes last."""
        changes = {**self.inner.get(EVERYWHERE, {}), **self.inner.get(env, {}), **more}
        return recipe(env, **{**changes, "num_evaluations": 1})

    def tasks(self) -> dict[str, environments.Task]:
        """The tasks; raises ConfigError for a mixture of discrete and continuous actions."""
        tasks = {env: environments.task_of(env, self.trainer(env)) for env in self.judged_envs}
        kinds = {env: type(tasks[env].actions).__name__.lower() for env in self.envs}
        if len(set(kinds.values())) > 1:
            said = ", ".join(f"{env} {kind}" for env, kind in kinds.items())
            raise ConfigError(
                f"envs mixes kinds of actions ({said}); train with one kind at a time"
            )
        return tasks

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        trainers = {env: asdict(self.trainer(env)) for env in self.judged_envs}
        inner = {env: dict(changes) for env, changes in self.inner.items()}
        return asdict(self) | {"inner": inner, "trainers": trainers}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], path: Path) -> Self:
        """What `record` gave; raises ConfigError, naming the file, for one of another version.

        Recipes are among what a version settles: where one has changed since, the search cannot go
        on with the numbers it would have had.
        """
        known = {f.name for f in fields(cls)}
        found = {name: as_python(value) for name, value in record.items() if name in known}
        try:
            made = cls(**cls.parts(found))
            before = as_python(dict(record["trainers"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"{path}: is of another version ({error})") from None
        if changed := differing(before, made.record()["trainers"]):
            raise ConfigError(
                f"{path}: was begun with other recipes ({', '.join(changed)}); go on with the version "
                "that began it, or begin anew"
            )
        return made

    @classmethod
    def parts(cls, found: dict[str, Any]) -> dict[str, Any]:
        """The fields of a record, made what the dataclass has."""
        return found


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


def check_count(name: str, value: object) -> None:
    """Raise ConfigError for what is no whole number of at least 1."""
    if type(value) is not int or value < 1:
        raise ConfigError(f"{name}={value!r:.40} must be a whole number of at least 1")


def as_python(value: Any) -> Any:
    """JSON's lists and exact decimals as dataclasses have them, at any depth."""
    if isinstance(value, list):
        return tuple(as_python(entry) for entry in value)
    if isinstance(value, Mapping):
        return {name: as_python(entry) for name, entry in value.items()}
    return float(value) if isinstance(value, Decimal) else value
