"""The files of a meta-training.

meta.json           what was asked
generations.jsonl   one record a generation
state.npz           the strategy after the last one: mean, optimiser, schedules
baseline.json       returns of PPO on the held-out seeds
history/NNNN.npz    the network of the mean each time it was judged
network.npz         the last of these
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rl.interrupts import held_back
from rl.records import json_line, writing_into
from rl.start import leads
from search.evolution import restore_state, save_state
from search.folder import Record, SearchFolder
from search.meta.config import MetaConfig
from symbolic.arrays import read_bounded, read_json
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, save_network

NETWORK_FILE = "network.npz"


class MetaFolder(SearchFolder[MetaConfig]):
    """A folder of a meta-training; raises ConfigError for one that cannot be used."""

    NAME = "meta.json"
    SCHEMA = "mirrordrift/meta/1"
    WHAT = "meta-training"

    @staticmethod
    def settings(record: Mapping[str, Any], path: Path) -> MetaConfig:
        """What was asked, from its record."""
        return MetaConfig.from_record(record, path / MetaFolder.NAME)

    @held_back()
    def save(self, state: Any, record: Record, network: DriftNetwork | None) -> None:
        """A generation's record, the network of the mean if it was judged, and then the state."""
        done = int(record["generation"])
        self.add_record(record)
        if network is not None and leads():
            with writing_into(self.path):
                (self.path / "history").mkdir(exist_ok=True)
                save_network(self.path / "history" / f"{done:04}.npz", network)
                save_network(self.path / NETWORK_FILE, network)
        save_state(self, state, done)

    def restore(self, template: Any) -> tuple[int, Any]:
        """(generations done, the state after them); none and `template` where it begins.

        Raises ConfigError for a state that is damaged, or of another network or strategy.
        """
        return restore_state(self, template)

    def baseline(self) -> dict[str, list[float]] | None:
        """Returns of PPO on the held-out seeds, by environment, if they are known."""
        path = self.path / "baseline.json"
        if not path.exists():
            return None
        record = read_json(read_bounded(path), str(path))
        try:
            return {
                env: [math.nan if value is None else float(value) for value in returns]
                for env, returns in record["returns"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(
                f"{path}: is not what was written ({error!s:.80}); remove it to have it made again"
            ) from None

    def write_baseline(self, returns: Mapping[str, list[float]]) -> None:
        """Keep what PPO reaches, which is the same in every judgement."""
        record = {"schema": self.SCHEMA, "returns": dict(returns)}
        self.write("baseline.json", json_line(record) + "\n")
