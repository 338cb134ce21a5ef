"""Where there is no terminal, long work says now and then how far it is."""

from __future__ import annotations

import pytest

from mirrordrift import progress


def test_a_log_gets_lines_but_not_many(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    record = {"return_mean": 12.0, "env_steps": 100, "seconds": 2.0}
    with (
        progress.training_progress() as training,
        progress.generation_progress(40, lambda record: "better") as generation,
        progress.stage_progress() as stage,
    ):
        report = training("hopper, dpo", 8)
        for seconds in range(0, 80, 10):
            now[0] = float(seconds)
            report(seconds // 10, 8, [record])
        generation({"generation": 3, "env_steps_per_second": 1234.5})
        stage("fitting", 5, 9)
    assert capsys.readouterr().err.splitlines() == [
        "hopper, dpo: 3 of 8 updates, return 12, 50 steps/s",
        "hopper, dpo: 6 of 8 updates, return 12, 50 steps/s",
        "generation 3/40, better, 1,234 steps/s",
        "fitting: 5 of 9",
    ]
