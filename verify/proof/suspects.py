"""Points where a goal on the way to a proof seemed to fail: where to look for a counterexample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import expm1, isfinite

import numpy as np

from symbolic.numeric import evaluate
from symbolic.parser import parse
from verify.proof.points import simple
from verify.proof.regions import Region
from verify.proof.scatter import Suspect


def original(
    region: Region, chart: str, suspects: Iterable[Suspect]
) -> Iterator[dict[str, Fraction]]:
    """The points in a formula's own variables; what a suspect leaves open gets a simple value.

    `chart` is the factor that the advantage is counted in, as text in _s, or empty.
    """
    for suspect in suspects:
        values = {
            name: suspect.get(name, float(next(simple(domain))))
            for name, domain in region.domains.items()
        }
        if chart and "_a" in values:
            factor = evaluate(parse(chart, names=["_s"]), {"_s": np.float64(values["_s"])})
            values["_a"] *= float(factor)
        if all(
            isfinite(value) and abs(value) < 700 or name != "_s" for name, value in values.items()
        ):
            yield {**region.point, **_point(region, values)}


def _point(region: Region, values: Mapping[str, float]) -> dict[str, Fraction]:
    point: dict[str, Fraction] = {}
    below, negative = region.ratio == "r<1", "A<0" in region.key.split(",")
    for name, value in values.items():
        if not isfinite(value):
            continue
        if name == "_s":
            point["r"] = 1 + Fraction(expm1(-value if below else value))
        elif name == "_a":
            point["A"] = Fraction(-value if negative else value)
        else:
            point[name] = Fraction(value)
    return point
