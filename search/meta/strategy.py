"""Evolution strategies by evosax, on vectors of weights; here the sign of fitness is settled."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from symbolic.checks import is_number
from symbolic.errors import ConfigError

SHAPINGS = ("z-score", "rank", "pairwise", "none")


@dataclass(frozen=True, kw_only=True)
class StrategyConfig:
    """How a population of drifts is drawn and what is made of its returns."""

    name: str = "Open_ES"
    """A strategy of evosax; the fields below reach those that have them."""
    population_size: int = 32
    """Members of a generation, in antithetic pairs where the strategy has them."""
    sigma: float = 0.04
    """Standard deviation of the perturbations."""
    sigma_decay: float = 0.999
    """Its factor a generation."""
    sigma_floor: float = 0.01
    """Its least value."""
    learning_rate: float = 0.01
    """Of Adam, that moves the mean."""
    learning_rate_decay: float = 0.999
    """Its factor a generation."""
    learning_rate_floor: float = 0.001
    """Its least value."""
    momentum: float = 0.99
    """β₁ of Adam."""
    shaping: str = "z-score"
    """What returns become: z-score, rank, pairwise (the better of a pair counts 1, the other 0) or
    none."""

    def __post_init__(self) -> None:
        size = self.population_size
        if type(size) is not int or size < 2 or size % 2:
            raise ConfigError(
                f"population_size={size!r:.40} must be even, at least 2: members come in antithetic "
                "pairs; try 32"
            )
        for name in ("sigma", "learning_rate", "sigma_floor", "learning_rate_floor"):
            value = getattr(self, name)
            if not is_number(value) or not 0 < value < np.inf:
                raise ConfigError(f"{name}={value!r:.40} must be a positive number")
        for name in ("sigma_decay", "learning_rate_decay"):
            value = getattr(self, name)
            if not is_number(value) or not 0 < value <= 1:
                raise ConfigError(f"{name}={value!r:.40} must lie in (0, 1]; try 0.999")
        if not is_number(self.momentum) or not 0 <= self.momentum < 1:
            raise ConfigError(f"momentum={self.momentum!r:.40} must lie in [0, 1); try 0.9")
        for name, known in (("shaping", SHAPINGS), ("name", strategies())):
            value = getattr(self, name)
            if value not in known:
                what = "no strategy of evosax for one mean" if name == "name" else "unknown"
                raise ConfigError(f"{name}={value!r:.40} is {what}; use one of {', '.join(known)}")


@lru_cache
def strategies() -> tuple[str, ...]:
    """Names of evosax's strategies that move one mean and need nothing but a population."""
    from evosax import algorithms
    from evosax.algorithms.distribution_based.base import DistributionBasedAlgorithm

    def fits(found: Any) -> bool:
        if not isinstance(found, type) or not issubclass(found, DistributionBasedAlgorithm):
            return False
        parameters = inspect.signature(found).parameters.values()
        needed = {p.name for p in parameters if p.default is inspect.Parameter.empty}
        return found is not DistributionBasedAlgorithm and needed == {"population_size", "solution"}

    return tuple(name for name in dir(algorithms) if fits(getattr(algorithms, name)))


class Strategy:
    """Draws members around a mean and moves it towards those with high returns.

    Functions of their arguments alone: what goes on from one generation to the next is the state.
    """

    def __init__(self, config: StrategyConfig, size: int) -> None:
        from evosax import algorithms

        self.config = config
        made: Callable[..., Any] = getattr(algorithms, config.name)
        parameters = inspect.signature(made).parameters
        # evosax reads the schedule of σ before it counts: generations 0 and 1 have the same.
        offered: dict[str, Any] = {
            "use_antithetic_sampling": True,
            "std_schedule": _decay(config.sigma, config.sigma_decay, config.sigma_floor),
            "optimizer": optax.adam(
                _decay(
                    config.learning_rate, config.learning_rate_decay, config.learning_rate_floor
                ),
                b1=config.momentum,
            ),
        }
        own = parameters["fitness_shaping_fn"].default
        if "weights" not in getattr(own, "__name__", ""):  # those rank by weights of their own
            offered["fitness_shaping_fn"] = lambda population, fitness, state, params: fitness
        self._algorithm = made(
            config.population_size,
            jnp.zeros(size),
            **{name: value for name, value in offered.items() if name in parameters},
        )
        self._params = self._algorithm.default_params
        if hasattr(self._params, "std_init"):
            self._params = self._params.replace(std_init=config.sigma)

    def init(self, key: PRNGKeyArray, mean: Float[Array, "size"]) -> Any:
        """A state whose mean is `mean`."""
        return self._algorithm.init(key, jnp.asarray(mean, jnp.float32), self._params)

    def ask(self, key: PRNGKeyArray, state: Any) -> tuple[Float[Array, "members size"], Any]:
        """The members of a generation; where there are pairs, member i is paired with i + n/2."""
        population, state = self._algorithm.ask(key, state, self._params)
        return population, state

    def tell(
        self,
        key: PRNGKeyArray,
        members: Float[Array, "members size"],
        returns: Float[Array, "members"],
        state: Any,
    ) -> Any:
        """The state after a generation whose members had these returns; nan is the worst."""
        fitness = -shaped(returns, self.config.shaping)  # evosax minimises
        state, _ = self._algorithm.tell(key, members, fitness, state, self._params)
        return state


def _decay(first: float, factor: float, floor: float) -> optax.Schedule:
    """Times the factor a generation, down to the floor."""
    if factor == 1:  # optax would take the floor for a ceiling
        return optax.constant_schedule(first)
    return optax.exponential_decay(first, 1, factor, end_value=min(first, floor))


def shaped(returns: Float[Array, "members"], shaping: str) -> Float[Array, "members"]:
    """Returns made comparable from one generation to the next; nan counts as the lowest return.

    Where all are equal there is nothing to learn, and all are equal in any shape.
    """
    lost = jnp.isnan(returns)
    if shaping in ("rank", "pairwise"):
        returns = jnp.where(lost, -jnp.inf, returns)
        if shaping == "rank":
            return (jax.scipy.stats.rankdata(returns) - 1) / max(len(returns) - 1, 1) - 0.5
        first, second = jnp.split(returns, 2)
        better = jnp.where(first == second, 0.5, first > second)
        return jnp.concatenate([better, 1 - better])
    low = jnp.where(lost.all(), 0.0, jnp.nanmin(returns))
    returns = jnp.where(lost, low, returns)
    if shaping == "z-score":
        return (returns - returns.mean()) / (returns.std() + 1e-8)
    return returns
