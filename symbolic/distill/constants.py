"""The constants of a candidate: fitted in float64, then made the simplest numbers that fit as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.optimize import least_squares

from symbolic.derivative import derivative
from symbolic.distill.loss import Objective
from symbolic.distill.samples import Floats
from symbolic.distill.simplest import simplest
from symbolic.distill.tidy import tidied
from symbolic.expression import (
    Expression,
    Number,
    call,
    constant_value,
    fold,
    integer_exponent,
    number,
    substitute,
    symbol,
)
from symbolic.numeric import nearest, prepared

REACH = 3.0
"""Standard errors within which a simpler number is as good."""
_NARROWER = (REACH, REACH / 3, REACH / 10, REACH / 100)
_FINEST = 1e-8
"""What float64 leaves of a constant's digits, relative to it."""
_NEGLIGIBLE = 1e-12
"""What float64 leaves of a constant that is 0, next to others of size 1."""
_LEAST_LEFT = 1e-3
"""Of a residual that its sample alone settles."""
_FAR, _LARGEST = 1e3, 1e12
"""What stands for values and slopes that are none, and for huge ones, whose squares overflow;
targets have the mean square 1.
"""
_FACTOR = 10.0
"""By which a fit may change a constant."""
_MAY_VANISH = 1e-4
"""Below it a constant may be 0."""
_SHRUNK = 0.5
"""Share of a constant that may be rounded away where it must not become 0."""
_TRIED, _ASTRAY = 6, 0.5
"""Ways to do without a constant that are tried, and the loss beyond which one is not."""
_TAKES_PART = 1e-4
"""Share of a constant in a direction of length 1, below which it is rounding."""
_FARTHEST = 20.0
"""Logarithm of the factor by which a constant may move."""
_DEPENDENT = 1e-7
"""Smallest singular value of a unique fit's Jacobian, its columns of length 1, next to the largest."""
_MOST_CONSTANTS = 16
_EVALUATIONS, _AGAIN = 40, 12
"""Steps of the first fit, and of one that begins at the solution of almost the same."""
_NOTHING = 1e-16
"""A loss that float64 cannot tell from 0."""


@dataclass(frozen=True)
class Spare:
    """A constant that may be 0, 1 or −1, as the others make up for it."""

    name: str
    value: int
    others: Mapping[str, float]


@dataclass(frozen=True)
class Fit:
    """A formula with its constants as symbols k0, k1, …, and where they ended."""

    formula: Expression
    values: Mapping[str, float]
    errors: Mapping[str, float]
    """Their standard errors."""
    spare: tuple[Spare, ...]
    """What can be left out, as the fit is not unique."""
    loss: float

    @property
    def nodes(self) -> int:
        """Of the formula."""
        return self.formula.nodes

    def closed(self) -> Expression:
        """The formula with its constants as numbers of few digits more than they are known to."""
        numbers = {n: number(_digits(v, self.errors.get(n, 0.0))) for n, v in self.values.items()}
        return tidied(substitute(self.formula, numbers))


def fitted(formula: Expression, objective: Objective) -> Fit:
    """The formula with its constants fitted to the objective, and without those that are spare.

    Constants are numbers other than 0 and 1, exponents only where they are no integers; equal ones
    stay equal. Where there are none, or the fit would be worse, they keep their values.
    """
    before = tidied(formula)
    template, start = _opened(before)
    at_start = objective.errors(before).loss
    unfitted = Fit(before, {}, {}, (), at_start)
    if not start or len(start) > _MOST_CONSTANTS:
        return unfitted
    fit = fit_from(template, start, objective)
    if fit is None or fit.loss > at_start:
        return unfitted
    return without_spare(fit, objective)


def without_spare(fit: Fit, objective: Objective) -> Fit:
    """The fit without the constants that others can make up for."""
    while (fewer := _one_less(fit, objective)) is not None:
        fit = fewer
    return fit


def simplified(fit: Fit, objective: Objective, *, zeros: bool = True) -> Expression:
    """The formula with every constant the simplest number that fits as well.

    That is within three standard errors, which follow from the spread of the residuals; the others
    are fitted again each time. Without `zeros` no constant becomes 0: a threshold that must be
    positive for a formula to be a drift stays so.
    """
    while fit.values:
        # The best determined constant is settled first.
        name = min(fit.values, key=lambda n: fit.errors[n] / max(abs(fit.values[n]), 1e-300))
        fit = _settled(fit, name, objective, _bound(fit, objective), zeros)
    return tidied(fit.formula)


