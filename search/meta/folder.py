"""The files of a meta-training.

    meta.json           what was asked
    generations.jsonl   one record a generation
    state.npz           the strategy after the last one: mean, optimiser, schedules
    baseline.json       returns of PPO on the held-out seeds
    history/NNNN.npz    the network of the mean each time it was judged
    network.npz         the last of these

Every file is replaced whole, state.npz last, and records newer than it are dropped: a run that is
killed at any moment goes on with the same numbers. What is random follows from the number of the
generation, so that no generator has to be kept. Of several processes the first writes.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rl.interrupts import held_back
from rl.records import json_line, writing
from rl.start import leads
from search.meta.config import MetaConfig, differing, from_record
from symbolic.arrays import read_arrays, read_bounded, read_json, write_arrays, write_atomically
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, save_network

SCHEMA = "mirrordrift/meta/1"
NETWORK_FILE = "network.npz"
Record = dict[str, Any]


class MetaFolder:
    """A folder of a meta-training; raises ConfigError for one that cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, config: MetaConfig) -> MetaFolder:
        """A new one; an existing one is refused, with what it was asked otherwise."""
        folder = cls(path)
        if leads() and (path / "meta.json").exists():
            found = json.loads(json.dumps(cls.open(path)[1].record()))
            other = differing(found, json.loads(json.dumps(config.record())))
            what = f"with other {', '.join(other)}" if other else "of this configuration"
            raise ConfigError(
                f"{path}: holds a meta-training already, {what}; go on with --resume {path}, "
                "or name another folder"
            )
        folder._write_config(config)
        return folder

    @classmethod
    def open(cls, path: Path) -> tuple[MetaFolder, MetaConfig]:
        """One begun before, and what was asked."""
        record = read_json(read_bounded(path / "meta.json"), str(path / "meta.json"))
        if record.get("schema") != SCHEMA:
            raise ConfigError(
                f"{path}: schema={record.get('schema')!r:.60} is unknown; "
                f"this version reads '{SCHEMA}'"
            )
        return cls(path), from_record(record, path)

    def extend(self, config: MetaConfig) -> None:
        """Have the run end at another generation from now on; ConfigError if it is beyond that."""
        done = len(self.records(sys.maxsize))
        if config.generations < done:
            raise ConfigError(
                f"{self.path}: generations={config.generations} is less than the {done} that are "
                "done; give more"
            )
        self._write_config(config)

    @held_back()
    def save(self, state: Any, record: Record, network: DriftNetwork | None) -> None:
        """A generation's record, the network of the mean if it was judged, and then the state."""
        done = int(record["generation"])
        lines = [*self.records(done - 1), record]
        self._write("generations.jsonl", "".join(json_line(each) + "\n" for each in lines))
        if network is not None and leads():
            with writing(self.path):
                (self.path / "history").mkdir(exist_ok=True)
                save_network(self.path / "history" / f"{done:04}.npz", network)
                save_network(self.path / NETWORK_FILE, network)
        leaves = jax.tree.leaves(state)
        numbers = {  # a file has no arrays without axes
            f"leaf_{i:02}": np.atleast_1d(np.asarray(leaf, np.float64))
            for i, leaf in enumerate(leaves)
        }
        about = {"schema": SCHEMA, "generation": done, "sha256": _digest(numbers)}
        if leads():
            with writing(self.path):
                write_arrays(self.path / "state.npz", numbers, {"about": json.dumps(about)})

    def restore(self, template: Any) -> tuple[int, Any]:
        """(generations done, the state after them); none and `template` where it begins.

        Raises ConfigError for a state that is damaged, or of another network or strategy.
        """
        path = self.path / "state.npz"
        if not path.exists():
            return 0, template
        numbers, texts = read_arrays(path)
        about = read_json(texts.get("about", "").encode(), str(path))
        if about.get("sha256") != _digest(numbers):
            raise ConfigError(
                f"{path}: is not what was written (its hash differs); restore it from a copy, "
                "or begin a new run"
            )
        like, structure = jax.tree.flatten(template)
        found = [numbers.get(f"leaf_{i:02}") for i in range(len(like))]
        leaves = []
        for leaf, old in zip(found, like):
            if leaf is None or leaf.size != jnp.size(old) or len(numbers) != len(like):
                raise ConfigError(f"{path}: is of another network or strategy; begin a new run")
            leaves.append(jnp.asarray(leaf.reshape(jnp.shape(old)), jnp.asarray(old).dtype))
        return int(about["generation"]), jax.tree.unflatten(structure, leaves)

    def records(self, generations: int) -> list[Record]:
        """What the first `generations` generations left."""
        path = self.path / "generations.jsonl"
        if not path.exists():
            return []
        try:
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            return [record for record in lines if record["generation"] <= generations]
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{path}: a line is no record ({error!s:.80}); restore it from a copy"
            ) from None

    def baseline(self) -> dict[str, list[float]] | None:
        """Returns of PPO on the held-out seeds, by environment, if they are known."""
        path = self.path / "baseline.json"
        if not path.exists():
            return None
        record = read_json(read_bounded(path), str(path))
        return {
            env: [math.nan if value is None else float(value) for value in returns]
            for env, returns in record.get("returns", {}).items()
        }

    def write_baseline(self, returns: Mapping[str, list[float]]) -> None:
        """Keep what PPO reaches, which is the same in every judgement."""
        record = {"schema": SCHEMA, "returns": dict(returns)}
        self._write("baseline.json", json_line(record) + "\n")

    def _write_config(self, config: MetaConfig) -> None:
        text = json.dumps({"schema": SCHEMA, **config.record()}, indent=1)
        if leads():
            with writing(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
        self._write("meta.json", text + "\n")

    def _write(self, name: str, text: str) -> None:
        if leads():
            with writing(self.path):
                write_atomically(self.path / name, text.encode())


def _digest(numbers: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(numbers):
        digest.update(f"{name}{numbers[name].shape}".encode())
        digest.update(np.ascontiguousarray(numbers[name], "<f8").tobytes())
    return digest.hexdigest()
