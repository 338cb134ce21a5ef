"""`drift bench` as a person or a program meets it: tables, pictures, going on, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from probe_envs import TINY_SETTINGS

from mirrordrift.bench import presets
from mirrordrift.cli import main
from mirrordrift.cli.bench import _bytes
from symbolic.errors import ConfigError

DRIFTS = ("ppo; eps=0.2", "dpo", "(r-1)**2*log(A)")


def arguments(out: Path, *more: str, drifts: tuple[str, ...] = DRIFTS) -> list[str]:
    settings = [part for setting in TINY_SETTINGS for part in ("--set", setting)]
    asked = [part for drift in drifts for part in ("--drift", drift)]
    sizes = ["--env", "CartPole-v1", "--steps", "256", "--seeds", "2", "--out", str(out)]
    return ["bench", *asked, *sizes, *settings, *more]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench") / "three"
    assert main(arguments(out, "--allow-unproved")) == 1  # one of them diverges
    return out


def objects(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_comparison_leaves_its_table_and_pictures(compared: Path) -> None:
    table = (compared / "table.md").read_text()
    assert "| CartPole-v1 | ppo eps=0.2 |" in table
    assert "2 of 2" in table and "A run that failed counts as untrained" in table
    for name in ("curves.png", "entropy.png"):
        assert (compared / name).read_bytes().startswith(b"\x89PNG")
    scores = [json.loads(line) for line in (compared / "scores.jsonl").read_text().splitlines()]
    assert [score["drift"] for score in scores[::2]] == [
        "ppo eps=0.2", "dpo", "(r - 1)**2*log(A)",
    ]  # fmt: skip
    assert [score["seed"] for score in scores] == [0, 1] * 3
    assert [score["failed"] is None for score in scores] == [True] * 4 + [False] * 2


def test_two_seeds_are_paired_and_too_few_for_a_bootstrap(compared: Path) -> None:
    base, _, other = json.loads((compared / "summary.json").read_text())["table"]
    assert base["difference"] is None
    mean, low, high = other["difference"]
    assert mean == pytest.approx(other["return_mean"] - base["return_mean"])
    assert high - mean == pytest.approx(mean - low) and high > mean
    assert base["interquartile_mean"][1:] == [None, None]
    table = (compared / "table.md").read_text()
    assert "too few seeds for bootstrap intervals" in table and "Difference: from" in table


def test_a_failed_run_counts_as_untrained(compared: Path) -> None:
    summary = json.loads((compared / "summary.json").read_text())
    failed = summary["table"][2]
    (metrics,) = compared.rglob("metrics.jsonl")
    records = [json.loads(line) for line in metrics.read_text().splitlines()]
    first = [r["return_mean"] for r in records if r["candidate"] == 2 and r["evaluation"] == 0]
    assert failed["failed"] == 2 and failed["entropy"] is None
    assert failed["return_mean"] == pytest.approx(sum(first) / 2)


def test_going_on_with_a_finished_comparison_answers_the_same(
    compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((compared / "summary.json").read_text())
    assert main(["bench", "--resume", str(compared), "--json"]) == 1
    *scores, summary = objects(capsys)
    assert {score["schema"] for score in scores} == {"mirrordrift/train/1"}
    assert summary["schema"] == "mirrordrift/bench/1"
    assert summary == before


def test_little_memory_trains_in_parts_with_the_same_result(
    compared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "parts", "--json", "--memory", "700K", drifts=DRIFTS[:2])) == 0
    found = [score["return_mean"] for score in objects(capsys)[:-1]]
    parts = sorted(path.name for path in (tmp_path / "parts").rglob("from-*"))
    assert parts == ["from-0000", "from-0001"]
    whole = [json.loads(line) for line in (compared / "scores.jsonl").read_text().splitlines()]
    assert found == pytest.approx([score["return_mean"] for score in whole[:4]], rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--drift", "ppo", "--out", "x"], "give --drift SPEC and --env NAME"),
        (["--preset", "brax", "--out", "x"], "use one of brax-paper"),
        (["--drift", "ppo", "--drift", "ppo", "--env", "ant", "--out", "x"], "given twice"),
        (["--drift", "k1", "--env", "ant", "--out", "x"], "nonnegative is refuted"),
        (["--drift", "ppo", "--env", "an", "--out", "x"], "did you mean ant"),
        (["--drift", "ppo; gamma=1", "--env", "ant", "--out", "x"], "'gamma' is no parameter"),
        (["--drift", "ppo", "--env", "ant", "--out", "x", "--memory", "much"], "4G or 500M"),
        (["--drift", "ppo", "--env", "ant", "--out", "x", "--seeds", "-1"], "at least 1"),
        (["--drift", "ppo", "--env", "ant", "--out", "x", "--seeds", "0"], "at least 1"),
    ],
)
def test_what_is_no_comparison(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err and said.out == ""
    assert not (tmp_path / "x").exists()


def test_too_little_memory_says_what_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "run", "--memory", "1K", drifts=DRIFTS[:1])) == 2
    assert "MiB and may use" in capsys.readouterr().err


def test_a_folder_that_is_taken(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(compared, drifts=DRIFTS[:1])) == 2
    assert "--resume" in capsys.readouterr().err


def test_sizes_of_memory() -> None:
    assert [_bytes(text) for text in ("4G", "500m", "1.5GiB", "1024")] == [
        4 * 2**30, 500 * 2**20, 3 * 2**29, 1024,
    ]  # fmt: skip
    for text in ("0", "-1G", "G", "1e99G"):
        with pytest.raises(ConfigError, match="no size"):
            _bytes(text)


def test_a_preset_takes_other_steps(tmp_path: Path) -> None:
    from mirrordrift.cli.bench import Options, _begin

    asked = Options(preset="minatar-paper", reduced=True, steps=1024, out=str(tmp_path / "run"))
    made = _begin(asked, tmp_path / "run")
    assert {config.total_env_steps for config in made.configs.values()} == {1024}


@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize("name", ["brax-paper", "minatar-paper", "lpo-zero"])
def test_every_preset_is_a_comparison(name: str, reduced: bool) -> None:
    from mirrordrift.bench.plan import plan

    chosen = presets.preset(name, reduced=reduced)
    found = plan(chosen.drifts, chosen.envs, seeds=chosen.seeds, changes=chosen.changes)
    assert len(found.drifts) == len(chosen.drifts)
    assert found.baseline.startswith("ppo")