def _bound(fit: Fit, objective: Objective) -> float:
    """The loss up to which a simpler constant is as good."""
    # One over the number of samples of equal weight that would tell as much.
    share = float((objective.samples.weight**2).sum())
    return fit.loss * (1 + REACH**2 * share) + _NOTHING


def _opened(formula: Expression) -> tuple[Expression, dict[str, float]]:
    """The formula with a symbol in the place of every constant, and their values."""
    names: dict[Fraction, str] = {}

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if node.op == "pow" and integer_exponent(node) is not None:
            args = (args[0], node.args[1])
        value = constant_value(node)
        if value is None or (isinstance(node, Number) and value in (0, 1)):
            return call(node.op, *args) if args else node
        return symbol(names.setdefault(value, f"k{len(names)}"))

    opened = fold(formula, visit)
    used = opened.symbols
    return opened, {name: nearest(value) for value, name in names.items() if name in used}


def fit_from(
    template: Expression,
    start: Mapping[str, float],
    objective: Objective,
    evaluations: int = _EVALUATIONS,
) -> Fit | None:
    """Least squares over the symbols k0, k1, …; None where the formula is undefined at the start."""
    names = list(start)
    slope = derivative(template, objective.variable)
    roots = [template, slope]
    roots += [derivative(root, name) for name in names for root in (template, slope)]
    evaluated = prepared(roots, objective.samples.points)
    shape = objective.samples.weight.shape

    def columns(at: Floats) -> Floats:
        """The formula, then its derivatives by the constants, as `[1 + constants, 2n]`."""
        full = [np.broadcast_to(part, shape) for part in evaluated(dict(zip(names, at)))]
        return np.stack([objective.stacked(v, s) for v, s in zip(full[::2], full[1::2])])

    start_at = np.array([start[name] for name in names])
    if not np.isfinite(columns(start_at)).all():
        return None
    seen: dict[bytes, Floats] = {}

    def at(values: Floats) -> Floats:
        key = values.tobytes()
        if key not in seen:
            seen.clear()
            # A step may leave where the formula is defined: far off, and flat there.
            found = np.nan_to_num(columns(values), nan=_FAR, posinf=_FAR, neginf=-_FAR)
            seen[key] = found.clip(-_LARGEST, _LARGEST)
        return seen[key]

    found = least_squares(
        lambda values: at(values)[0] - objective.target,
        start_at,
        jac=lambda values: at(values)[1:].T,
        bounds=_bounds(start_at),
        x_scale=np.maximum(np.abs(start_at), 1e-3),
        max_nfev=evaluations,
        ftol=1e-15,
        xtol=1e-15,
        gtol=1e-15,
    )
    values = _named(names, found.x)
    errors = dict(zip(names, _standard_errors(found.jac, found.fun)))
    spare = _spare(found.jac, names, found.x)
    return Fit(template, values, errors, spare, float(found.fun @ found.fun))


def _bounds(start: Floats) -> tuple[Floats, Floats]:
    """A constant keeps its sign, and its size up to a factor; one that may well be 0 is free.

    Else a threshold may shrink until a formula bends where it has to be flat.
    """
    near, far = start / _FACTOR, start * _FACTOR
    low, high = np.minimum(near, far), np.maximum(near, far)
    free = np.abs(start) < _MAY_VANISH
    return np.where(free, -np.inf, low), np.where(free, np.inf, high)


