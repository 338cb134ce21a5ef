"""A standstill is told from work, and long runs of populations do not come to one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rl.stall import watched


class Clock:
    """Time that passes only when it is looked at, so that a busy machine changes nothing.

    step: seconds between two looks; share: of a processor that the process used in them.
    """

    def __init__(self, step: float, share: float) -> None:
        self.now, self.step, self.share = 0.0, step, share

    def monotonic(self) -> float:
        self.now += self.step
        return self.now

    def process_time(self) -> float:
        return self.share * self.now

    def watch(self, monkeypatch: pytest.MonkeyPatch, until: float) -> list[float]:
        """What is noticed, with a patience of 0.3 s and looks every 0.05 s, until a time is reached."""
        monkeypatch.setattr("rl.stall.time", self)
        noticed: list[float] = []
        deadline = time.monotonic() + 60.0
        with watched(noticed.append, patience=0.3, look_every=0.05):
            while self.now < until and not noticed:
                assert time.monotonic() < deadline, "nobody looked at the clock"
                time.sleep(0.01)
            time.sleep(0.2)  # for looks that should tell nothing more
        return noticed


def test_a_standstill_is_noticed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    noticed = Clock(step=0.05, share=0.001).watch(monkeypatch, until=1.5)
    assert noticed == [pytest.approx(0.3, abs=0.051)]
    assert noticed[0] >= 0.3


def test_nothing_is_noticed_before_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(step=0.001, share=0.0)
    assert clock.watch(monkeypatch, until=0.01) == []
    assert clock.now < 0.3


def test_what_ends_is_watched_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(step=0.05, share=0.0)
    noticed = clock.watch(monkeypatch, until=0.1)
    ended = clock.now
    time.sleep(0.3)
    assert clock.now == ended
    assert all(thread.name != "stall" for thread in threading.enumerate())
    assert len(noticed) <= 1


def test_work_is_no_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Clock(step=0.05, share=0.9).watch(monkeypatch, until=1.5) == []


def test_a_process_that_was_stopped_itself_is_no_standstill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After Ctrl-Z and an hour, say: the clock has leapt."""
    assert Clock(step=3600.0, share=0.0).watch(monkeypatch, until=36_000.0) == []


def test_a_sleeping_process_is_noticed_by_the_real_clock() -> None:
    noticed = threading.Event()
    with watched(lambda _: noticed.set(), patience=0.3, look_every=0.05):
        assert noticed.wait(60.0)


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
