"""`drift search` as a person or a program meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from probe_envs import TINY_SETTINGS

from mirrordrift.cli import main


def arguments(out: Path, *more: str) -> list[str]:
    settings = [
        *(f"inner.{s}" for s in TINY_SETTINGS if not s.startswith("num_evaluations")), "inner.total_env_steps=256",
        "population_size=4", "halvings=0", "elites=1", "finalists=2", "held_out_seeds=2", "seeds=1",
    ]  # fmt: skip
    changes = [part for setting in settings for part in ("--set", setting)]
    return ["search", "--preset", "quick", "--generations", "2", "--out", str(out), *changes, *more]


def test_a_search_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found"
    assert main(arguments(out, "--json")) == 0
    *generations, judgement = map(json.loads, capsys.readouterr().out.splitlines())
    assert [record["generation"] for record in generations] == [1, 2]
    assert judgement["schema"] == "mirrordrift/judgement/1" and len(judgement["rows"]) == 4
    assert (out / "drifts.png").read_bytes().startswith(b"\x89PNG")
    assert main(["verify", "--file", str(out / "formulas.txt")]) == 0
    capsys.readouterr()
    assert main(["search", "--resume", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("formula") and "formulas.txt" in said and "dpo" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "population_size=5", "--set", "halvings=1"], "try 6"),
        (["--set", "populations=5"], "did you mean population_size?"),
        (["--set", "inner.num_minibatches=7"], "does not divide"),
        (["--env", "CartPole"], "CartPole-v1"),
        (["--generations", "0"], "at least 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "run", *more)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
