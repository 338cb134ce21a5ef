"""Text → tree: the grammar, exactness, the limits, and nothing but FormulaError for the rest."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic.errors import FormulaError
from symbolic.expression import Expression, Number, constant_value
from symbolic.operations import FUNCTIONS
from symbolic.parser import parse
from symbolic.spelling import parse_pysr

DEEP = 100


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-r**2", "-(r**2)"),
        ("r**A**t", "r**(A**t)"),
        ("r^2", "r**2"),
        ("2**-r**2", "2**(-(r**2))"),
        ("2**-r*3", "(2**(-r))*3"),
        ("-r*A", "(-r)*A"),
        ("2*-r**2", "2*(-(r**2))"),
        ("r-A-t", "(r-A)-t"),
        ("r/A/t", "(r/A)/t"),
        ("r-A*t", "r-(A*t)"),
        ("--r", "-(-r)"),
        ("+r - +A", "r - A"),
        ("r*-A + 1", "(r*(-A)) + 1"),
        ("-r + A", "(-r) + A"),
        (" r\t*\n A ", "r*A"),
        ("Max(r, Min(A, 1))", "max(r, min(A, 1))"),
        ("Abs(A) + logistic(r)", "abs(A) + sigmoid(r)"),
        ("where(r<1,r,A)", "where((r) < (1), (r), (A))"),
        ("(r)", "r"),
        ("((r)-(1))", "r-1"),
        ("max(r,-A,-(1))", "max(r, -A, -1)"),
    ],
)
def test_precedence(text, same):
    assert parse(text) is parse(same)


@pytest.mark.parametrize("relation", ["<", "<=", ">", ">="])
def test_comparisons(relation):
    assert parse(f"where(r {relation} 1, r, A)").op == "where" + relation


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.6", Fraction(3, 5)), ("1e-6", Fraction(1, 10**6)), ("2E3", 2000), (".5", Fraction(1, 2)),
        ("5.", 5), ("1.25e+2", 125), ("0.1000000000000000055511151231257827",
        Fraction("0.1000000000000000055511151231257827")), ("00.10", Fraction(1, 10)),
    ],
)  # fmt: skip
def test_literals_are_exact(text, value):
    tree = parse(text)
    assert isinstance(tree, Number)
    assert tree.value == value


def test_every_function_is_read():
    for name in FUNCTIONS:
        args = {"clip": "r, 0, 1", "max": "r, A", "min": "r, A"}.get(name, "r")
        assert parse(f"{name}({args})").op == name


def test_names():
    assert parse("alpha_2*eps", names=["alpha_2", "eps"]).symbols == {"alpha_2", "eps"}
    assert parse("x", names=["x"]).op == "symbol"


@pytest.mark.parametrize(
    "text",
    [
        "r" + "+r" * 4999 + " ",
        "(" * DEEP + "r" + ")" * DEEP,
        "(1+" * DEEP + "r" + ")" * DEEP,
        "2**-(1-" * DEEP + "r" + ")" * DEEP,
        "1-A*2**-max(1, " * DEEP + "r" + ")" * DEEP,
        "where(A < r, 1 + (" * (DEEP // 2) + "r" + "), 1)" * (DEEP // 2),
        "-" * DEEP + "r",
        "r**" * DEEP + "r",
        "9" * 100,
        "0." + "0" * 98 + "1",
        "1e300 + 1e-300",
        "r**300 - r**-300",
        "max(" + ", ".join(["r"] * 2000) + ")",
    ],
)
def test_accepted_at_least(text):
    assert isinstance(parse(text), Expression)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("r+" * 10_001 + "r", "20000"),
        ("(" * 151 + "r" + ")" * 151, "150 levels"),
        ("9" * 101, "more than 100"),
        ("1e301", "beyond 300"),
        ("r**301", "beyond 300"),
        ("r**(-300.5)", "beyond 300"),
        ("((2**300)**300)**300", "million digits"),
    ],
)
def test_beyond_a_limit_the_error_says_which(text, limit):
    with pytest.raises(FormulaError, match=limit):
        parse(text)


def test_an_error_points_and_teaches():
    with pytest.raises(FormulaError) as caught:
        parse("relu(r - beta)")
    assert str(caught.value).splitlines() == [
        "formula, column 10: unknown name 'beta'",
        "  relu(r - beta)",
        "           ^^^^",
        'name it: parse(text, names=[..., "beta"])',
    ]
    assert parse("relu(r - beta)", names=["r", "beta"]).symbols == {"r", "beta"}


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("ln(r)", "write log(x); known: abs"),
        ("pow(r, 2)", "write x**y; known: abs"),
        ("pi*r", "pi is no constant here: write a rational near it, 3.14159265; as a parameter, "),
        ("e**r", "Euler's number is exp(1); as a parameter, name it"),
        ("R - 1", "did you mean 'r'? as a parameter, name it"),
        ("adv*r", "did you mean 'A'? as a parameter, name it"),
        ("min(r)", "write min(a, b, …)"),
        ("min()", "expected a number, a name or '(' here; write min(a, b, …)"),
        ("clip(r, 1)", "write clip(x, lo, hi)"),
        ("where(r < 1)", "expected ',' after the comparison here; write where(a < b, u, v)"),
        ("where(r, 1, 2)", "expected a comparison < <= > >= here; write where(a < b, u, v)"),
        ("where(r < 1, 1)", "expected ',' and the other branch here; write where(a < b, u, v)"),
        ("where(r < 1, 1, 2, 3)", "expected ')' here; write where(a < b, u, v)"),
        ("f(r, A) = r", "write what it is, for example (r-1)**2; known: abs"),
        ("|r - 1|", "write abs(x) for |x|; formulas use names"),
        ("(r−1)²", "write '-'; type it again"),
        ("r²", "write **2; type it again"),
        ("a*r ; a = 2", "write its declarations as --param"),
        ("(r - 1))", "expected an operator or the end here; remove this ')'"),
    ],
)
def test_an_error_says_how_the_language_writes_it(text, remedy):
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert caught.value.remedy.startswith(remedy)


def test_names_are_several_texts():
    with pytest.raises(FormulaError, match="is a single text"):
        parse("r", names="alpha")


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "empty"),
        ("   ", 1, "empty"),
        ("r +", 4, "ends where"),
        ("(r", 3, r"close 1 open bracket"),
        ("r)", 2, r"remove this '\)'"),
        ("(r))", 4, r"remove this '\)'"),
        ("2r", 2, r"product is written with '\*'"),
        ("r A", 3, r"product is written with '\*'"),
        ("r(A)", 2, r"product is written with '\*'"),
        ("r == 1", 3, "comparisons are"),
        ("r < 1", 3, "only inside where"),
        ("where(r, A, 1)", 8, "a comparison"),
        ("where(r < 1 < 2, A, 1)", 13, "after the comparison"),
        ("where(r < 1, A)", 15, "other branch"),
        ("where(r < 1, A, 2, 3)", 18, "expected '\\)'"),
        ("exp", 1, r"give it arguments: exp\(...\)"),
        ("exp(r, A)", 1, "takes 1 argument, not 2"),
        ("max(r)", 1, "2 or more"),
        ("clip(r, 1)", 1, r"write clip\(x, lo, hi\)"),
        ("exp()", 5, "a number, a name"),
        ("tan(r)", 1, r"did you mean 'tanh'\?"),
        ("Piecewise(r)", 1, "unknown operation"),
        ("x", 1, "not a variable of this kind"),
        ("_a", 1, "no name of the language"),
        ("a__b", 1, "no name of the language"),
        ("r, A", 2, "unexpected ','"),
        ("(r, A)", 3, "unexpected ','"),
        ("*r", 1, "a number, a name"),
        ("r**", 4, "ends where"),
        ("r.real", 2, "attribute access"),
        ("r − 1", 3, r"U\+2212 is not ASCII"),
        ("1.5.2", 4, "unexpected"),
    ],
)
def test_errors(text, column, words):
    with pytest.raises(FormulaError, match=words) as caught:
        parse(text)
    assert f"column {column}:" in str(caught.value)


HOSTILE = {
    "attribute": "().__class__.__bases__[0].__subclasses__()",
    "method": "r.__init__.__globals__",
    "import": "__import__('os').system('true')",
    "dunder": "__builtins__",
    "open": "open(r)",
    "eval": "eval(exp(r))",
    "lambda": "(lambda: r)()",
    "list": "[r for r in (1, 2)]",
    "f-string": "f'{r}'",
    "walrus": "(r := 1)",
    "statement": "r; import os",
    "brackets": "(" * 100_000 + ")" * 100_000,
    "open brackets": "(" * 20_000,
    "closing brackets": ")" * 20_000,
    "calls": "exp(" * 5_000,
    "wheres": "where(" * 3_000,
    "minuses": "-" * 19_999 + "r",
    "powers": "r**" * 6_000 + "r",
    "long": "r" * 1_000_000,
    "long sum": "r+" * 500_000 + "r",
    "tower": "9**9**9**9",
    "left tower": "((9**300)**300)**300",
    "negative tower": "2**-9**9**9",
    "hidden tower": "r**(9**9**9 - 9**9**9)",
    "factors": "*".join(["(9**300)**300"] * 900),
    "digits": "9" * 20_000,
    "exponent": "1e999999999",
    "NUL": "r\0+1",
    "look-alike": "\u0433-1",
    "fullwidth": "\uff52+1",
    "digit": "\u0661+r",
    "right to left": "\u202er+1",
    "combining": "r\u0301",
    "surrogate": "\ud800",
    "escape": "\x1b[31mr",
    "unbalanced": "(r*(A+1)",
    "empty call": "max()",
    "commas": "max(" + "," * 10_000,
    "keyword": "exp(x=r)",
    "star": "max(*r)",
    "comment": "r # 1",
    "backslash": "r\\\n+1",
    "underscores": "1_000*r",
    "hexadecimal": "0xff",
    "complex": "1j",
    "nan": "nan + inf",
    "division": "r//A",
    "comparison": "where(r < A < 1, 1, 2)",
    "boolean": "r and A",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_gives_a_formula_error_at_once(name):
    started = time.process_time()
    with pytest.raises(FormulaError) as caught:
        parse(HOSTILE[name])
    assert time.process_time() - started < 1.0  # a tenth of it on a quiet machine
    message = str(caught.value)
    assert len(message) < 1_000
    assert "\x1b" not in message
    assert "\0" not in message


@pytest.mark.parametrize("value", [None, 3, 0.5, b"r", ["r"]])
def test_only_text_is_read(value):
    with pytest.raises(FormulaError, match="a formula is text"):
        parse(value)


@given(st.text())
def test_any_text_is_refused_or_read(text):
    try:
        tree = parse(text)
    except FormulaError:
        return
    assert isinstance(tree, Expression)


TOKENS = [
    "r", "A", "t", "1", "0.5", "1e3", "+", "-", "*", "/", "**", "^", "(", ")", ",", "<", ">=",
    "where(", "max(", "relu(", "clip(", "log(", "q", " ",
]  # fmt: skip


@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join))
def test_any_tokens_are_refused_or_read_back(text):
    try:
        tree = parse(text)
    except FormulaError:
        return
    assert parse(str(tree)) is tree


def test_pysr_equations():
    tree = parse_pysr("relu(x0 - 1.2) ^ 2 + inv(square(x1))", {"x0": "(r-1)*A", "x1": "log(r)"})
    assert tree is parse("relu((r-1)*A - 1.2)**2 + inv(square(log(r)))")
    assert constant_value(parse_pysr("2 ^ 3", {})) == 8
    with pytest.raises(FormulaError, match="unknown name 'x1'"):
        parse_pysr("x0 + x1", {"x0": "r"})
