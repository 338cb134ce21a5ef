"""How an agent is trained on ranked pairs, as a frozen record that checks itself."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from rl.config import ACTIVATIONS
from symbolic.checks import is_number
from symbolic.errors import ConfigError

SCRATCH = "scratch"
"""Where training begins if not with an agent: a normal policy with fresh weights."""


@dataclass(frozen=True, kw_only=True)
class OfflineConfig:
    """The offline training of one agent.

    Numbers are ours, tuned for ORPO on 256 pairs of hopper of the kind base, where 8 epochs bring a
    policy from scratch to four fifths of the expert's return.
    """

    epochs: int = 8
    """Passes over the pairs by the objective; progress is n/N in epoch n = 0 … N − 1."""
    sft_epochs: int = 1
    """Passes of imitating the chosen trajectories, for objectives with a reference policy."""
    minibatch_pairs: int = 4
    """Pairs of one step; pairs that fill no minibatch wait for the next epoch's shuffle."""
    learning_rate: float = 3e-3
    """Of Adam."""
    max_grad_norm: float | None = None
    """Clip the gradient's global norm."""
    hidden: tuple[int, ...] = (64, 64)
    """Hidden layers of a policy from scratch."""
    activation: str = "tanh"
    """Between layers: tanh, relu or swish."""
    initial_scale: float = 0.5
    """What the first standard deviation of a normal policy from scratch has beyond `min_scale`."""
    min_scale: float = 0.05
    """Least standard deviation of a normal policy from scratch."""
    action_cell: float | None = 0.05
    """Side of the cell whose probability an action's density stands for: with a cell of at most 2.5
    times min_scale no log-probability of a normal policy is above 0, which log-odds need. Null: the
    density itself, as the paper has it; log-odds are then undefined where it exceeds 1."""
    num_eval_episodes: int = 100
    """Episodes that an agent is judged by, in the environment itself."""
    num_evaluations: int = 1
    """Judgements over the training, evenly spread, the last at its end."""

    def __post_init__(self) -> None:
        for name, least in (
            ("epochs", 1), ("sft_epochs", 0), ("minibatch_pairs", 1), ("num_eval_episodes", 2),
            ("num_evaluations", 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ConfigError(
                    f"{name}={value!r:.40} must be a whole number of at least {least}"
                )
        for name in ("learning_rate", "initial_scale", "min_scale", "max_grad_norm", "action_cell"):
            value = getattr(self, name)
            if value is None and name in ("max_grad_norm", "action_cell"):
                continue
            if not is_number(value) or not 0 < value < math.inf:
                raise ConfigError(f"{name}={value!r:.40} must be a positive number")
        if self.activation not in ACTIVATIONS:
            raise ConfigError(
                f"activation={self.activation!r:.40} is unknown; use one of "
                f"{', '.join(ACTIVATIONS)}"
            )
        if not isinstance(self.hidden, tuple) or any(
            type(n) is not int or n < 1 for n in self.hidden
        ):
            raise ConfigError(
                f"hidden={self.hidden!r:.60} must be sizes of layers, each at least 1; try 64 64"
            )
        if self.num_evaluations > self.epochs:
            raise ConfigError(
                f"num_evaluations={self.num_evaluations} is more than epochs={self.epochs}; an "
                "agent is judged after an epoch"
            )

    @property
    def judged_after(self) -> frozenset[int]:
        """Epochs done when agents are judged."""
        count = self.num_evaluations
        return frozenset(self.epochs * (i + 1) // count for i in range(count))

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @staticmethod
    def of(record: dict[str, Any]) -> OfflineConfig:
        """From a record; raises ConfigError for one of another version."""
        try:
            return OfflineConfig(**record | {"hidden": tuple(record["hidden"])})
        except (KeyError, TypeError) as error:
            raise ConfigError(f"configuration of another version ({error!s:.80})") from None
