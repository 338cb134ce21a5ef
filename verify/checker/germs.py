"""What holds for all small enough s > 0: guards near r = 1, and flatness there.

A statement of an Eventual context holds, at each point of the other variables, for every
s in (0, δ) with some δ > 0 that may depend on the point.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import fmpq_mpoly

from symbolic.expression import Expression, number
from verify.checker.algebra import ONE, UNIT, Quotient, Range, Table, Unproved, X, parts, used
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
        first = used(poly)[0]
        try:
            if self.table.atoms[first].kind == "log" and poly == X[first]:
                return self.sign(self.table.sub(self.table.atoms[first].inside, ONE))
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

        `at_identity` is the value at r = 1, free of s: where the limit's facts hold, its normal form.
        """
        value = self.limit.simplified(at_identity)
        self.work(lambda: self._flat(self.normal(self.simplified(smooth) - value)))

    def _flat(self, gap: Quotient) -> None:
        bottom = zero_at(self.table.tree(Quotient(gap.den, UNIT)), S)
        if self.limit.mask(bottom) not in (0, POSITIVE, NEGATIVE):
            raise Unproved("a denominator may vanish at r = 1")
        steep = self._vanishing_powers(gap.num)
        free = gap.num
        for index in steep:
            free = parts(free, index).get(0, free * 0)
        if self._order(free, 2) < 2:
            raise Unproved("the value or the one-sided slope at r = 1 is not shown to be 0")
        rest = [(gap.num - free, number(0))]
        for index, order in steep.items():
            rest = [
                (part, total + number(power) * order)
                for poly, total in rest
                for power, part in parts(poly, index).items()
            ]
        for part, total in rest:
            if len(part):
                beyond = total + number(self._order(part, 2)) - number(1)
                if self.limit.mask(beyond, POSITIVE) != POSITIVE:
                    raise Unproved("a power that vanishes at r = 1 may have a slope there")

    def _vanishing_powers(self, poly: fmpq_mpoly) -> dict[int, Expression]:
        """Atoms base**e with a base that is 0 at s = 0 and e > 0: a lower bound of their order in s.

        Of log(base) that bound is 0, to be exceeded: it grows more slowly than any power of s. All
        other atoms of the polynomial are smooth at s = 0, or this raises Unproved.
        """
        found: dict[int, Expression] = {}
        for index in used(poly):
            power = self._power_of(index)
            if power is None:
                self._insist_on_smooth({index})
                continue
            base, exponent = power
            at_zero = self.limit.mask(zero_at(self.table.tree(base), S))
            if at_zero == POSITIVE:
                self._insist_on_smooth({index})
            elif at_zero != ZERO or (
                self.table.atoms[index].kind != "log"
                and self.limit.mask(exponent, POSITIVE) != POSITIVE
            ):
                raise Unproved("a power may not vanish at r = 1")
            else:
                self._insist_on_smooth({*used(base.num), *used(base.den)})
                bottom = zero_at(self.table.tree(Quotient(base.den, UNIT)), S)
                if self.limit.mask(bottom) not in (POSITIVE, NEGATIVE):
                    raise Unproved("a denominator may vanish at r = 1")
                found[index] = number(self._order(base.num, 4)) * exponent
        return found

    def _power_of(self, index: int) -> tuple[Quotient, Expression] | None:
        """(base, exponent) of a root, or of exp(exponent·log(base)) with an exponent free of s.

        The exponent of log(base) is 0.
        """
        atom = self.table.atoms[index]
        if S not in atom.names:
            return None
        if atom.kind == "log":
            return atom.inside, number(0)
        if atom.kind == "root":
            return atom.inside, number(Fraction(1, atom.index))
        if atom.kind != "exp":
            return None
        moving = [i for i in used(atom.inside.num) if S in self.table.atoms[i].names]
        if len(moving) != 1 or self.table.atoms[moving[0]].kind != "log":
            return None
        by_power = parts(atom.inside.num, moving[0])
        factor = Quotient(by_power.get(1, UNIT), atom.inside.den)
        if set(by_power) != {1} or S in self.table.names(factor):
            return None
        exponent = number(atom.rate) * self.table.tree(factor)
        return self.table.atoms[moving[0]].inside, exponent

    def _insist_on_smooth(self, indices: set[int]) -> None:
        """Roots and logs among these atoms and inside them have arguments > 0 at s = 0."""
        every = set(indices)
        for index in indices:
            inside = self.table.atoms[index].inside
            every |= self.table.closure(inside.num) | self.table.closure(inside.den)
        for index in every:
            atom = self.table.atoms[index]
            if atom.kind in ("root", "log") and S in atom.names:
                at_zero = self.limit.mask(zero_at(self.table.tree(atom.inside), S))
                if at_zero != POSITIVE:
                    raise Unproved("a root or a log of what may vanish at r = 1")

    def _order(self, poly: fmpq_mpoly, most: int) -> int:
        """How many Taylor coefficients at s = 0, up to `most`, are identically 0."""
        value = Quotient(poly, UNIT)
        for order in range(most):
            if not self.limit.vanishes(zero_at(self.table.tree(value), S)):
                return order
            if order + 1 < most:
                value = self._slope(value, S)
        return most
