"""The files of a meta-training.

meta.json           what was asked
generations.jsonl   one record a generation
state.npz           the strategy after the last one: mean, optimiser, schedules
baseline.json       returns of PPO on the held-out seeds
history/NNNN.npz    the network of the mean each time it was judged
network.npz         the last of these
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rl.interrupts import held_back
from rl.records import json_line, writing_into
from rl.start import leads
from search.folder import Record, SearchFolder
from search.meta.config import MetaConfig
from symbolic.arrays import read_arrays, read_bounded, read_json, write_arrays
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
        leaves = jax.tree.leaves(state)
        numbers = {  # a file has no arrays without axes
            f"leaf_{i:02}": np.atleast_1d(np.asarray(leaf, np.float64))
            for i, leaf in enumerate(leaves)
        }
        about = {
            "schema": self.SCHEMA,
            "generation": done,
            "asked": self.asked(),
            "sha256": _digest(numbers, done),
        }
        if leads():
            with writing_into(self.path):
                write_arrays(self.path / "state.npz", numbers, {"about": json.dumps(about)})

    def restore(self, template: Any) -> tuple[int, Any]:
        """(generations done, the state after them); none and `template` where it begins.

        Raises ConfigError for a state that is damaged, or of another network or strategy.
        """
        path = self.path / "state.npz"
        if not path.exists():
            self.check_fresh()
            return 0, template
        try:
            numbers, texts = read_arrays(path)
        except ConfigError:
            raise ConfigError(
                f"{path}: is damaged; restore it from a copy, or begin a new run"
            ) from None
        about = read_json(texts.get("about", "").encode(), str(path))
        if about.get("sha256") != _digest(numbers, about.get("generation")):
            raise ConfigError(
                f"{path}: is not what was written (its hash differs); restore it from a copy, "
                "or begin a new run"
            )
        self.check_asked(path, about.get("asked"))
        like, structure = jax.tree.flatten(template)
        found = [numbers.get(f"leaf_{i:02}") for i in range(len(like))]
        leaves = []
        for leaf, old in zip(found, like):
            if leaf is None or leaf.size != jnp.size(old) or len(numbers) != len(like):
                raise ConfigError(f"{path}: is of another network or strategy; begin a new run")
            leaves.append(jnp.asarray(leaf.reshape(jnp.shape(old)), jnp.asarray(old).dtype))
        return int(about["generation"]), jax.tree.unflatten(structure, leaves)

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


def _digest(numbers: Mapping[str, np.ndarray], generation: object) -> str:
    digest = hashlib.sha256(f"{generation}".encode())
    for name in sorted(numbers):
        digest.update(f"{name}{numbers[name].shape}".encode())
        digest.update(np.ascontiguousarray(numbers[name], "<f8").tobytes())
    return digest.hexdigest()
