"""What a discovery is asked: the network it begins with, how it is distilled, where it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from rl.config import TrainerConfig
from rl.presets import preset as recipe
from search.distill.distillation import MOST_EFFORT
from search.distill.engines import check_name
from search.distill.sampling import POINTS
from search.meta.presets import PRESETS as META
from search.settings import EVERYWHERE, SHORT, as_python, check_count
from symbolic.arrays import Decimal
from symbolic.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class DiscoverConfig:
    """The whole loop; frozen and checked."""

    network: str = "lpo-cartpole"
    """A network that is shipped, or a file; empty to meta-train one."""
    meta_preset: str = ""
    """The meta-training where `network` is empty."""
    envs: tuple[str, ...] = ("CartPole-v1",)
    """Environments in which the front is retrained."""
    inner: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By environment, or "*" for all, fields of the training that differ from its recipe."""
    density_seeds: int = 2
    """Agents whose trainings with the network tell where a drift is asked."""
    points: int = POINTS
    """Samples of the network."""
    engine: str = "auto"
    """Who proposes formulas."""
    effort: float = 1.0
    """How long engines look, next to their own number of generations."""
    retrained: int = 4
    """Formulas of the front to retrain, the knee among them."""
    seeds: int = 10
    """Agents of each drift in each environment."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        for name in ("density_seeds", "points", "retrained", "seeds"):
            check_count(name, getattr(self, name))
        if not (isinstance(self.effort, (int, float)) and 0 < self.effort <= MOST_EFFORT):
            raise ConfigError(f"effort={self.effort!r:.40} must be a positive number, such as 0.5")
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed={self.seed!r:.40} must be a whole number from 0 to 2147483647")
        if bool(self.network) == bool(self.meta_preset):
            raise ConfigError("give network, or leave it empty and give meta_preset to train one")
        if self.meta_preset and self.meta_preset not in META:
            raise ConfigError(
                f"meta_preset={self.meta_preset!r:.40} is unknown; use one of {', '.join(META)}"
            )
        if not self.envs:
            raise ConfigError("envs is empty; name at least one environment")
        check_name(self.engine)
        for env in self.envs:
            self.trainer(env)

    def trainer(self, env: str) -> TrainerConfig:
        """The training in `env`."""
        return recipe(env, **{**self.inner.get(EVERYWHERE, {}), **self.inner.get(env, {})})

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        inner = {env: dict(changes) for env, changes in self.inner.items()}
        return asdict(self) | {"inner": inner}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], path: Path) -> DiscoverConfig:
        """What `record` gave; raises ConfigError, naming the file, for one of another version."""
        known = {f.name for f in fields(cls)}
        found = {name: _plain(value) for name, value in record.items() if name in known}
        try:
            return cls(**found)
        except TypeError as error:
            raise ConfigError(f"{path}: is of another version ({error})") from None


def _plain(value: Any) -> Any:
    return as_python(value) if isinstance(value, (list, dict, Decimal)) else value


_QUICK = DiscoverConfig(
    inner={EVERYWHERE: {**SHORT[EVERYWHERE], "num_evaluations": 5}},
    density_seeds=12,  # as many as of a drift later: the same compiled programs
    points=1500,
    effort=0.5,
    retrained=3,
    seeds=12,
)
PRESETS: Mapping[str, DiscoverConfig] = {
    # Five minutes on two cores, from the shipped network.
    "quick": _QUICK,
    # As in the paper; on accelerators, for days.
    "paper": DiscoverConfig(
        network="",
        meta_preset="lpo-paper",
        envs=("ant", "halfcheetah", "humanoid", "walker2d"),
        density_seeds=4,
        points=8000,
        retrained=6,
    ),
}


def preset(name: str) -> DiscoverConfig:
    """A discovery by name; raises ConfigError for an unknown one."""
    if name not in PRESETS:
        raise ConfigError(f"preset='{name:.40}' is unknown; use one of {', '.join(PRESETS)}")
    return PRESETS[name]


def changed(config: DiscoverConfig, **changes: Any) -> DiscoverConfig:
    """The configuration with fields changed; a network replaces a meta-training and the reverse."""
    if changes.get("network"):
        changes["meta_preset"] = ""
    if changes.get("meta_preset"):
        changes["network"] = ""
    return replace(config, **changes)
