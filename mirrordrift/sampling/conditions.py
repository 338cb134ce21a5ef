"""What is asked of a callable at sampled points: of its values, and of its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirrordrift.sampling.autodiff import Gradient
from mirrordrift.sampling.subject import Subject, Values


@dataclass(frozen=True)
class Measured:
    """What a condition found at `[n]` points."""

    bad: NDArray[np.bool_]
    shown: Values
    """The number that shows it."""
    expected: Values | None = None
    """The number that should be there, if there is one."""


Measure = Callable[[Values, Values, Values], Measured]
"""(first argument, A, t) -> what was found."""


@dataclass(frozen=True)
class Condition:
    """One thing that must hold at all points, and what is said where it does not."""

    sentence: str
    symbol: str
    """What the number is called that shows it."""
    expected: str
    """What should be there; `{}` is the number."""
    remedy: str
    precision: Callable[[], str]
    measure: Measure
    at_identity: bool = False
    largest: float = 10.0
    """|log r| up to which it is asked."""
    every: int = 1
    """Which of the points are asked: all, or every so many where that is slow."""


def conditions(subject: Subject, gradients: list[Gradient]) -> list[Condition]:
    """All that is asked of this callable, in the order in which it is asked."""
    found = _of_values(subject)
    for gradient in gradients:
        found += _of_gradient(subject, gradient)
    return found


# The values ------------------------------------------------------------------------------------


def _of_values(subject: Subject) -> list[Condition]:
    def precision() -> str:
        return subject.precision

    def undefined(first: Values, advantage: Values, progress: Values) -> Measured:
        values = subject(first, advantage, progress)
        return Measured(~np.isfinite(values), values)

    def nonzero(first: Values, advantage: Values, progress: Values) -> Measured:
        values = subject(np.full_like(first, subject.identity), advantage, progress)
        noise = _noise(subject.precision, np.ones_like(first), advantage)
        return Measured(np.abs(values) > noise, values)

    def negative(first: Values, advantage: Values, progress: Values) -> Measured:
        values = subject(first, advantage, progress)
        noise = _noise(subject.precision, subject.ratio(first), advantage)
        return Measured(values < -noise, values)

    def sloped(first: Values, advantage: Values, progress: Values) -> Measured:
        return _sloped(subject, first, advantage, progress)

    return [
        Condition(
            "it is not finite", "f", "a finite number for every r > 0 and every A",
            "keep the arguments of log, sqrt, division and exp where these are defined",
            precision, undefined,
        ),
        Condition(
            "f(1, A) is not 0", "f", "0: what does not move costs nothing",
            "look for an offset, or subtract the value at r = 1",
            precision, nonzero, at_identity=True,
        ),
        Condition(
            "f is negative", "f", "at least 0",
            "look for a wrong sign, or for a relu or max that is missing",
            precision, negative,
        ),
        Condition(
            "the slope at r = 1 is not 0", "slope", "0 from both sides, by differences of f",
            "look for a term that is linear in r - 1, or for a kink there",
            precision, sloped, at_identity=True,
        ),
    ]  # fmt: skip


def _noise(precision: str, ratio: Values, advantage: Values) -> Values:
    """How far rounding alone may move a valid drift from its value.

    A drift is a difference of terms of the size of A·r or (A·(r − 1))², computed to eps.
    """
    return 32 * np.finfo(precision).eps * (1 + advantage**2) * np.maximum(1.0, ratio)


def _sloped(subject: Subject, first: Values, advantage: Values, progress: Values) -> Measured:
    """The worse one-sided slope at r = 1, by differences.

    Quotients at three shrinking steps are extrapolated (Aitken), which is exact both for
    slope + c·h and for c·h^p: a steep parabola is no kink. Steps are powers of two, so that
    1 ± h is exact. Autodiff is asked too, but would miss kinks, whose value is a convention.
    """
    identity = np.full_like(first, subject.identity)
    base = subject(identity, advantage, progress)
    steps = [2.0**-k for k in ((6, 8, 10) if subject.precision != "float64" else (12, 15, 18))]
    noise = _noise(subject.precision, np.ones_like(first), advantage) / steps[-1]
    worst, steepest = np.zeros_like(first), np.zeros_like(first)
    for side in (1, -1):
        q1, q2, q3 = (
            (subject(identity + side * h, advantage, progress) - base) / (side * h) for h in steps
        )
        bend = (q3 - q2) - (q2 - q1)
        safe = np.where(bend == 0, 1.0, bend)
        limit = np.where(bend == 0, q3, q3 - (q3 - q2) ** 2 / safe)
        # Where extrapolation is ill-conditioned the last quotient bounds what is left.
        limit = np.where(np.abs(limit) > np.abs(q3), q3, limit)
        worst = np.where(np.abs(limit) > np.abs(worst), limit, worst)
        steepest = np.maximum(steepest, np.abs(q1))
    return Measured(np.abs(worst) > noise + 1e-6 + 1e-3 * steepest, worst)


# The gradient ----------------------------------------------------------------------------------


def _of_gradient(subject: Subject, gradient: Gradient) -> list[Condition]:
    name = f"the gradient by {gradient.library}"
    stop = "stop_gradient" if gradient.library == "JAX" else "detach"
    farthest = 40.0 if subject.argument == "log_ratio" else 10.0
    symbol = "df/dlog r" if subject.argument == "log_ratio" else "df/dr"

    every = 9 if gradient.slow else 1

    def precision() -> str:
        return gradient.precision

    def unusable(first: Values, advantage: Values, progress: Values) -> Measured:
        values, slopes = gradient(first, advantage, progress)
        # Far out a penalty that grows fast may honestly leave the range of the numbers, and so may
        # nearer in what was written for wider ones.
        far = np.abs(np.log(subject.ratio(first))) > 10 if gradient.own else True
        overflowing = ~(np.abs(values) < 1e-6 * np.finfo(gradient.precision).max)
        return Measured(~np.isfinite(slopes) & ~(far & overflowing), slopes)

    def steep(first: Values, advantage: Values, progress: Values) -> Measured:
        identity = np.full_like(first, subject.identity)
        _, slopes = gradient(identity, advantage, progress)
        noise = _noise(gradient.precision, np.ones_like(first), advantage)
        return Measured(np.abs(slopes) > noise + 1e-6, slopes)

    def other(first: Values, advantage: Values, progress: Values) -> Measured:
        return _not_the_slope(subject, gradient, first, advantage, progress)

    return [
        Condition(
            f"{name} is not finite", symbol, f"a finite number for |log r| <= {farthest:g}",
            "a branch that `where` does not take still sends back its nan: keep its arguments "
            "harmless there too; clip before exp, and avoid sqrt and fractional powers at 0",
            precision, unusable, every=every, largest=farthest,
        ),
        Condition(
            f"{name} at r = 1 is not 0", symbol, "0, as the values of f are flat there",
            f"look for a misplaced {stop}, a straight-through term, or a custom gradient",
            precision, steep, at_identity=True,
        ),
        Condition(
            f"{name} is not the slope of f", symbol, "about {:.6g}, by differences of f",
            f"look for a misplaced {stop}, rounding, or a custom gradient",
            precision, other, every=every,
        ),
    ]  # fmt: skip


def _not_the_slope(
    subject: Subject, gradient: Gradient, first: Values, advantage: Values, progress: Values
) -> Measured:
    """Where the gradient lies outside what differences of the values leave possible.

    At a single point autodiff may take a value by convention, so a neighbour must agree.
    """
    x = gradient.rounded(first)
    found = _outside(subject, gradient, x, advantage, progress)
    bad = found.bad
    if bad.any():
        beside = [x + side * _STEP * _scale(subject, x) for side in (0.37, -0.37)]
        near = [
            _outside(subject, gradient, gradient.rounded(b), advantage, progress) for b in beside
        ]
        bad = bad & (near[0].bad | near[1].bad)
    return Measured(bad, found.shown, found.expected)


_STEP = 2.0**-6
"""Of differences, in log r; in double precision much smaller."""


def _outside(
    subject: Subject, gradient: Gradient, x: Values, advantage: Values, progress: Values
) -> Measured:
    """The quotients on both sides, and how far each moves when its step is halved, bound the slope.

    At a kink everything between its two slopes is allowed, and where f bends too fast for the
    steps, all that they cannot exclude.
    """
    values, slopes = gradient(x, advantage, progress)
    scale = _scale(subject, x) * (_STEP if gradient.precision != "float64" else _STEP / 128)
    lowest, highest = np.full_like(x, np.inf), np.full_like(x, -np.inf)
    middle, size = np.zeros_like(x), np.abs(values)
    for side in (1, -1):
        quotients = []
        for step in (scale, scale / 2):
            beside = gradient.rounded(x + side * step)
            there, _ = gradient(beside, advantage, progress)
            size = np.maximum(size, np.abs(there))
            quotients.append((there - values) / (beside - x))
        wide, near = quotients
        spread = 2 * np.abs(near - wide)
        lowest = np.minimum(lowest, near - spread)
        highest = np.maximum(highest, near + spread)
        middle += (2 * near - wide) / 2
    rounding = 32 * np.finfo(gradient.precision).eps * size
    rounding = rounding + _noise(gradient.precision, subject.ratio(x), advantage)
    margin = 8 * rounding / scale + 1e-2 * np.abs(middle) + 1e-6
    bad = (slopes < lowest - margin) | (slopes > highest + margin)
    known = np.isfinite(slopes) & np.isfinite(lowest) & np.isfinite(highest)
    return Measured(bad & known, slopes + 0.0, middle + 0.0)


def _scale(subject: Subject, x: Values) -> Values:
    """How what f takes changes with log r."""
    return np.ones_like(x) if subject.argument == "log_ratio" else x
