"""The files of a run: what was asked, what was measured, and how to go on.

    run.json           configuration, environment, drifts, seeds, versions
    metrics.jsonl/.csv one record an agent and evaluation
    checkpoint/        the whole state of every agent, by orbax
    density.npz        where training asked the drifts: (log_ratio, advantage, progress, weight)

Every file is replaced whole, and what is newer than the last checkpoint is dropped on resuming, so
that a run killed at any moment goes on as if it had not been.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from symbolic.arrays import read_bounded, read_json, write_arrays, write_atomically
from symbolic.errors import ConfigError

SCHEMA = "mirrordrift/run/1"
Record = dict[str, Any]


class RunFolder:
    """A folder of a run; raises ConfigError for one that cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, record: Mapping[str, Any]) -> RunFolder:
        """A new run; an existing one is refused rather than overwritten."""
        if _leads() and (path / "run.json").exists():
            raise ConfigError(
                f"{path}: holds a run already; go on with --resume {path}, or name another folder"
            )
        folder = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            folder._write("run.json", _json({"schema": SCHEMA, **record}) + "\n")
        except OSError as error:
            raise _unwritable(path, error) from None
        return folder

    @classmethod
    def open(cls, path: Path) -> tuple[RunFolder, dict[str, Any]]:
        """A run begun before, and its record."""
        record = read_json(read_bounded(path / "run.json"), str(path / "run.json"))
        if record.get("schema") != SCHEMA:
            raise ConfigError(
                f"{path}: schema={record.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
            )
        return cls(path), record

    def save(self, segment: int, state: Any, records: Sequence[Record]) -> None:
        """The state after `segment` segments, and all records so far."""
        import orbax.checkpoint as ocp

        try:
            self.write_metrics(
                records
            )  # before: what a checkpoint lacks is dropped, not the reverse
            with ocp.CheckpointManager(
                self._checkpoints, options=ocp.CheckpointManagerOptions(max_to_keep=1)
            ) as manager:
                manager.save(segment, args=ocp.args.StandardSave(_without_keys(state)))
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def restore(self, template: Any) -> tuple[int, Any, list[Record]]:
        """(segments done, state, their records); nothing done if there is no checkpoint yet.

        `template` has the shapes of the state, and is what a fresh start begins from.
        """
        import orbax.checkpoint as ocp

        if not self._checkpoints.is_dir():
            return 0, template, []
        with ocp.CheckpointManager(self._checkpoints) as manager:
            segment = manager.latest_step()
            if segment is None:
                return 0, template, []
            shapes = _without_keys(template)
            found = manager.restore(segment, args=ocp.args.StandardRestore(shapes))
        records = [record for record in self._records() if record["evaluation"] <= segment]
        return segment, _with_keys(found, template), records

    def write_metrics(self, records: Sequence[Record]) -> None:
        """All records, as JSON lines and as a table."""
        self._write("metrics.jsonl", "".join(_json(record) + "\n" for record in records))
        if records:
            out = io.StringIO()
            table = csv.DictWriter(out, fieldnames=list(records[0]))
            table.writeheader()
            table.writerows(records)
            self._write("metrics.csv", out.getvalue())

    def write_density(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The on-policy density, axes (agents, samples)."""
        numbers = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
        if _leads():
            write_arrays(self.path / "density.npz", numbers, {"schema": "mirrordrift/density/1"})

    @property
    def _checkpoints(self) -> Path:
        return (self.path / "checkpoint").absolute()

    def _records(self) -> list[Record]:
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        lines = path.read_text("utf-8").splitlines()
        try:
            return [_record(line) for line in lines if line.strip()]
        except (ValueError, AttributeError) as error:
            raise ConfigError(
                f"{path}: a line is no record ({error!s:.80}); remove the file and begin a new run"
            ) from None

    def _write(self, name: str, text: str) -> None:
        if _leads():
            write_atomically(self.path / name, text.encode())


def _leads() -> bool:
    """Whether this process writes; of several on one run only the first does, but checkpoints."""
    return jax.process_index() == 0


def _json(record: Mapping[str, Any]) -> str:
    """One line; a number that is not finite becomes null, as JSON has none."""
    plain = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in record.items()
    }
    return json.dumps(plain, allow_nan=False)


def _record(line: str) -> Record:
    """A line of `_json`, its null the nan that it was."""
    return {n: math.nan if value is None else value for n, value in json.loads(line).items()}


def _unwritable(path: Path, error: OSError) -> ConfigError:
    reason = error.strerror or str(error)
    return ConfigError(f"{path}: cannot be written ({reason}); free space or name another folder")


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _without_keys(state: Any) -> Any:
    """Random keys as the words they hold, which is what a file can store."""
    return jax.tree.map(lambda leaf: jax.random.key_data(leaf) if _is_key(leaf) else leaf, state)


def _with_keys(found: Any, template: Any) -> Any:
    def as_before(leaf: Array, like: Array) -> Array:
        return jax.random.wrap_key_data(leaf) if _is_key(like) else leaf

    return jax.tree.map(as_before, found, template)
