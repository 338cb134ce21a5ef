"""A run folder meets a full disk, a damaged checkpoint and a run of other shapes."""

from __future__ import annotations

import gc
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from rl.folder import RunFolder
from symbolic.arrays import read_arrays
from symbolic.errors import ConfigError

SIZE = 100_000
# After an error orbax leaves coroutines that nobody awaits any more.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def state(segment: int, size: int = SIZE) -> dict[str, Any]:
    """Weights that no compression makes small, a random key, and what has no size."""
    weights = np.random.default_rng(segment).normal(size=size).astype(np.float32)
    return {
        "weights": jax.numpy.asarray(weights),
        "key": jax.random.key(segment),
        "none": jax.numpy.zeros((2, 0)),
    }


def records(segments: int) -> list[dict[str, Any]]:
    return [{"evaluation": i, "return_mean": float(i)} for i in range(segments + 1)]


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """What a full disk does to a writer, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_density_of_many_agents_can_be_read(tmp_path: Path) -> None:
    made = RunFolder.create(tmp_path / "run", {})
    made.write_density({name: np.full((700, 4096), 1 / 4096) for name in ("log_ratio", "weight")})
    numbers, _ = read_arrays(tmp_path / "run" / "density.npz")
    assert numbers["log_ratio"].shape[0] == 700
    assert numbers["weight"].sum(axis=1) == pytest.approx(np.ones(700))
    with no_file_beyond(SIZE), pytest.raises(ConfigError, match="cannot be written"):
        made.write_density({"weight": np.random.default_rng(0).random((40, 4096))})


def test_checkpoints_that_are_gone_are_not_trained_over(folder: RunFolder) -> None:
    shutil.rmtree(folder.path / "checkpoint")
    with pytest.raises(ConfigError, match="its checkpoints are gone"):
        folder.restore(state(0))


@pytest.fixture(autouse=True)
def _clear_coroutines() -> Iterator[None]:
    """While they are still this module's."""
    yield
    gc.collect()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "run", {})
    for segment in (1, 2):
        made.save(segment, state(segment), records(segment))
    return made


def test_what_was_saved_comes_back_whole(folder: RunFolder) -> None:
    segment, found, metrics = folder.restore(state(0))
    assert (segment, len(metrics)) == (2, 3)
    np.testing.assert_array_equal(found["weights"], state(2)["weights"])
    assert found["key"] == state(2)["key"]
    assert found["none"].shape == (2, 0)


def test_a_full_disk_is_told_and_costs_nothing(
    folder: RunFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    with no_file_beyond(SIZE), pytest.raises(ConfigError, match=r"cannot be written \(File too"):
        folder.save(3, state(3), records(3))
    assert "Traceback" not in capfd.readouterr().err
    segment, found, metrics = folder.restore(state(0))
    assert (segment, len(metrics)) == (2, 3)
    np.testing.assert_array_equal(found["weights"], state(2)["weights"])
    folder.save(3, state(3), records(3))
    assert folder.restore(state(0))[0] == 3


def test_without_a_damaged_checkpoint_the_one_before_goes_on(
    folder: RunFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    last = folder.path / "checkpoint" / "2"
    for file in last.rglob("*"):
        if file.is_file() and file.stat().st_size > SIZE:
            file.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"is damaged.* goes on from the one before, 1") as caught:
        folder.restore(state(0))
    assert str(last) in str(caught.value)
    assert "Traceback" not in capfd.readouterr().err
    shutil.rmtree(last)
    segment, found, metrics = folder.restore(state(0))
    assert (segment, len(metrics)) == (1, 2)
    np.testing.assert_array_equal(found["weights"], state(1)["weights"])


def test_a_checkpoint_of_other_shapes_is_no_start(folder: RunFolder) -> None:
    with pytest.raises(ConfigError, match=r"does not fit what run\.json asks for"):
        folder.restore(state(0, size=SIZE // 2))


def test_a_save_that_was_cut_off_leaves_the_one_before(folder: RunFolder) -> None:
    done = folder.path / "checkpoint" / "2"
    done.rename(folder.path / "checkpoint" / "3.orbax-checkpoint-tmp")
    assert folder.restore(state(0))[0] == 1
    folder.save(2, state(2), records(2))
    assert folder.restore(state(0))[0] == 2
