"""`drift meta-train` as a person or a program meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from event_files import events
from probe_envs import TINY_SETTINGS

from mirrordrift import verify
from mirrordrift.cli import main
from symbolic.network import load_network

LOGGED = ["--log", "tensorboard"] if find_spec("tensorboardX") else []


def arguments(out: Path, *more: str) -> list[str]:
    settings = [
        *(f"inner.{s}" for s in TINY_SETTINGS if not s.startswith("num_evaluations")),
        "inner.total_env_steps=256", "strategy.population_size=4", "strategy.sigma=0.5",
        "network.hidden=[4]", "held_out_seeds=2", "held_out_every=1", "seeds=1",
    ]  # fmt: skip
    changes = [part for setting in settings for part in ("--set", setting)]
    return [
        "meta-train",
        "--preset",
        "quick",
        "--generations",
        "2",
        "--out",
        str(out),
        *changes,
        *more,
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, object]]]:
    """A folder, and what was said while it was made, in a process of its own."""
    out = tmp_path_factory.mktemp("meta") / "quick"
    done = process(*arguments(out, "--json", *LOGGED))
    assert done.returncode == 0, done.stderr
    return out, [json.loads(line) for line in done.stdout.splitlines()]


def process(*arguments: str, devices: int = 1) -> subprocess.CompletedProcess[str]:
    flags = f"--xla_force_host_platform_device_count={devices} " + os.environ.get("XLA_FLAGS", "")
    return subprocess.run(
        [sys.executable, "-m", "mirrordrift", *arguments],
        env=os.environ | {"XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_two_generations_end_to_end(trained: tuple[Path, list[dict[str, object]]]) -> None:
    out, said = trained
    *said, last = said
    assert [record["generation"] for record in said] == [1, 2]
    assert all(record["schema"] == "mirrordrift/generation/1" for record in said)
    assert last["schema"] == "mirrordrift/meta-trained/1" and last["network"] == str(
        out / "network.npz"
    )
    network = load_network(out / "network.npz")
    assert verify(network).verdict == "proved"
    assert network.training["configuration"]["strategy"]["sigma"] == 0.5
    for picture in ("fitness.png", "drift.png", "evolution.png"):
        assert (out / picture).read_bytes().startswith(b"\x89PNG")
    if LOGGED:
        logged = events(out)
        assert set(logged["return_mean/CartPole-v1"]) == {1, 2}
        assert "held_out/CartPole-v1/difference" in logged


def test_four_devices_give_the_same_network(
    trained: tuple[Path, list[dict[str, object]]], tmp_path: Path
) -> None:
    done = process(*arguments(tmp_path / "four", "--json"), devices=4)
    assert done.returncode == 0, done.stderr
    one, four = (load_network(path / "network.npz") for path in (trained[0], tmp_path / "four"))
    for a, b in zip(one.layers, four.layers, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_finished_run_shows_its_table(
    trained: tuple[Path, list[dict[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["meta-train", "--resume", str(trained[0])]) == 0
    out = capsys.readouterr().out
    assert out.startswith("environment") and "CartPole-v1" in out and "network.npz" in out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "strategy.population_size=31"], "must be even"),
        (["--set", "strategy.name=ADAM"], "no strategy of evosax"),
        (["--set", "strategy.sigmas=1"], "did you mean strategy.sigma?"),
        (["--set", "inner.num_minibatches=7"], "does not divide"),
        (["--set", "seed=7"], "sets no field"),
        (["--set", "population_size=8"], "write --set strategy.population_size=8"),
        (["--set", "inner.num_evaluations=7"], "sets no field"),
        (["--set", "network.temporal=no"], "true or false"),
        (
            ["--set", "strategy.name=CMA_ES", "--set", "network.hidden=[128]"],
            "use Open_ES, PGPE or SNES",
        ),
        (["--env", "CartPole"], "CartPole-v1"),
        (["--env", "CartPole-v1", "--env", "Pendulum-v1"], "mixes kinds of actions"),
        (["--generations", "0"], "at least 1"),
        (["--log", "paper"], "tensorboard"),
        (["--resume", "x"], "leave out --preset"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "run", *more)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_unknown_preset_and_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["meta-train", "--preset", "lpo", "--out", str(tmp_path / "run")]) == 2
    assert "lpo-paper" in capsys.readouterr().err
    assert main(["meta-train", "--resume", str(tmp_path / "run")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["meta-train", "--preset", "quick"]) == 2
    assert "--out DIR" in capsys.readouterr().err


def test_a_folder_that_is_taken_is_left_alone(
    trained: tuple[Path, list[dict[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (trained[0] / "state.npz").read_bytes()
    assert main(arguments(trained[0], "--set", "strategy.sigma=0.1")) == 2
    assert "other strategy.sigma" in capsys.readouterr().err
    assert (trained[0] / "state.npz").read_bytes() == before
