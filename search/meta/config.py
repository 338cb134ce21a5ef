"""What a meta-training is: environments, inner training, networks, strategy; frozen and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from search.meta.networks import NetworkShape
from search.meta.strategy import StrategyConfig
from search.settings import SearchSettings, check_count
from symbolic.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class MetaConfig(SearchSettings):
    """How drift networks are meta-trained."""

    generations: int = 672
    """Steps of the strategy."""
    network: NetworkShape = field(default_factory=NetworkShape)
    """What is trained."""
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    """How."""
    held_out_every: int = 10
    """Generations from one judgement of the mean to the next."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("held_out_every", self.held_out_every)
        if self.strategy.shaping == "pairwise" and self.strategy.name != "Open_ES":
            raise ConfigError(
                f"shaping='pairwise' needs antithetic pairs, which {self.strategy.name} may not "
                "have; use Open_ES or another shaping"
            )

    @classmethod
    def parts(cls, found: dict[str, Any]) -> dict[str, Any]:
        """With the network and the strategy as what they are."""
        return found | {
            "network": NetworkShape(**found["network"]),
            "strategy": StrategyConfig(**found["strategy"]),
        }
