"""What a mirror map does as x tends to 0, and at an open end 1: its limit, its integral.

With x, or 1 − x, equal to e·exp(−s) the derivative −dh/ds (the pace) decides both: a pace of at
least c·w(s) with ∫ w = ∞ means h → −∞, and a pace k of one sign with dk/ds <= p·k, p < 1, grows too
slowly for |h|·e^(−s) not to be integrable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, product

from symbolic.domains import Interval
from symbolic.expression import Expression, call, number, symbol, terms
from verify.algebra.masks import NEGATIVE, NONNEGATIVE, POSITIVE
from verify.algebra.polynomials import Quotient, coefficients, used
from verify.algebra.resolve import NoLimit, Undecided, Undefined
from verify.maps.charts import S, charts
from verify.maps.pieces import Goal, Piece, cut_up
from verify.maps.scopes import GIVES_UP, Cut, Node, Scope, Smooth, Stuck, smooth_on
from verify.proof.flat import EventualResolver
from verify.proof.prove import Budget, Prover, with_scales
from verify.proof.regions import placed

_STARTS = (Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(1, 1000), Fraction(1, 10**6))
"""From where on an end is looked at."""
_POWERS = (0, Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))
_RATES = (1, Fraction(1, 2), Fraction(1, 10), Fraction(1, 100))
_HALF_LINE = Interval(Fraction(0), None, True, True)
_NEAR = Interval(Fraction(0), Fraction(1), True, True)
_MAX_RATES = 40
_TRIES = 120
"""Steps for one candidate; the ends have many."""


@dataclass(frozen=True)
class End:
    """The formula towards an end, smooth in _s."""

    node: Node
    prover: Prover
    value: Quotient
    near: bool

    @property
    def pace(self) -> Quotient:
        """−dh/ds, for x or 1 − x = e^(−s)."""
        k = self.prover.signs
        slope = k.slope(self.value, "_s")
        return k.mul(self._s, slope) if self.near else k.sub(k.rational(0), slope)

    def onwards(self, pace: Quotient) -> Quotient:
        """dk/ds."""
        k = self.prover.signs
        slope = k.slope(pace, "_s")
        return k.sub(k.rational(0), k.mul(self._s, slope)) if self.near else slope

    @property
    def _s(self) -> Quotient:
        return self.read(S)

    def read(self, tree: Expression) -> Quotient:
        """A formula as a quotient here."""
        return smooth_on(self.prover, tree).value

    def shows(self, claim: Quotient) -> Node | None:
        """A proof of claim >= 0 on the way to the end; empty where the germ shows it."""
        if not self.near:
            return self.prover.prove(claim, NONNEGATIVE)
        try:
            mask = EventualResolver(self.prover.signs).mask(claim)
        except (NoLimit, Undecided, Undefined):
            return None
        return None if mask & NEGATIVE else {}


def lower_limit(scope: Scope, where: Interval) -> Node | None:
    """A node that shows h → −∞ as x → 0+. Raises Split."""

    def conclude(end: End) -> Node | None:
        signs, pace = end.prover.signs, end.pace
        for rate in _rates(end, pace):
            for weight in ("constant",) if end.near else ("constant", "inverse"):
                least = rate if weight == "constant" else rate / (number(1) + S)
                proof = end.shows(signs.sub(pace, end.read(least)))
                if proof is not None:
                    node = {**end.node, "rate": str(rate)}
                    return node if end.near else {**node, "weight": weight, "proof": proof}
        return None

    return _towards(scope, where, True, conclude)


def integrable(scope: Scope, where: Interval) -> Node | None:
    """A node that shows that the integral of |h| over (0, 1) is finite. Raises Split."""
    open_one = where.upper == 1 and where.upper_open
    found = cut_up(scope, Interval(Fraction(0), Fraction(1), True, open_one), Goal.CONTINUOUS)
    if found is None:
        return None
    node, pieces = found
    for name, piece, at_zero in (("zero", pieces[0], True), ("one", pieces[-1], False)):
        if name == "one" and not open_one:
            continue
        end = _term_by_term(scope, piece, where, at_zero) or _tame(scope, piece, where, at_zero)
        if end is None:
            return None
        node[name] = end
    return node


def _term_by_term(scope: Scope, piece: Piece, where: Interval, at_zero: bool) -> Node | None:
    """A node for every term of a sum: where each is integrable, the sum is. None for no sum."""
    parts = terms(scope.tree)
    if len(parts) < 2:
        return None
    nodes: list[Node] = []
    for part in parts:
        node = _tame(replace(scope, tree=part), piece, where, at_zero)
        if node is None:
            return None
        nodes.append(node)
    return {"terms": nodes}


def _tame(scope: Scope, piece: Piece, where: Interval, at_zero: bool) -> Node | None:
    """A node that shows that the formula is integrable up to the end."""
    return _continuous(scope, piece, at_zero) or _slow(scope, where, at_zero)


def _continuous(scope: Scope, piece: Piece, at_zero: bool) -> Node | None:
    """A node that shows that the formula has a continuous extension to the end."""
    low_open, high_open = piece.where.low_open, piece.where.high_open
    closure = replace(
        piece.where, low_open=low_open and not at_zero, high_open=high_open and at_zero
    )
    chart = next(charts(closure))

    def attempt(scales: dict[str, Fraction]) -> Node:
        tree, name = placed(scope.tree, {"x": chart.x}), chart.variable
        smooth = smooth_on(scope.prover(scales, name, chart.inside), tree, name)
        formula = smooth.prover.signs.tree(smooth.value)
        closed = smooth_on(scope.prover(scales, name, chart.where), formula)
        lemmas = {"lemmas": smooth.lemmas, "closing": closed.lemmas}
        return {"closed": True, "chart": chart.name, **lemmas}

    try:
        return with_scales(attempt, scope.budget)
    except GIVES_UP:
        return None


def _slow(scope: Scope, where: Interval, at_zero: bool) -> Node | None:
    """A node that shows that the formula grows slowly enough towards the end."""

    def conclude(end: End) -> Node | None:
        k = end.prover.signs
        for sign in ("+", "-"):
            pace = end.pace if sign == "+" else k.sub(k.rational(0), end.pace)
            first = end.shows(pace)
            if first is None:
                continue
            for power in _powers(end, pace):
                claim = k.sub(k.mul(end.read(power), pace), end.onwards(pace))
                second = end.shows(claim)
                if second is not None:
                    node = {**end.node, "sign": sign, "power": str(power)}
                    return node if end.near else {**node, "proofs": [first, second]}
        return None

    return _towards(scope, where, at_zero, conclude)


def _towards(
    scope: Scope, where: Interval, at_zero: bool, conclude: Callable[[End], Node | None]
) -> Node | None:
    """What `conclude` finds on the way to an end: over s > 0 from several places, or near the end."""
    places: list[Fraction | None] = [
        at for at in _STARTS if where.upper is None or at <= where.upper
    ]
    places.insert(1, None)
    for place in places:

        def attempt(scales: dict[str, Fraction], place: Fraction | None = place) -> Node | None:
            with scope.budget.at_most(_TRIES):
                return conclude(_end(scope, scales, place, at_zero))

        try:
            node = with_scales(attempt, Budget(_TRIES))
        except (*GIVES_UP, Undecided, Undefined, NoLimit, Cut):
            continue
        if node is not None:
            return node
    return None


def _end(scope: Scope, scales: dict[str, Fraction], place: Fraction | None, at_zero: bool) -> End:
    near = place is None
    distance: Expression = S if place is None else number(place) * call("exp", -S)
    prover = scope.prover(scales, "_s", _NEAR if near else _HALF_LINE)
    tree = placed(scope.tree, {"x": distance if at_zero else number(1) - distance})
    if near:
        try:
            return End({"near": True}, prover, EventualResolver(prover.signs).resolve(tree), near)
        except (NoLimit, Undecided, Undefined):
            raise Stuck from None
    smooth: Smooth = smooth_on(prover, tree, "_s")
    node: Node = {"from": str(place)}
    if smooth.lemmas:
        node["lemmas"] = smooth.lemmas
    return End(node, smooth.prover, smooth.value, near)


def _rates(end: End, pace: Quotient) -> Iterator[Expression]:
    """Candidates for c: the limit of the pace and its half, parameters, numbers."""
    k = end.prover.signs
    limit = _limit(end, pace)
    if limit is not None and k.infer(limit) == POSITIVE:
        tree = k.tree(limit)
        yield tree
        yield tree / number(2)
    for rate in _RATES:
        yield number(rate)
    for name, domain in end.prover.signs.domains.items():
        if name != "_s" and domain.lower is not None and domain.lower >= 0:
            if domain.lower_open or domain.lower > 0:
                yield symbol(name)


def _limit(end: End, pace: Quotient) -> Quotient | None:
    """The pace at the end, where its exponentials have died out."""
    k = end.prover.signs
    if end.near:
        try:
            return end.prover.at(pace, "_s", Fraction(0))
        except (NoLimit, ZeroDivisionError):
            return None
    dying = set()
    for poly in (pace.num, pace.den):
        for index in used(poly):
            if k.atom_depends(index, "_s"):
                dying.add(index)
    if any(k.atoms[index].kind != "exp" for index in dying):
        return None
    return _leading_part(end, pace, dying)


def _leading_part(end: End, pace: Quotient, dying: set[int]) -> Quotient | None:
    """The quotient of the parts of numerator and denominator that grow fastest, if these agree."""
    k = end.prover.signs
    if len(dying) != 1:
        return None if dying else pace
    (index,) = dying
    tops = [coefficients(poly, index) for poly in (pace.num, pace.den)]
    degree = max(tops[0], default=0)
    if degree != max(tops[1]) or not tops[0]:
        return None
    return k.quotient(tops[0][degree], tops[1][degree])


def _powers(end: End, pace: Quotient) -> Iterator[Expression]:
    """Candidates for p: numbers below 1, and rates at which parts of the pace grow."""
    k = end.prover.signs
    for power in _POWERS:
        yield number(power)
    tried: set[str] = set()
    for up, down in islice(product(pace.num.monoms(), pace.den.monoms()), _MAX_RATES):
        rate = k.sub(_rate(end, up), _rate(end, down))
        if k.depends(rate, "_s") or rate.key in tried:
            continue
        tried.add(rate.key)
        if k.infer(k.sub(k.one, rate)) == POSITIVE:
            yield k.tree(rate)


def _rate(end: End, monomial: Sequence[int]) -> Quotient:
    """The rate of the exponentials in a product of atoms."""
    k = end.prover.signs
    total = k.rational(0)
    for index, power in enumerate(monomial):
        if power and k.atoms[index].kind == "exp":
            atom = k.atoms[index]
            assert atom.inside is not None
            slope = k.mul(k.slope(atom.inside, "_s"), k.rational(atom.rate * int(power)))
            total = k.add(total, slope)
    return total
