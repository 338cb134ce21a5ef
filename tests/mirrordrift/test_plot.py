"""The picture: right numbers, every format, nothing left behind when it fails."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from mirrordrift.plot import drawn_values, grid, objective_slope, plot_drifts
from symbolic.catalogue import catalogue
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, evaluate_network, load_network
from symbolic.parser import parse

SIGNATURE = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", SIGNATURE)
def test_formats(tmp_path, suffix):
    path = tmp_path / f"ppo{suffix}"
    plot_drifts([catalogue["ppo"]], path)
    assert path.read_bytes().startswith(SIGNATURE[suffix])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_undefined_parts_and_long_titles(tmp_path):
    formula = "q*(r - 1)**2 + sqrt(A)*0 + " + " + ".join(["0*log(r)"] * 20)
    drift = Drift.from_text(formula, ["q in (0, inf)"])
    plot_drifts([drift, catalogue["zero"], catalogue["broken-undefined"]], tmp_path / "three.png")
    assert (tmp_path / "three.png").stat().st_size > 10_000


def test_a_network_is_drawn_by_its_values(tmp_path, network_file):
    network = load_network(network_file)
    plot_drifts([network, catalogue["ppo"]], tmp_path / "network.png")
    assert (tmp_path / "network.png").stat().st_size > 10_000
    ratio, advantage = np.linspace(0.01, 2, 400), np.linspace(-3, 3, 101)[:, None]
    found = objective_slope(network, ratio, advantage)
    step = 1e-5
    around = [evaluate_network(network, ratio + s * step, advantage) for s in (1, -1)]
    expected = advantage - (around[0] - around[1]) / (2 * step)
    kinks = np.abs(found - expected) > 1e-3 * (1 + np.abs(expected))
    assert found.shape == (101, 400)
    assert kinks.mean() < 0.01
    assert drawn_values(network) == {}


def test_a_network_with_progress_is_drawn_in_the_middle():
    network = DriftNetwork(
        layers=(np.ones((1, 1)),), features=(parse("t*(r-1)**2"),), xi=Fraction(0)
    )
    assert drawn_values(network) == {"t": Fraction(1, 2)}
    assert objective_slope(network, np.array([2.0]), 0.0) == pytest.approx(-1, rel=1e-5)


def test_what_is_undefined_everywhere_is_not_drawn(tmp_path):
    with pytest.raises(ConfigError, match="undefined at every point of the picture"):
        plot_drifts([Drift.from_text("log(-r)")], tmp_path / "nothing.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("formulas", "bands", "columns"),
    [
        (1, 1, 1),
        (2, 1, 2),
        (3, 1, 3),
        (4, 1, 4),
        (5, 2, 3),
        (7, 2, 4),
        (8, 2, 4),
        (9, 3, 3),
        (12, 3, 4),
    ],
)
def test_at_most_four_stand_side_by_side(formulas, bands, columns):
    assert grid(formulas) == (bands, columns)


@pytest.mark.parametrize("formulas", [1, 3, 5, 8])
def test_nothing_overlaps_and_every_panel_is_labelled(tmp_path, monkeypatch, formulas):
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: figures.append(figure))
    long = Drift.from_text("relu((r-1)*A - alpha*tanh((r-1)*A/alpha))*(2 + tanh(alpha*A**2)) + abs(A)*log(r)**4", ["alpha in (0, inf)"])  # fmt: skip
    plot_drifts([long, *[catalogue["ppo"], long] * 4][:formulas], tmp_path / "many.png")
    (figure,) = figures
    figure.draw_without_rendering()
    # Of each formula a heat map and its slices, and the bar of colours.
    assert len(figure.axes) == 2 * formulas + 1
    panels = figure.axes[:-1]
    boxes = [axes.get_tightbbox() for axes in panels]
    for i, one in enumerate(boxes):
        assert figure.bbox.x0 <= one.x0 and figure.bbox.y1 >= one.y1
        for other in boxes[:i]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            along = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert min(across, along) < 1
    for axes in panels:
        assert axes.get_window_extent().width / figure.dpi > 2.5
    assert sum(axes.get_xlabel() == "ratio $r$" for axes in panels) == formulas
    numbered = [axes for axes in panels if axes.get_ylabel()]
    assert len(numbered) == 2 * grid(formulas)[0]


def test_titles_tear_no_name():
    from mirrordrift.plot import _in_two_lines

    assert _in_two_lines("kl") == "kl"
    dpo = "relu((r - 1)*A - alpha*tanh((r - 1)*A/alpha))"
    assert _in_two_lines(dpo) == "relu((r - 1)*A - alpha*tanh((r - 1)*A/\nalpha))"
    cut = _in_two_lines(f"{dpo} + {dpo}")
    assert cut.endswith("…")
    assert max(map(len, cut.splitlines())) <= 42
    assert len(_in_two_lines("r" * 100).splitlines()) == 2
    power = f"{'r' * 43}**2*A + {'r' * 20}"
    for shift in range(4):
        assert "*\n*" not in _in_two_lines(power[shift:])


def test_slope_of_ppo():
    ratio = np.array([0.5, 0.9, 1.1, 1.5])
    assert objective_slope(catalogue["ppo"], ratio, 2.0).tolist() == [2, 2, 2, 0]
    assert objective_slope(catalogue["ppo"], ratio, -2.0).tolist() == [0, -2, -2, -2]


def test_slope_is_nan_where_the_formula_is_undefined():
    slope = objective_slope(Drift.from_text("0*log(A)"), np.array([1.0]), np.array([-1.0, 2.0]))
    assert np.isnan(slope[0])
    assert slope[1] == 2


def test_values_that_are_drawn():
    dpo = catalogue["dpo"]
    assert drawn_values(dpo) == {"alpha": 2, "beta": Fraction(3, 5)}
    assert drawn_values(dpo.bind(["alpha=5"]))["alpha"] == 5
    narrowed = dpo.bind(["alpha in (3, 4)", "beta in (7, inf)"])
    assert drawn_values(narrowed) == {"alpha": Fraction(7, 2), "beta": 8}
    drift = Drift.from_text("t*a*b + c", ["a in (-inf, 0)", "b in (-inf, inf)", "c in [2, 2]"])
    assert drawn_values(drift) == {"a": -1, "b": 1, "c": 2, "t": Fraction(1, 2)}


@pytest.mark.parametrize(
    ("drifts", "name", "words"),
    [
        (["ppo"], "picture.jpg", r"picture ends in one of .png .svg .pdf, not '\.jpg'"),
        (["ppo"], "picture", "ends in one of"),
        (["ppo"], "nowhere/picture.png", "does not exist"),
        ([], "picture.png", "0 formulas"),
        (["ppo"] * 13, "picture.png", "13 formulas"),
    ],
)
def test_refusals(tmp_path, drifts, name, words):
    with pytest.raises(ConfigError, match=words):
        plot_drifts([catalogue[drift] for drift in drifts], tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_only_drifts_are_drawn(tmp_path):
    psi = Drift.from_text("log(x)", kind="mirror-map")
    with pytest.raises(ConfigError, match="this is a mirror-map"):
        plot_drifts([psi], tmp_path / "psi.png")


def test_no_display_and_no_pyplot(tmp_path):
    code = (
        "import sys; from mirrordrift.plot import plot_drifts; assert 'matplotlib' not in sys.modules\n"
        "from symbolic.catalogue import catalogue\n"
        f"plot_drifts([catalogue['kl']], {str(tmp_path / 'kl.svg')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
