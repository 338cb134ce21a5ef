"""Short fractions: the simplest number near another, the simplest point near a witness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

_COARSE = tuple(Fraction(n, d) for n, d in ((3, 4), (1, 3), (1, 10), (1, 30), (1, 100)))
_FINE = tuple(Fraction(1, 10**k) for k in (3, 4, 6, 8, 10, 12, 14))
_Attempt = tuple[Mapping[str, Fraction], Fraction, int]


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of least denominator (then numerator) in [low, high]."""
    if low > high:
        raise ValueError(f"[{low}, {high}] is empty")
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest_between(-high, -low)
    whole = -(-low.numerator // low.denominator)  # the least integer that is not below
    if whole <= high:
        return Fraction(whole)
    floor = whole - 1
    return floor + 1 / simplest_between(1 / (high - floor), 1 / (low - floor))


def simplest_near(value: Fraction, tolerance: Fraction, side: int = 0) -> Fraction:
    """A short number within a relative distance, times a power of ten for large and small ones.

    `side` 1 (or -1) keeps its size from falling below (or rising above) that of `value`.
    """
    if value == 0:
        return value
    if value < 0:
        return -simplest_near(-value, tolerance, side)
    scale = Fraction(1)
    if value > 1000:
        scale = Fraction(10 ** (len(str(int(value))) - 1))
    elif value < Fraction(1, 1000):
        scale = Fraction(1, 10 ** (len(str(int(1 / value)))))
    rest = value / scale
    low = rest if side > 0 else rest * (1 - tolerance)
    high = rest if side < 0 else rest * (1 + tolerance)
    return scale * simplest_between(low, high)


def simplified(
    point: Mapping[str, Fraction],
    pivot: str,
    anchors: Mapping[str, Sequence[Fraction]],
    accepted: Callable[[Mapping[str, Fraction]], bool],
) -> dict[str, Fraction]:
    """A point near `point`, of short coordinates, that is `accepted`; coarse tries come first.

    A coordinate is shortened as it stands (a `pivot` near 1 by its distance to 1); if that
    fails, by its distance to the nearest of its `anchors`.
    """
    plain = {
        name: _nearest(at, (Fraction(1),) if name == pivot else ()) for name, at in point.items()
    }
    anchored = {name: _nearest(at, anchors.get(name, ())) for name, at in point.items()}
    attempts = [
        (origin, tolerance, side)
        for origin, tolerances in ((plain, _COARSE), (anchored, _COARSE + _FINE), (plain, _FINE))
        for tolerance in tolerances
        for side in (0, 1, -1)
    ]

    def shortened(name: str, attempt: _Attempt) -> Fraction:
        origins, tolerance, side = attempt
        return origins[name] + simplest_near(point[name] - origins[name], tolerance, side)

    best = dict(point)
    tried = len(attempts)
    for k, attempt in enumerate(attempts):
        rounded = {name: shortened(name, attempt) for name in point}
        if accepted(rounded):
            best, tried = rounded, k
            break
    for name in best:
        for attempt in attempts[:tried]:
            rounded = best | {name: shortened(name, attempt)}
            if rounded[name] == best[name]:
                break
            if accepted(rounded):
                best = rounded
                break
    return best


def _nearest(value: Fraction, anchors: Sequence[Fraction]) -> Fraction:
    """The anchor close to a value, 0 if there is none."""
    nearest = min(anchors, key=lambda anchor: abs(value - anchor), default=Fraction(0))
    return nearest if abs(value - nearest) < abs(value) / 2 else Fraction(0)
