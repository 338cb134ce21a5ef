"""`drift meta-train` of mirror maps: from preferences to an objective, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preference_probes import AGENTS, made

from mirrordrift.cli.mirror_maps import asked
from mirrordrift.mirror.searching import kept_start
from rl.preference.actors import read_actor, write_actor
from symbolic.preference.reading import load_objective

QUICK = (
    "--generations", "2", "--set", "training.epochs=1", "--set", "training.minibatch_pairs=8",
    "--set", "training.hidden=[4]", "--set", "training.num_eval_episodes=2", "--set", "network.hidden=9",
    "--set", "strategy.population_size=2", "--set", "held_out_seeds=2",
)  # fmt: skip


def test_a_search_makes_its_preferences_and_an_objective(run_drift, tmp_path: Path) -> None:
    for name, agent in AGENTS.items():
        write_actor(tmp_path / f"{name}.npz", agent)
    own = ["env=Pendulum-v1", "rows=16", "steps=8", "temperature=5",
           f"expert={tmp_path}/expert.npz", f"reference={tmp_path}/reference.npz"]  # fmt: skip
    settings = [part for text in own for part in ("--set", f"data.{text}")]
    settings += ["--set", f"start={tmp_path}/reference.npz"]
    done = run_drift(
        "meta-train", "--preset", "mpo-quick", *QUICK, *settings, "--out", tmp_path / "maps", "--json",
        timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *generations, last = map(json.loads, done.stdout.splitlines())
    assert [g["generation"] for g in generations] == [1, 2]
    assert last["schema"] == "mirrordrift/mirror-trained/1"
    assert set(last["held_out"]["Pendulum-v1"]) >= {"return_mean", "orpo_mean", "difference"}
    assert (tmp_path / "maps" / "data" / "card.json").exists()
    assert load_objective(last["objective"]).psi is not None
    for name in AGENTS:
        (tmp_path / f"{name}.npz").unlink()  # the search has copies
    again = run_drift("meta-train", "--resume", tmp_path / "maps", timeout=400)
    assert again.returncode == 0, again.stderr
    assert "ORPO's" in again.stdout


def test_agents_are_found_wherever_a_search_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_actor(tmp_path / "mine.npz", AGENTS["expert"])
    monkeypatch.chdir(tmp_path)
    settings = ("start=mine.npz", "data.expert=mine.npz")
    config = asked("mpo-quick", settings, generations=1, seed=0, dataset="")
    assert config.start == config.data.expert == str(tmp_path / "mine.npz")
    # What is no file stays what it is, whatever folders there are.
    for name in ("scratch", "hopper-900"):
        (tmp_path / name).mkdir()
    config = asked("mpo-quick", settings[1:], generations=1, seed=0, dataset="")
    assert (config.start, config.data.reference) == ("scratch", "hopper-900")


def test_a_start_is_kept_where_it_was_begun_with(tmp_path: Path) -> None:
    mine, kept = tmp_path / "mine.npz", tmp_path / "kept.npz"
    assert kept_start("scratch", kept) == "scratch" and not kept.exists()
    write_actor(mine, AGENTS["expert"])
    assert kept_start(str(mine), kept) == str(kept)
    write_actor(mine, AGENTS["reference"])  # trained further
    kept_start(str(mine), kept)
    assert read_actor(kept).content_hash == AGENTS["expert"].content_hash


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--env", "hopper"), "--set data.env="),
        (("--set", "network.hidden=10"), "a multiple of 9"),
        (("--set", "training.epoch=3"), "did you mean training.epochs"),
        (("--set", "training.num_evaluations=3"), "sets no field"),
        (("--set", "training.sft_epochs=3"), "sets no field"),
        (("--set", "data.env=Pendulum-v1"), "cannot act in Pendulum-v1"),
        (("--set", "start=expert.npz"), "the agent to start with takes 3 observed numbers"),
        (("--set", "data.expert=nobody"), "nobody"),
        (("--dataset", "nowhere"), "nowhere"),
        (("--dataset", "nowhere", "--set", "data.rows=3"), "say the same"),
    ],
)
def test_what_cannot_be_searched_is_said(
    drift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments, said: str
) -> None:
    write_actor(tmp_path / "expert.npz", AGENTS["expert"])  # of Pendulum
    monkeypatch.chdir(tmp_path)
    done = drift("meta-train", "--preset", "mpo-quick", *arguments, "--out", tmp_path / "maps")
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "maps").exists()


def test_a_dataset_is_for_mirror_maps(drift, tmp_path: Path) -> None:
    data = made(tmp_path / "data")
    done = drift("meta-train", "--preset", "quick", "--dataset", data, "--out", tmp_path / "m")
    assert done.code == 2 and "--dataset is for searches of mirror maps" in done.err


def test_a_misspelt_preset_is_told_before_its_data(drift, tmp_path: Path) -> None:
    done = drift("meta-train", "--preset", "mpo-quik", "--dataset", "d", "--out", tmp_path / "m")
    assert done.code == 2 and "preset='mpo-quik' is unknown" in done.err and "mpo-quick" in done.err


def test_too_large_a_minibatch_leaves_no_folder(drift, tmp_path: Path) -> None:
    data = made(tmp_path / "data")
    done = drift("meta-train", "--preset", "mpo-quick", "--dataset", data, "--out", tmp_path / "m",
                 "--set", "training.minibatch_pairs=64")  # fmt: skip
    assert done.code == 2 and "minibatch_pairs=64 is more than the" in done.err
    assert not (tmp_path / "m").exists()
