"""Laws of the proof rules and of the search for counterexamples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from flint import ctx
from mutation.laws import DOMAINS, Signs, arb_value, fits, on_kernel, tree_of

from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import number, substitute
from symbolic.parser import parse
from verify.algebra.masks import NEGATIVE, NONNEGATIVE, POSITIVE
from verify.algebra.resolve import Resolver
from verify.balls.points import Kind, certify
from verify.checker.algebra import Budget as CheckerBudget
from verify.checker.algebra import Range
from verify.checker.context import Context
from verify.checker.proofs import prove as check
from verify.falsify.program import Program
from verify.falsify.search import _FAST, _Search, falsify
from verify.proof.prove import Budget, Prover
from verify.proof.rules import by_fact
from verify.proof.rules.calculus import monotone
from verify.proof.rules.enclosing import numeric
from verify.proof.rules.facts import grouped
from verify.proof.rules.shapes import conjugate, exponentiate, quadratic, shift
from verify.proof.scatter import Scatter

Facts = tuple[tuple[str, int], ...]
_STEPS = 400

# claim, rule, facts: the rule finds a proof of claim >= 0 (> 0 if strict), which replays
RULES: list[tuple[str, Any, Facts]] = [
    ("exp(x)-1-x", monotone, ()), ("x*exp(x)-exp(x)+1", monotone, ()), ("(1+x)*log(1+x)-x", monotone, ()),
    ("x-log(1+x)", monotone, ()), ("exp(x*y)-1-x*y", monotone, ()), ("exp(x/2)-1-x/2-x**2/8", monotone, ()),
    ("exp(1)-exp(z-1)", monotone, ()), ("2+2*x-sqrt(1+x)-1", monotone, ()),
    ("x**2-x*y+y**2", quadratic, ()), ("x**2-3*x*y+3*y**2", quadratic, ()), ("x**4-x**2+1", quadratic, ()),
    ("sqrt(1+x)-1", conjugate, ()), ("1+x/2-sqrt(1+x)", conjugate, ()), ("sqrt(1+x**2)-x", conjugate, ()),
    ("log(1+x)-log(2)+1", exponentiate, ()), ("x*(exp(x)-1-x)+log(1+y)", grouped, ()),
    ("x**2-2*x-3", by_fact, (("x-3", NONNEGATIVE),)), ("x*y-y*3+1", by_fact, (("x-3", NONNEGATIVE),)),
    ("3*y-x*y+2", by_fact, (("3-x", NONNEGATIVE),)),
    ("x-3+exp(x)*y", shift, (("x-3", NONNEGATIVE),)), ("x-y", shift, (("x-y-1", NONNEGATIVE),)),
    ("exp(x)*y-3*y", shift, (("exp(x)-3", POSITIVE),)),
    ("(1+x)*log(1+x)-3*x/2+1/5", numeric, ()), ("x**2-2*x*log(1+x)+log(1+x)**2+1/100", numeric, ()),
    ("exp(x)-2*x-3/5", numeric, ()), ("z*log(z)-z+1", numeric, ()), ("exp(z)-3*z+1", numeric, ()),
]  # fmt: skip

# claim, facts, where the samples lie: false claims that look true from there
MISLEADING: list[tuple[str, Facts, dict[str, tuple[str, str]]]] = [
    ("x-1", (), {"x": ("2", "5")}),
    ("x+y-1", (), {"x": ("2", "4"), "y": ("2", "4")}),
    ("exp(x)-3/2-x", (), {"x": ("2", "5")}),
    ("exp(x)-4*x/3-1", (), {"x": ("1", "5")}),
    ("x**2-4*x+2", (("x-3", NONNEGATIVE),), {"x": ("4", "9")}),
    ("10-x", (("x-3", NONNEGATIVE),), {"x": ("3", "9")}),
    ("x-4", (("x-3", NONNEGATIVE),), {"x": ("5", "9")}),
    ("sqrt(1+x)-2", (), {"x": ("4", "9")}),
    ("2-sqrt(1+x)", (), {"x": ("1", "2")}),
    ("x**2-3*x*y+2*y**2", (), {"x": ("4", "9"), "y": ("1/4", "1/2")}),
    ("x*log(x)+1/3", (), {"x": ("2", "9")}),
    ("x*log(x)+1/3", (), {"x": ("1/100", "1/50")}),
    ("50-exp(x)+x", (), {"x": ("1", "3")}),
    ("log(1+x)-x/2", (), {"x": ("1/4", "2")}),
    ("y-x", (("x-1", NONNEGATIVE),), {"x": ("1", "2"), "y": ("3", "4")}),
    ("(x-1)*(y-1)", (), {"x": ("2", "3"), "y": ("3", "4")}),
    ("(x-1)*(y-1)**3", (("y-1", POSITIVE),), {"x": ("2", "3"), "y": ("3", "4")}),
    ("exp(z)-4*z", (), {"z": ("19/10", "2")}),
    ("z-3/2", (), {"z": ("8/5", "2")}),
    ("exp(x)-1-x-1/10**90", (), {"x": ("1", "5")}),
    ("(exp(x)-1)*(x-1/2)**2-x/100", (), {"x": ("1", "5")}),
    ("exp(z)+log(z)-9000*(z-3/2)**6*(z-1)*(2-z)", (), {"z": ("29/20", "31/20")}),
]  # fmt: skip


def prover_on(signs: Signs, facts: Facts, where: Mapping[str, tuple[str, str]] = {}) -> Prover:
    """A prover that knows the facts and samples only `where`."""
    box = {
        **DOMAINS,
        **{n: Interval(Fraction(a), Fraction(b), True, True) for n, (a, b) in where.items()},
    }
    for text, mask in facts:
        signs.learn(Resolver(signs).resolve(tree_of(text)), mask)
    return Prover(signs, Scatter.over(box), Budget(_STEPS))


def nodes(rule: Any, prover: Prover, poly: Any) -> Iterator[Any]:
    yield from (node for node in rule(prover, poly, False, 0) if node is not None)


def replays(claim: str, facts: Facts, proof: Any) -> None:
    """Insist that the checker takes a proof of claim >= 0."""
    ranges = {n: Range(d.lower, d.upper, d.lower_open, d.upper_open) for n, d in DOMAINS.items()}
    known = tuple((tree_of(text), mask) for text, mask in facts)
    check(Context(ranges, known, CheckerBudget(500_000)), tree_of(claim), NONNEGATIVE, proof)


def law_rules() -> None:
    """Each rule proves what it is there for, and its proof replays."""
    for claim, rule, facts in RULES:

        def proved(
            signs: Signs, value: Any, claim: str = claim, rule: Any = rule, facts: Facts = facts
        ) -> None:
            found = next(nodes(rule, prover_on(signs, facts), value.num), None)
            assert found is not None, f"{rule.__name__} does not prove {claim} >= 0"
            replays(claim, facts, found)

        on_kernel(claim, proved)


def law_misleading() -> None:
    """The prover itself, before any replay, proves no false claim that its samples like."""
    for claim, facts, where in MISLEADING:

        def open_(
            signs: Signs, value: Any, claim: str = claim, facts: Facts = facts, where: Any = where
        ) -> None:
            proof = prover_on(signs, facts, where).prove(value, NONNEGATIVE)
            assert proof is None, f"{claim} >= 0 is false, and proved: {proof}"

        on_kernel(claim, open_)


# Counterexamples -----------------------------------------------------------------------------

EXACT: dict[str, str] = {
    # formula at r = 1/2, A = -3
    "log(2*r)": "0", "log(r-1/2)": "undefined", "sqrt(r/2)": "1/2", "sqrt(2*r*A+3)": "0", "sqrt(A)": "undefined",
    "min(r, A)": "-3", "max(r, A)": "1/2", "clip(A, -1, 1)": "-1", "relu(A)": "0", "abs(A)": "3", "sign(A)": "-1",
    "where(A >= -3, r, A)": "1/2", "where(A > -3, r, A)": "-3", "where(r > 0, r, 1/(r-1/2))": "1/2",
    "1/(r-1/2)": "undefined", "0*log(A)": "undefined", "(A+3)**0": "1", "A**2": "9", "r**(-2)": "4",
    "(8*r)**(3/2)": "8", "tanh(A+3)": "0", "sigmoid(A+3)": "1/2", "(A+3)**(1/3)": "0", "min(A, r, -5)": "-5",
}  # fmt: skip
INEXACT = (
    "exp(A)*log(r)", "tanh(A)-sigmoid(r)", "softplus(A)", "softplus(-A*400)", "sqrt(r)+sqrt(3)", "r**A", "(7/3)**r",
    "softplus(30)", "exp(exp(r))-log(-A)", "(exp(r)-2)**3", "8**(1/5)", "min(log(r), -log(3))", "abs(log(r))",
)  # fmt: skip


def law_values_at_points() -> None:
    """Certified values are the formula's values; what is undefined is called so."""
    point = {"r": Fraction(1, 2), "A": Fraction(-3)}
    for text, value in EXACT.items():
        found = certify(Drift.from_text(text).formula, point)
        shown = "undefined" if found.kind is Kind.UNDEFINED else found.text
        assert shown == value, (text, shown)
    for text in INEXACT:
        tree = Drift.from_text(text).formula
        found = certify(tree, point)
        with ctx.workprec(300):
            true = arb_value(substitute(tree, {n: number(v) for n, v in point.items()}))
            assert found.value is not None and true.overlaps(found.value), text
            assert found.sign == (1 if true > 0 else -1), text


