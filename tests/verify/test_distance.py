"""Certified numbers about networks hold at every point that is looked at."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, evaluate_network
from symbolic.numeric import evaluate
from symbolic.operations import OPERATIONS
from symbolic.parser import parse
from verify.balls.float_boxes import Boxes, enclose_boxes, exactly, through_layer
from verify.balls.points import certify
from verify.distance import sup_distance
from verify.network.notes import flat_region
from verify.network.structure import decide_network

FEATURES = [
    "1-r",
    "(1-r)**2",
    "(1-r)*A",
    "(1-r)**2*A",
    "log(r)",
    "log(r)**2",
    "log(r)*A",
    "log(r)**2*A",
]
BOX = {"r": (0.5, 2.0), "A": (-3.0, 3.0)}
PPO = "relu((r - clip(r, 0.8, 1.2))*A)"
DPO = "where(A >= 0, relu((r-1)*A - 2*tanh((r-1)*A/2)), relu(log(r)*A - 0.6*tanh(log(r)*A/0.6)))"


def network(
    features: list[str] = FEATURES, *, xi: str = "1e-6", epsilon: str | None = "0.2",
    activation: str = "tanh", widths: tuple[int, ...] = (128,), seed: int = 0, scale: float = 0.2,
) -> DriftNetwork:  # fmt: skip
    rng = np.random.default_rng(seed)
    sizes = (len(features), *widths, 1)
    return DriftNetwork(
        layers=tuple(rng.normal(size=size) * scale for size in pairwise(sizes)),
        features=tuple(map(parse, features)), activation=activation, xi=Fraction(xi),
        ppo_epsilon=None if epsilon is None else Fraction(epsilon),
    )  # fmt: skip


def sampled(made: DriftNetwork, formula: str, points: int = 200) -> float:
    r, A = np.meshgrid(np.linspace(*BOX["r"], points), np.linspace(*BOX["A"], points))
    difference = evaluate_network(made, r, A) - evaluate(parse(formula), {"r": r, "A": A})
    return float(np.abs(difference).max())


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("formula", ["0", PPO, DPO, "(r-1)**2*abs(A)", "r*log(r) - r + 1"])
def test_distance_is_within_five_percent_and_above_samples(formula: str, activation: str) -> None:
    made = network(activation=activation)
    begun = time.perf_counter()
    lower, upper = sup_distance(made, parse(formula), BOX)
    assert time.perf_counter() - begun < 5.0
    assert lower <= upper <= 1.05 * lower
    assert lower <= sampled(made, formula) * 1.01, "attained near some sample"
    assert sampled(made, formula) <= upper


def test_distance_finds_what_samples_miss() -> None:
    """A spike of width 1e-5 between the points of a grid."""
    made = network(["r-1"], xi="1000", epsilon=None, widths=())
    spike = "relu(1 - 1e5*abs(r - 1.23456789))"
    lower, upper = sup_distance(made, parse(spike), BOX)
    assert sampled(made, spike) < 0.1
    assert upper == pytest.approx(1.0, rel=0.06)
    assert 0.9 < lower <= 1.0


def test_distance_of_deep_and_of_temporally_aware_networks() -> None:
    lower, upper = sup_distance(network(widths=(64, 64), scale=0.15), parse(PPO), BOX)
    assert 0 < lower <= upper <= 1.05 * lower
    aware = network([*FEATURES[:4], *(f"t*({f})" for f in FEATURES[:4])], widths=(32,))
    lower, upper = sup_distance(aware, parse(PPO), BOX | {"t": (0.0, 1.0)})
    assert 0 < lower <= upper <= 1.05 * lower


def test_slopes_behind_saturated_units_and_beside_the_outer_kink() -> None:
    """Cases where a wrong slope cancels: the supremum is at the end r of the box."""
    saturated = DriftNetwork(
        layers=(np.array([[10.0, 1.0]]), np.array([[-1.0], [10.0]])), features=(parse("r-1"),), xi=Fraction(1, 2)
    )  # fmt: skip
    lower, upper = sup_distance(saturated, parse("0"), {"r": (1.0, 2.0), "A": (0.0, 0.0)})
    truth = float(10 * np.tanh(1) - np.tanh(10) - 0.5)
    assert lower <= truth * (1 + 1e-12)
    assert truth <= upper * (1 + 1e-12)
    linear = network(["r-1"], xi="0.3", epsilon=None, widths=())
    unit = DriftNetwork(layers=(np.ones((1, 1)),), features=linear.features, xi=linear.xi)
    lower, upper = sup_distance(unit, parse("r - 1.3 - 1"), {"r": (1.29, 2.0), "A": (0.0, 0.0)})
    assert lower <= 1.01 <= upper


def test_equal_functions_have_distance_zero() -> None:
    silent = network(xi="1000", epsilon=None)
    assert sup_distance(silent, parse("0"), BOX) == (0.0, 0.0)


def test_distance_to_a_formula_undefined_in_the_box_is_infinite() -> None:
    assert sup_distance(network(widths=(4,)), parse("log(A)"), BOX)[1] == np.inf


def test_bad_boxes_are_refused() -> None:
    for box, message in (
        ({"r": (0.5, 2.0)}, "'A' is missing"),
        (BOX | {"r": (0.0, 2.0)}, "r from 0.0"),
        (BOX | {"A": (0.0, np.inf)}, "A from 0.0"),
        (BOX | {"A": (1.0, -1.0)}, "A from 1.0"),
        (BOX | {"A": (np.nan, 1.0)}, "A from nan"),
    ):
        with pytest.raises(ConfigError, match=message):
            sup_distance(network(), parse("0"), box)
    with pytest.raises(ConfigError, match="'alpha' has no value"):
        sup_distance(network(), parse("alpha*(r-1)", names=("r", "alpha")), BOX)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_network_vanishes_where_it_is_certified_to(activation: str) -> None:
    made = network(activation=activation)
    found = flat_region(made)
    assert found is not None
    radius, steepness = found
    assert 1e-6 / steepness * 0.99 < radius
    near = 1 + radius * np.linspace(-1, 1, 41)[:, None]
    A = np.linspace(-10, 10, 101)
    assert (evaluate_network(made, near, A) == 0).all()
    raised = network(activation=activation, xi="-100", epsilon=None)
    outer = 1 + 1e-3 * np.linspace(-1, 1, 41)[:, None]
    slopes = np.diff(evaluate_network(raised, outer, A), axis=0) / np.diff(outer, axis=0)
    assert np.abs(slopes).max() <= steepness * 1.001


def test_notes_say_more_than_the_verdict() -> None:
    notes = " ".join(decide_network(network()).notes)
    assert "f = 0 for |r - 1| <=" in notes
    assert "float32" in notes
    assert decide_network(network(), timeout=0.0).notes == decide_network(network()).notes[-1:]


def test_huge_weights_give_no_warning_and_no_number() -> None:
    made = network()
    huge = DriftNetwork(
        layers=tuple(np.sign(layer) * 1.7e308 for layer in made.layers),
        features=made.features, xi=made.xi, ppo_epsilon=made.ppo_epsilon,
    )  # fmt: skip
    report = decide_network(huge)
    assert report.verdict.value == "proved"
    assert not any("|r - 1|" in note for note in report.notes)
    assert sup_distance(huge, parse("0"), {"r": (1.5, 1.5), "A": (1.0, 1.0)})[1] == np.inf
    narrow = decide_network(network(xi="1e300", epsilon="0.01"))
    assert any("|r - 1| <= 0.00999 " in note for note in narrow.notes)
    quiet = decide_network(network(xi="1e300", scale=1e-200))
    assert any("|r - 1| <= 0.124 " in note for note in quiet.notes)


FORMULAS = [
    PPO, DPO, "exp(A)*sqrt(r)", "1/(1 + A**2) - r**0.5", "sign(A)*r", "softplus(A*r) - sigmoid(A)", "inv(r)*square(A)",
    "max(A, r, t) - min(A, r, t)", "abs(A - r)**3", "where(A < r, A, r)", "where(A <= r, log(r), 1)", "where(A > t, -A, r)",
    "r**A", "(A - r)**-2", "tanh(A*log(r)) + 1e-3", "relu(-A)*9**20", "-A + 1/3", "A**0 + A**1 + A**2",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
@given(data=st.data())
@settings(max_examples=25)
def test_enclosures_hold_exact_values(text: str, data: Any) -> None:
    formula = parse(text)
    ranges = {"r": (1e-3, 20.0), "A": (-30.0, 30.0), "t": (0.0, 1.0)}
    boxes, point = {}, {}
    for name, (low, high) in ranges.items():
        ends = sorted(data.draw(st.tuples(st.floats(low, high), st.floats(low, high))))
        boxes[name] = Boxes(np.array([ends[0]]), np.array([ends[1]]))
        point[name] = Fraction(data.draw(st.floats(*ends)))
    enclosure = enclose_boxes(formula, boxes)
    low, high = (float(np.broadcast_to(end, 1)[0]) for end in (enclosure.low, enclosure.high))
    if np.isnan(low):
        return
    exact = certify(formula, point).value
    assert exact is not None, "an enclosed formula is defined"
    value = arb(exact)
    assert value <= high or value.overlaps(arb(high))
    assert value >= low or value.overlaps(arb(low))


def test_every_operation_is_enclosed() -> None:
    used = {node for text in FORMULAS for node in _operations(text)} | {"where>=", "clip"}
    assert set(OPERATIONS) <= used


def _operations(text: str) -> set[str]:
    from symbolic.expression import postorder

    return {node.op for node in postorder(parse(text))}


@given(
    st.fractions(), arrays(np.float64, (3, 5), elements=st.floats(-1e6, 1e6)),
    arrays(np.float64, (5, 2), elements=st.floats(-1e6, 1e6)), arrays(np.float64, (3, 5), elements=st.floats(0, 10)),
)  # fmt: skip
def test_rounding_is_outwards(value: Fraction, inputs: Any, weights: Any, widths: Any) -> None:
    around = exactly(value)
    assert Fraction(float(around.low)) <= value <= Fraction(float(around.high))
    through = through_layer(Boxes(inputs, inputs + widths), weights)
    for row, wide, low, high in zip(inputs, inputs + widths, through.low, through.high):
        for j in range(weights.shape[1]):
            for chosen in (row, wide):
                exact = sum(Fraction(x) * Fraction(w) for x, w in zip(chosen, weights[:, j]))
                assert Fraction(low[j]) <= exact <= Fraction(high[j])


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        # What holds at A = 0 alone counts, and so does the edge of a box.
        ("(r-1)**2", "(r-1)**2 + where(A >= 0, where(A <= 0, 100, 0), 0)", 100.0),
        ("where(A > 0, 0, 5)", "0*r", 5.0),
        # Constants on one side of A.
        ("where(A >= 0, (r-1)**2, 0)", "where(A >= 0, (r-1)**2, 0)", 0.0),
        ("where(A >= 0, r, 2)", "where(A < 0, 1, r)", 1.0),
        (DPO, PPO, 0.5),
    ],
)
def test_distances_of_formulas_that_go_by_the_sign_of_the_advantage(
    one: str, other: str, least: float
) -> None:
    for box in (BOX, BOX | {"A": (0.0, 3.0)} if "> 0" in one else BOX):
        low, high = sup_distance(parse(one), parse(other), box)
        assert low <= high and high >= least and (low >= least * 0.9)
        points = {
            "r": np.linspace(0.5, 2, 40)[:, None],
            "A": np.linspace(box["A"][0], 3, 41)[None, :],
        }
        seen = np.abs(evaluate(parse(one), points) - evaluate(parse(other), points)).max()
        assert seen <= high + 1e-12
