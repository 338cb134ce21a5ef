"""How one agent is trained, as a frozen record that checks itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symbolic.checks import is_number
from symbolic.errors import ConfigError

MAX_BATCH = 2**24
"""Decisions of one update: a shuffle needs 8 random bits of 32 beside the index."""

ACTIVATIONS = ("swish", "tanh", "relu")
BACKENDS = ("spring", "generalized", "positional", "mjx")
"""Physics that brax has."""
_INITIALISERS = ("lecun-uniform", "orthogonal")


@dataclass(frozen=True, kw_only=True)
class TrainerConfig:
    """How one agent is trained: the loop, its losses, its networks."""

    total_env_steps: int
    """Environment steps of the whole training, repeated actions counted; rounded up to updates."""
    num_envs: int = 2048
    """Environments stepped in parallel."""
    unroll_length: int = 5
    """Steps over which an advantage is estimated before it bootstraps."""
    num_unrolls: int = 1
    """Unrolls of every environment that make up one update's batch."""
    num_minibatches: int = 32
    """Minibatches per epoch; must divide the decisions of a batch, or its unrolls if refreshed."""
    update_epochs: int = 4
    """Passes over a batch."""
    learning_rate: float = 3e-4
    """Of Adam."""
    anneal_learning_rate: bool = False
    """Lower the learning rate linearly to 0 over the training."""
    adam_epsilon: float = 1e-8
    """Added to the root of Adam's second moment."""
    max_grad_norm: float | None = None
    """Clip the gradient's global norm; with it comes a neighbourhood of the old policy."""
    discount: float = 0.99
    """γ."""
    gae_lambda: float = 0.95
    """λ of generalised advantage estimation."""
    refresh_advantages: bool = False
    """Estimate advantages in every minibatch anew, by the critic as it learns, as brax does."""
    entropy_cost: float = 0.01
    """Weight of the policy's entropy in the objective."""
    value_cost: float = 0.5
    """Weight of half the mean squared error of the critic."""
    reward_scaling: float = 1.0
    """Factor of rewards, for learning only; reported returns are the environment's."""
    normalise_observations: bool = False
    """Centre and scale observations by running moments."""
    normalise_rewards: bool = False
    """Divide rewards by the running standard deviation of discounted returns."""
    num_evaluations: int = 10
    """Evaluations over the training, evenly spread, the last at its end."""
    num_eval_envs: int = 128
    """Whole episodes of each evaluation."""
    episode_length: int | None = None
    """Steps until an episode is truncated; the environment's own if not given."""
    action_repeat: int = 1
    """Environment steps for which an action is held."""
    backend: str = "spring"
    """Physics of brax."""
    policy_hidden: tuple[int, ...] = (32, 32, 32, 32)
    """Hidden layers of the policy network."""
    value_hidden: tuple[int, ...] = (256, 256, 256, 256, 256)
    """Hidden layers of the value network."""
    activation: str = "swish"
    """Between layers: swish, tanh or relu."""
    initialiser: str = "lecun-uniform"
    """Of weights: lecun-uniform (brax) or orthogonal."""

    def __post_init__(self) -> None:
        for name in (
            "total_env_steps", "num_envs", "unroll_length", "num_unrolls", "num_minibatches",
            "update_epochs", "action_repeat", "num_evaluations",
        ):  # fmt: skip
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigError(f"{name}={value!r:.40} must be a whole number of at least 1")
        for name in ("learning_rate", "reward_scaling", "adam_epsilon"):
            value = getattr(self, name)
            if not is_number(value) or not 0 < value < math.inf:
                raise ConfigError(f"{name}={value!r:.40} must be a positive number; try 3e-4 or 1")
        for name in ("discount", "gae_lambda"):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value <= 1:
                raise ConfigError(f"{name}={value!r:.40} must lie in [0, 1]; try 0.97")
        for name in ("entropy_cost", "value_cost"):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value < math.inf:
                raise ConfigError(f"{name}={value!r:.40} must be 0 or more; try 0.01")
        if (clip := self.max_grad_norm) is not None and not (
            is_number(clip) and 0 < clip < math.inf
        ):
            raise ConfigError(
                f"max_grad_norm={clip!r:.40} must be a positive number, or null for no clipping"
            )
        if type(self.num_eval_envs) is not int or self.num_eval_envs < 2:
            raise ConfigError(
                f"num_eval_envs={self.num_eval_envs!r:.40} must be a whole number of at least 2: "
                "one episode has no standard error"
            )
        if (length := self.episode_length) is not None and (type(length) is not int or length < 1):
            raise ConfigError(f"episode_length={length!r:.40} must be a whole number of at least 1")
        for name in (
            "anneal_learning_rate", "normalise_observations", "normalise_rewards",
            "refresh_advantages",
        ):  # fmt: skip
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ConfigError(f"{name}={value!r:.40} must be true or false")
        for name, known in (("activation", ACTIVATIONS), ("initialiser", _INITIALISERS)):
            _check_known(name, getattr(self, name), known)
        check_backend(self.backend)
        for name in ("policy_hidden", "value_hidden"):
            sizes = getattr(self, name)
            if not isinstance(sizes, tuple) or any(type(n) is not int or n < 1 for n in sizes):
                raise ConfigError(
                    f"{name}={sizes!r:.60} must be sizes of layers, each at least 1; try [64, 64]"
                )
        if self.batch_size > MAX_BATCH:
            raise ConfigError(
                f"num_envs * unroll_length * num_unrolls = {self.batch_size} is beyond {MAX_BATCH}; "
                "lower one of them"
            )
        rows, product = self.batch_size, "num_envs * unroll_length * num_unrolls"
        if self.refresh_advantages:  # an unroll is shuffled whole
            rows, product = self.num_envs * self.num_unrolls, "num_envs * num_unrolls"
        if rows % self.num_minibatches:
            raise ConfigError(
                f"num_minibatches={self.num_minibatches} does not divide {product} = {rows}; "
                f"try {_near_divisors(rows, self.num_minibatches)}"
            )

    @property
    def steps_per_rollout(self) -> int:
        """Decisions of each environment in one update."""
        return self.unroll_length * self.num_unrolls

    @property
    def batch_size(self) -> int:
        """Decisions of one update."""
        return self.num_envs * self.steps_per_rollout

    @property
    def samples_per_update(self) -> int:
        """Samples that the drift is asked about in one update."""
        return self.batch_size * self.update_epochs

    @property
    def env_steps_per_update(self) -> int:
        """Environment steps of one update, repeated actions counted."""
        return self.batch_size * self.action_repeat

    @property
    def num_updates(self) -> int:
        """Updates of the whole training."""
        return math.ceil(self.total_env_steps / self.env_steps_per_update)


def check_backend(backend: object) -> None:
    """Raise ConfigError for what is no physics of brax."""
    _check_known("backend", backend, BACKENDS)


def _check_known(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(f"{name}={value!r:.40} is unknown; use one of {', '.join(known)}")


def _near_divisors(of: int, wanted: int) -> str:
    """The divisors next to `wanted` on either side, for an error message."""
    divisors = [d for d in range(1, min(of, 4 * wanted) + 1) if of % d == 0]
    below = [d for d in divisors if d < wanted][-1:]
    above = [d for d in divisors if d > wanted][:1]
    return " or ".join(map(str, below + above))