BALLS = (
    "x**2",
    "x**4-1",
    "square(x)",
    "x**3",
    "exp(x)*x",
    "tanh(x)",
    "softplus(x)",
    "(x-1/4)**2*x",
    "x**0",
)


def law_enclosures() -> None:
    """The ball over a box holds the values inside."""
    from flint import arb

    from verify.balls.boxes import enclose

    for text in BALLS:
        tree = parse(text, names=["x"])
        ball = enclose(tree, {"x": arb(-1).union(arb(2))})
        for x in (-1, -0.5, 0, 0.25, 1, 2):
            assert ball.overlaps(enclose(tree, {"x": arb(x)})), (text, x)


NOISY = (
    "r-1-log(r)", "(r-1)*A-tanh((r-1)*A)", "exp(r-1)-r", "sqrt(r)-1-(r-1)/2", "r**2-2*r+1", "(r**3-3*r**2+3*r-1)*A",
    "softplus(log(r))-log(2)", "sigmoid(A)-1/2", "1/r-2+r", "min(r*A, A)-A", "A/3-A*r/3", "clip(r, 0.9, 1.1)-1",
    "abs(r-1)*0.1", "where(r-A/10**9 > 1, r, 2*r)-1", "(A*0.1)*(r*0.7)", "where(A*(r+0.1) > A*r+A*0.1, 1, 2)",
    "where(A*(r+0.1) < A*r+A*0.1, 1, 2)", "where((r-0.7)**2 > r**2-1.4*r+0.49, 1, 2)", "(1/3*r)*(A/7)*(1/9*r)", "r**1.5-1-3*(r-1)/2",
)  # fmt: skip


