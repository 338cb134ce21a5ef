"""A standstill is told from work, and long runs of populations do not come to one."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from rl.stall import watched


def test_a_standstill_is_noticed_once() -> None:
    noticed: list[float] = []
    with watched(noticed.append, patience=0.3, look_every=0.05):
        time.sleep(0.8)
    assert len(noticed) == 1
    assert noticed[0] >= 0.3


def test_work_is_no_standstill() -> None:
    noticed: list[float] = []
    with watched(noticed.append, patience=0.3, look_every=0.05):
        end = time.monotonic() + 0.8
        while time.monotonic() < end:
            pass
    assert noticed == []


def test_what_ends_in_time_is_not_noticed() -> None:
    noticed: list[float] = []
    with watched(noticed.append, patience=0.3, look_every=0.05):
        time.sleep(0.05)
    time.sleep(0.5)
    assert noticed == []


def test_a_process_that_was_stopped_itself_is_no_standstill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After Ctrl-Z and an hour, say: the clock has leapt."""
    hours = itertools.count(step=3600.0)
    clock = SimpleNamespace(monotonic=lambda: next(hours), process_time=lambda: 0.0)
    monkeypatch.setattr("rl.stall.time", clock)
    noticed: list[float] = []
    with watched(noticed.append, patience=0.3, look_every=0.02):
        time.sleep(0.3)
    assert noticed == []


SOAK = """
import os
from probe_envs import right_action
from rl.config import TrainerConfig
from rl.drifts import of_formulas
from rl.population import Population
from rl.stall import watched
from symbolic.catalogue import catalogue

config = TrainerConfig(
    total_env_steps=8_192, num_envs=16, unroll_length=128, num_minibatches=4, update_epochs=4,
    learning_rate=2.5e-3, policy_hidden=(64, 64), value_hidden=(64, 64), activation="tanh",
)
drifts = of_formulas([catalogue["ppo"], catalogue["dpo"]] * 8)
population = Population.alone(right_action(), config, drifts, [0])
with watched(lambda seconds: os._exit(9)):
    for _ in range(300):
        population.run(population.init(), config.num_updates)
"""


@pytest.mark.slow
def test_three_hundred_populations_in_a_row() -> None:
    """jaxlib 0.10 stopped within 20 runs of this kind on two cores."""
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    done = subprocess.run(
        [sys.executable, "-c", SOAK],
        env=environment,
        capture_output=True,
        timeout=7200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
