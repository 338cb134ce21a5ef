"""`drift train` as a person or a program meets it: answers, folders, refusals."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_files import events
from probe_envs import TINY_SETTINGS

from mirrordrift import load_agent
from mirrordrift.cli import main
from symbolic.arrays import read_arrays
from symbolic.network import DriftNetwork, load_network, save_network
from symbolic.parser import parse


def arguments(out: Path, *more: str, drift: str = "dpo", env: str = "CartPole-v1") -> list[str]:
    settings = [part for setting in TINY_SETTINGS for part in ("--set", setting)]
    asked = ["train", "--drift", drift, "--env", env, "--steps", "256", "--out", str(out)]
    return [*asked, *settings, *more]


LOGGED = ["--log", "tensorboard"] if find_spec("tensorboardX") else []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "dpo"
    assert main(arguments(out, "--seed", "3", *LOGGED)) == 0
    return out


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_a_run_leaves_its_record(trained: Path) -> None:
    run = json.loads((trained / "run.json").read_text())
    assert run["schema"] == "mirrordrift/run/1"
    assert (run["env"], run["seed"], run["drift"]["name"]) == ("CartPole-v1", 3, "dpo")
    assert run["drift"]["parameters"] == {"alpha": "2", "beta": "3/5"}
    assert run["config"]["num_envs"] == 8
    assert run["versions"]["jax"]
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [line["env_steps"] for line in lines] == [0, 128, 256]
    for name in ("return_mean", "return_stderr", "episode_length", "entropy", "train_approx_kl",
                 "train_active", "train_outside", "train_explained_variance", "train_grad_norm",
                 "train_nonfinite", "train_env_steps_per_second"):  # fmt: skip
        assert all(isinstance(line[name], float) for line in lines[1:]), name
    rows = list(csv.DictReader((trained / "metrics.csv").read_text().splitlines()))
    assert lines[0]["train_entropy"] is None and lines[0]["return_mean"] > 0
    assert [float(row["return_mean"]) for row in rows] == [line["return_mean"] for line in lines]


@pytest.mark.skipif(not LOGGED, reason="needs the extra tensorboard")
def test_a_run_logs_where_it_is_asked_to(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    returns = {line["env_steps"]: line["return_mean"] for line in lines}
    assert events(trained)["return_mean"] == pytest.approx(returns)


def test_a_run_leaves_the_density_it_trained_on(trained: Path) -> None:
    numbers, _ = read_arrays(trained / "density.npz")
    assert numbers["weight"].sum() == pytest.approx(1, rel=1e-4)
    assert np.abs(numbers["log_ratio"]).max() > 0
    assert set(np.unique(numbers["progress"])) <= {0.0, 0.25, 0.5, 0.75}


def test_going_on_with_a_finished_run_answers_the_same(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--resume", str(trained), "--json"]) == 0
    found = answer(capsys)
    assert found["schema"] == "mirrordrift/train/1"
    assert (found["drift"], found["seed"], found["env_steps"]) == ("dpo", 3, 256)
    last = json.loads((trained / "metrics.jsonl").read_text().splitlines()[-1])
    assert found["return_mean"] == last["return_mean"]
    assert found["failed"] is None
    assert found["env_steps_per_second"] > 0


def test_a_network_trains_and_is_kept_with_its_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features = tuple(map(parse, ("1-r", "(1-r)*A", "log(r)", "log(r)*A")))
    random = np.random.default_rng(0)
    layers = (random.normal(size=(4, 8)), random.normal(size=(8, 1)))
    network = DriftNetwork(layers=layers, features=features, xi=parse("1e-6").value)  # type: ignore[attr-defined]
    save_network(tmp_path / "lpo.npz", network)
    out = tmp_path / "run"
    assert main(arguments(out, "--json", drift=str(tmp_path / "lpo.npz"))) == 0
    assert answer(capsys)["drift"].startswith("network sha256:")
    assert load_network(out / "drift.npz").content_hash == network.content_hash


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"drift": "k1"}, ["nonnegative is refuted at r = 2", "--allow-unproved"]),
        ({"env": "cartpole"}, ["did you mean CartPole-v1"]),
        ({"drift": "C*(r-1)**2"}, ["unknown name 'C'"]),
        ({"drift": "nowhere.npz"}, ["no such file"]),
        ({"env": "swimmer", "--set": "backend=spring"}, ["does not run swimmer", "generalized"]),
    ],
)
def test_what_cannot_be_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], words: list[str]
) -> None:
    more = [part for name, text in changes.items() if name[0] == "-" for part in (name, text)]
    named = {name: text for name, text in changes.items() if name[0] != "-"}
    said = refused(arguments(tmp_path / "run", *more, **named), capsys)
    assert all(word in said for word in words), said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            ["--set", "num_minibatches=7"],
            "does not divide num_envs * unroll_length * num_unrolls = 64",
        ),
        (["--set", "momentum=1"], "sets no field"),
        (["--set", "learning_rate=fast"], "learning_rate"),
        (["--param", "gamma=1"], "'gamma' is no parameter"),
        (["--seed", "-1"], "seed=-1 must be"),
        (["--steps", "0"], "total_env_steps=0 must be"),
        (["--set", "total_env_steps=512"], "leave one out"),
        (["--set", "learing_rate=1"], "did you mean learning_rate?"),
        (["--set", "backend=bullet"], "use one of spring"),
    ],
)
def test_settings_that_do_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert words in refused(arguments(tmp_path / "run", *more), capsys)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_taken_or_missing(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--resume" in refused(arguments(trained), capsys)
    assert "no such file" in refused(["train", "--resume", str(tmp_path)], capsys)
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(arguments(tmp_path / "file" / "run"), capsys)


@pytest.mark.parametrize("more", [["--steps", "9"], ["--seed", "1"], ["--set", "discount=1"]])
def test_what_a_folder_has_settled_is_not_said_again(
    trained: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(["train", "--resume", str(trained), *more], capsys)
    assert f"leave out {more[0]}" in said


def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    hours = ["--set", "num_evaluations=100000", "--steps", "1000000000"]
    running = subprocess.Popen(
        [sys.executable, "-m", "mirrordrift", *arguments(out), *hours],
        stderr=subprocess.PIPE,
        text=True,
    )
    while running.poll() is None and not any(p.name.isdigit() for p in out.glob("checkpoint/*")):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    try:
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert f"go on with drift train --resume {out}" in said
    agent = load_agent(out)  # restores what --resume restores
    assert 2 <= len(agent.score.records) <= len((out / "metrics.jsonl").read_text().splitlines())


def test_a_refuted_drift_trains_when_asked_to(tmp_path: Path) -> None:
    assert main(arguments(tmp_path / "run", "--allow-unproved", drift="k1")) == 0


def test_a_training_that_diverges_says_so_in_valid_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    undefined = "(r-1)**2*log(A)"
    assert main(arguments(out, "--allow-unproved", "--json", drift=undefined)) == 1
    found = answer(capsys)
    assert "not finite" in found["failed"]
    assert main(["train", "--resume", str(out), "--json"]) == 1
    assert answer(capsys)["failed"] == found["failed"]
    assert main(["train", "--resume", str(out)]) == 1
    assert "failed: weights not finite" in capsys.readouterr().out


def test_environments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--env", "help"]) == 0
    out = capsys.readouterr().out
    assert "brax: ant" in out and "gymnax: CartPole-v1" in out
