"""What a search over formulas is; frozen and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from search.settings import EVERYWHERE, SHORT, SearchSettings, check_count
from symbolic.errors import ConfigError

_SMALLEST = 8
"""Nodes that a formula worth training has, at least."""


@dataclass(frozen=True, kw_only=True)
class FormulaConfig(SearchSettings):
    """How formulas are searched for."""

    generations: int = 20
    """Batches of new formulas."""
    population_size: int = 32
    """New formulas of a generation."""
    halvings: int = 2
    """Times that the better half goes on to trainings of twice the steps; the last are whole."""
    elites: int = 4
    """Best formulas so far that are trained again in each generation, on its seeds."""
    largest: int = 40
    """Nodes of a formula, at most."""
    proof_seconds: float = 10.0
    """After which a formula counts as not proved. A brake: what the prover can prove takes far less."""
    finalists: int = 5
    """Formulas that are judged in the end."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("population_size", "elites", "largest", "finalists"):
            check_count(name, getattr(self, name))
        if self.largest < _SMALLEST:
            raise ConfigError(f"largest={self.largest} leaves no room for formulas; try 40")
        if type(self.halvings) is not int or self.halvings < 0:
            raise ConfigError(f"halvings={self.halvings!r:.40} must be a whole number, 0 or more")
        if self.population_size % 2**self.halvings:
            fitting = -(-self.population_size // 2**self.halvings) * 2**self.halvings
            raise ConfigError(
                f"population_size={self.population_size} cannot be halved {self.halvings} times; "
                f"try {fitting}"
            )
        if not isinstance(self.proof_seconds, (int, float)) or not 0 < self.proof_seconds < 3600:
            raise ConfigError(
                f"proof_seconds={self.proof_seconds!r:.40} must be a positive number of seconds"
            )
        for env in self.envs:
            for rung in self.rungs:
                self.trainer(env, **self.shortened(env, rung))

    @property
    def rungs(self) -> range:
        """Of the race, the first with the shortest trainings."""
        return range(self.halvings + 1)

    def width(self, rung: int) -> int:
        """New formulas in a rung."""
        return self.population_size >> rung

    def shortened(self, env: str, rung: int) -> dict[str, Any]:
        """What changes in the training of a rung."""
        steps = self.trainer(env).total_env_steps
        return {"total_env_steps": max(1, steps >> (self.halvings - rung))}


_QUICK = FormulaConfig(
    envs=("CartPole-v1",),
    seeds=2,
    generations=5,
    population_size=16,
    halvings=1,
    inner=SHORT,
)
PRESETS: Mapping[str, FormulaConfig] = {
    "quick": _QUICK,
    "classic-control": replace(
        _QUICK, envs=("CartPole-v1", "Acrobot-v1"), generations=40, population_size=32, halvings=2
    ),
    "minatar": FormulaConfig(
        envs=("Breakout-MinAtar", "SpaceInvaders-MinAtar"),
        generations=40,
        inner={EVERYWHERE: {"total_env_steps": 1_000_000}},
    ),
    "brax": FormulaConfig(
        envs=("ant", "halfcheetah"),
        generations=20,
        inner={EVERYWHERE: {"total_env_steps": 10_000_000}},
    ),
}
"""Searches by name: two for two cores, two for a GPU."""


def preset(name: str) -> FormulaConfig:
    """The search of a name; raises ConfigError for an unknown one."""
    if name not in PRESETS:
        raise ConfigError(f"preset='{name:.40}' is unknown; use one of {', '.join(PRESETS)}")
    return PRESETS[name]
