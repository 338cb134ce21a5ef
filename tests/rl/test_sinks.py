"""Metrics are handed on to TensorBoard and Weights & Biases."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from event_files import events

from mirrordrift.cli import main
from mirrordrift.sinks import sinks
from symbolic.errors import ConfigError

RECORD = {"env": "CartPole-v1", "seed": 0}
FIRST = {
    "candidate": 0,
    "seed": 0,
    "evaluation": 0,
    "env_steps": 0,
    "return_mean": 9.0,
    "train_drift": float("nan"),
}
SECOND = FIRST | {"evaluation": 1, "env_steps": 64, "return_mean": 11.0, "train_drift": 0.5}


def test_tensorboard_gets_what_is_finite(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    with sinks(["tensorboard"], tmp_path, RECORD) as log:
        log([FIRST])
        log([SECOND])
    assert events(tmp_path) == {"return_mean": {0: 9.0, 64: 11.0}, "train_drift": {64: 0.5}}


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in that keeps what it is told: the package is large, and wants a server."""

    class Error(Exception):
        pass

    kept = SimpleNamespace(
        started=[], logged=[], finished=0, Error=Error, refuse=False, __spec__=object()
    )

    def init(**settings: Any) -> SimpleNamespace:
        if kept.refuse:
            raise Error("api_key not configured")
        kept.started.append(settings)

        def finish() -> None:
            kept.finished += 1

        return SimpleNamespace(log=kept.logged.append, finish=finish)

    kept.init, kept.Settings = init, lambda **settings: settings
    monkeypatch.setitem(sys.modules, "wandb", kept)  # type: ignore[arg-type]
    return kept


def test_wandb_goes_on_with_the_run_of_a_folder(tmp_path: Path, wandb: SimpleNamespace) -> None:
    for record, told in ((FIRST, RECORD), (SECOND, RECORD | {"schema": "mirrordrift/run/1"})):
        with sinks(["wandb"], tmp_path, told) as log:
            log([record])
    assert wandb.logged == [
        {"env_steps": 0, "return_mean": 9.0},
        {"env_steps": 64, "return_mean": 11.0, "train_drift": 0.5},
    ]
    first, second = wandb.started
    assert first["id"] == second["id"] and first["config"] == RECORD
    assert wandb.finished == 2
    with sinks(["wandb"], tmp_path / "other", RECORD):
        pass
    assert wandb.started[-1]["id"] != first["id"]


def test_wandb_that_refuses(tmp_path: Path, wandb: SimpleNamespace) -> None:
    wandb.refuse = True
    with (
        pytest.raises(ConfigError, match=r"api_key not configured.*WANDB_MODE=offline"),
        sinks(["wandb"], tmp_path, RECORD),
    ):
        pass


def test_a_sink_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    asked = ["train", "--drift", "ppo", "--env", "CartPole-v1", "--out", str(tmp_path / "run")]
    assert main([*asked, "--log", "wandb"]) == 2
    assert 'pip install "mirrordrift[wandb]"' in capsys.readouterr().err
    assert main([*asked, "--log", "paper"]) == 2
    assert "use one of tensorboard, wandb" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
