"""Intervals and declarations: read exactly, and refused with a remedy."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic.domains import (
    POSITIVE,
    PROGRESS,
    REALS,
    Interval,
    parse_declaration,
    parse_declarations,
    point,
)
from symbolic.drift import Drift
from symbolic.errors import ConfigError, FormulaError
from symbolic.expression import symbol
from symbolic.parser import parse


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("alpha in (0, inf)", "alpha", "(0, inf)"),
        ("eps in [0, 1/2)", "eps", "[0, 1/2)"),
        (" a_1  in(-inf,+oo) ", "a_1", "(-inf, inf)"),
        ("c in [-0.5, 1e-2]", "c", "[-1/2, 1/100]"),
        ("b in (- inf, -2/3)", "b", "(-inf, -2/3)"),
        ("alpha=2", "alpha", "2"),
        ("alpha = -3/5", "alpha", "-3/5"),
        ("eps=0.2", "eps", "1/5"),
        ("eps in [1, 1]", "eps", "1"),
    ],
)
def test_declarations(text, name, shown):
    found, interval = parse_declaration(text)
    assert (found, str(interval)) == (name, shown)


@pytest.mark.parametrize(
    "text",
    [
        "", "alpha", "alpha in", "alpha in 0, 1", "alpha in (0; 1)", "alpha in (0, 1", "alpha > 0",
        "alpha = inf", "alpha = 1/0", "alpha in (0, beta)", "2 in (0, 1)", "alpha = 1e9999",
        "alpha = nan", "alpha in (1, 0)", "alpha in (1, 1)", "alpha in [1, 1)", "alpha in [0, inf]",
        "alpha in [-inf, 0)", "__class__ = 1.real", "alpha = 1" + "0" * 10_000, "αlpha = 1",
        "alpha in (0, inf) ; b = 1", "alpha = 0x10",
        "alpha in (inf, -inf)", "alpha in (inf, 1)", "alpha in (0, -inf)", "alpha = 1e301",
        "alpha = 1" + "0" * 100,
    ],
)  # fmt: skip
def test_refused_declarations(text):
    with pytest.raises(FormulaError) as caught:
        parse_declarations([text])
    assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize(
    ("declarations", "words"),
    [
        (["a=1", "a=2"], "declared twice"),
        (["r in (0, 2)"], "ratio"),
        (["A in (0, 2)"], "advantage"),
        (["exp = 2"], "is an operation"),
        (["where = 2"], "is an operation"),
        (["Max = 2"], "is an operation"),
        (["t in [0, 2]"], "leaves"),
        (["t in (-inf, 1]"], "leaves"),
    ],
)
def test_reserved_names(declarations, words):
    with pytest.raises(FormulaError, match=words):
        parse_declarations(declarations)


def test_progress_may_be_narrowed():
    assert str(parse_declarations(["t in (0, 1]"])["t"]) == "(0, 1]"
    assert str(parse_declarations(["t = 1/2"])["t"]) == "1/2"


def test_probability_may_be_widened():
    assert str(parse_declarations(["x in (0, inf)"], "mirror-map")["x"]) == "(0, inf)"
    with pytest.raises(FormulaError, match="leaves"):
        parse_declarations(["x in [0, 1)"], "mirror-map")


def test_a_mapping_may_hold_numbers_text_and_intervals():
    given_values = {"a": 2, "b": Fraction(1, 3), "c": "(0, 1)", "d": "0.5", "e": POSITIVE}
    found = parse_declarations(given_values)
    assert [str(found[name]) for name in "abcde"] == ["2", "1/3", "(0, 1)", "1/2", "(0, inf)"]


@given(st.fractions(), st.fractions(), st.booleans(), st.booleans(), st.fractions())
def test_membership(a, b, lower_open, upper_open, x):
    low, high = min(a, b), max(a, b)
    if low == high:
        assert x in point(low) or x != low
        return
    interval = Interval(low, high, lower_open, upper_open)
    above = x > low if lower_open else x >= low
    below = x < high if upper_open else x <= high
    assert (x in interval) == (above and below)
    assert parse_declaration(f"a in {interval}")[1] == interval


def test_unbounded_membership():
    assert Fraction(-(10**9)) in REALS
    assert Fraction(0) not in POSITIVE
    assert Fraction(0) in PROGRESS
    assert Fraction(1) in PROGRESS


class TestDrift:
    def test_parameters_must_be_declared(self):
        with pytest.raises(FormulaError, match="unknown name 'alpha'"):
            Drift.from_text("alpha*(r-1)**2")

    def test_binding(self):
        drift = Drift.from_text("alpha*(r - 1)**2", ["alpha in (0, inf)"])
        bound = drift.bind({"alpha": "3/5"})
        assert str(bound.bound_formula()) == "0.6*(r - 1)**2"
        assert str(drift.domain("alpha")) == "(0, inf)"
        with pytest.raises(FormulaError, match=r"'beta' is no parameter.*\nits parameters: alpha"):
            drift.bind(["beta=1"])

    def test_variables_have_domains(self):
        drift = Drift.from_text("t*(r-1)**2", ["t in (0, 1]"])
        assert str(drift.domain("t")) == "(0, 1]"
        assert str(drift.domain("r")) == "(0, inf)"
        assert drift.parameters == {}

    def test_kinds(self):
        assert Drift.from_text("log(x)", kind="mirror-map").text == "log(x)"
        with pytest.raises(FormulaError, match="not a variable of this kind"):
            Drift.from_text("log(r)", kind="mirror-map")
        with pytest.raises(ConfigError, match="choose one of drift, mirror-map, psi"):
            Drift.from_text("log(x)", kind="mirror")


def test_declarations_of_python():
    import sympy

    alpha = sympy.Symbol("alpha")
    for said in ("alpha in (0, 2]", {alpha: Interval(0, 2, True, False)}, {symbol("alpha"): "(0, 2]"},
                  {"alpha": sympy.Interval.Lopen(0, 2)}):  # fmt: skip
        assert parse_declarations(said) == {"alpha": Interval(0, 2, True, False)}
    assert parse_declarations({alpha: sympy.Interval.open(0, sympy.oo)}) == {"alpha": Interval(0)}
    assert parse_declarations({alpha: 2})["alpha"].value == 2


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (3, "int is no declaration"),
        ([3], "int is no declaration"),
        ({3: "(0, 1)"}, "3 is no name"),
        ({"1a": Interval()}, "'1a' is no name"),
        ({"a__b": 1}, "'a__b' is no name"),
        ("a in (0, 0)", r"the interval \(0, 0\) is empty"),
        ({"a": float("nan")}, "cannot read this declaration"),
    ],
)
def test_what_declares_nothing(said, says):
    with pytest.raises(FormulaError, match=says):
        parse_declarations(said)


@pytest.mark.parametrize("end", [0.5, "0"])
def test_ends_are_exact(end):
    with pytest.raises(FormulaError, match="give a Fraction"):
        Interval(end, 1)


def test_a_drift_is_checked_however_it_is_made():
    tree = parse("value*r", names=["value", "r"])
    with pytest.raises(FormulaError, match="a witness has a field of that name"):
        Drift(formula=tree, domains={"value": Interval(0)})
    with pytest.raises(FormulaError, match="always ranges over"):
        Drift(formula=parse("r"), domains={"r": Interval(1, 2)})
    with pytest.raises(FormulaError, match="'r-1' is str, not a tree"):
        Drift(formula="r-1")
    with pytest.raises(ConfigError, match="kind='nope' is unknown; choose one of drift"):
        Drift(formula=parse("r"), kind="nope")
    with pytest.raises(FormulaError, match=r'parameters=\["q in \(0, inf\)"\]'):
        Drift(formula=parse("q*r", names=["q", "r"]))
    drift = Drift(formula=parse("q*r", names=["q", "r"]), domains={"q": "(0, 1)"})
    assert drift.domain("q") == Interval(0, 1)
