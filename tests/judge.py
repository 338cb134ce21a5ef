"""Confronts a report with the oracle: its witnesses, and samples where float64 suspects a violation."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from mpmath import mpf
from oracle import Doubtful, Point, Undefined, difference_quotient, sign_at, value_at

from symbolic.drift import Drift
from symbolic.expression import Expression
from symbolic.numeric import evaluate
from verify.report import Condition, Report, Verdict

_STEPS = (Fraction(1, 10**20), Fraction(1, 10**80))


@dataclass
class Judgement:
    """What the oracle holds against a report, and how much of it it could look at."""

    wrong: list[str] = field(default_factory=list)
    looked: int = 0
    doubtful: int = 0


def judge(drift: Drift, report: Report, seed: int = 0) -> Judgement:
    """Confronts every verdict of a report with points: the witness, or samples of the domain."""
    found = Judgement()
    root = drift.bound_formula()
    samples = list(_samples(drift, random.Random(seed)))
    undefined_allowed = report["defined"].verdict is not Verdict.PROVED
    for condition in report.conditions:
        points = samples
        if condition.verdict is Verdict.UNKNOWN:
            continue
        if condition.verdict is Verdict.REFUTED:
            points = [condition.witness.point]
        elif condition.id in ("zero_at_identity", "flat_at_identity"):
            points = [{**point, "r": Fraction(1)} for point in samples[:4]]
        for point in points:
            found.looked += 1
            try:
                said = _against(root, condition, point, undefined_allowed)
            except Doubtful:
                found.doubtful += 1
                continue
            if said:
                where = ", ".join(f"{name}={value}" for name, value in point.items())
                found.wrong.append(f"{condition.id} {condition.verdict}, but {said} at {where}")
    return found


def _against(root: Expression, condition: Condition, point: Point, undefined_allowed: bool) -> str:
    """What contradicts the verdict at the point, if anything. Raises Doubtful."""
    proved = condition.verdict is Verdict.PROVED
    try:
        if condition.id == "flat_at_identity":
            side = condition.witness.side if condition.witness else None
            return _against_flat(root, point, side, proved)
        sign = sign_at(root, point)
    except Undefined:
        if condition.id == "defined" and not proved:
            return ""
        return "" if proved and undefined_allowed else "f is undefined"
    except Doubtful:
        if condition.id == "defined" or (condition.id == "zero_at_identity" and proved):
            value_at(root, point)
            sign = 0
        else:
            raise
    if condition.id == "defined":
        return "" if proved else "f is defined"
    fails = sign < 0 if condition.id == "nonnegative" else sign != 0
    return f"the sign of f is {sign}" if fails == proved else ""


def _against_flat(root: Expression, point: Point, side: str | None, proved: bool) -> str:
    """Compares difference quotients at two tiny steps: they tend to 0 or they do not."""
    steep = []
    for name, direction in (("left", -1), ("right", 1)):
        if side in (None, name):
            quotients = [difference_quotient(root, point, direction * step) for step in _STEPS]
            steep.append(quotients[1] > quotients[0] * mpf("0.9"))
    return f"the difference quotients are{' not' if proved else ''} tending to 0" * (
        any(steep) == proved
    )


def _samples(drift: Drift, rng: random.Random) -> Iterator[dict[str, Fraction]]:
    """Points worth an exact look: a few anywhere, and where float64 suspects a violation."""
    root = drift.bound_formula()
    names = sorted(root.symbols | {"r", "A"})
    noise = np.random.default_rng(rng.randrange(2**32))
    columns = {name: _column(drift, name, noise) for name in names}
    with np.errstate(all="ignore"):
        values = np.broadcast_to(evaluate(root, columns), columns["r"].shape)
    negative, undefined = np.flatnonzero(values < 0), np.flatnonzero(np.isnan(values))
    worst = negative[np.argsort(values[negative])]
    picks = [range(4), worst[:3], noise.permutation(negative)[:3], undefined[:3]]
    for at in itertools.chain.from_iterable(picks):
        yield {name: Fraction(float(columns[name][at])) for name in names}


def _column(drift: Drift, name: str, noise: np.random.Generator, count: int = 2000) -> np.ndarray:
    """Float64 values of one symbol: near the identity, moderate, far out, and the special ones."""
    scale = 10.0 ** noise.uniform(-12, 1.5, count)
    signs = noise.choice([-1.0, 1.0], count)
    if name == "r":
        drawn = np.exp(
            np.where(noise.random(count) < 0.05, 20, 1) * np.clip(scale * signs, -30, 30)
        )
        drawn[::50] = 1.0
        return drawn
    if name == "A":
        drawn = signs * 10.0 ** np.where(scale < 1e-3, noise.normal(0, 1, count), np.log10(scale))
        drawn[1::40] = 0.0
        drawn[2::40] = noise.choice(
            [-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0, 10.0], len(drawn[2::40])
        )
        return drawn
    where = drift.domain(name)
    low, high = where.lower, where.upper
    if low is not None and high is not None:
        inside = noise.uniform(1e-9, 1 - 1e-9, count)
        return float(low) + (float(high) - float(low)) * inside
    if low is None and high is None:
        return signs * scale
    return float(high) - scale if low is None else float(low) + scale
