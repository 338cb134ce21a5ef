"""What holds for all small enough s > 0: guards near r = 1, and flatness there.

A statement of an Eventual context holds, at each point of the other variables, for every
s in (0, δ) with some δ > 0 that may depend on the point.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import fmpq_mpoly

from symbolic.expression import Expression
from verify.checker.algebra import UNIT, Quotient, Range, Table, Unproved, parts, used
from verify.checker.context import Context, Fact, zero_at
from verify.checker.signs import ANY, DECIDED, NEGATIVE, POSITIVE, ZERO

S = "_s"
_MAX_ORDER = 8


class Eventual(Context):
    """A context whose signs need to hold for small s only."""

    _limit: Context | None = None

    def _like(
        self, domains: Mapping[str, Range], facts: tuple[Fact, ...], table: Table | None
    ) -> Context:
        return Eventual(domains, facts, self.budget, table)

    @property
    def limit(self) -> Context:
        """The same facts at s = 0."""
        if self._limit is None:
            domains = {name: where for name, where in self.domains.items() if name != S}
            facts = tuple(fact for fact in self.facts if S not in fact[0].symbols)
            self._limit = Context(domains, facts, self.budget)
        return self._limit

    @limit.setter
    def limit(self, context: Context) -> None:
        self._limit = context

    def _monic(self, poly: fmpq_mpoly, goal: int) -> int:
        mask = super()._monic(poly, goal)
        if not mask & ~goal or mask in DECIDED or self._depth:
            return mask
        key = str(poly)
        if key not in self._leads:
            self._leads[key] = self._lead(poly)
        return mask & self._leads[key]

    @property
    def _leads(self) -> dict[str, int]:
        """Signs by leading Taylor coefficients."""
        return self.__dict__.setdefault("_lead_signs", {})

    def _lead(self, poly: fmpq_mpoly) -> int:
        """The sign of the first Taylor coefficient at s = 0 that is not identically 0."""
        value = Quotient(poly, UNIT)
        if S not in self.table.names(value):
            return ANY
        try:
            for _ in range(_MAX_ORDER + 1):
                mask = self.limit.mask(zero_at(self.table.tree(value), S))
                if mask in (0, POSITIVE, NEGATIVE):
                    return mask
                if mask != ZERO:
                    return ANY
                value = self._slope(value, S)
        except Unproved:
            pass
        return ANY

    # Flatness ---------------------------------------------------------------------------

    def flat(self, smooth: Expression, at_identity: Expression) -> None:
        """Insist that smooth − at_identity is o(s): value and slope at s = 0+ are 0.

        `at_identity` is the value at r = 1, free of s.
        """
        self.work(lambda: self._flat(self.normal(self.simplified(smooth) - at_identity)))

    def _flat(self, gap: Quotient) -> None:
        bottom = zero_at(self.table.tree(Quotient(gap.den, UNIT)), S)
        if self.limit.mask(bottom) not in (0, POSITIVE, NEGATIVE):
            raise Unproved("a denominator may vanish at r = 1")
        rough = self._rough(gap.num)
        free = gap.num
        for index in rough:
            free = parts(free, index).get(0, free * 0)
        if self._order(free, 2) < 2:
            raise Unproved("the value or the one-sided slope at r = 1 is not shown to be 0")
        rest = [(gap.num - free, Fraction(0))]
        for index, order in rough.items():
            rest = [
                (part, total + power * order)
                for poly, total in rest
                for power, part in parts(poly, index).items()
            ]
        for part, total in rest:
            if len(part) and self._order(part, 2) + total <= 1:
                raise Unproved("a root that vanishes at r = 1 may have a slope there")

    def _rough(self, poly: fmpq_mpoly) -> dict[int, Fraction]:
        """Roots whose radicand vanishes at s = 0, with a lower bound of their order in s."""
        found: dict[int, Fraction] = {}
        direct = set(used(poly))
        for index in self.table.closure(poly):
            atom = self.table.atoms[index]
            if atom.kind != "root" or S not in atom.names:
                continue
            at_zero = self.limit.mask(zero_at(self.table.tree(atom.inside), S))
            if at_zero == POSITIVE:
                continue
            if at_zero != ZERO or index not in direct:
                raise Unproved("a root may vanish at r = 1")
            found[index] = Fraction(self._order(atom.inside.num, 4), atom.index)
        for index in direct - set(found):
            atom = self.table.atoms[index]
            inner = self.table.closure(atom.inside.num) | self.table.closure(atom.inside.den)
            if inner & set(found):
                raise Unproved("a root that vanishes at r = 1 stands inside another function")
        return found

    def _order(self, poly: fmpq_mpoly, most: int) -> int:
        """How many Taylor coefficients at s = 0, up to `most`, are identically 0."""
        value = Quotient(poly, UNIT)
        for order in range(most):
            if not self.limit.vanishes(zero_at(self.table.tree(value), S)):
                return order
            if order + 1 < most:
                value = self._slope(value, S)
        return most
