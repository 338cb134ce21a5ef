"""∂/∂r [r·A − f(r, A)] as numbers, of a formula or a network: what the picture shows."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symbolic.derivative import derivative
from symbolic.domains import VARIABLES, Interval
from symbolic.drift import Drift
from symbolic.network_slope import network_slope
from symbolic.numeric import evaluate

if TYPE_CHECKING:
    from mirrordrift.spec import Target


def text_of(target: Target) -> str:
    """The formula, or the network in one line."""
    if isinstance(target, Drift):
        return target.text
    from verify.network.structure import describe

    return describe(target)


def drawn_values(target: Target) -> dict[str, Fraction]:
    """The value at which each parameter (and t, where it occurs) is drawn."""
    if not isinstance(target, Drift):
        domain = VARIABLES["drift"]["t"]
        return {"t": _representative(domain)} if target.uses_progress else {}
    names = [*target.parameters, *(["t"] if "t" in target.formula.symbols else [])]
    found = {}
    for name in names:
        domain = target.domain(name)
        default = target.defaults.get(name)
        inside = default is not None and default in domain and domain.value is None
        found[name] = default if default is not None and inside else _representative(domain)
    return found


def objective_slope(
    target: Target, ratio: NDArray[np.float64], advantage: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """∂/∂r [r·A − f] from the right, at float64 arrays that broadcast; nan where undefined."""
    values = {name: float(value) for name, value in drawn_values(target).items()}
    if not isinstance(target, Drift):
        return advantage - network_slope(target, ratio, advantage, values.get("t"))[1]
    slope = derivative(target.formula, "r", 1)
    push = advantage - evaluate(slope, {**values, "r": ratio, "A": advantage})
    # The derivative may be a number where the formula is not: 0 times something undefined.
    defined = evaluate(target.formula, {**values, "r": ratio, "A": advantage})
    return np.where(np.isnan(defined), np.nan, push + 0 * ratio)


def _representative(domain: Interval) -> Fraction:
    """A plain value inside: the only one, the middle, one beyond the finite end, or 1."""
    if domain.lower is not None and domain.upper is not None:
        return (domain.lower + domain.upper) / 2
    if domain.lower is not None:
        return domain.lower + 1
    return domain.upper - 1 if domain.upper is not None else Fraction(1)
