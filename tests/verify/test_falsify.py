"""The search for counterexamples: it finds what is there, certifies it, and invents nothing."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.operations import OPERATIONS
from symbolic.parser import parse
from verify.balls.points import Kind, certify
from verify.falsify import sampling
from verify.falsify.program import Program
from verify.falsify.rationals import simplest_between, simplest_near
from verify.falsify.running_error import RULES
from verify.falsify.sampling import Space, grid, scatter
from verify.falsify.search import Findings, falsify
from verify.report import Witness

CORPUS = [
    path
    for path in sorted((Path(__file__).parents[1] / "corpus").glob("*.jsonl"))
    if path.stem != "mirror_maps"
]
CONDITIONS = ("defined", "nonnegative", "zero_at_identity")
ONLY_IRRATIONAL = {"T92", "T93", "T94", "U35"}
"""Undefined, but at no rational point: there is no witness to find."""


def entries() -> list[dict[str, Any]]:
    lines = [line for path in CORPUS for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


def drift_of(entry: dict[str, Any]) -> Drift:
    return Drift.from_text(entry["formula"], entry["parameters"])


def confirm(drift: Drift, condition: str, witness: Witness) -> None:
    """The witness lies in the domain, names every symbol, and violates the condition."""
    assert {"r", "A"} | drift.formula.symbols == set(witness.point)
    assert all(at in drift.domain(name) for name, at in witness.point.items())
    found = certify(drift.formula, witness.point)
    assert witness.evidence == "value"
    if condition == "defined":
        assert (found.kind, witness.text) == (Kind.UNDEFINED, "undefined")
    elif condition == "nonnegative":
        assert found.sign == -1
    else:
        assert found.sign in (-1, 1)
        assert witness.r == 1


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["id"])
def test_corpus(entry):
    """No witness against a condition that holds; one against each that fails."""
    drift = drift_of(entry)
    fails = {name for name in CONDITIONS if entry.get(name) is False}
    quick = falsify(drift)
    missing = fails - {name for name in CONDITIONS if getattr(quick, name)}
    results = [quick, falsify(drift, deep=True)] if missing or entry["id"][-1] in "05" else [quick]
    for name in CONDITIONS:
        witnesses = [w for found in results if (w := getattr(found, name)) is not None]
        if entry.get(name) is True:
            assert not witnesses
        for witness in witnesses:
            confirm(drift, name, witness)
        if name in fails and entry["id"] not in ONLY_IRRATIONAL:
            assert witnesses


NASTY = [
    # Tails, some beyond every float
    ("log(1+(r-1)**2) - 1e-3*log(r)**2", ()),
    ("log(1+r) - log(2) + (r-1)**2/(1+r**2) - 1e-3*relu(log(r))**2 + 10*relu(-log(r))", ()),
    ("where(r > 1, log(1+(r-1)**2) - 1e-3*log(r)**2, (r-1)**2)", ()),
    ("where(r > 1, (r-1)*(1e30 - r), (r-1)**2)", ()),
    ("(r-1)**2*(1 - 1e-200*r)", ()),
    ("(r-1)**2*(r - 1e-200)", ()),
    ("(r-1)**2*(1 - 1e-20*A)", ()),
    ("(r-1)**2*(1e250 - A)", ()),
    ("(r-1)**2 + min(r*A + 1e5, 0)", ()),
    # Narrow windows
    ("(r-1)**2*(r-1.5)*(r-1.5000000000001)", ()),
    ("(r-1)**2*(A-3)*(A-3.00000000001)", ()),
    ("(r-1)**2*(r-1.5)*(r-1.50000000000000000001)", ()),
    ("(r-1)**2*((A*log(r)-1)**2-1e-20)", ()),
    ("(r-1)**2*(((r-1)*A-tanh(A))**2-1e-16)", ()),
    ("(r-1)**2*((A-r**2-1)**2+(r-3)**2-1e-9)", ()),
    ("(r-1)**2*((A-2.345)**2+(r-3.21)**2-1e-12)", ()),
    ("(r-1)**2*((A*r-exp(r))**2+(A-3)**2*(r-2)**2-1e-9)", ()),
    ("(r-1)**2*(abs(A-1/3)-1e-14)", ()),
    ("where(abs(A-7.77) < 1e-9, -(r-1)**2, (r-1)**2)", ()),
    ("(r-1)**2*(r**2-2)**2 - 1e-20*(r-1)**2", ()),
    ("min((r-1)**2, abs(A*log(r)-3)-1e-9)", ()),
    ("log(r)**2*(1 - 1/(1+((r-1)*A-4)**2*1e6)*1.0000001)", ()),
    ("(r-1)**2*(1+A**2-2*A*1.00000000001)", ()),
    # Near r = 1 the violation is far below the noise of rounding
    ("r*log(r)-r+1-1.000000000001*3*(r-1)**2/(2*(r+2))", ()),
    ("exp(r-1)-r-1.0000000001*(r-1)**2/2-(r-1)**3/6", ()),
    ("abs((r-1)*A)-2*tanh(abs((r-1)*A)/2)-1.000000001*abs((r-1)*A)**3/12*(1-tanh(abs((r-1)*A)))", ()),
    ("(A*log(r))**2+(r-1)**2-2.00000000000002*A*log(r)*(r-1)", ()),
    ("softplus((r-1)*A)-log(2)-(r-1)*A/2-1.00000001*((r-1)*A)**2/8/(1+((r-1)*A)**2)", ()),
    ("(sqrt(r)-1)**2-0.2500001*log(r)**2*sqrt(r)+1e-9*(r-1)**2", ()),
    ("sigmoid((r-1)*A)*(r-1)*A*2-(r-1)*A-((r-1)*A)**2/2*0.999999", ()),
    # Parameters near their ends, and where two agree
    ("relu((r-clip(r,1-eps,1+eps))*A)-1e-6*(r-1)**2", ("eps in (0, 1)",)),
    ("r**alpha-alpha*r+alpha-1", ("alpha in (0, 1.0001)",)),
    ("r**alpha-alpha*r+alpha-1", ("alpha in (0.999999, 2)",)),
    ("(r-1)**2*(alpha-1e-6)", ("alpha in (0, inf)",)),
    ("(r-1)**2*(1-eps-1e-9)", ("eps in (0, 1)",)),
    ("(r-1)**2*(1-eps-1e-40)", ("eps in [0, 1)",)),
    ("(r-1)**2*eps - 1e-30*(r-1)**2*A**2", ("eps in (0, 1)",)),
    ("alpha*(r-1)**2-beta*log(r)**2", ("alpha in (0, inf)", "beta in (0, 1/10)")),
    ("(r-1)**2*((alpha-beta)**2-1e-10)", ("alpha in (0, inf)", "beta in (0, inf)")),
    ("(r-1)**2*((alpha*A-beta)**2+(A-1)**2*1e-3-1e-12)", ("alpha in (1, 2)", "beta in (1, 2)")),
    # Training progress
    ("(r-1)**2*(t-0.5)**2 - 1e-9*(r-1)**2", ()),
    ("(r-1)**2*(1-t) - 1e-12*(r-1)**2*t", ()),
    ("(r-1)**2*(t-1/3)*(t-1/3-1e-8)", ()),
    ("where(t < 1, (r-1)**2, (r-1)*A)", ()),
    ("where(t <= 0, r - 1 - log(r) - (r-1)**2/2, (r-1)**2)", ()),
    ("(r-1)**2*(t-1e-9)", ("t in (0, 1]",)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parameters"), NASTY)
def test_nasty_violations_are_found(text, parameters):
    drift = Drift.from_text(text, parameters)
    witness = falsify(drift).nonnegative or falsify(drift, deep=True).nonnegative
    assert witness is not None
    confirm(drift, "nonnegative", witness)


UNDEFINED = [
    ("(r-1)**2/(A-1/3)**2", ()),
    ("(r-1)**2/(r*A-2)**2", ()),
    ("(r-1)**2/(r-0.3)**2", ()),
    ("sqrt((r-1.5)*(r-1.50000001))*(r-1)**2", ()),
    ("log((r-2)**2+(A-3)**2)*0+(r-1)**2", ()),
    ("(r-1)**2/(exp(A)-1)", ()),
    ("(r-1)**2/(eps-t)", ("eps in (0, 1)",)),
    ("(r-1)**2*log(alpha-1e-7)", ("alpha in (0, inf)",)),
    ("(r-1)**2*sqrt((t-0.7)**2-1e-18)", ()),
    ("0*log(A*log(r)+1e9)", ()),
    ("0*tanh(1/(A**2-4))", ()),
    ("log(r-1e-250)**2", ()),
    ("where(A > 0, (r-1)**2, sqrt(A))", ()),
    ("log(0) + r", ()),
    ("1/0", ()),
]


@pytest.mark.parametrize(("text", "parameters"), UNDEFINED)
def test_undefined_points_are_found(text, parameters):
    drift = Drift.from_text(text, parameters)
    witness = falsify(drift).defined or falsify(drift, deep=True).defined
    assert witness is not None
    confirm(drift, "defined", witness)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("exp(r-1)-r-0.5*(r-1)**2-(r-1)**3/6", ()),
        ("(r-1)**2*(exp(A)+exp(-A)-2-A**2-A**4/12)", ()),
        ("r*log(r)-r+1-3*(r-1)**2/(2*(r+2))", ()),
        ("(A*log(r))**2+(r-1)**2-2*A*log(r)*(r-1)", ()),
        ("where(r > 1, log(r-1)**2, 0)*0", ()),
        ("where(A > 0, sqrt(A), sqrt(-A))*(r-1)**2", ()),
        ("r**alpha-alpha*r+alpha-1", ("alpha in [1, inf)",)),
        ("relu((r-clip(r,1-eps,1+eps))*A)", ("eps in [0, 1)",)),
        ("(r-1)**2*alpha", ("alpha in (1e290, 1e299)",)),
    ],
)
def test_nothing_is_invented_at_ties(text, parameters):
    found = falsify(Drift.from_text(text, parameters), deep=True)
    assert found == Findings()


def test_witnesses_are_simple():
    def point(text: str) -> dict[str, str]:
        witness = falsify(Drift.from_text(text)).nonnegative
        assert witness is not None
        return {name: str(at) for name, at in witness.point.items()}

    assert point("(r-1)*A") == {"r": "2", "A": "-1"}
    assert point("r-1-log(r)-0.5*(r-1)**2") == {"r": "2", "A": "1"}
    assert point("exp(r-1)-r-(r-1)**2/2")["r"] == "1/2"
    assert point("where(t < 1, (r-1)**2, (r-1)*A)") == {"r": "2", "A": "-1", "t": "1"}


def test_bound_parameters_stand_in_the_witness():
    witness = falsify(Drift.from_text("alpha*(r-1)**2", ["alpha = -3/7"])).nonnegative
    assert witness is not None
    assert witness.to_json() == {"r": "2", "A": "1", "alpha": "-3/7", "value": "-3/7"}


@pytest.mark.parametrize("text", ["1", "-1", "1/0"])
def test_formulas_without_symbols(text):
    drift = Drift.from_text(text)
    found = falsify(drift, deep=True)
    assert (found.nonnegative is not None) == (text == "-1")
    assert (found.defined is not None) == (text == "1/0")
    assert (found.zero_at_identity is not None) == (text != "1/0")


def test_mirror_maps_are_only_looked_at_where_undefined():
    assert falsify(Drift.from_text("log(x)-log(1-x)", kind="mirror-map"), deep=True) == Findings()
    found = falsify(Drift.from_text("log(x-0.25)", kind="mirror-map"))
    assert found.defined is not None
    assert found.defined.to_json() == {"x": "1/5", "value": "undefined"}
    assert found.nonnegative is None
    wide = Drift.from_text("1/(x-7/3)", ["x in (0, inf)"], kind="psi")
    assert str(falsify(wide, deep=True).defined.x) == "7/3"


def test_the_same_formula_gives_the_same_witness():
    texts = [text for text, parameters in NASTY[::5] if not parameters]
    first = [falsify(Drift.from_text(text), deep=True) for text in texts]
    for cached in (grid, scatter, sampling.around):
        cached.cache_clear()
    assert [falsify(Drift.from_text(text), deep=True) for text in reversed(texts)] == first[::-1]


def test_a_deadline_ends_the_search():
    drift = Drift.from_text(" + ".join(f"(r-1)**2*abs(A-{k}/7)" for k in range(300)))
    start = time.monotonic()
    assert falsify(drift, deep=True, deadline=start) == Findings()
    assert time.monotonic() - start < 1.0


# Values with running errors

CHECKED = [
    "r-1-log(r)", "r*log(r)-r+1", "exp(r-1)-r", "r**1.5-1.5*r+0.5", "(sqrt(r)-1)**2/r**3",
    "where(A >= 0, relu((r-1)*A-2*tanh((r-1)*A/2)), relu(log(r)*A-0.6*tanh(log(r)*A/0.6)))",
    "softplus((r-1)*A)-log(2)", "sigmoid(A*log(r))-0.5", "inv(r)+r-2", "r**4-4*r+3", "r**(-3)*A",
    "max(r, 1/r, 1.1)-clip(r, 0.8, 1.2)", "min(abs((r-1)*A), square(r-1))", "sign(A)*abs(r-1)",
    "sqrt(1+((r-1)*A)**2)-1", "log((r+1/r)/2)", "r**A-A*r+A-1", "r**7-1", "tanh(exp(A))/(1+r)",
    "where(r < 1, 1-r, where(r > 2, 2-r, where(r <= 1.5, r, A)))", "A**3-A**5/(1+A**4)",
]  # fmt: skip


def test_every_operation_has_a_rule():
    assert set(RULES) == set(OPERATIONS)


@pytest.mark.parametrize("text", CHECKED)
@pytest.mark.parametrize("near", [True, False])
def test_running_errors_bound_the_rounding(text, near):
    tree = parse(text)
    space = Space((("r", Interval(Fraction(0))), ("A", Interval())))
    cloud = scatter(space, near, 300, False)
    (found,) = Program([tree]).values(cloud.arrays, near)
    judged = 0
    for k in np.flatnonzero(np.isfinite(found.e) & np.isfinite(found.v)):
        exact = certify(tree, cloud.point(int(k))).value
        if exact is None:
            continue
        with ctx.workprec(4096):
            gap = (arb(exact) - arb(float(found.v[k]))).abs_lower()
            assert gap <= arb(float(found.e[k])) + arb(2) ** -1060  # or an underflow
        judged += 1
    assert judged > 100


def test_centred_values_keep_their_accuracy_near_one():
    d = np.array([1e-12, -1e-9, 1e-30])
    for text, order in (("(r-1)**2", 2), ("(sqrt(r)-1)**2", 2), ("log(r)**2", 2), ("r**2-1", 1)):
        (found,) = Program([parse(text)]).values({"r": d}, True)
        assert (found.e < 1e-14 * np.abs(d) ** order * 4).all()


# Short fractions


@given(st.fractions(), st.fractions(min_value=0, max_value=10))
def test_simplest_between_is_inside_and_simplest(low, width):
    found = simplest_between(low, low + width)
    assert low <= found <= low + width
    for denominator in range(1, min(found.denominator, 50)):
        first = -(-low.numerator * denominator // low.denominator)
        assert Fraction(first, denominator) > low + width


@given(
    st.fractions(max_denominator=10**30).filter(bool),
    st.sampled_from([Fraction(1, 2), Fraction(1, 100), Fraction(1, 10**9)]),
    st.sampled_from([-1, 0, 1]),
)
def test_simplest_near_is_near(value, tolerance, side):
    found = simplest_near(value, tolerance, side)
    assert abs(found - value) <= tolerance * abs(value)
    assert side == 0 or (abs(found) - abs(value)) * side >= 0


def test_clouds_stand_for_exact_points_of_the_domain():
    space = Space((("r", Interval(Fraction(0))), ("A", Interval()),
                   ("eps", Interval(Fraction(0), Fraction(1), False, True))))  # fmt: skip
    for cloud in (grid(space), scatter(space, True, 200, True), scatter(space, False, 200, True)):
        assert len(cloud) > 50
        assert all(cloud.point(k) in space for k in range(len(cloud)))
