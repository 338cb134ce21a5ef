"""What a discovery of mirror maps is asked: its data, its search, how it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from rl.offline.config import OfflineConfig
from search.distill.sampling import POINTS, check_points
from search.mirror.config import DataSettings, MirrorConfig
from search.mirror.presets import PRESETS as SEARCHES
from search.settings import as_python, check_count
from symbolic.catalogue.objectives import objectives
from symbolic.errors import ConfigError

SCHEMA = "mirrordrift/discover-maps/1"
OWN = "own"
"""The dataset that is searched and distilled on, by name."""


@dataclass(frozen=True, kw_only=True)
class MapDiscoverConfig:
    """The whole loop from preferences to formulas; frozen and checked."""

    objective: str = ""
    """The file of an objective to begin with; empty to search for one."""
    datasets: tuple[str, ...] = ()
    """Folders of preferences: all is done on the first, agents are trained on the others, too. Empty
    to make some as `search.data` says."""
    transfer: tuple[str, ...] = ("base", "noisy")
    """Kinds of the further datasets, where they are made here."""
    search: MirrorConfig = field(default_factory=MirrorConfig)
    """The search. Its agents' training, and where they start, hold for all trainings."""
    baselines: tuple[str, ...] = ("direct-preference", "mpo-closed-form")
    """Known objectives to compare with, beside ORPO, which a search starts as."""
    points: int = POINTS
    """Samples of each map."""
    seeds: int = 10
    """Agents of each objective on each dataset."""
    episodes: int = 100
    """By which each of them is judged."""
    seed: int = 0
    """Everything random follows from it."""

    def __post_init__(self) -> None:
        for name in ("seeds", "episodes"):
            check_count(name, getattr(self, name))
        check_points(self.points)
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed={self.seed!r:.40} must be a whole number from 0 to 2147483647")
        for name in ("datasets", "transfer", "baselines"):
            value = getattr(self, name)
            if not (isinstance(value, tuple) and all(isinstance(each, str) for each in value)):
                raise ConfigError(f'{name}={value!r:.60} is no list of names; write ["base"]')
        names = [objectives[name].name for name in self.baselines]
        if len({"orpo", *names}) <= len(names):
            raise ConfigError(
                f"baselines={', '.join(names)} names one twice; ORPO is always among them"
            )
        if len({str(Path(path).resolve()) for path in self.datasets}) < len(self.datasets):
            raise ConfigError("datasets names one twice; leave it out")
        if len(set(self.transfer)) < len(self.transfer) or OWN in self.transfer:
            raise ConfigError(
                f"transfer={', '.join(self.transfer)} names one twice; the own data is there anyway"
            )
        for kind in self.transfer:
            self.data_of(kind)

    @property
    def training(self) -> OfflineConfig:
        """Of the agents that are compared."""
        return replace(self.search.training, num_eval_episodes=self.episodes)

    def data_of(self, name: str) -> DataSettings:
        """What is asked of a dataset that is made here: OWN, or a kind of `transfer`."""
        own = self.search.data
        if name == OWN:
            return own
        return replace(own, kind=name, noise=None, temperature=_temperature(own, name))

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any], path: Path) -> MapDiscoverConfig:
        """What `record` gave; raises ConfigError, naming the file, for one of another version."""
        found = {f.name: as_python(record[f.name]) for f in fields(cls) if f.name in record}
        try:
            return cls(**found | {"search": MirrorConfig.from_record(record["search"], path)})
        except (KeyError, TypeError) as error:
            raise ConfigError(f"{path}: is of another version ({error})") from None


def _temperature(own: DataSettings, kind: str) -> float | None:
    """As good a judge as the own data has, but for the kind whose judge is its point."""
    return None if kind == "poor-judge" else own.temperature


PRESETS: Mapping[str, MapDiscoverConfig] = {
    # Twenty minutes on two cores.
    "quick": MapDiscoverConfig(
        search=replace(SEARCHES["mpo-quick"], generations=10), transfer=("base",), seeds=8
    ),
    # As in the paper; on accelerators, for days.
    "paper": MapDiscoverConfig(search=SEARCHES["mpo-paper"], seeds=25),
    "temporal": MapDiscoverConfig(search=SEARCHES["ta-mpo"], seeds=25),
}


def preset(name: str) -> MapDiscoverConfig:
    """A discovery of mirror maps by name; raises ConfigError for an unknown one."""
    if name not in PRESETS:
        raise ConfigError(
            f"preset='{name:.40}' is no discovery of mirror maps; use one of {', '.join(PRESETS)}"
        )
    return PRESETS[name]