def law_rounding() -> None:
    """Floating-point values are within their stated errors of the true ones, near r = 1 and far."""
    gaps = np.array([1e-12, -1e-9, 3e-7, -1e-4, 0.0, 0.03, -0.3])
    ratios = np.array([1e-3, 0.5, 0.7, 1.1, 3.0, 17.0, 1e5])
    advantages = np.array([-3.0, 0.1, 1e-3, 7.7, 300.0, -0.01, 1.0])
    for near, first in ((True, gaps), (False, ratios)):
        for text in NOISY:
            tree = Drift.from_text(text).formula
            value = Program([tree], "r").values({"r": first, "A": advantages}, near)[0]
            v, e = np.broadcast_arrays(np.asarray(value.v, float), np.asarray(value.e, float))
            for i, (ratio, A) in enumerate(
                zip(first, np.broadcast_to(v, first.shape), strict=True)
            ):
                at = {"r": Fraction(float(ratio)) + int(near), "A": Fraction(float(advantages[i]))}
                found = certify(tree, at).value
                error = np.broadcast_to(e, first.shape)[i]
                if found is not None and np.isfinite(error):
                    assert (
                        abs(float(found.mid() if hasattr(found, "mid") else found) - A)
                        <= error * (1 + 1e-9) + 1e-300
                    ), (text, near, i)


SEARCHES: tuple[tuple[str, ...], ...] = (
    ("(r-1)**2*(1-k)", "k in (0, 1)"), ("(r-1)**2*k", "k in [0, 1]"), ("r-1-log(r)",), ("(r-1)**2/A",), ("log(r)+A",),
    ("sqrt(r-A)",), ("min(r-1, A)",), ("exp(r-1)-r",), ("r*log(r)-r+1",), ("0*log(A)+r",), ("A*(r-1)",),
    ("(r**3-3*r**2+3*r-1)*(r-1)",),
)  # fmt: skip


def law_searches() -> None:
    """What the search returns are violations, inside the domain; what must be found is."""
    search = _Search(Drift.from_text("(r-1)**2*(1-k)/r", ["k in (0, 1)"]), _FAST, None)
    inside, outside = {"r": Fraction(2), "k": Fraction(1, 2)}, {"r": Fraction(2), "k": Fraction(2)}
    for condition in ("defined", "nonnegative"):
        assert search._violation(condition, inside) is None
        assert search._violation(condition, outside) is None
    must = {
        "log(r)+A": 2,
        "(r-1)**2/A": 2,
        "sqrt(r-A)": 2,
        "min(r-1, A)": 2,
        "0*log(A)+r": 2,
        "A*(r-1)": 1,
    }
    for formula in SEARCHES:
        drift = Drift.from_text(formula[0], formula[1:])
        findings = falsify(drift)
        found = 0
        for condition in ("defined", "nonnegative", "zero_at_identity"):
            witness = getattr(findings, condition)
            if witness is None:
                continue
            found += 1
            for name, at in witness.point.items():
                assert at in drift.domain(name), (formula, name, at)
            tree = substitute(drift.formula, {n: number(v) for n, v in witness.point.items()})
            with ctx.workprec(300):
                value = arb_value(tree)
            if condition == "defined":
                assert not value.is_finite(), (formula, witness)
            else:
                assert fits(
                    value, NEGATIVE if condition == "nonnegative" else NEGATIVE | POSITIVE
                ), (formula, witness)
                assert value.is_finite() and (value < 0 or condition != "nonnegative"), (
                    formula,
                    witness,
                )
        assert found >= must.get(formula[0], 0), (formula, findings)


LAWS = {
    "rules": law_rules, "misleading samples": law_misleading, "values at points": law_values_at_points,
    "enclosures": law_enclosures, "rounding": law_rounding, "searches": law_searches,
}  # fmt: skip
