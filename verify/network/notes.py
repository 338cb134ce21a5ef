"""What is said of a proved network besides: where it vanishes, how steep it is."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np

from symbolic.network import DriftNetwork
from symbolic.operations import ZERO
from verify.difference import size
from verify.distance import grid
from verify.network.difference import NetworkDifference


def network_notes(network: DriftNetwork, *, deadline: float) -> tuple[str, ...]:
    """What can be said of a proved network besides, as sentences; none after the deadline."""
    notes = []
    if time.monotonic() < deadline and (found := flat_region(network)) is not None:
        radius, steepness = found
        notes.append(f"certified: f = 0 for |r - 1| <= {_digits(radius)} and |A| <= 10")
        notes.append(
            f"certified: near r = 1 and for |A| <= 10 the network's output moves at most "
            f"{_digits(steepness, up=True)} per unit of r"
        )
    with np.errstate(over="ignore"):
        rounding = len(network.layers[-1]) * 2.0**-24 * float(np.abs(network.layers[-1]).sum())
    if network.activation == "tanh" and rounding > network.xi:
        notes.append(
            f"in float32 the last layer's sum may err by {_digits(rounding, up=True)}, more than xi: away "
            "from r = 1 f may be positive where it is 0 in real arithmetic; at r = 1 its inputs are exactly 0"
        )
    return tuple(notes)


def flat_region(network: DriftNetwork, advantage: int = 10) -> tuple[float, float] | None:
    """(ρ, L): f = 0 for |r − 1| <= ρ and |A| <= `advantage`; |∂out/∂r| <= L near r = 1.

    As out = 0 at r = 1, |out| <= L·|r − 1|, so f = 0 as long as that is at most ξ and PPO's term
    is 0. None where features may jump or slopes are unbounded. For a network that is proved.
    """
    names = ("r", "A", "t") if network.uses_progress else ("r", "A")
    plain = NetworkDifference(network, ZERO, names)
    if not plain.smooth:
        return None
    best: tuple[float, float] | None = None
    for exponent in (3, 8, 16):
        reach = 2.0**-exponent
        sides = {
            "r": (1 - reach, 1 + reach),
            "A": (-float(advantage), float(advantage)),
            "t": (0.0, 1.0),
        }
        low, high = grid([sides[name] for name in names], pieces=[2, 32, 4])
        slopes = plain.output(plain.boxes(low, high)).slopes["r"]
        steepness = float(size(slopes).max())
        if not np.isfinite(steepness):
            continue
        limits = [Fraction(reach)]
        if steepness:
            limits.append(network.xi / Fraction(steepness))
        if network.ppo_epsilon is not None:
            limits.append(network.ppo_epsilon)
        radius = float(np.nextafter(float(min(limits)), -np.inf))
        if best is None or radius > best[0]:
            best = radius, steepness
    return best if best and best[0] > 0 else None


def _digits(value: float, *, up: bool = False) -> str:
    """Three digits, rounded down, or up."""
    from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

    rounded = Context(prec=3, rounding=ROUND_CEILING if up else ROUND_FLOOR).create_decimal(
        Decimal(value)
    )
    return f"{float(rounded):.3g}"
