"""What the paper saw in LPO, measured in any drift: from the slope ∂/∂r [r·A − f] on a grid.

Source: Lu et al. 2022, section 6 and figure 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slope = Callable[[Floats, Floats], Floats]
"""(r, A), broadcast together -> ∂/∂r [r·A − f] from the right."""

EPSILON = 0.2
_ADVANTAGES = np.linspace(0.05, 3.0, 60)
_SIZE = 1e-6
_NEAR = 0.1
"""Reach of a spike around r = 1."""
_SPIKE = 0.25
"""A spike is as high, at least, as this share of |A|."""


@dataclass(frozen=True)
class Feature:
    """One feature: whether it is there, its measure, and what was measured."""

    name: str
    present: bool
    measure: float
    meaning: str


def features(slope: Slope) -> tuple[Feature, ...]:
    """The paper's features of a drift, by its slope; points where it is undefined count for nothing."""
    return (
        _rollback(slope),
        _cautious(slope),
        _asymmetry(slope),
        _crossing(slope),
        _spikes(slope),
    )


def _rollback(slope: Slope) -> Feature:
    r = np.linspace(0.02, 1 - EPSILON - 0.01, 60)
    found = slope(r[:, None], -_ADVANTAGES[None, :])
    share = _share(found > _SIZE, found)
    return Feature(
        "rollback",
        share > 0.05,
        share,
        "share of A < 0, r < 0.8 where the slope is positive: what had become unlikely is encouraged",
    )


def _cautious(slope: Slope) -> Feature:
    """Falls with r everywhere to the right, in steps and not by one jump."""
    r = np.linspace(1.0, 2.0, 101)
    found = slope(r[:, None], _ADVANTAGES[None, :]) / _ADVANTAGES[None, :]
    steps = np.diff(found, axis=0)
    drop = found[0] - found[-1]
    acts = drop > 0.2
    with np.errstate(all="ignore"):
        gradual = (np.nanmax(-steps, axis=0) < 0.5 * drop) & (steps <= 0.05).all(axis=0)
    share = float((acts & gradual).mean())
    return Feature(
        "cautious optimism",
        share > 0.25,
        share,
        "share of A in (0, 3] where the slope falls by over a fifth of A from r = 1 to 2, without a jump",
    )


def _asymmetry(slope: Slope) -> Feature:
    """Distance between the slope and its mirror image (r → 1/r, A → −A)."""
    l = np.linspace(-0.6, 0.6, 61)
    A = np.concatenate([-_ADVANTAGES[::-1], _ADVANTAGES])
    here = slope(np.exp(l)[:, None], A[None, :]) - A[None, :]
    mirrored = -(slope(np.exp(-l)[:, None], -A[None, :]) + A[None, :])
    size = np.sqrt(np.nanmean(here**2) + np.nanmean(mirrored**2)) or 1.0
    measure = float(np.sqrt(np.nanmean((here - mirrored) ** 2)) / size)
    return Feature(
        "asymmetry",
        measure > 0.5,
        measure,
        "root mean square between ∂f/∂r and its mirror image (r to 1/r, A to −A), 0 where they agree",
    )


def _crossing(slope: Slope) -> Feature:
    """Slices of larger A that fall below those of smaller A."""
    r = np.linspace(1.0, 2.0, 51)
    found = slope(r[:, None], _ADVANTAGES[None, :])
    share = _share(np.diff(found, axis=1) < -_SIZE, found[:, 1:])
    return Feature(
        "crossing slices",
        share > 0.02,
        share,
        "share of A > 0, r > 1 where a larger advantage pushes less than a smaller one",
    )


def _spikes(slope: Slope) -> Feature:
    """Slopes beside r = 1 that leave A and come back, where A > 0, r < 1 and where A < 0, r > 1."""
    near = np.linspace(0.001, _NEAR, 60)
    left = slope((1 - near)[:, None], _ADVANTAGES[None, :]) - _ADVANTAGES
    right = slope((1 + near)[:, None], -_ADVANTAGES[None, :]) + _ADVANTAGES
    found = []
    for part in (left, right):
        size = np.abs(part) / _ADVANTAGES
        peak, ends = np.nanmax(size, axis=0), size[-1]
        found.append(float(((peak > _SPIKE) & (ends < 0.5 * peak)).mean()))
    return Feature(
        "spikes near r = 1",
        max(found) > 0.1,
        max(found),
        "share of |A| in (0, 3] where the slope leaves A by a quarter within 0.1 of r = 1 and comes back",
    )


def _share(holds: NDArray[np.bool_], found: Floats) -> float:
    known = np.isfinite(found)
    return float((holds & known).sum() / max(1, known.sum()))