def _spare(jacobian: Floats, names: Sequence[str], values: Floats) -> tuple[Spare, ...]:
    """Where a fit can go without becoming worse, so that a constant is 0, 1 or −1.

    What a sum leaves free is a direction of the constants, what a product does one of their
    logarithms; at the fit the two are the same.
    """
    by_logarithm = jacobian * values
    sizes = np.sqrt((by_logarithm**2).sum(axis=0))
    if not sizes.all():
        return ()
    _, singular, directions = np.linalg.svd(by_logarithm / sizes, full_matrices=False)
    zeros, ones = list[Spare](), list[Spare]()
    for unscaled in directions[singular < _DEPENDENT * singular.max()]:
        direction = np.where(np.abs(unscaled) > _TAKES_PART, unscaled, 0.0) / sizes
        for i in map(int, np.flatnonzero(direction)):
            relative = direction / direction[i]
            zeros.append(Spare(names[i], 0, _named(names, values * (1.0 - relative))))
            if np.abs(relative).max() < _FARTHEST:
                zeros.append(Spare(names[i], 0, _named(names, values * np.exp(-relative))))
            step = -np.log(abs(values[i])) * relative
            if np.abs(step).max() < _FARTHEST:
                moved = _named(names, values * np.exp(step))
                ones.append(Spare(names[i], int(np.sign(values[i])), moved))
    return (*zeros, *ones)


def _named(names: Sequence[str], values: Floats) -> dict[str, float]:
    return dict(zip(names, map(float, values)))


def _standard_errors(jacobian: Floats, residuals: Floats) -> list[float]:
    """Of the fitted constants, whatever the weights and however the residuals vary.

    The larger of two estimates: one that lets residuals vary as they like, each counting as if its
    own sample had been left out (HC3), which is too small where a few samples settle a constant;
    and the classical one. Source: MacKinnon and White 1985.
    """
    bread = np.linalg.pinv(jacobian.T @ jacobian)
    leverage = np.einsum("ij,jk,ik->i", jacobian, bread, jacobian)
    filling = jacobian * (residuals / np.maximum(1 - leverage, _LEAST_LEFT))[:, None]
    free = max(1, len(residuals) - len(bread))
    variances = np.maximum(
        np.diag(bread @ (filling.T @ filling) @ bread),
        np.diag(bread) * (residuals @ residuals) / free,
    )
    return [float(e) for e in np.sqrt(np.maximum(variances, 0.0))]


def _one_less(fit: Fit, objective: Objective) -> Fit | None:
    """The fit with a constant less, 0, 1 or −1 in its place, which the others make up for.

    Where sums and products mix, as in c + log(a + b·x), neither direction is exact: those that lead
    least astray are tried.
    """
    bound, tried = _bound(fit, objective), []
    for spare in fit.spare:
        formula = tidied(substitute(fit.formula, {spare.name: number(spare.value)}))
        left = {n: spare.others[n] for n in fit.values if n in formula.symbols}
        there = {n: number(Fraction(value)) for n, value in left.items()}
        off = objective.errors(substitute(formula, there)).loss
        if left and off <= bound + _ASTRAY:
            tried.append((off, formula, left))
    for _, formula, left in sorted(tried, key=lambda each: each[0])[:_TRIED]:
        found = fit_from(formula, left, objective, _AGAIN)
        if found is not None and found.loss <= bound:
            return found
    return None


def _settled(fit: Fit, name: str, objective: Objective, bound: float, zeros: bool) -> Fit:
    """The fit with one constant made a number, as simple as the bound on the loss allows."""
    value = fit.values[name]
    rest = {n: v for n, v in fit.values.items() if n != name}
    tried: list[Fraction] = []
    for reach in _NARROWER:
        away = max(reach * fit.errors[name] + _FINEST * abs(value), _NEGLIGIBLE)
        if not zeros and away >= abs(value):
            away = _SHRUNK * abs(value)
        chosen = simplest(value - away, value + away)
        if chosen in tried:
            continue
        tried.append(chosen)
        formula = tidied(substitute(fit.formula, {name: number(chosen)}))
        left = {n: v for n, v in rest.items() if n in formula.symbols}
        if not left:
            if objective.errors(formula).loss <= bound:
                return Fit(formula, {}, {}, (), fit.loss)
            continue
        found = fit_from(formula, left, objective, _AGAIN)
        if found is not None and found.loss <= bound:
            return found
    exact = number(_digits(value, fit.errors[name]))
    formula = substitute(fit.formula, {name: exact})
    errors = {n: fit.errors[n] for n in rest}
    return Fit(formula, rest, errors, (), fit.loss)


def _digits(value: float, error: float) -> Fraction:
    """A decimal as near to the value as is known of it, and a little nearer."""
    near = max(0.01 * error, abs(value) * 1e-12)
    return simplest(value - near, value + near)
