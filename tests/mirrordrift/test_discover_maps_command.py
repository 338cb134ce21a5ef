"""`drift discover --kind mirror-map` as a person or a program meets it: from preferences to a page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from preference_probes import AGENTS, made

from mirrordrift.cli import main
from mirrordrift.cli.discover_maps import _OF_SEARCH
from mirrordrift.mirror.discovery import MapDiscoverFolder, Watch, _Stages
from mirrordrift.report.content import Text
from mirrordrift.report.map_loop import document
from rl.preference.actors import write_actor
from search.pipeline.map_config import preset
from search.pipeline.stages import run
from symbolic.preference.reading import load_objective, objective_from_text, save_objective

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
    comparison = json.loads((out / "comparison.json").read_text())["rows"]
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


def saved(path: Path, text: str) -> str:
    save_objective(path, objective_from_text(text))
    return str(path)


OWN_DATA = tuple(s for s in SETTINGS if not s.startswith(("search.data.", *_OF_SEARCH)))


def test_an_objective_and_data_of_one_s_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An objective whose ψ is left out, on one dataset."""
    data = made(tmp_path / "data")
    given = ("--dataset", str(data))
    mine = saved(tmp_path / "mine.json", "none; log(x) + 0.5*x")
    out = tmp_path / "out"
    assert main(arguments(out, *given, "--network", mine, settings=OWN_DATA)) == 0
    text = (out / "report.md").read_text()
    assert "## The search" not in text and "mine.json" in text and "It is proved:" in text
    pictures = re.findall(r"\]\((.*?)\)", text)
    assert len(pictures) == 4 and all((out / name).exists() for name in pictures)
    assert not (out / "search").exists() and not (out / "psi").exists()
    rows = json.loads((out / "data.json").read_text())["rows"]
    assert [(row["name"], row["path"]) for row in rows] == [("data", str(data))]
    assert "taking it" in capsys.readouterr().out

    # What a picture is lost of is drawn again, and what it says has not changed.
    before = (out / "comparison.json").stat().st_mtime_ns
    (out / "phi_inverse" / "map.png").unlink()
    assert main(["discover", "--resume", str(out)]) == 0
    assert capsys.readouterr().out.count("done before") >= 3
    assert (out / "phi_inverse" / "map.png").exists()
    assert (out / "comparison.json").stat().st_mtime_ns == before
    assert main(["discover", "--resume", str(out), "--kind", "mirror-map"]) == 2
    assert "leave out --kind" in capsys.readouterr().err

    # Where nothing is proved the report says so, and offers no code.
    front = json.loads((out / "phi_inverse" / "front.json").read_text())
    for member in front["members"]:
        member |= {"knee": False, "verdict": "unknown"}
    (out / "phi_inverse" / "front.json").write_text(json.dumps(front))
    (out / "distilled.json").unlink()
    page = document(MapDiscoverFolder.open(out)[1], out)
    said = [block.text for block in page.summary if isinstance(block, Text)]
    assert "No formula for φ⁻¹(x) is proved; the fronts are below." in said
    assert "In code" not in [section.title for section in page.sections]


def test_datasets_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = [made(tmp_path / part / "data", seed=seed) for seed, part in enumerate("abc")]
    config, out = replace(preset("quick"), datasets=tuple(map(str, paths))), tmp_path / "out"
    out.mkdir()
    watch = Watch(lambda name, skipped: None, lambda what, done, total: None, lambda record: None)
    stages = _Stages(config, out, watch).all()
    run(stages[:1], out, lambda stage, skipped: None)
    rows = json.loads((out / "data.json").read_text())["rows"]
    assert [row["name"] for row in rows] == ["data", "data-2", "data-3"]
    assert [row["path"] for row in rows] == list(config.datasets)
    # Which of them comes first matters.
    turned = _Stages(replace(config, datasets=config.datasets[::-1]), out, watch).all()
    assert stages[0].inputs() != turned[0].inputs()


def test_a_refuted_objective_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(made(tmp_path / "data"))
    worse = saved(tmp_path / "worse.json", "log(x); -log(x)")
    asked = arguments(tmp_path / "out", "--dataset", data, "--network", worse, settings=OWN_DATA)
    assert main(asked) == 2
    assert "refuted" in capsys.readouterr().err
    asked = arguments(tmp_path / "out", "--network", str(tmp_path / "gone.json"), settings=OWN_DATA)
    assert main(asked) == 2
    assert capsys.readouterr().err.count("gone.json") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "is no file; a discovery begins with the objective.json"),
        (("--set", "search.seeds=2"), "does nothing beside --network"),
        (("--set", "search.held_out_seeds=2"), "does nothing beside --network"),
        (("--set", "search.strategy.sigma=2"), "does nothing beside --network"),
    ],
)
def test_a_search_is_not_asked_of_where_an_objective_is_given(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--network", "orpo", *more)
    assert main(arguments(tmp_path / "out", *given, settings=OWN_DATA)) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--env", "hopper"), "--set search.data.env="),
        (("--network", "mine.json"), "does nothing beside --network"),
        (("--set", "hidden=63"), "write search.network.hidden or search.training.hidden"),
        (("--set", "generations=2"), "write search.generations"),
        (("--dataset", "nowhere"), "does nothing beside --dataset"),
        (("--set", 'baselines=["orpo"]'), "ORPO is always among them"),
        (("--set", 'baselines=["simpoo"]'), "simpo"),
        (("--set", 'transfer=["worse"]'), "kind='worse' is unknown"),
        (("--set", "baselines=simpo"), "is no list of names"),
        (("--set", 'transfer=["own"]'), "the own data is there anyway"),
        (("--set", "search.data=5"), "sets no field"),
        (("--set", "search.data.rows=4"), "minibatch_pairs=8 is more than the 4 pairs"),
        (("--set", "search.generation=2"), "did you mean search.generations?"),
        (("--set", "search.strategy.sigmar=2"), "did you mean search.strategy.sigma?"),
        (("--set", "seeds=0"), "at least 1"),
        (("--kind", "map"), "use drift or mirror-map"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "out", *more)) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()
