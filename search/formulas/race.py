"""A race: formulas train a little, the better half trains on from the start for twice as long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from rl.drifts import of_formulas
from rl.environments import Task
from search.arena import Arena, drawn_seeds
from search.formulas.config import FormulaConfig
from search.judging import ppo
from symbolic.drift import Drift


class Result(NamedTuple):
    """What a race told."""

    gains: dict[int, float]
    """Of the last survivors and the elites, by place: what a whole training gained on PPO. One that
    diverged has the lowest of them, and at most minus one spread."""
    returns: dict[str, dict[str, float]]
    """By environment, mean and highest return of the whole trainings, and PPO's."""
    diverged: int
    """Formulas of which an agent diverged."""
    env_steps: int


class Race:
    """Runs races of one size, always in the same compiled programs."""

    def __init__(self, config: FormulaConfig, tasks: Mapping[str, Task]) -> None:
        self.config = config
        self._arenas = {
            (env, rung): Arena(
                tasks[env],
                config.trainer(env, **config.shortened(env, rung)),
                of_formulas([ppo()] * self._count(rung)),
                config.seeds,
            )
            for env in config.envs
            for rung in config.rungs
        }

    def run(
        self, new: Sequence[Drift], elites: Sequence[Drift], random: np.random.Generator,
        scales: Mapping[str, float],
    ) -> Result:  # fmt: skip
        """Who of `new` gets how far; `elites` have places after them and join the last rung.

        `scales` are units of return, by environment.
        """
        running = list(range(len(new)))
        everyone = [*new, *elites]
        lost: set[int] = set()
        steps = 0
        for rung in self.config.rungs:
            if rung == self.config.halvings:
                running += range(len(new), len(everyone))
            found = self._gains([everyone[i] for i in running], rung, random, scales)
            steps += found.env_steps
            gains = dict(zip(running, found.gains))
            lost |= {place for place, gain in gains.items() if np.isnan(gain)}
            if rung < self.config.halvings:
                running.sort(key=lambda place: -np.nan_to_num(gains[place], nan=-np.inf))
                running = running[: self.config.width(rung + 1)]
        low = min([-1.0, *(float(gain) for gain in gains.values() if np.isfinite(gain))])
        whole = {p: float(gain) if np.isfinite(gain) else low for p, gain in gains.items()}
        return Result(whole, found.returns, len(lost), steps)

    def spreads(self, drifts: Sequence[Drift], random: np.random.Generator) -> dict[str, float]:
        """By environment, the standard deviation of whole trainings' returns: a unit for gains."""
        found = {}
        for env in self.config.envs:
            arena = self._arenas[env, self.config.halvings]
            candidates = of_formulas(drifts[: self._count(self.config.halvings)])
            returns = arena.returns(candidates, drawn_seeds(random, self.config.seeds))
            spread = float(np.nanstd(returns)) if np.isfinite(returns).any() else 0.0
            found[env] = spread or 1.0
        return found

    def _count(self, rung: int) -> int:
        """Formulas of a rung, PPO among them."""
        elites = self.config.elites if rung == self.config.halvings else 0
        return self.config.width(rung) + elites + 1

    def _gains(
        self, drifts: Sequence[Drift], rung: int, random: np.random.Generator,
        scales: Mapping[str, float],
    ) -> _Rung:  # fmt: skip
        total = np.zeros(len(drifts))
        returns, steps = {}, 0
        for env in self.config.envs:
            arena = self._arenas[env, rung]
            seeds = drawn_seeds(random, self.config.seeds)
            found = arena.returns(of_formulas([ppo(), *drifts]), seeds).mean(axis=1)
            alive = found[1:][np.isfinite(found[1:])]
            rival = found[0] if np.isfinite(found[0]) or not alive.size else alive.mean()
            total += (found[1:] - rival) / scales[env]
            returns[env] = {
                "mean": float(alive.mean()) if alive.size else float("nan"),
                "max": float(alive.max()) if alive.size else float("nan"),
                "ppo": float(found[0]),
            }
            steps += arena.env_steps * len(found) * len(seeds)
        return _Rung(total / len(self.config.envs), returns, steps)


class _Rung(NamedTuple):
    gains: Float[np.ndarray, "formulas"]
    returns: dict[str, dict[str, float]]
    env_steps: int
