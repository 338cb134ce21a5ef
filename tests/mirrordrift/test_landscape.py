"""`drift plot` of preference objectives: what is drawn, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from preference_probes import made

from mirrordrift.aligning.plan import plan, save
from mirrordrift.landscape import Trajectory, _norm, _sizes, plot_landscapes
from rl.offline.config import OfflineConfig
from symbolic.catalogue.objectives import objectives
from symbolic.errors import ConfigError
from symbolic.preference.reading import objective_from_text


def test_objectives_are_drawn_with_what_a_training_met(tmp_path: Path) -> None:
    fading = objective_from_text("log(x); (2 - t)*log(x)")
    random = np.random.default_rng(0)
    met = Trajectory(
        random.uniform(-9, -8, 50), random.uniform(-12, -10, 50), np.linspace(0, 1, 50)
    )
    path = tmp_path / "a.png"
    plot_landscapes(
        {"orpo": objectives["orpo"], "fading": fading}, path, trajectories={"fading": met}
    )
    drawn = path.read_bytes()
    plot_landscapes(
        {"orpo": objectives["orpo"], "fading": fading}, path, trajectories={"fading": met}
    )
    assert path.read_bytes() == drawn
    plot_landscapes({"orpo": objectives["orpo"]}, tmp_path / "b.svg", within=(-5, -1))
    assert "chosen trajectory" in (tmp_path / "b.svg").read_text()


def test_a_scale_is_for_what_is_defined_and_does_not_explode() -> None:
    sizes = [_sizes(np.array(row)) for row in ([0.5, 0.0, np.nan], [1e30, np.inf, 1.0], [0.4, 0.3])]
    assert np.isnan(sizes[0][2]) and np.isnan(sizes[1][1])
    norm = _norm(sizes)
    assert norm.vmax == pytest.approx(50) and norm.vmin == pytest.approx(0.3)
    assert 0 < sizes[0][1] < norm.vmin
    flat = _norm([np.array([1.0, 1.1])])
    assert flat.vmax / flat.vmin == pytest.approx(100)  # dark is far less than bright
    assert _norm([np.array([np.nan])]).vmax > 0


def test_the_command_draws_objectives(drift, tmp_path: Path) -> None:
    done = drift("plot", "orpo", "log(x); 2*log(x)", "-o", tmp_path / "a.png", "--json")
    assert done.code == 0
    assert json.loads(done.out)["drawn"][1]["objective"] == "log(x); 2*log(x)"
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_of_an_alignment_it_is_told_which_agents_failed(drift, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    save(plan(["orpo"], made(tmp_path / "data"), seeds=[0, 1, 2], config=OfflineConfig()), folder)
    asked = ("plot", "--aligned", folder, "-o", tmp_path / "a.png")
    assert drift(*asked).err == ""
    fates = ({"failed": "gradient not finite in epoch 1", "warning": None},
             {"failed": None, "warning": "pairs below -5"}, {"failed": None, "warning": None})  # fmt: skip
    agent = {"schema": "mirrordrift/align/1", "objective": "orpo"}
    lines = [{**agent, "seed": seed, **fate} for seed, fate in enumerate(fates)]
    text = "".join(json.dumps(line) + "\n" for line in [*lines, {"schema": "…", "table": []}])
    (folder / "results.jsonl").write_text(text)
    done = drift(*asked)
    assert done.code == 0
    assert done.err.splitlines() == [
        "drift: orpo, seed 0: gradient not finite in epoch 1",
        "drift: orpo, seed 1: pairs below -5",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("orpo", "ppo"), "draw one kind"),
        (("orpo", "--low", "-3"), "--low and --high go together"),
        (("orpo", "--low", "-3", "--high", "-4"), "--low -3 --high -4 is empty"),
        (("ppo", "--low", "-3", "--high", "-1"), "are for preference objectives"),
        (("orpo", "--aligned", "x"), "give SPECs to draw, or --aligned DIR"),
        (("orpo", "-o", "x.gif"), "a picture ends in one of"),
        (("orpo", "--param", "q=2"), "q"),
        (tuple(f"log(x); {n}*log(x)" for n in range(1, 10)), "draw some of them as SPECs"),
    ],
)
def test_what_cannot_be_drawn_is_said(drift, tmp_path: Path, arguments, said: str) -> None:
    output = () if "-o" in arguments else ("-o", tmp_path / "a.png")
    done = drift("plot", *arguments, *output)
    assert done.code == 2
    assert said in done.err


def test_too_many_are_refused(tmp_path: Path) -> None:
    many = {str(i): objectives["orpo"] for i in range(9)}
    with pytest.raises(ConfigError, match="9 objectives are too many for one picture, which has 8"):
        plot_landscapes(many, tmp_path / "a.png")
