"""An interrupt is neither lost nor heard in the middle of a save."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import jax
import pytest

from rl.folder import RunFolder
from rl.interrupts import held_back


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_waits_until_the_end() -> None:
    done = []

    def held() -> None:
        with held_back():
            interrupt()
            done.append("after the interrupt")

    with pytest.raises(KeyboardInterrupt):
        held()
    assert done
    with pytest.raises(KeyboardInterrupt):  # and from then on none waits
        interrupt()


def test_without_an_interrupt_nothing_happens() -> None:
    with held_back():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_hear_no_interrupts() -> None:
    def held() -> None:
        with held_back():
            done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=held)
    thread.start()
    thread.join()
    assert done


def test_a_save_is_whole_whenever_the_interrupt_comes(tmp_path: Path) -> None:
    state = {f"layer_{i}": jax.numpy.full(1000, float(i)) for i in range(20)}
    folder = RunFolder.create(tmp_path / "run", {})
    folder.save(1, state, [])  # the first imports orbax, the second takes as long as any
    begun = time.monotonic()
    folder.save(2, state, [])
    takes = time.monotonic() - begun

    def save(segment: int, delay: float) -> None:
        threading.Timer(delay, interrupt).start()
        folder.save(segment, state, [])
        threading.Event().wait(20)  # for an interrupt that comes after the save

    for segment, share in enumerate([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], 3):
        with pytest.raises(KeyboardInterrupt):
            save(segment, share * takes)
        assert folder.restore(state)[0] == segment
