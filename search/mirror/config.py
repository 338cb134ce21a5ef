"""What a search for mirror maps is: data, networks, offline trainings, strategy; frozen, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rl import environments
from rl.offline.config import SCRATCH, OfflineConfig
from rl.preference.cards import AGENTS
from rl.preference.config import PreferenceConfig
from search.meta.strategy import StrategyConfig
from search.mirror.shape import MirrorShape
from search.settings import as_python, check_count
from symbolic.checks import is_number
from symbolic.errors import ConfigError
from symbolic.preference.objective import REDUCTIONS


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Which preferences agents are trained on, where no dataset is given."""

    env: str = "hopper"
    kind: str = "shuffled"
    """base, noisy, shuffled or poor-judge."""
    expert: str = "hopper-2100"
    """The better agent: a shipped name, a file, a run's folder."""
    reference: str = "hopper-900"
    """The other agent."""
    rows: int = 5120
    steps: int = 1000
    noise: float | None = None
    """Probability of a flipped ranking; the kind's own if not given."""
    temperature: float | None = None
    """Of the judge; the kind's own if not given."""
    seed: int = 0

    def __post_init__(self) -> None:
        environments.check_name(self.env)
        self.preferences("spring")

    def preferences(self, backend: str) -> PreferenceConfig:
        """What is asked of a dataset; raises ConfigError for what breaks its rules."""
        asked = {name: value for name, value in asdict(self).items() if name not in AGENTS}
        return PreferenceConfig.usual(**asked, backend=backend)


@dataclass(frozen=True, kw_only=True)
class MirrorConfig:
    """How mirror maps are found by evolution."""

    generations: int = 300
    """Steps of the strategy."""
    seeds: int = 1
    """Agents of a member."""
    data: DataSettings = field(default_factory=DataSettings)
    """The preferences."""
    dataset: str = ""
    """The folder they are in; made from `data` in the search's own folder where it is empty."""
    data_hash: str = ""
    """Of the dataset, where one is given: the search goes on with no other."""
    start: str = SCRATCH
    """A normal policy from scratch, or the agent that every training begins with."""
    weight: float = 0.1
    """λ of the objective; ours."""
    reduction: str = "sum"
    """log-probabilities of trajectories: the sum over steps, or the mean."""
    training: OfflineConfig = field(default_factory=OfflineConfig)
    """How agents are trained."""
    network: MirrorShape = field(default_factory=MirrorShape)
    """What is evolved."""
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    """How."""
    held_out_every: int = 10
    """Generations from one judgement of the mean to the next."""
    held_out_seeds: int = 8
    """Agents of a judgement."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        for name in ("generations", "seeds", "held_out_every", "held_out_seeds"):
            check_count(name, getattr(self, name))
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed={self.seed!r:.40} must be a whole number from 0 to 4294967295")
        if not (is_number(self.weight) and 0 < self.weight < math.inf):
            raise ConfigError(f"weight={self.weight!r:.40} must be a positive number; try 0.1")
        if self.reduction not in REDUCTIONS:
            raise ConfigError(
                f"reduction={self.reduction!r:.40} is unknown; use {' or '.join(REDUCTIONS)}"
            )

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any], path: Path) -> MirrorConfig:
        """What `record` gave; raises ConfigError, naming the file, for one of another version."""
        found = {f.name: as_python(record[f.name]) for f in fields(cls) if f.name in record}
        try:
            parts = {
                "data": DataSettings(**found["data"]),
                "training": OfflineConfig(**found["training"]),
                "network": MirrorShape(**found["network"]),
                "strategy": StrategyConfig(**found["strategy"]),
            }
            return cls(**found | parts)
        except (KeyError, TypeError) as error:
            raise ConfigError(f"{path}: is of another version ({error})") from None
