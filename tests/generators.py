"""Seeded generators of formulas: random grammar, near-tight inequalities, what researchers write.

Plain functions of a `random.Random`, so that a seed names a formula for ever; used by tests
and benchmarks. Each gives a `Generated` with the truths that are known by construction.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import mpmath

from symbolic.drift import Drift
from symbolic.expression import Expression, call, number, symbol
from symbolic.text import to_text

VALID = {
    "defined": True,
    "nonnegative": True,
    "zero_at_identity": True,
    "flat_at_identity": True,
}


@dataclass(frozen=True)
class Generated:
    """A formula with its declarations and the conditions whose truth is known."""

    formula: str
    parameters: tuple[str, ...] = ()
    truth: Mapping[str, bool] = field(default_factory=dict)
    family: str = ""

    @property
    def drift(self) -> Drift:
        """The formula as the verifier takes it."""
        return Drift.from_text(self.formula, self.parameters)


# Random grammar ------------------------------------------------------------------------------

UNARY = (
    "exp", "log", "tanh", "sqrt", "abs", "sign", "relu",
    "softplus", "sigmoid", "square", "inv", "neg",
)  # fmt: skip
BINARY = ("add", "sub", "mul", "mul", "div", "max", "min", "pow")
TERNARY = ("clip",)
WHERE = ("where<", "where<=", "where>", "where>=")
LITERALS = (0, 1, 2, 3, Fraction(1, 2), Fraction(1, 5), Fraction(3, 5), Fraction(6, 5), 10)


def random_expression(rng: random.Random, nodes: int) -> Expression:
    """An arbitrary tree of exactly `nodes` nodes over r, A and a few literals."""
    if nodes == 1:
        kind = rng.random()
        if kind < 0.75:
            return symbol("r" if kind < 0.45 else "A")
        return number(Fraction(rng.choice(LITERALS)))
    arities = [arity for arity, least in ((1, 2), (2, 3), (3, 4), (4, 5)) if nodes >= least]
    weights = [(3, 6, 0.5, 0.5)[arity - 1] for arity in arities]
    arity = rng.choices(arities, weights)[0]
    op = rng.choice((UNARY, BINARY, TERNARY, WHERE)[arity - 1])
    if op == "pow":  # mostly what people write: small constant exponents
        if nodes == 3 or rng.random() < 0.8:
            exponent = number(Fraction(rng.choice((2, 2, 3, 4, Fraction(1, 2), Fraction(3, 2)))))
            return call("pow", random_expression(rng, nodes - 2), exponent)
    cuts = sorted(rng.sample(range(1, nodes - 1), arity - 1))
    sizes = [b - a for a, b in itertools.pairwise([0, *cuts, nodes - 1])]
    return call(op, *(random_expression(rng, size) for size in sizes))


def random_formula(rng: random.Random, least: int = 3, most: int = 25) -> Generated:
    """A random tree of `least` to `most` nodes; half are made to vanish at r = 1."""
    tree = random_expression(rng, rng.randint(least, most))
    if rng.random() < 0.5:
        head = rng.choice(("r-1", "log(r)", "(r-1)*A", "(r-1)**2", "log(r)**2", "r-1-log(r)"))
        return Generated(f"({head})*({to_text(tree)})", family="random")
    return Generated(to_text(tree), family="random")


# Near-tight ----------------------------------------------------------------------------------

SHAPES_R = (
    "r-1-log(r)", "r*log(r)-r+1", "(r-1)**2", "(r-1)**2/r", "(sqrt(r)-1)**2", "log(r)**2",
    "(r-1)*log(r)", "r*log(r)-(r+1)*log((r+1)/2)", "exp(r-1)-r", "sqrt(1+(r-1)**2)-1",
    "log(1+(r-1)**2)", "tanh(log(r))**2", "log((r+1/r)/2)", "r+1/r-2", "(r-1)**2/(r+1)",
    "exp(log(r)**2)-1", "(r-1)*tanh(log(r))", "(r-1)*tanh(r-1)", "log(r)*tanh(r-1)",
)  # fmt: skip
"""Non-negative drifts in r that behave like k·(r−1)² at r = 1."""
SHAPES_G = (
    "g*tanh(g)", "sqrt(1+g**2)-1", "log(1+g**2)", "tanh(g)**2", "g**2", "exp(g)-1-g",
    "softplus(g)-g/2-log(2)", "g**2/(1+g**2)", "abs(g)-log(1+abs(g))", "exp(g**2)-1",
    "g*(sigmoid(g)-1/2)",
)  # fmt: skip
"""The same in a gap g, which stands for (r−1)·A or log(r)·A and takes every real value."""
GAPS = ("(r-1)*A", "log(r)*A")

_DIGITS = 60
_SCALES = [
    *(mpmath.mpf(10) ** k for k in range(-9, -3)),
    *(mpmath.mpf(10) ** (mpmath.mpf(k) / 50) for k in range(-150, 75)),
]
_FUNCTIONS = {
    "sqrt": mpmath.sqrt, "log": mpmath.log, "exp": mpmath.exp, "tanh": mpmath.tanh,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "abs": abs, "neg": lambda x: -x, "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b, "div": lambda a, b: a / b, "pow": lambda a, b: a**b,
}  # fmt: skip


@functools.cache
def _tree(text: str) -> Expression:
    return Drift.from_text(text, ["g in (-inf, inf)"]).formula


def _value(root: Expression, variable: mpmath.mpf) -> mpmath.mpf:
    if root.op == "number":
        return mpmath.mpf(root.value.numerator) / root.value.denominator
    if root.op == "symbol":
        return variable
    return _FUNCTIONS[root.op](*(_value(arg, variable) for arg in root.args))


def _minimum(ratio: Callable[[mpmath.mpf], mpmath.mpf], in_r: bool) -> mpmath.mpf:
    """inf of `ratio` over r = e^s (or g = s), s on both signs: a scan, then golden section."""
    point = mpmath.exp if in_r else mpmath.mpf
    best = mpmath.inf
    # exp(exp(4.6)) is as far as a doubly exponential shape can be followed.
    scales = [s for s in _SCALES if s < (4.6 if in_r else 30)]
    for sign in (1, -1):
        values = [ratio(point(sign * s)) for s in scales]
        at = min(range(len(values)), key=values.__getitem__)
        best = min(best, values[at])
        if 0 < at < len(values) - 1:
            low, high = scales[at - 1], scales[at + 1]
            golden = (mpmath.sqrt(5) - 1) / 2
            for _ in range(40):
                a, b = high - golden * (high - low), low + golden * (high - low)
                if ratio(point(sign * a)) < ratio(point(sign * b)):
                    high = b
                else:
                    low = a
            best = min(best, ratio(point(sign * (low + high) / 2)))
    return best


@functools.cache
def critical(x: str, y: str, cross: str = "") -> mpmath.mpf:
    """The greatest c with x − c·y ≥ 0 everywhere; with `cross`, with x + A²y − c|A|·cross ≥ 0.

    The scan reaches r = exp(±4.6) or |g| = 30 and starts at 1e-9 from the identity, where the
    ratio is within some 1e-8 of its limit, hence the margins that `near_tight` allows.
    """
    with mpmath.workdps(_DIGITS):
        first, second = _tree(x), _tree(y)
        if not cross:
            in_r = "r" in first.symbols
            return _minimum(lambda v: _value(first, v) / _value(second, v), in_r)
        third = _tree(cross)
        return _minimum(
            lambda v: 2 * mpmath.sqrt(_value(first, v) * _value(second, v)) / _value(third, v), True
        )


def _tail_is_safe(x: str, y: str, cross: str, c: mpmath.mpf) -> bool:
    """Whether the ratio stays clear of c beyond the scan."""
    with mpmath.workdps(_DIGITS):
        first, second, third = _tree(x), _tree(y), _tree(cross or y)
        in_r = "r" in first.symbols
        far = (4.6, 6, 9, 50, 400) if in_r else (30, 100, 400, 10_000)
        for sign, s in itertools.product((1, -1), far):
            v = mpmath.exp(sign * mpmath.mpf(s)) if in_r else sign * mpmath.mpf(s)
            if cross:
                top = 2 * mpmath.sqrt(_value(first, v) * _value(second, v))
            else:
                top = _value(first, v)
            if top / _value(third, v) < c * mpmath.mpf("1.1"):
                return False
        return True


def near_tight(rng: random.Random, margin: Fraction = Fraction(1, 100)) -> Generated:
    """x − c·y with c a relative `margin` (at least 1e-5) off its critical value, on either side.

    True when c is below it, violated when above. The infimum is attained (or reached as r → 1)
    well inside the scan, so the truth does not hang on a tail.
    """
    if margin < Fraction(1, 100_000):
        raise ValueError(f"margin={margin} is finer than the critical constants; use 1e-5 or more")
    while True:
        family = rng.choice(("ratio", "gap", "cross"))
        shapes = SHAPES_G if family == "gap" else SHAPES_R
        x, y = rng.sample(shapes, 2)
        cross = rng.choice(SHAPES_R) if family == "cross" else ""
        c = critical(x, y, cross)
        if c < mpmath.mpf("1e-3") or c > 1000 or not _tail_is_safe(x, y, cross, c):
            continue
        valid = rng.random() < 0.5
        exact = Fraction(mpmath.nstr(c, 25)) * (1 - margin if valid else 1 + margin)
        constant = f"{float(exact):.12g}"
        if family == "cross":
            text = f"{x}+A**2*({y})-{constant}*abs(A)*({cross})"
        else:
            text = f"{x}-{constant}*({y})"
        if family == "gap":
            text = _replace_gap(text, rng.choice(GAPS))
        elif family == "ratio" and rng.random() < 0.4:
            text = f"{rng.choice(('abs(A)', 'A**2', '(1+A**2)', 'exp(A)'))}*({text})"
        return Generated(text, (), {**VALID, "nonnegative": valid}, f"near-{family}")


def _replace_gap(text: str, gap: str) -> str:
    """`g` as a symbol (not a letter of `log` or `sigmoid`) becomes the gap."""
    out = []
    for at, letter in enumerate(text):
        around = text[at - 1 : at] + text[at + 1 : at + 2]
        out.append(f"({gap})" if letter == "g" and not any(map(str.isalpha, around)) else letter)
    return "".join(out)


def stream(family: str, seed: int = 0) -> Iterator[Generated]:
    """Endless formulas: `random`, `near-1e-2`, `near-1e-4` or `realistic`."""
    rng = random.Random(f"{family}/{seed}")
    if family == "realistic":
        from realistic import realistic

        make = realistic
    else:
        make = {
            "random": random_formula,
            "near-1e-2": lambda rng: near_tight(rng, Fraction(1, 100)),
            "near-1e-4": lambda rng: near_tight(rng, Fraction(1, 10_000)),
        }[family]
    while True:
        yield make(rng)
