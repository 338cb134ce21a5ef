"""Mirror-map networks: what they compute, which weights each mode allows, and their files."""

from __future__ import annotations

from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic.errors import ConfigError
from symbolic.mirror_network import (
    UNITS,
    MirrorNetwork,
    evaluate_mirror_network,
    load_mirror_network,
    log_odds,
    mirror_output,
    save_mirror_network,
)
from symbolic.numeric import evaluate
from symbolic.parser import parse

HIDDEN = 2 * len(UNITS)


def network(
    seed: int = 0, *, kind: str = "mirror-map", inputs: int = 1, mode: str = "potential"
) -> MirrorNetwork:
    random = np.random.default_rng(seed)
    ends = random.uniform(0.1, 1.0, (2, HIDDEN))
    first = ends[:1] if inputs == 1 else np.stack([ends[0], ends[1] - ends[0]])
    last = random.uniform(0.0, 0.5, (HIDDEN, 1))
    return MirrorNetwork(kind=kind, layers=(first, last), skip=0.7, mode=mode)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_of_log_y_is_its_formula(unit: object) -> None:
    y = np.linspace(0.02, 0.98, 41)
    formula = parse(unit.formula, names=["y"])  # type: ignore[attr-defined]
    of_log = unit.of_log(np, np.log(y))  # type: ignore[attr-defined]
    np.testing.assert_allclose(of_log, evaluate(formula, {"y": y}), rtol=1e-12)


@pytest.mark.parametrize("kind", ["mirror-map", "psi"])
@pytest.mark.parametrize("inputs", [1, 2])
def test_a_network_is_the_sum_that_it_is_said_to_be(kind: str, inputs: int) -> None:
    found = network(kind=kind, inputs=inputs)
    x, t = np.linspace(0.01, 0.99, 23), 0.4
    total = 0.7 * (np.log(x) - np.log1p(-x) if kind == "mirror-map" else np.log(x))
    for j, group in enumerate(found.groups):
        factor = found.layers[0][0, j] + (t * found.layers[0][1, j] if inputs == 2 else 0.0)
        formula = parse(UNITS[group].formula, names=["y"])
        total = total + found.layers[1][j, 0] * evaluate(formula, {"y": factor * x})
    np.testing.assert_allclose(evaluate_mirror_network(found, x, t), total, rtol=1e-10)


@given(
    st.integers(0, 50), st.sampled_from(["mirror-map", "psi"]), st.integers(1, 2), st.floats(0, 1)
)
def test_a_potential_rises_and_sinks_without_bound(
    seed: int, kind: str, inputs: int, t: float
) -> None:
    found = network(seed, kind=kind, inputs=inputs)
    log_x = -np.geomspace(1e5, 1e-6, 400)
    value = mirror_output(np, kind, found.layers, found.skip, log_x, t)
    assert np.isfinite(value).all()
    assert (np.diff(value) > 0).all()
    assert value[0] < -5e4


def test_log_odds_are_exact_near_one() -> None:
    for log_x in (-1e-6, -1e-3, -1.0, -50.0):
        with mpmath.workdps(40):
            x = mpmath.exp(mpmath.mpf(log_x))
            exact = float(mpmath.log(x / (1 - x)))
        assert log_odds(np, np.array(log_x)) == pytest.approx(exact, rel=1e-12)
    assert log_odds(np, np.array(0.0)) == np.inf


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("inputs", [1, 2])
def test_a_saved_network_is_the_same_network(tmp_path: Path, suffix: str, inputs: int) -> None:
    written = network(3, inputs=inputs)
    save_mirror_network(tmp_path / f"a{suffix}", written)
    read = load_mirror_network(tmp_path / f"a{suffix}")
    assert read.content_hash == written.content_hash
    assert read.features == (("x",) if inputs == 1 else ("x", "x*t"))
    np.testing.assert_array_equal(read.layers[0], written.layers[0])


def test_paper_mode_allows_what_is_no_potential() -> None:
    layers = (np.zeros((1, HIDDEN)), np.ones((HIDDEN, 1)))
    assert MirrorNetwork(kind="psi", layers=layers, skip=0.0, mode="paper").mode == "paper"
    with pytest.raises(ConfigError, match="logarithm is −∞"):
        MirrorNetwork(kind="psi", layers=layers, skip=0.0)


def _with(**changes: object) -> dict[str, object]:
    first, last = np.full((1, HIDDEN), 0.5), np.full((HIDDEN, 1), 0.1)
    return {"kind": "psi", "layers": (first, last), "skip": 1.0, **changes}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"kind": "drift"}, "kind='drift' is unknown; use mirror-map or psi"),
        ({"mode": "free"}, "mode='free' is unknown; use paper or potential"),
        ({"skip": -1.0}, "skip=-1.0 must be finite and ≥ 0"),
        ({"skip": float("nan")}, "must be finite"),
        ({"layers": (np.ones((3, HIDDEN)), np.ones((HIDDEN, 1)))}, "layer_0 has 3 rows"),
        ({"layers": (np.ones((1, 10)), np.ones((10, 1)))}, "a multiple of 9"),
        ({"layers": (np.ones((1, HIDDEN)), -np.ones((HIDDEN, 1)))}, "weights of units must be ≥ 0"),
        ({"layers": (-np.ones((1, HIDDEN)), np.ones((HIDDEN, 1)))}, "w ≥ 0 and w \\+ w′ ≥ 0"),
        ({"layers": (np.full((1, HIDDEN), 2.0), np.ones((HIDDEN, 1)))}, "infinite from x = 0.5 on"),
        ({"layers": (np.full((1, HIDDEN), np.nan), np.ones((HIDDEN, 1)))}, "must be finite"),
        ({"skip": 0.0, "layers": (np.ones((1, HIDDEN)), np.zeros((HIDDEN, 1)))}, "goes to −∞"),
    ],
)
def test_a_network_that_breaks_a_rule_is_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        MirrorNetwork(**_with(**changes))  # type: ignore[arg-type]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_mirror_network(path, network())
    arrays = dict(np.load(path))
    arrays["layer_1"] = arrays["layer_1"] * 2
    np.savez(path, **arrays)
    with pytest.raises(ConfigError, match=r"a\.npz: card: weights is the hash of other arrays"):
        load_mirror_network(path)
    del arrays["skip"]
    np.savez(path, **arrays)
    with pytest.raises(ConfigError, match="missing: skip"):
        load_mirror_network(path)
