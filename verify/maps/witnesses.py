"""Exact points where a mirror map fails: one-sided derivatives, limits and growth at the ends.

What is found here is proposed; the checker confirms each before it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import Any

from flint import arb

from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import Expression, call, constant_value, number, symbol
from verify.algebra.expansions import Expansions, NoExpansion
from verify.algebra.masks import NEGATIVE, NONNEGATIVE, POSITIVE, ZERO
from verify.algebra.polynomials import Quotient
from verify.algebra.resolve import Undefined
from verify.algebra.signs import Signs
from verify.balls.points import ball, certify
from verify.maps.charts import S
from verify.maps.scopes import GIVES_UP, Cut, Node, Scope, Split, smooth_on
from verify.proof.cells import Attempt
from verify.proof.flat import Failure, prove_flat
from verify.proof.points import ball_text, value_at
from verify.proof.prove import Budget, Prover, with_scales
from verify.proof.regions import placed, regions
from verify.report import Witness

_STEPS = 60
_TAIL_STEPS = 150
_STARTS = (Fraction(1), Fraction(1, 10), Fraction(1, 1000), Fraction(1, 10**60))
_BOUNDS = (Fraction(1, 2), Fraction(1, 10), Fraction(1, 100), Fraction(1, 10**4))
_SMALL_STEP = Fraction(1, 10**12)
_NEXT_TO_ZERO = _STARTS[-1] / 10**20
"""Nearer than where any proof begins that a formula climbs."""
_TAILS = tuple(map(Fraction, (8, 16, 40, 100)))
"""Where the expansions that tell a limit may start."""


@dataclass(frozen=True)
class Found:
    """A witness with what the checker needs besides."""

    witness: Witness
    growth: Node = field(default_factory=dict)


def at_point(drift: Drift, point: Mapping[str, Fraction], side: str) -> Found | None:
    """The one-sided derivative at an exact point, infinite or a limit where f jumps."""
    shifted = number(point["x"]) + (symbol("r") - number(1))
    values: dict[str, Expression] = {k: number(v) for k, v in point.items() if k != "x"}
    tree = placed(drift.bound_formula(), {**values, "x": shifted})
    if "r" not in tree.symbols:
        return Found(Witness(dict(point), "derivative", "0", side))
    ratio = "r->1-" if side == "left" else "r->1+"
    (region,) = regions(Drift(formula=tree), (ratio,))
    try:
        node, failures = prove_flat(Attempt(region, "flat", Budget(_STEPS)))
    except (Undefined, *GIVES_UP):
        return None
    if node is not None:
        return Found(Witness(dict(point), "derivative", "0", side))
    told = _told(failures[0], side == "right") if failures else None
    return told and Found(Witness(dict(point), *told, side))


def _told(failure: Failure, right: bool) -> tuple[str, str] | None:
    """(evidence, text) of a side on which f jumps or has a slope that is not 0."""
    signs = failure.cell.prover.signs
    if not failure.jump.is_zero:
        sign, _ = value_at(signs, failure.jump, {})
        rises = (sign == POSITIVE) == right
        return ("limit", "+inf" if rises else "-inf") if sign in (POSITIVE, NEGATIVE) else None
    if failure.slope is None:
        sign, _ = value_at(signs, failure.change, {"_s": _SMALL_STEP})
        rises = (sign == POSITIVE) == right
        return ("derivative", "+inf" if rises else "-inf") if sign in (POSITIVE, NEGATIVE) else None
    slope = failure.slope if right else signs.sub(signs.rational(0), failure.slope)
    sign, text = value_at(signs, slope, {})
    return ("derivative", text) if sign in (POSITIVE, NEGATIVE, ZERO) and text else None


def bound(drift: Drift, point: Mapping[str, Fraction]) -> Expression:
    """The formula in x alone, at values of t and the parameters."""
    values: dict[str, Expression] = {name: number(at) for name, at in point.items()}
    return placed(drift.bound_formula(), values)


def bounded_below(drift: Drift, point: Mapping[str, Fraction]) -> Found | None:
    """The limit as x → 0+ where it is not −∞, with a proof that f stays above a number.

    Where no expansion tells it, but f climbs, it lies between that number and a value next to 0.
    """
    for start in _STARTS:
        if not _fits(start, drift.domain("x")):
            continue

        def attempt(scales: dict[str, Fraction], start: Fraction = start) -> dict[str, Any] | None:
            tree = bound(drift, point)
            node, prover, value = _towards(tree, scales, start, at_zero=True)
            limit, least = _limit(prover, value)
            near = None if limit or not _climbs(prover, value) else _near_zero(tree)
            if not limit and near is None:
                return None
            for height in (least, least * 4, least * 100) if near is None else _below(near):
                claim = prover.signs.add(value, prover.signs.rational(height))
                proof = prover.prove(claim, NONNEGATIVE)
                if proof is not None:
                    return {
                        "growth": {**node, "bound": str(height), "proof": proof},
                        "limit": limit if near is None else ball_text(near.union(-ball(height))),
                    }
            return None

        found = _with_scales(attempt)
        if found is not None:
            place = {"x": Fraction(0), **point}
            return Found(Witness(place, "limit", found["limit"], "right"), found["growth"])
    return None


def _climbs(prover: Prover, value: Quotient) -> bool:
    """Whether a formula is shown to fall as s grows, x to 0."""
    signs = prover.signs
    pace = signs.sub(signs.rational(0), signs.slope(value, "_s"))
    return prover.prove(pace, NONNEGATIVE) is not None


def _near_zero(tree: Expression) -> arb | None:
    """The value at an x next to 0."""
    found = certify(tree, {"x": _NEXT_TO_ZERO})
    return None if found.value is None else arb(found.value)


def _below(value: arb) -> tuple[Fraction, ...]:
    """Numbers −f should stay below where f has this value next to 0; none for what is huge."""
    middle = float(-value.mid())
    if not isfinite(middle):
        return ()
    size = Fraction(middle).limit_denominator(1000)
    return tuple(size + more for more in (0, Fraction(1, 1000), 1))


def not_integrable(drift: Drift, point: Mapping[str, Fraction], at_zero: bool) -> Found | None:
    """An end of (0, 1) where |f| grows as 1/distance or nearly so, with a proof."""
    for start in _STARTS:
        if not _fits(start, drift.domain("x")):
            continue

        def attempt(scales: dict[str, Fraction], start: Fraction = start) -> dict[str, Any] | None:
            node, prover, value = _towards(bound(drift, point), scales, start, at_zero)
            k = prover.signs
            fast = smooth_on(prover, call("exp", S)).value
            slow = smooth_on(prover, S + number(1)).value
            for sign in ("-", "+"):
                size = value if sign == "+" else k.sub(k.rational(0), value)
                for weight, held in (("fast", size), ("slow", k.mul(size, slow))):
                    for least in _BOUNDS:
                        claim = k.sub(held, k.mul(k.rational(least), fast))
                        proof = prover.prove(claim, NONNEGATIVE)
                        if proof is not None:
                            growth = {**node, "sign": sign, "weight": weight}
                            return {**growth, "bound": str(least), "proof": proof}
            return None

        growth = _with_scales(attempt)
        if growth is not None:
            text = "+inf" if growth["sign"] == "+" else "-inf"
            place = {"x": Fraction(0 if at_zero else 1), **point}
            side = "right" if at_zero else "left"
            return Found(Witness(place, "limit", text, side), growth)
    return None


def _fits(start: Fraction, where: Interval) -> bool:
    return where.upper is None or start <= where.upper


def _with_scales(attempt: Any) -> dict[str, Any] | None:
    try:
        return with_scales(attempt)
    except (*GIVES_UP, Cut, Split):
        return None


def _towards(
    tree: Expression, scales: dict[str, Fraction], start: Fraction, at_zero: bool
) -> tuple[Node, Prover, Quotient]:
    """The formula of x alone along x, or 1 − x, = start·exp(−s)."""
    distance = number(start) * call("exp", -S)
    scope = Scope(tree, {}, (), Budget(_TAIL_STEPS))
    half_line = Interval(Fraction(0), None, True, True)
    x = distance if at_zero else number(1) - distance
    smooth = smooth_on(scope.prover(scales, "_s", half_line), placed(tree, {"x": x}), "_s")
    return {"from": str(start), "lemmas": smooth.lemmas}, smooth.prover, smooth.value


def _limit(prover: Prover, value: Quotient) -> tuple[str, Fraction]:
    """(text of the limit as s → ∞, a number that −f should stay below); empty for −∞ or unknown."""
    signs = prover.signs
    if not signs.depends(value, "_s"):
        exact, ball = value, arb(0)
    else:
        told = _expanded(signs, value)
        if told is None:
            return "", Fraction(0)
        exact_limit, ball = told
        if exact_limit is None:
            if not ball.is_finite():
                return ("+inf", Fraction(10)) if ball > 0 else ("", Fraction(0))
            return ball_text(ball), _above(ball)
        exact = exact_limit
    sign, text = value_at(signs, exact, {})
    plain = constant_value(signs.tree(exact))
    if plain is not None:
        return text, abs(plain) + 1
    return text if sign in (POSITIVE, NEGATIVE) else "", _above(signs.constant_ball(exact.num, 64))


def _expanded(signs: Signs, value: Quotient) -> tuple[Quotient | None, arb] | None:
    """The limit as `Expansions` gives it, from the first start that does."""
    for start in _TAILS:
        with suppress(NoExpansion):
            return Expansions(signs, "_s", start).limit(value)
    return None


def _above(ball: arb) -> Fraction:
    """An integer above the size of a ball."""
    return Fraction(int(ball.abs_upper().ceil().unique_fmpz() or 0) + 1)
