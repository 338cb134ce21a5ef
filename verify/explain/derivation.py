"""What SymPy derives about a formula's pieces: shorter forms, slopes, values at r = 1."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

from symbolic.domains import POSITIVE as POSITIVE_REALS
from symbolic.domains import REALS, Interval
from symbolic.drift import Drift
from symbolic.errors import FormulaError
from symbolic.expression import Expression, number, substitute, symbol
from symbolic.latex import to_latex
from symbolic.sympy_bridge import from_sympy, to_sympy
from verify.algebra.masks import ANY, NEGATIVE, POSITIVE, ZERO
from verify.explain.crosscheck import Clock, OutOfReach, bounded
from verify.explain.pieces import Guard, SignOf, sign_on
from verify.explain.prose import Shown
from verify.proof.regions import ADVANTAGE, RATIO

ADVANTAGES = {
    "A<0": Interval(None, Fraction(0)),
    "A=0": Interval(Fraction(0), Fraction(0), False, False),
    "A>0": POSITIVE_REALS,
}
_MAX_OPERATIONS = 120
_MAX_TERMS = 300
_MAX_ORDER = 5
_STEP = symbol("_h")


def shown(tree: Expression) -> Shown:
    """The tree in both notations."""
    return Shown(str(tree), to_latex(tree))


@dataclass(frozen=True)
class Setting:
    """Where a derivation takes place: one sign of A, and the parameters' domains."""

    drift: Drift
    advantage: str
    clock: Clock

    @property
    def formula(self) -> Expression:
        """The formula, with A = 0 put in where that is the setting."""
        values = {"A": number(0)} if self.advantage == "A=0" else {}
        return substitute(self.drift.bound_formula(), values)

    def domains(self) -> dict[str, Interval]:
        """Where the symbols of the formula range here, for SymPy's assumptions."""
        formula = self.drift.bound_formula()
        own = {name: self.drift.domain(name) for name in formula.symbols - {"r", "A"}}
        return own | {"A": ADVANTAGES.get(self.advantage, REALS), "_h": POSITIVE_REALS}

    def sign_on(self, ratio: str) -> SignOf:
        """What the kernel infers about guards for r < 1, r = 1 or r > 1 in this setting."""
        domains = {k: v for k, v in self.domains().items() if k not in ("A", "_h")}
        values = {"r": RATIO[ratio]}
        if ratio != "r=1":
            domains["_s"] = POSITIVE_REALS
        if self.advantage:
            values["A"] = ADVANTAGE[self.advantage]
            if self.advantage != "A=0":
                domains["_a"] = POSITIVE_REALS
        return sign_on(domains, values)

    def sympy(self, tree: Expression) -> Any:
        """The tree as a SymPy expression whose symbols know their signs. Raises OutOfReach."""
        self.clock.check()
        try:
            return to_sympy(bounded(tree), self.domains())
        except FormulaError as error:
            raise OutOfReach(str(error).removeprefix("formula: ")) from error

    def tidied(self, tree: Expression) -> Expression:
        """The piece as it was written, but 0 where it vanishes and without A where A = 0."""
        expression = self.sympy(tree)
        if expression.is_zero:
            return number(0)
        if self.advantage != "A=0":
            return tree
        try:
            return from_sympy(expression)
        except FormulaError:
            return tree

    def shorter(self, expression: Any) -> Any:
        """The expression, or an equal one that is shorter."""
        import sympy

        best, size = expression, sympy.count_ops(expression)
        if size > _MAX_OPERATIONS or _terms(expression) > _MAX_TERMS:
            return best
        for rewrite in (sympy.factor_terms, sympy.expand, _factored_sum, sympy.together):
            self.clock.check()
            other = rewrite(expression)
            if sympy.count_ops(other) < size:
                best, size = other, sympy.count_ops(other)
        return best

    def identity(self, tree: Expression) -> Any:
        """The tree at r = 1. Raises OutOfReach."""
        return self._finite(self.shorter(self.sympy(substitute(tree, {"r": number(1)}))))

    def slope(self, tree: Expression) -> Any:
        """∂/∂r of a smooth tree, for every r. Raises OutOfReach."""
        import sympy

        r = sympy.Symbol("r", positive=True)
        return self.shorter(sympy.diff(self.sympy(tree), r))

    def slope_at_identity(self, tree: Expression, side: int) -> Any:
        """The one-sided derivative in r at r = 1. Raises OutOfReach.

        r = 1 ± h with h > 0, so that SymPy takes the right branch of roots such as sqrt((r − 1)²).
        """
        import sympy

        h = sympy.Symbol("_h", positive=True)
        slope = sympy.diff(self.sympy(_beside(tree, side)), h).subs(h, 0)
        return self._finite(self.shorter(side * slope))

    def eventual_sign(self, side: int) -> SignOf:
        """Signs of guards for all r near enough to 1 on one side, by their Taylor coefficients."""
        import sympy

        h = sympy.Symbol("_h", positive=True)
        at_identity = self.sign_on("r=1")

        def sign_of(guard: Expression, _: tuple[Guard, ...]) -> int:
            term = self.sympy(_beside(guard, side))
            for _order in range(_MAX_ORDER):
                lead = self.shorter(term.subs(h, 0))
                sign = _known_sign(lead)
                if sign == ANY:
                    try:
                        sign = at_identity(from_sympy(lead), ())
                    except FormulaError:
                        return ANY
                if sign in (POSITIVE, NEGATIVE):
                    return sign
                if sign != ZERO:
                    return ANY
                if not term.has(h):
                    return ZERO
                term = sympy.diff(term, h)
            return ANY

        return sign_of

    def _finite(self, expression: Any) -> Any:
        import sympy

        if expression.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
            raise OutOfReach("SymPy gives no finite value")
        return expression


def _terms(expression: Any) -> int:
    """A bound on the terms that multiplying everything out gives, however deep."""
    inner = [_terms(arg) for arg in expression.args]
    if expression.is_Add:
        return sum(inner)
    if expression.is_Mul:
        return prod(inner)
    if expression.is_Pow and expression.exp.is_Integer:
        return inner[0] ** min(abs(int(expression.exp)), 64)
    return max(inner, default=1)


def _factored_sum(expression: Any) -> Any:
    import sympy

    return sympy.factor_terms(sympy.expand(expression))


def _beside(tree: Expression, side: int) -> Expression:
    return substitute(tree, {"r": number(1) + _STEP if side > 0 else number(1) - _STEP})


def _known_sign(value: Any) -> int:
    if value.is_zero:
        return ZERO
    if value.is_positive:
        return POSITIVE
    return NEGATIVE if value.is_negative else ANY


def shown_sympy(expression: Any) -> Shown:
    """A SymPy expression in the project's own notation, in SymPy's where it has none."""
    import sympy

    try:
        return shown(from_sympy(expression))
    except FormulaError:
        return Shown(str(expression), str(sympy.latex(expression)))
