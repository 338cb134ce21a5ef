"""`drift preference-data` as a person or a program meets it: answers, folders, refusals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from preference_probes import AGENTS, ENV
from probe_envs import TINY_SETTINGS

from mirrordrift.actors import actor_of
from mirrordrift.cli import main
from rl.preference.actors import read_actor, write_actor
from rl.preference.data import PreferenceData


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agents")
    for who, agent in AGENTS.items():
        write_actor(folder / f"{who}.npz", agent)
    return folder


def arguments(agents: Path, out: Path, *more: str) -> list[str]:
    asked = ["preference-data", "--env", ENV, "--rows", "9", "--steps", "6", "--out", str(out)]
    expert, reference = (str(agents / f"{who}.npz") for who in AGENTS)
    return [*asked, "--expert", expert, "--reference", reference, *more]


@pytest.fixture(scope="module")
def dataset(agents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "noisy"
    more = ("--kind", "noisy", "--noise", "0.25", "--temperature", "2", "--seed", "4")
    assert main(arguments(agents, out, *more)) == 0
    return out


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_a_dataset_leaves_its_card(dataset: Path) -> None:
    card = json.loads((dataset / "card.json").read_text())
    assert card["schema"] == "mirrordrift/preference-data/1"
    asked = {"env": ENV, "backend": "spring", "kind": "noisy", "rows": 9, "steps": 6, "noise": 0.25,
             "temperature": 2.0, "seed": 4}  # fmt: skip
    assert asked.items() <= card.items()
    assert card["agents"]["expert"]["hash"] == AGENTS["expert"].content_hash
    assert card["agents"]["reference"]["return_mean"] == -100.5
    assert card["versions"]["jax"] and card["library"]["name"] == "gymnax"
    assert 0 <= card["flip_rate"] <= 1 and 0.5 <= card["judge"]["expected_accuracy"] <= 1
    assert card["complete"] is True and card["chunks"][0]["sha256"].startswith("sha256:")
    assert read_actor(dataset / "expert.npz").content_hash == AGENTS["expert"].content_hash
    rows = PreferenceData.open(dataset, env=ENV, backend="spring").arrays()
    assert rows.chosen_observations.shape == (9, 6, 3)


def test_going_on_with_a_finished_dataset_answers_the_same(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (dataset / "card.json").read_bytes()
    assert main(["preference-data", "--resume", str(dataset), "--json"]) == 0
    assert answer(capsys)["hash"] == json.loads(before)["hash"]
    assert (dataset / "card.json").read_bytes() == before


@pytest.mark.parametrize(("kind", "temperature"), [("base", 101.9), ("poor-judge", 273.1)])
def test_what_is_not_said_is_the_papers(
    agents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, temperature: float
) -> None:
    assert main(arguments(agents, tmp_path / "data", "--kind", kind, "--json")) == 0
    card = answer(capsys)
    assert card["temperature"] == pytest.approx(temperature, abs=0.05)
    assert card["noise"] == 0.0 and "chunks" not in card


def test_a_folder_of_drift_train_is_an_agent(tmp_path: Path) -> None:
    run, out, env = tmp_path / "run", tmp_path / "data", "CartPole-v1"
    settings = [part for setting in TINY_SETTINGS for part in ("--set", setting)]
    train = ["train", "--drift", "dpo", "--env", env, "--steps", "256", "--out", str(run)]
    assert main([*train, *settings]) == 0
    asked = ["preference-data", "--env", env, "--rows", "3", "--steps", "5", "--out", str(out)]
    trained = actor_of(str(run))
    other = replace(trained, network=replace(trained.network, mean=trained.network.mean + 0.5))
    write_actor(tmp_path / "other.npz", other)
    assert main([*asked, "--expert", str(run), "--reference", str(tmp_path / "other.npz")]) == 0
    told = json.loads((out / "card.json").read_text())["agents"]["expert"]
    measured = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert told["return_mean"] == measured[-1]["return_mean"]
    rows = PreferenceData.open(out, env=env).arrays()
    assert rows.chosen_actions.shape == (3, 5, 1) and set(np.unique(rows.chosen_actions)) <= {0, 1}


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--kind", "odd"], "use one of base, noisy"),
        (["--rows", "0"], "rows=0 must be"),
        (["--rows", "many"], "--rows"),
        (["--steps", "-1"], "steps=-1 must be"),
        (["--noise", "0.2"], "does not go with kind='base'"),
        (["--temperature", "0"], "temperature=0"),
        (["--seed", "-1"], "seed=-1 must be"),
        (["--env", "pendulum"], "did you mean Pendulum-v1"),
        (["--env", "CartPole-v1"], "cannot act in CartPole-v1"),
        (["--expert", "hopper-12"], "agent='hopper-12' is unknown"),
        (["--expert", "nowhere.npz"], "no such file"),
        (["--expert", "."], "no such file"),
    ],
)
def test_what_cannot_be_made(
    agents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert words in refused(arguments(agents, tmp_path / "data", *more), capsys)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_taken_or_missing(
    agents: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--resume" in refused(arguments(agents, dataset), capsys)
    assert "has no card.json" in refused(["preference-data", "--resume", str(tmp_path)], capsys)
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused(arguments(agents, tmp_path / "file" / "data"), capsys)
    assert "holds file" in refused(arguments(agents, tmp_path), capsys)
    assert "give --env NAME" in refused(["preference-data", "--env", ENV], capsys)
    resumed = ["preference-data", "--resume", str(dataset), "--rows", "7"]
    assert "leave out --rows" in refused(resumed, capsys)


def test_an_agent_that_was_exchanged_is_noticed(
    agents: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(agents, tmp_path / "data")) == 0
    capsys.readouterr()
    write_actor(tmp_path / "data" / "expert.npz", AGENTS["reference"])
    said = refused(["preference-data", "--resume", str(tmp_path / "data")], capsys)
    assert "is not the agent that the dataset was begun with" in said


def test_errors_are_objects_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preference-data", "--resume", str(tmp_path), "--json"]) == 2
    found = answer(capsys)
    assert found["schema"] == "mirrordrift/preference-data/1"
    assert "has no card.json" in found["error"]


def test_ctrl_c_leaves_a_dataset_that_goes_on(agents: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    hours = ["--rows", "4000000"]
    running = subprocess.Popen(
        [sys.executable, "-m", "mirrordrift", *arguments(agents, out), *hours],
        stderr=subprocess.PIPE,
        text=True,
    )
    while running.poll() is None and not (out / "rows-00000.npz").exists():
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert f"go on with drift preference-data --resume {out}" in said
    card = json.loads((out / "card.json").read_text())
    assert card["complete"] is False and len(card["chunks"]) >= 1
