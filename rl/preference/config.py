"""What a preference dataset is asked to be, as a frozen record that checks itself."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from rl.preference.judge import temperature_for
from symbolic.checks import is_number
from symbolic.errors import ConfigError

KINDS = ("base", "noisy", "shuffled", "poor-judge")
PAIRS = ("expert-reference", "expert-expert", "reference-reference")
"""Who made the two trajectories of a row, by the number it has in `pair`."""
SHARES = {"shuffled": (0.50, 0.25, 0.25)}
"""Probability of each of `PAIRS`, where it is not the first alone."""
SURE, POOR = temperature_for(0.95, 300.0), temperature_for(0.75, 300.0)
"""Temperatures of judges who rank 2100 above 1800 in 95 % and in 75 % of all cases."""
NOISE = 0.1
_MOST_ROWS, _MOST_STEPS, _MOST_CHUNK_ROWS = 2**22, 2**20, 2**16


@dataclass(frozen=True, kw_only=True)
class PreferenceConfig:
    """How a dataset of ranked trajectories is made."""

    env: str
    """The environment that is played."""
    backend: str = "spring"
    """Physics of brax."""
    kind: str = "base"
    """base, noisy, shuffled or poor-judge."""
    rows: int = 5120
    """Pairs of trajectories."""
    steps: int = 1000
    """Steps after which a trajectory is cut off."""
    noise: float = 0.0
    """Probability that a ranking is flipped after the judge has spoken."""
    temperature: float = SURE
    """η of the judge: 0 < η; the higher, the less a difference of returns counts."""
    seed: int = 0
    """Everything random follows from it."""
    chunk_rows: int = 256
    """Rows of one file, which are played at once."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind={self.kind!r:.40} is unknown; use one of {', '.join(KINDS)}")
        for name, most in (
            ("rows", _MOST_ROWS), ("steps", _MOST_STEPS), ("chunk_rows", _MOST_CHUNK_ROWS),
        ):  # fmt: skip
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigError(f"{name}={value!r:.40} must be a whole number from 1 to {most}")
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed={self.seed!r:.40} must be a whole number from 0 to 2**32 - 1")
        if not is_number(self.noise) or not 0 <= self.noise < 1:
            raise ConfigError(f"noise={self.noise!r:.40} must lie in [0, 1); try {NOISE}")
        if (self.kind == "noisy") != (self.noise > 0):
            raise ConfigError(
                f"noise={self.noise} does not go with kind='{self.kind}': "
                "a noisy dataset has a positive one, every other kind has none"
            )
        if not is_number(self.temperature) or not 0 < self.temperature < math.inf:
            raise ConfigError(
                f"temperature={self.temperature!r:.40} must be a positive number; try {SURE:.1f}"
            )

    @classmethod
    def usual(
        cls, *, kind: str, noise: float | None = None, temperature: float | None = None, **rest: Any
    ) -> PreferenceConfig:
        """With the noise and the judge that a kind has where nothing else is said."""
        usual_noise = NOISE if kind == "noisy" else 0.0
        usual_temperature = POOR if kind == "poor-judge" else SURE
        return cls(
            kind=kind,
            noise=usual_noise if noise is None else noise,
            temperature=usual_temperature if temperature is None else temperature,
            **rest,
        )

    @property
    def shares(self) -> tuple[float, ...]:
        """Probability of each of `PAIRS`."""
        return SHARES.get(self.kind, (1.0, 0.0, 0.0))

    @property
    def chunks(self) -> int:
        """Files that the rows fill."""
        return -(-self.rows // self.chunk_rows)

    def rows_of(self, chunk: int) -> int:
        """Rows of one chunk; the last may be short."""
        return min(self.chunk_rows, self.rows - chunk * self.chunk_rows)

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @staticmethod
    def of(record: dict[str, Any]) -> PreferenceConfig:
        """From a record that may hold more; raises ConfigError for one that lacks a field."""
        names = [field.name for field in fields(PreferenceConfig)]
        if missing := [name for name in names if name not in record]:
            raise ConfigError(f"'{missing[0]}' is missing; make the dataset again")
        return PreferenceConfig(**{name: record[name] for name in names})
