"""SymPy both ways: the same values, real symbols, and a refusal that names what is foreign."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from symbolic.catalogue import catalogue
from symbolic.domains import parse_declarations
from symbolic.errors import FormulaError
from symbolic.expression import Number
from symbolic.numeric import evaluate
from symbolic.operations import FUNCTIONS
from symbolic.parser import parse
from symbolic.sympy_bridge import from_sympy, is_sympy, to_sympy

r, A, t = sp.Symbol("r", positive=True), sp.Symbol("A", real=True), sp.Symbol("t")
POINTS = {
    "r": np.array([0.1, 0.8, 1.0, 1.3, 4.0]),
    "A": np.array([[-2.0], [-0.5], [0.5], [3.0]]),
    "t": 0.5,
}


def same(text: str, expression: sp.Expr) -> None:
    found = from_sympy(expression)
    values = [np.asarray(evaluate(tree, POINTS)) for tree in (found, parse(text))]
    np.testing.assert_allclose(*np.broadcast_arrays(*values), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", catalogue)
def test_catalogue_there_and_back(name):
    drift = catalogue[name]
    back = from_sympy(to_sympy(drift.formula, drift.domains))
    assert back.symbols <= drift.formula.symbols
    values = POINTS | {k: float(v) for k, v in drift.defaults.items()}
    found = [np.asarray(evaluate(tree, values)) for tree in (back, drift.formula)]
    np.testing.assert_allclose(*np.broadcast_arrays(*found), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_there_and_back(name):
    text = {"clip": "clip(A*r, -1, r)", "max": "max(A, r, 1)", "min": "min(A, 1, r)"}.get(
        name, f"{name}(r*abs(A) + 0.25)"
    )
    same(text, to_sympy(parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "where(A < 0, r, A)", "where(A <= 0.5, r, A)", "where(A > r, 1, where(A >= -1, 2, 3))",
        "r**0.5 + r**1.5 - r**-0.5 + r**A", "A**3/7 - 2/3", "-(r - 1)/(2*A)", "exp(A)/exp(2*A)",
        "0.1 + 1e-6*r", "exp(1)*r", "A/(r*(r + 1))", "(A - 1)**-2",
    ],
)  # fmt: skip
def test_formulas_there_and_back(text):
    same(text, to_sympy(parse(text)))


def test_assumptions():
    domains = parse_declarations(
        ["p in (0, inf)", "q in [0, 1]", "n in (-inf, 0)", "m in [-1, 0]", "s in (-1, 1)"]
    )
    tree = parse("r + A + t + p + q + n + m + s", names=["r", "A", "t", *domains])
    known = {symbol.name: symbol for symbol in to_sympy(tree, domains).free_symbols}
    assert known["r"].is_positive
    assert known["A"].is_real
    assert known["A"].is_positive is None
    assert known["p"].is_positive
    assert known["q"].is_nonnegative
    assert known["q"].is_positive is None
    assert known["n"].is_negative
    assert known["m"].is_nonpositive
    assert known["s"].is_real
    assert all(symbol.is_real for symbol in known.values())


def test_numbers_are_exact():
    assert to_sympy(parse("0.6*r")) == sp.Rational(3, 5) * r
    assert to_sympy(parse("r**2")).exp.is_Integer
    assert from_sympy(sp.Rational(1, 3)) is parse("1/3")
    assert from_sympy(sp.Integer(-4)) is parse("-4")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (sp.Float(0.1), "0.1"), (sp.Float("1.2e-7"), "1.2e-7"), (sp.Float(2.5), "2.5"),
        (sp.Float("0.1", 30), "0.1"), (sp.Float(1e22), "1e22"), (sp.Float(-0.6), "-0.6"),
    ],
)  # fmt: skip
def test_floats_are_their_shortest_decimal(value, text):
    assert from_sympy(value) is parse(text)


def test_symbols_go_by_name():
    mixed = sp.Symbol("r") * sp.Symbol("r", positive=True) + sp.Dummy("A")
    assert from_sympy(mixed).symbols == {"r", "A"}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (sp.sinh(A) + sp.cosh(r), "(exp(A)-exp(-A))/2 + (exp(r)+exp(-r))/2"),
        (sp.E * r, "exp(1)*r"),
        (sp.sqrt(r) / 3, "sqrt(r)/3"),
        (1 / sp.sqrt(r), "1/sqrt(r)"),
        (-r / 2 + A / r**2, "A/r**2 - r/2"),
        (sp.Piecewise((r, A >= 0), (-r, True)), "where(A >= 0, r, -r)"),
        (sp.Piecewise((r, A > 1), (A, A > 0), (1, True)), "where(A > 1, r, where(A > 0, A, 1))"),
        (
            sp.Piecewise((sp.Piecewise((r, r < 1), (2, True)), sp.Lt(A, 0)), (3, True)),
            "where(A < 0, where(r < 1, r, 2), 3)",
        ),
        (
            sp.Piecewise((r, (A > 0) & (r < 1)), (A, True)),
            "where(A > 0, where(r < 1, r, A), A)",
        ),
        (
            sp.Piecewise((r, (A > 0) | (r < 1)), (A, True)),
            "where(A > 0, r, where(r < 1, r, A))",
        ),
        (sp.Piecewise((r, sp.Eq(A, sp.Rational(1, 2))), (A, True)),
         "where(A <= 0.5, where(A >= 0.5, r, A), A)"),
        (sp.Piecewise((r, sp.Ne(A, sp.Rational(1, 2))), (A, True)),
         "where(A <= 0.5, where(A >= 0.5, A, r), r)"),
        (
            sp.Piecewise((r, sp.ITE(A > 0, r < 1, r > 2)), (A, True)),
            "where(A > 0, where(r < 1, r, A), where(r > 2, r, A))",
        ),
        (sp.Max(r, A, 1) * sp.Min(r, 2), "max(r, A, 1)*min(r, 2)"),
        (sp.Abs(A) * sp.sign(A), "abs(A)*sign(A)"),
        (sp.log(r, 2), "log(r)/log(2)"),
        (sp.exp(r, evaluate=False), "exp(r)"),
        (sp.Mul(2, sp.Add(r, 1, evaluate=False), evaluate=False), "2*(r + 1)"),
    ],
)  # fmt: skip
def test_from_sympy(expression, text):
    same(text, expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (sp.pi * r, "Pi is not in the language"),
        (sp.sin(r) + 1, "sin is not in the language"),
        (sp.Heaviside(A), "value at 0 is a convention"),
        (sp.Function("f")(r), "f is not in the language"),
        (sp.gamma(r), "gamma"),
        (sp.I * r, "leaves the real numbers"),
        (sp.zoo, "divides by zero"),
        (sp.oo, "infinity"),
        (sp.nan, "undefined"),
        (sp.Piecewise((r, A > 0)), r"end it with \(value, True\)"),
        (sp.Integral(t, (t, 0, 1)), "Integral"),
        (sp.Derivative(sp.Function("f")(r), r), "Derivative"),
        (sp.Symbol("a b"), "the name 'a b'"),
        (sp.Symbol("α"), "the name"),
        (sp.Symbol("__class__"), "the name"),
        (sp.Symbol("exp"), "is an operation"),
        (sp.Integer(10) ** 2000, "too many digits"),
        (r**301, "beyond 300"),
        (sp.Float("1e400"), "1e400|not finite|exponent"),
        (sp.Matrix([r]), "Matrix"),
        (A > 0, "GreaterThan"),
        (sp.true, "True"),
        ("r - 1", "no SymPy expression"),
        (None, "no SymPy expression"),
        (0.5, "no SymPy expression"),
    ],
)
def test_foreign_parts_are_named(expression, words):
    with pytest.raises(FormulaError, match=words):
        from_sympy(expression)


@pytest.mark.parametrize(
    "text", ["1/0", "log(-1)", "sqrt(-2)*r", "0**-1", "log(0)", "max(log(-1), 0)"]
)
def test_undefined_constants_have_no_sympy_form(text):
    with pytest.raises(FormulaError, match=r"undefined|SymPy cannot"):
        to_sympy(parse(text))


def test_huge_expressions_are_refused():
    tall = r
    for _ in range(40):
        tall = sp.Mul(tall, tall, evaluate=False) + 1
    with pytest.raises(FormulaError, match="nodes"):
        from_sympy(tall)


def test_is_sympy():
    assert is_sympy(r + 1)
    assert is_sympy(sp.true)
    assert not is_sympy("r")
    assert not is_sympy(Fraction(1, 2))
    assert not is_sympy(Number)


def test_sympy_is_imported_only_when_used():
    code = (
        "import sys, symbolic.sympy_bridge as bridge, symbolic.latex, symbolic.catalogue\n"
        "bridge.is_sympy('r')\n"
        "assert not {'sympy', 'matplotlib', 'hypothesis', 'jax', 'scipy', 'flint'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_undefined_functions_are_refused():
    unknown = sp.Function("g")(r)
    assert is_sympy(unknown)
    with pytest.raises(FormulaError, match="SymPy's g is not in the language"):
        from_sympy(unknown)
    with pytest.raises(FormulaError, match="'r' is str, not a tree"):
        to_sympy("r")
