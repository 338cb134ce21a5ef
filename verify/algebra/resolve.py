"""A formula on a region: kinks decided by signs, what is left as an exact quotient.

Where a sign is not known, `Undecided` says which quotient's, and the caller splits or proves.
"""

from __future__ import annotations

from fractions import Fraction

from symbolic.expression import Expression, Number, Symbol, constant_value, integer_exponent
from verify.algebra.elementary import MAX_ROOT
from verify.algebra.masks import ANY, NEGATIVE, NONNEGATIVE, NONPOSITIVE, NONZERO, POSITIVE, ZERO
from verify.algebra.polynomials import GENERATORS, Quotient, constant
from verify.algebra.signs import Signs


class Undecided(Exception):
    """The sign of `value` must be known: one of `wanted` (masks) would do.

    `danger` says that the formula is undefined where none of them holds.
    """

    def __init__(self, value: Quotient, wanted: tuple[int, ...], danger: str = "") -> None:
        self.value = value
        self.wanted = wanted
        self.danger = danger


class Undefined(Exception):
    """The formula is undefined on the whole region (the text says where)."""


class NoLimit(Exception):
    """The value or slope at an end of a range cannot be had this way (it may well exist)."""


WEAK = (NONNEGATIVE, NONPOSITIVE)


class Resolver:
    """Evaluates formulas to quotients under the facts of `signs`."""

    def __init__(self, signs: Signs) -> None:
        self.signs = signs
        self._memo: dict[int, tuple[Expression, Quotient]] = {}

    def resolve(self, root: Expression) -> Quotient:
        """The quotient that equals `root` on the region.

        Raises Undecided, Undefined, TooLarge, ScaleNeeded.
        """
        stack = [root]
        while stack:
            node = stack[-1]
            if id(node) in self._memo:
                stack.pop()
                continue
            missing = [arg for arg in self._needed(node) if id(arg) not in self._memo]
            if missing:
                stack.extend(reversed(missing))
                continue
            self._memo[id(node)] = (node, self._value(node))
            stack.pop()
        return self._memo[id(root)][1]

    def _needed(self, node: Expression) -> tuple[Expression, ...]:
        if not node.op.startswith("where"):
            return node.args
        a, b, u, v = node.args
        if id(a) not in self._memo or id(b) not in self._memo:
            return (a, b)
        return (u,) if self._holds(node) else (v,)

    def _holds(self, node: Expression) -> bool:
        relation = node.op[5:]
        a, b = self._get(node.args[0]), self._get(node.args[1])
        if relation[0] == "<":
            a, b = b, a
        difference = self.signs.sub(a, b)  # > 0 (or >= 0) when the comparison holds
        strict = len(relation) == 1
        mask = self.mask(difference)
        yes, no = (POSITIVE, NONPOSITIVE) if strict else (NONNEGATIVE, NEGATIVE)
        if mask & ~yes == 0:
            return True
        if mask & ~no == 0:
            return False
        raise Undecided(difference, (yes, no))

    def mask(self, value: Quotient) -> int:
        """The sign of a guard on the region."""
        return self.signs.infer(value)

    def _get(self, node: Expression) -> Quotient:
        return self._memo[id(node)][1]

    def require(self, value: Quotient, good: tuple[int, ...], danger: str) -> None:
        """Raise unless the sign of `value` is within one of the masks `good`."""
        mask = self.mask(value)
        if any(mask & ~g == 0 for g in good):
            return
        if not any(mask & g for g in good):
            raise Undefined(danger)
        raise Undecided(value, good, danger)

    def _pick(self, a: Quotient, b: Quotient, largest: bool) -> Quotient:
        difference = self.signs.sub(a, b)
        mask = self.mask(difference)
        if mask & NEGATIVE == 0:
            return a if largest else b
        if mask & POSITIVE == 0:
            return b if largest else a
        raise Undecided(difference, WEAK)

    def _value(self, node: Expression) -> Quotient:
        k = self.signs
        if isinstance(node, Number):
            return k.quotient(constant(node.value))
        if isinstance(node, Symbol):
            return k.quotient(GENERATORS[k.variable(node.name)])
        op = node.op
        if op.startswith("where"):
            return self._get(node.args[2] if self._holds(node) else node.args[3])
        args = [self._get(arg) for arg in node.args]
        if op in ("add", "sub", "mul"):
            return getattr(k, op)(*args)
        if op in ("div", "inv"):
            top, bottom = (args[0], args[1]) if op == "div" else (k.one, args[0])
            self.require(bottom, (POSITIVE, NEGATIVE), "division by zero")
            return k.div(top, bottom)
        return self._function(node, op, args)

    def _function(self, node: Expression, op: str, args: list[Quotient]) -> Quotient:
        k, x = self.signs, args[0]
        match op:
            case "neg":
                return k.sub(k.rational(0), x)
            case "square":
                return k.mul(x, x)
            case "pow":
                return self._power(node, x, args[1])
            case "exp":
                return k.exp(x)
            case "log":
                self.require(x, (POSITIVE,), "log of a number <= 0")
                return k.log(x, k.strict)
            case "sqrt":
                return self._root(x, Fraction(1, 2))
            case "tanh":
                e = k.exp(k.add(x, x))
                return k.div(k.sub(e, k.one), k.add(e, k.one))
            case "sigmoid":
                e = k.exp(x)
                return k.div(e, k.add(e, k.one))
            case "softplus":
                return k.log(k.add(k.exp(x), k.one), k.strict)
            case "relu":
                return self._pick(x, k.rational(0), True)
            case "abs":
                return self._pick(x, k.sub(k.rational(0), x), True)
            case "sign":
                return self._sign(x)
            case "clip":
                return self._pick(self._pick(x, args[1], True), args[2], False)
            case "max" | "min":
                for other in args[1:]:
                    x = self._pick(x, other, op == "max")
                return x
        raise KeyError(f"no rule for the operation '{op}'")

    def _sign(self, x: Quotient) -> Quotient:
        mask = self.mask(x)
        for known, value in ((POSITIVE, 1), (NEGATIVE, -1), (ZERO, 0)):
            if mask & ~known == 0:
                return self.signs.rational(value)
        if mask in (ANY, NONZERO):
            raise Undecided(x, (POSITIVE, NONPOSITIVE))
        raise Undecided(x, (POSITIVE, ZERO) if mask == NONNEGATIVE else (NEGATIVE, ZERO))

    def _root(self, x: Quotient, exponent: Fraction) -> Quotient:
        if x.is_zero:
            return x
        self.require(x, (NONNEGATIVE,), "an even root of a negative number")
        k = self.signs
        if k.infer_poly(x.den) == NEGATIVE:
            x = Quotient(-x.num, -x.den)
        return k.root_power(x, exponent)

    def _power(self, node: Expression, base: Quotient, exponent: Quotient) -> Quotient:
        k = self.signs
        n = integer_exponent(node)
        if n is not None:
            if n < 0:
                self.require(base, (POSITIVE, NEGATIVE), "a negative power of zero")
            return k.power(base, n)
        value = constant_value(node.args[1])
        mask = self.mask(base)
        if mask == ZERO:
            self.require(exponent, (POSITIVE,), "zero to a power <= 0")
            return k.rational(0)
        if value is not None and value > 0:
            return (
                self._root(base, value)
                if value.denominator <= MAX_ROOT
                else self._general(base, exponent)
            )
        self._positive_base(base, exponent)
        if value is not None and value.denominator <= MAX_ROOT:
            return k.root_power(base, value)
        return self._general(base, exponent)

    def _positive_base(self, base: Quotient, exponent: Quotient) -> None:
        """A base > 0; where 0 to this power may be defined, that is a case of its own."""
        mask = self.mask(base)
        if mask & ZERO and self.mask(exponent) & POSITIVE:
            raise Undecided(base, (POSITIVE, NONPOSITIVE) if mask & POSITIVE else (NEGATIVE, ZERO))
        self.require(base, (POSITIVE,), "a power of a number <= 0")

    def _general(self, base: Quotient, exponent: Quotient) -> Quotient:
        self._positive_base(base, exponent)
        k = self.signs
        return k.exp(k.mul(exponent, k.log(base, k.strict)))
