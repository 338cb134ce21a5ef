"""Networks are decided by structure; whatever the structure does not settle is never `proved`."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic.expression import Expression, call, number, symbol
from symbolic.network import DriftNetwork, evaluate_network, save_network
from symbolic.numeric import evaluate
from symbolic.operations import OPERATIONS
from symbolic.parser import parse
from verify.balls.points import Kind, certify
from verify.checker.network import check_network_certificate
from verify.checker.network_features import facts_of
from verify.checker.network_jets import jet_of
from verify.network.feature import analyse
from verify.network.structure import decide_network
from verify.report import CONDITIONS, Report, Verdict

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
PROVED, REFUTED, UNKNOWN = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN


def network(
    features: list[str] = FEATURES, *, xi: str = "1e-6", epsilon: str | None = "0.2",
    activation: str = "tanh", width: int = 16, seed: int = 0, scale: float = 0.5,
) -> DriftNetwork:  # fmt: skip
    rng = np.random.default_rng(seed)
    return DriftNetwork(
        layers=(rng.normal(size=(len(features), width)) * scale, rng.normal(size=(width, 1)) * scale),
        features=tuple(map(parse, features)), activation=activation, xi=Fraction(xi),
        ppo_epsilon=None if epsilon is None else Fraction(epsilon),
    )  # fmt: skip


def verdicts(report: Report) -> tuple[Verdict, ...]:
    return tuple(condition.verdict for condition in report.conditions)


def decided(made: DriftNetwork) -> Report:
    """Without the notes, and with the certificate replayed from its JSON text."""
    report = decide_network(made, timeout=0.0)
    replayed = check_network_certificate(json.loads(json.dumps(report.certificate)))
    assert {name: shown.removesuffix(" where defined") for name, shown in replayed.items()} == {
        condition.id: condition.verdict.value for condition in report.conditions
    }
    return report


def test_the_published_network_is_proved(tmp_path: Path) -> None:
    save_network(tmp_path / "lpo.npz", network(width=128, scale=0.2))
    report = decide_network(tmp_path / "lpo.npz")
    assert report.verdict is PROVED
    assert tuple(condition.id for condition in report.conditions) == CONDITIONS["drift"]
    assert report.formula.startswith("relu(network[8-128-1 tanh](1 - r, ")
    assert report.formula.endswith("- 1e-6 + relu((r - clip(r, 0.8, 1.2))*A))")
    assert any("f = 0 for |r - 1| <=" in note for note in report.notes)
    assert json.loads(json.dumps(report.to_json()))["verdict"] == "proved"


weights = st.floats(allow_nan=False, allow_infinity=False)


@given(
    rows=st.lists(st.tuples(st.sampled_from(FEATURES), weights, weights), min_size=1, max_size=8),
    last=st.tuples(weights, weights),
    activation=st.sampled_from(["tanh", "relu"]),
    epsilon=st.sampled_from([None, "0", "0.2", "0.999"]),
    xi=st.sampled_from(["1e-300", "1e-6", "1e3"]),
)
@settings(max_examples=60)
def test_any_finite_weights_are_proved_and_samples_agree(
    rows: Any, last: Any, activation: str, epsilon: str | None, xi: str
) -> None:
    made = DriftNetwork(
        layers=(np.array([row[1:] for row in rows]), np.array([[last[0]], [last[1]]])),
        features=tuple(parse(row[0]) for row in rows), activation=activation, xi=Fraction(xi),
        ppo_epsilon=None if epsilon is None else Fraction(epsilon),
    )  # fmt: skip
    assert decided(made).verdict is PROVED
    A = np.linspace(-5, 5, 11)
    assert (evaluate_network(made, 1.0, A) == 0).all()
    values = evaluate_network(made, np.exp(np.linspace(-2, 2, 9))[:, None], A)
    assert (values[~np.isnan(values)] >= 0).all(), "nan is the overflow of huge weights"


ADMISSIBLE = [
    "1/r - 1", "sqrt(r) - 1", "r**0.3 - 1", "r**A - 1", "tanh(r*A - A)", "log(r)/(1 + A**2)", "exp(r) - exp(1)",
    "clip(r, 0.5, 2) - 1", "abs(r-1)*A", "relu(r-1)", "min(r, 1) - 1", "max(log(r), r-1)", "t*log(r)",
    "log(1 + (r-1)**2)", "(r-1)/(1 + exp(-A))", "softplus(A)*log(r)", "sigmoid(A)*(1-r)", "log(r)*log(2 + tanh(A))",
    "(r-1)/(3 - 2*sigmoid(A))", "where(A > 0, r-1, log(r))", "where(r > 1, (r-1)**2, log(r)**2)",
    "where(r < 2, log(r), 5)", "sign(A)*(r-1)", "sign(r - 2)*log(r)", "sqrt(abs(r-1))", "inv(r) - inv(1)",
    "square(A)*(r-1)", "A*r - A", "(r-1)*9**300", "(r-1)/(1 + t*A**2)**0.5", "0*A", "r**t - 1", "(r-1)/(r*exp(A))", "log(r)*1 - 0*A + 1 - 1",
]  # fmt: skip


@pytest.mark.parametrize("feature", ADMISSIBLE)
def test_features_that_vanish_continuously_are_admitted(feature: str) -> None:
    assert analyse(parse(feature)).obstacle == ""
    assert decided(network([feature, "1-r"])).verdict is PROVED


BARRED = [
    "A", "r", "A*r", "r - 1.0001", "sign(r-1)**2", "sign(r-1)*A", "where(r > 1, 1, 0)", "where(r >= 1, log(r), 1)",
    "log(A)", "log(A)*(r-1)", "(r-1)/A", "(r-1)/(r-2)", "(1-r)/(1-r)", "0*log(A)", "0/(r-1)", "sqrt(A)*(r-1)", "A**0.5*(r-1)",
    "(r-1)**-1", "(r-1)/t", "log(t)*(r-1)", "t", "log(r-1)", "where(A > 0, log(A), 0)*(r-1)", "inv(A)*log(r)", "A**t*(r-1)",
    "exp(A) - exp(t)", "(r-1)/(1 - tanh(A)**2 - 1)", "log(2 - 2*sigmoid(A) - 1)*(r-1)",
]  # fmt: skip


@pytest.mark.parametrize("feature", BARRED)
def test_other_features_are_never_proved(feature: str) -> None:
    assert analyse(parse(feature)).obstacle
    facts = facts_of(parse(feature))
    assert not (facts.defined and facts.continuous and facts.zero), "the checker agrees"
    report = decided(network([feature, "1-r"], seed=3))
    assert report.verdict is not PROVED
    assert report["nonnegative"].verdict is PROVED


TRAPS = {
    # name: (network, verdicts of the four conditions in order)
    "an input that stays": (network(["A"]), (PROVED, PROVED, REFUTED, UNKNOWN)),
    "no threshold": (network(xi="0"), (PROVED, PROVED, PROVED, REFUTED)),
    "no threshold, relu": (network(xi="0", activation="relu"), (PROVED, PROVED, PROVED, REFUTED)),
    "no threshold, flat inputs": (network(["(1-r)**2"], xi="0"), (PROVED, PROVED, PROVED, UNKNOWN)),
    "clipping at r = 1 alone": (
        network(["(1-r)**2"], xi="0", epsilon="0"),
        (PROVED, PROVED, PROVED, REFUTED),
    ),
    "negative threshold": (network(xi="-1e-9"), (PROVED, PROVED, REFUTED, REFUTED)),
    "undefined input": (network(["1-r", "log(A)*(1-r)"]), (REFUTED, PROVED, UNKNOWN, UNKNOWN)),
    "undefined at t = 0": (network(["log(r)/t"]), (REFUTED, PROVED, UNKNOWN, UNKNOWN)),
    "undefined beside r = 1": (network(["(r-1)/(r-3)"]), (REFUTED, PROVED, UNKNOWN, UNKNOWN)),
    "an input that jumps": (network(["sign(r-1)**2"]), (PROVED, PROVED, PROVED, UNKNOWN)),
    "clipping at one": (network(epsilon="1"), (PROVED, PROVED, UNKNOWN, UNKNOWN)),
    "clipping beyond one": (network(epsilon="1.5"), (PROVED, PROVED, UNKNOWN, UNKNOWN)),
    "clipping below zero": (network(epsilon="-0.1"), (PROVED, PROVED, REFUTED, REFUTED)),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap: str) -> None:
    made, expected = TRAPS[trap]
    assert verdicts(decided(made)) == expected


def test_witnesses_are_exact_and_certified() -> None:
    zero = decided(network(["A"]))["zero_at_identity"].witness
    assert zero is not None
    assert zero.r == 1
    value = float(evaluate_network(network(["A"]), 1.0, float(zero.A)))
    assert value == pytest.approx(float(zero.text.strip("[").split(" ")[0]), rel=1e-12)
    assert value > 0
    flat = decided(network(xi="0"))["flat_at_identity"].witness
    assert flat is not None
    step = 1e-7 if flat.side == "right" else -1e-7
    slope = float(evaluate_network(network(xi="0"), 1.0 + step, float(flat.A))) / step
    assert slope == pytest.approx(float(flat.text.strip("[").split(" ")[0]), rel=1e-4)
    saturated = network(["A", "1-r"], scale=2.0)
    flat = decided(saturated)["flat_at_identity"].witness
    assert flat is not None
    ends = evaluate_network(saturated, [1.0, 1 + 1e-7], float(flat.A))
    assert float(np.diff(ends)[0]) / 1e-7 == pytest.approx(
        float(flat.text.strip("[").split(" ")[0]), rel=1e-4
    )
    undefined = decided(network(["(r-1)/(r-3)"]))["defined"].witness
    assert undefined is not None
    assert undefined.r == 3
    assert undefined.to_json() == {"r": "3", "A": "0", "value": "undefined"}


def test_values_beyond_any_precision_stay_open() -> None:
    tower = "exp(exp(exp(exp(99))))"
    for text in (tower, f"tanh({tower})", f"sign({tower} - {tower})", f"log({tower} - {tower})"):
        assert certify(parse(text), {}).kind is Kind.UNDECIDED
        assert jet_of(parse(text), {}, 1) == "open"


def mutated(certificate: Any, *path: Any, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(certificate)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


FORGERIES = {
    "another input": (("network", "features", 0), "A"),
    "an undefined input": (("network", "features", 0), "log(A)*(1-r)"),
    "an input that jumps": (("network", "features", 0), "sign(r-1)"),
    "no formula": (("network", "features", 0), "import os"),
    "an input more": (("network", "features"), [*FEATURES, "1-r"]),
    "no threshold": (("network", "xi"), "0"),
    "threshold a float": (("network", "xi"), 1e-6),
    "endless threshold": (("network", "xi"), "1" * 10_000),
    "wide clipping": (("network", "ppo_epsilon"), "3/2"),
    "infinite weight": (("network", "layers", 0, 0), "inf"),
    "weight nan": (("network", "layers", 1, 0), "nan"),
    "weight a number": (("network", "layers", 1, 0), 0.5),
    "shape": (("network", "shapes", 0), [4, 32]),
    "negative shape": (("network", "shapes", 0), [-8, -16]),
    "no layers": (("network", "layers"), []),
    "activation": (("network", "activation"), "exp"),
    "verdict": (("conditions", "defined", "verdict"), "surely"),
    "false refutation": (("conditions", "zero_at_identity"), {"verdict": "refuted", "witness": {"r": "1", "A": "1"}}),
    "refutation without witness": (("conditions", "zero_at_identity"), {"verdict": "refuted"}),
    "refuted sign": (("conditions", "nonnegative"), {"verdict": "refuted", "witness": {"r": "1", "A": "1"}}),
    "missing condition": (("conditions",), {}),
    "kind": (("kind",), "drift"),
    "network": (("network",), None),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_certificates_do_not_replay(forgery: str) -> None:
    certificate = decided(network()).certificate
    path, value = FORGERIES[forgery]
    with pytest.raises(ValueError):
        check_network_certificate(mutated(certificate, *path, value=value))


def test_forged_witnesses_do_not_replay() -> None:
    certificate = decided(network(xi="-1e-3")).certificate
    for condition, key, value in (
        ("zero_at_identity", "r", "2"), ("zero_at_identity", "r", "-1"), ("zero_at_identity", "t", "3"),
        ("flat_at_identity", "side", "both"), ("flat_at_identity", "A", "0.5x"),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            check_network_certificate(
                mutated(certificate, "conditions", condition, "witness", key, value=value)
            )


def leaves() -> st.SearchStrategy[Expression]:
    constants = st.sampled_from([number(Fraction(n, 2)) for n in (-4, -2, -1, 0, 1, 2, 3, 6)])
    return st.sampled_from([symbol("r"), symbol("A"), symbol("t")]) | constants


def combined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    unary = [name for name, entry in OPERATIONS.items() if entry.arity == (1, 1)]
    arity = {name: entry.arity[0] for name, entry in OPERATIONS.items() if entry.arity[0] > 1}
    power = st.builds(lambda x, n: x ** number(n), inner, st.integers(-2, 3))
    return (
        st.builds(call, st.sampled_from(unary), inner)
        | st.sampled_from(sorted(arity)).flatmap(
            lambda op: st.builds(call, st.just(op), *[inner] * arity[op])
        )
        | power
    )


formulas = st.recursive(leaves(), combined, max_leaves=12)
RATIOS = np.array([1e-6, 0.1, 0.5, 0.999, 1.0, 1.001, 1.5, 2.0, 7.0, 1e4])
ADVANTAGES = np.array([-300.0, -2.0, -0.5, 0.0, 0.25, 1.0, 40.0])
GRID = [axis.ravel() for axis in np.meshgrid(RATIOS, ADVANTAGES, [0.0, 0.3, 1.0])]
SAMPLES = dict(zip("rAt", GRID, strict=True))


@given(formulas)
@settings(max_examples=400)
def test_structural_facts_hold_on_samples(formula: Expression) -> None:
    facts, again = analyse(formula), facts_of(formula)
    values = np.broadcast_to(evaluate(formula, SAMPLES), GRID[0].shape)
    if not facts.undefined:
        assert again.defined, "what the prover shows, the checker shows"
        seen = values[np.isfinite(values)]  # float64 overflows where real arithmetic does not
        for low, high in (
            (facts.range.lower, facts.range.upper), (again.range[0][0], again.range[1][0]),
        ):  # fmt: skip
            slack = 1e-9 * (1 + np.abs(seen))
            if low is not None and abs(low) < 1e300:
                assert (seen >= float(low) - slack).all()
            if high is not None and abs(high) < 1e300:
                assert (seen <= float(high) + slack).all()
    if not facts.obstacle:
        assert again.zero
        assert again.continuous
    if not facts.nonzero or again.zero:
        at_one = np.broadcast_to(
            evaluate(formula, SAMPLES | {"r": np.ones_like(GRID[0])}), GRID[0].shape
        )
        sizes = at_one[np.isfinite(at_one)]
        assert (np.abs(sizes) < 1e-3).all() or np.abs(values[np.isfinite(values)]).max() > 1e9


@given(formulas, st.sampled_from(RATIOS.tolist()), st.sampled_from(ADVANTAGES.tolist()))
@settings(max_examples=200)
def test_both_evaluations_at_a_point_agree(formula: Expression, r: float, A: float) -> None:
    point = {"r": Fraction(r), "A": Fraction(A), "t": Fraction(1, 4)}
    ours, theirs = certify(formula, point), jet_of(formula, point, 1)
    if ours.kind is Kind.UNDEFINED or theirs == "undefined":
        assert analyse(formula).undefined, "what is undefined somewhere is not proved defined"
        assert theirs in ("undefined", "open")
        assert ours.kind is not Kind.VALUE
    elif ours.value is not None and not isinstance(theirs, str):
        assert arb(ours.value).overlaps(theirs[0])
