"""What all workers do alike, so that their figures mean the same; needs the standard library alone.

A worker is started as `python -m trainers.NAME_trainer JOB`, JOB being JSON, and prints one JSON
line last.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from measuring import TRAINING_PACKAGES, versions

Job = dict[str, Any]


class Timing(NamedTuple):
    """Whole trainings of one process, and what they left behind."""

    updates: int
    """Of each training."""
    seconds: list[float]
    """Of each training: updates alone, without compilation, first states and evaluation."""
    start_seconds: float
    """From the start of the process until the first update was finished."""
    peak_mb: float
    """Peak resident memory of the process until the last training ended."""
    state: Any
    """What the last training ended with."""


def job() -> Job:
    """What this process is to do."""
    asked: Job = json.loads(sys.argv[1])
    return asked


def batch_size(setting: dict[str, Any]) -> int:
    """Environment steps of one update of one agent."""
    return int(setting["num_envs"] * setting["num_steps"])


def peak_mb() -> float:
    """Peak resident memory of this process, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def start_seconds(job: Job, first_ended: float, seconds: float, updates: int) -> float:
    """Until the first of `updates` updates: they take equally long, and a program runs them all."""
    return first_ended - job["started"] - seconds * (1 - 1 / updates)


def timed(
    job: Job, fresh: Callable[[], Any], run: Callable[[Any], Any], updates: int | None = None
) -> Timing:
    """Trainings from fresh states, `repeats` of them or fewer if the budget is spent before.

    `run` does `updates` updates (the job's, if not given) and returns when they are computed.
    """
    updates = updates or job["updates"]
    seconds: list[float] = []
    started = 0.0
    while len(seconds) < job["repeats"] and sum(seconds) <= job["budget"]:
        state = fresh()
        begun = time.perf_counter()
        state = run(state)
        seconds.append(time.perf_counter() - begun)
        started = started or start_seconds(job, time.time(), seconds[0], updates)
    return Timing(updates, seconds, started, peak_mb(), state)


def report(
    job: Job, timing: Timing, *, compile_seconds: float, return_mean: float | None, **more: Any
) -> None:
    """Print the line that the benchmark reads."""
    import jax

    steps = timing.updates * batch_size(job["setting"]) * job["agents"]
    line = {
        "trainer": job["trainer"],
        "env": job["env"],
        "agents": job["agents"],
        "compile_seconds": compile_seconds,
        "seconds": min(timing.seconds),
        "median_seconds": statistics.median(timing.seconds),
        "runs": timing.seconds,
        "env_steps": steps,
        "env_steps_per_second": steps / min(timing.seconds),
        "start_seconds": timing.start_seconds,
        "peak_mb": timing.peak_mb,
        "return_mean": return_mean,
        "devices": f"{jax.local_device_count()} {jax.default_backend()}",
        "versions": {"python": platform.python_version(), **versions(TRAINING_PACKAGES)},
        **more,
    }
    print(json.dumps(line), flush=True)
