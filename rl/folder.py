"""The files of a run: what was asked, what was measured, and how to go on.

    run.json           configuration, environment, drifts, seeds, versions
    metrics.jsonl/.csv one record an agent and evaluation
    checkpoint/        the whole state of every agent, by orbax
    density.npz        where training asked the drifts: (log_ratio, advantage, progress, weight)

Every file is replaced whole, and what is newer than the last checkpoint is dropped on resuming, so
that a run killed at any moment goes on as if it had not been. Of several processes on one run the
first writes all but the checkpoints.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import math
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from rl.interrupts import held_back
from rl.records import json_line, unwritable, writing_into
from rl.start import leads
from symbolic.arrays import MAX_BYTES, read_bounded, read_json, write_arrays, write_atomically
from symbolic.errors import ConfigError

SCHEMA = "mirrordrift/run/1"
Record = dict[str, Any]
_KEPT_CHECKPOINTS = 2
"""So that a damaged one is not the end of a run."""


class RunFolder:
    """A folder of a run; raises ConfigError for one that cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, record: Mapping[str, Any]) -> RunFolder:
        """A new run; an existing one is refused rather than overwritten."""
        cls.check_free(path)
        folder = cls(path)
        with writing_into(path):
            path.mkdir(parents=True, exist_ok=True)
            folder._write("run.json", json_line({"schema": SCHEMA, **record}) + "\n")
        return folder

    @staticmethod
    def check_free(path: Path) -> None:
        """Raise ConfigError for a folder that has a run."""
        if leads() and (path / "run.json").exists():
            raise ConfigError(
                f"{path}: holds a run already; go on with --resume {path}, or name another folder"
            )

    @classmethod
    def open(cls, path: Path) -> tuple[RunFolder, dict[str, Any]]:
        """A run begun before, and its record."""
        record = read_json(read_bounded(path / "run.json"), str(path / "run.json"))
        if record.get("schema") != SCHEMA:
            raise ConfigError(
                f"{path}: schema={record.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
            )
        return cls(path), record

    @held_back()
    def save(self, segment: int, state: Any, records: Sequence[Record]) -> None:
        """The state after `segment` segments, and all records so far."""
        import orbax.checkpoint as ocp

        try:
            # Metrics first: those that a checkpoint lacks are dropped, the reverse would be a gap.
            self.write_metrics(records)
            with _orbax_quiet(), self._manager() as manager:
                manager.save(segment, args=ocp.args.StandardSave(_storable(state)))
        except OSError as error:
            raise unwritable(self.path, error) from None
        except ValueError as error:
            if code := re.search(r"os_error_code='(\d+)'", str(error)):  # as tensorstore tells it
                os_error = OSError(int(code[1]), os.strerror(int(code[1])))
                raise unwritable(self.path, os_error) from None
            raise

    @held_back()
    def restore(self, template: Any) -> tuple[int, Any, list[Record]]:
        """(segments done, state, their records); nothing done if there is no checkpoint yet.

        `template` has the shapes of the state, and is what a fresh start begins from.
        Raises ConfigError for a checkpoint that is damaged or of other shapes.
        """
        import orbax.checkpoint as ocp

        if not self._checkpoints.is_dir():
            return self._anew(template)
        with _orbax_quiet(), self._manager() as manager:
            segments = manager.all_steps()
            if not segments:
                return self._anew(template)
            segment = max(segments)
            try:
                asked = ocp.args.StandardRestore(_storable(template))
                found = manager.restore(segment, args=asked)
            except Exception as error:  # noqa: BLE001 - orbax raises just that, among others
                raise self._unreadable(segments, error) from None
        records = [record for record in self._records() if record["evaluation"] <= segment]
        return segment, _restored(found, template), records

    def _anew(self, template: Any) -> tuple[int, Any, list[Record]]:
        """A start without a checkpoint; metrics beyond the first segment must have had one."""
        if any(record["evaluation"] > 1 for record in self._records()):
            raise ConfigError(
                f"{self.path}: its checkpoints are gone, its metrics are not; name another folder, "
                "or remove metrics.jsonl to begin anew"
            )
        return 0, template, []

    def write_metrics(self, records: Sequence[Record]) -> None:
        """All records, as JSON lines and as a table."""
        self._write("metrics.jsonl", "".join(json_line(record) + "\n" for record in records))
        if records:
            out = io.StringIO()
            table = csv.DictWriter(out, fieldnames=list(records[0]))
            table.writeheader()
            table.writerows(records)
            self._write("metrics.csv", out.getvalue())

    def write_density(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The on-policy density, axes (agents, samples).

        Of many agents each keeps fewer samples, so that the file stays one that can be read; any
        part of a sample is one as well.
        """
        agents, size = arrays["weight"].shape
        kept = min(size, MAX_BYTES // (2 * 8 * len(arrays) * agents))
        numbers = {name: np.asarray(part, np.float64)[:, :kept] for name, part in arrays.items()}
        numbers["weight"] = numbers["weight"] * (size / kept)
        if leads():
            with writing_into(self.path):
                write_arrays(
                    self.path / "density.npz", numbers, {"schema": "mirrordrift/density/1"}
                )

    @property
    def _checkpoints(self) -> Path:
        return (self.path / "checkpoint").absolute()

    def _manager(self) -> Any:
        import orbax.checkpoint as ocp

        options = ocp.CheckpointManagerOptions(
            max_to_keep=_KEPT_CHECKPOINTS,
            cleanup_tmp_directories=True,
            enable_async_checkpointing=False,
        )
        return ocp.CheckpointManager(self._checkpoints, options=options)

    def _unreadable(self, segments: Sequence[int], error: Exception) -> ConfigError:
        last, *before = sorted(segments, reverse=True)
        if "shape" in str(error) and "not compatible" in str(error):
            return ConfigError(
                f"{self._checkpoints / str(last)}: does not fit what run.json asks for; "
                "was that changed? begin a new run for other settings"
            )
        go_on = f"the run goes on from the one before, {before[0]}" if before else "it begins anew"
        return ConfigError(
            f"{self._checkpoints / str(last)}: is damaged; without this folder {go_on}"
        )

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
        if leads():
            write_atomically(self.path / name, text.encode())


def _record(line: str) -> Record:
    """A line of `json_line`, its null the nan that it was."""
    return {n: math.nan if value is None else value for n, value in json.loads(line).items()}


@contextmanager
def _orbax_quiet() -> Iterator[None]:
    """No traceback on the screen for what is raised and told all the same.

    At its first error orbax closes its event loop, and each file still under way then reports
    that, some of them after this has returned: so after an error they stay unsaid.
    """
    logs = [logging.getLogger(name) for name in ("absl", "asyncio")]
    levels, hook = [log.level for log in logs], sys.unraisablehook

    def but_closed_loops(report: sys.UnraisableHookArgs) -> None:
        if str(report.exc_value) != "Event loop is closed":
            hook(report)

    for log in logs:
        log.setLevel(logging.CRITICAL)
    sys.unraisablehook = but_closed_loops
    yield
    sys.unraisablehook = hook
    for log, level in zip(logs, levels):
        log.setLevel(level)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _storable(state: Any) -> Any:
    """What a file can store: random keys as the words they hold, and nothing that has no size."""

    def stored(leaf: Array) -> Array | None:
        words = jax.random.key_data(leaf) if _is_key(leaf) else leaf
        return words if words.size else None

    return jax.tree.map(stored, state)


def _restored(found: Any, template: Any) -> Any:
    """What `_storable` made of a state like `template`, as it was."""

    def as_before(leaf: Array | None, like: Array) -> Array:
        if leaf is None:
            return like
        return jax.random.wrap_key_data(leaf) if _is_key(like) else leaf

    return jax.tree.map(as_before, found, template, is_leaf=lambda leaf: leaf is None)
