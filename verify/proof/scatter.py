"""Sample points of a region: they refute hopeless sub-goals before any proof is tried.

Floating point guides only; nothing here enters a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from flint import fmpq_mpoly

from symbolic.domains import Interval
from verify.algebra.kernel import Kernel
from verify.algebra.masks import NEGATIVE, POSITIVE, ZERO
from verify.algebra.polynomials import Quotient, as_fraction, used
from verify.falsify.sampling import as_float

_POINTS = 320
_NOISE = 1e-11
_WORST = 6


Suspect = Mapping[str, float]
"""Values of some variables of a region, where a goal seemed to fail."""


class Scatter:
    """Points of a region, one array per variable."""

    def __init__(self, points: dict[str, Any]) -> None:
        self.points = points
        self._atoms: dict[tuple[int, str], Any] = {}

    @classmethod
    def over(cls, domains: dict[str, Interval]) -> Scatter:
        return cls(dict(_points(tuple(sorted(domains.items())))))

    def keep(self, mask: Any) -> Scatter:
        return Scatter({name: values[mask] for name, values in self.points.items()})

    @property
    def size(self) -> int:
        return min((len(v) for v in self.points.values()), default=1)

    def signs(self, kernel: Kernel, value: Quotient) -> Any:
        """+1, -1, or 0 where rounding leaves the sign open, at every point."""
        top, scale = self.poly(kernel, value.num)
        sign = np.where(np.abs(top) > _NOISE * scale, np.sign(top), 0.0)
        if not value.den.is_constant():
            bottom, den_scale = self.poly(kernel, value.den)
            sign = sign * np.where(np.abs(bottom) > _NOISE * den_scale, np.sign(bottom), 0.0)
        return np.nan_to_num(sign, nan=0.0)

    def seen(self, kernel: Kernel, value: Quotient) -> int:
        """The mask of the signs met."""
        signs = self.signs(kernel, value)
        mask = (POSITIVE if np.any(signs > 0) else 0) | (NEGATIVE if np.any(signs < 0) else 0)
        return mask or ZERO

    def worst(self, kernel: Kernel, value: Quotient) -> list[Suspect]:
        """A few points where the sign is negative, spread over all of them."""
        rows = np.flatnonzero(self.signs(kernel, value) < 0)
        names = kernel.variables(value)
        return [
            {name: float(self.points[name][row]) for name in names}
            for row in rows[:: 1 + len(rows) // _WORST]
        ]

    def poly(self, kernel: Kernel, poly: fmpq_mpoly) -> tuple[Any, Any]:
        """(values, sums of the terms' absolute values)."""
        with np.errstate(all="ignore"):
            atoms = {i: self._atom(kernel, i) for i in used(poly)}
            total = np.zeros(self.size)
            scale = np.zeros(self.size)
            for monomial, coefficient in poly.terms():
                term = np.full(self.size, as_float(as_fraction(coefficient)))
                for i, value in atoms.items():
                    if monomial[i]:
                        term = term * value ** int(monomial[i])
                total = total + term
                scale = scale + np.abs(term)
        return total, scale

    def _atom(self, kernel: Kernel, index: int) -> Any:
        atom = kernel.atoms[index]
        if atom.kind == "variable":
            return self.points[atom.name]
        assert atom.inside is not None
        key = (index, atom.inside.key)
        found = self._atoms.get(key)
        if found is None:
            top, _ = self.poly(kernel, atom.inside.num)
            bottom, _ = self.poly(kernel, atom.inside.den)
            inside = top / bottom
            found = (
                np.exp(inside * as_float(atom.rate))
                if atom.kind == "exp"
                else np.log(inside)
                if atom.kind == "log"
                else np.power(inside, 1.0 / atom.index)
            )
            self._atoms[key] = found
        return found


@lru_cache(maxsize=64)
def _points(domains: tuple[tuple[str, Interval], ...]) -> tuple[tuple[str, Any], ...]:
    rng = np.random.default_rng(20221011)
    return tuple((name, _draw(domain, rng)) for name, domain in domains)


def _draw(domain: Interval, rng: Any) -> Any:
    unit = rng.random(_POINTS)
    if domain.lower is not None and domain.upper is not None:
        low, high = as_float(domain.lower), as_float(domain.upper)
        return low + (high - low) * np.where(unit < 0.8, unit, (unit * 1e4) % 1)
    size = np.exp(np.where(unit < 0.7, rng.uniform(-4, 2.5, _POINTS), rng.uniform(-9, 5, _POINTS)))
    if domain.lower is not None:
        return as_float(domain.lower) + size
    if domain.upper is not None:
        return as_float(domain.upper) - size
    return size * np.where(rng.random(_POINTS) < 0.5, -1.0, 1.0)
