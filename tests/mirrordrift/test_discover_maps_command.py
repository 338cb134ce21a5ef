"""`drift discover --kind mirror-map` as a person or a program meets it: from preferences to a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from preference_probes import AGENTS, made

from mirrordrift.cli import main
from rl.preference.actors import write_actor
from symbolic.preference.reading import load_objective

SETTINGS = (
    "search.generations=2", "search.training.epochs=2", "search.training.minibatch_pairs=8",
    "search.training.hidden=[4]", "search.training.num_eval_episodes=2", "search.network.hidden=9",
    "search.strategy.population_size=2", "search.held_out_seeds=2", "search.data.env=Pendulum-v1",
    "search.data.rows=16", "search.data.steps=8", "search.data.temperature=5", "points=64", "seeds=2",
    "episodes=2", 'baselines=["mpo-closed-form"]',
)  # fmt: skip


def arguments(out: Path, *more: str, settings: tuple[str, ...] = SETTINGS) -> list[str]:
    changes = [part for setting in settings for part in ("--set", setting)]
    return [
        "discover",
        "--kind",
        "mirror-map",
        "--preset",
        "quick",
        "--out",
        str(out),
        *changes,
        *more,
    ]


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("agents")
    for name, agent in AGENTS.items():
        write_actor(folder / f"{name}.npz", agent)
    return (
        f"search.data.expert={folder}/expert.npz",
        f"search.data.reference={folder}/reference.npz",
    )


def test_the_loop_ends_in_a_report(
    agents: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One test, as the folder is dear."""
    out = tmp_path / "maps"
    assert main(arguments(out, settings=(*SETTINGS, *agents))) == 0
    said = capsys.readouterr().out
    assert "found, as formulas" in said and "written:" in said
    page = (out / "report.html").read_text()
    assert page.count("data:image/png") == 7  # the search, two of each map, landscape, returns
    text = (out / "report.md").read_text()
    for title in (
        "The preferences",
        "The search",
        "Formulas for ψ(x)",
        "Formulas for φ⁻¹(x)",
        "How hard it pulls",
        "Agents",
        "In code",
        "How to reproduce it",
    ):
        assert f"## {title}" in text
    command = next(line for line in text.splitlines() if line.startswith("drift discover"))
    assert "--kind mirror-map --preset quick" in command and "search.data.rows=16" in command
    objective = load_objective(out / "distilled.json")
    assert objective.psi is not None and objective.psi.text in text
    comparison = json.loads((out / "comparison.json").read_text())
    assert [row["dataset"] for row in comparison] == ["own", "base"]
    labels = ["orpo", "mpo-closed-form", "found", "found, as formulas"]
    for row in comparison:
        assert [each["objective"] for each in row["table"]] == labels
        assert all(len(returns) == 2 for returns in row["returns"].values())
        assert row["table"][0]["difference"] is None and len(row["table"][2]["difference"]) == 3

    # What is done is skipped; what is missing is made again, and nothing else.
    before = (out / "report.html").stat().st_mtime_ns
    assert main(["discover", "--resume", str(out)]) == 0
    assert capsys.readouterr().out.count("done before") == 6
    assert (out / "report.html").stat().st_mtime_ns == before
    (out / "report.md").unlink()
    assert main(["discover", "--resume", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "mirrordrift/discovered-objective/1"
    assert answer["fronts"]["psi"]["members"] and answer["objective"].endswith("distilled.json")
    assert (out / "report.md").exists()
    assert main(arguments(out, settings=(*SETTINGS, *agents))) == 2
    assert "go on with --resume" in capsys.readouterr().err


def test_an_objective_and_data_of_one_s_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from symbolic.preference.reading import objective_from_text, save_objective

    save_objective(tmp_path / "mine.json", objective_from_text("log(x); log(x) + 0.5*x"))
    data = made(tmp_path / "data")
    kept = [s for s in SETTINGS if not s.startswith("search.data.")]
    more = ("--dataset", str(data), "--network", str(tmp_path / "mine.json"))
    assert main(arguments(tmp_path / "out", *more, settings=tuple(kept))) == 0
    text = (tmp_path / "out" / "report.md").read_text()
    assert "The search" not in text and "mine.json" in text
    assert not (tmp_path / "out" / "search").exists()
    said = capsys.readouterr().out
    assert "taking it" in said and "data" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--env", "hopper"), "--set search.data.env="),
        (("--network", "missing.json"), "missing.json"),
        (("--dataset", "nowhere"), "say the same"),
        (("--set", 'baselines=["orpo"]'), "ORPO is always among them"),
        (("--set", 'baselines=["simpoo"]'), "simpo"),
        (("--set", 'transfer=["worse"]'), "kind='worse' is unknown"),
        (("--set", "search.generation=2"), "did you mean generations?"),
        (("--set", "search.strategy.sigmar=2"), "did you mean strategy.sigma?"),
        (("--set", "seeds=0"), "at least 1"),
        (("--kind", "map"), "use drift or mirror-map"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "out", *more)) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()
