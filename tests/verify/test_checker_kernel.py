"""The checker's algebra and signs against balls at random points: nothing it says is false."""

from __future__ import annotations

from fractions import Fraction

import flint
import pytest
from flint import arb
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symbolic.expression import call, number, substitute, symbol
from symbolic.operations import OPERATIONS
from symbolic.parser import parse
from verify.checker.algebra import Budget, OverBudget, Range, Unproved
from verify.checker.balls import ball, enclose
from verify.checker.context import Context, Undefined
from verify.checker.germs import Eventual
from verify.checker.regions import HALF_LINE, REALS
from verify.checker.resolve import resolve
from verify.checker.series import Germ
from verify.checker.signs import ANY, NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO
from verify.checker.sturm import roots_between, sign_on
from verify.checker.witness import Point

DOMAINS = {
    "_s": HALF_LINE,
    "_a": HALF_LINE,
    "k": Range(Fraction(-2), Fraction(3), False, False),
    "x": REALS,
    "u": Range(Fraction(1), None, False),
    "v": Range(None, Fraction(-1)),
}
RATIONALS = st.fractions(min_value=-6, max_value=6, max_denominator=8)


def inside(where):
    low = Fraction(-5) if where.lower is None else where.lower
    high = low + 6 if where.upper is None else where.upper
    if where.lower is None and where.upper is not None:
        low = where.upper - 6
    ends = [low] * (where.lower is not None and not where.lower_open)
    ends += [high] * (where.upper is not None and not where.upper_open)
    middle = st.fractions(min_value=low, max_value=high, max_denominator=16).filter(
        lambda p: low < p < high
    )
    return st.one_of(middle, *map(st.just, ends)) if ends else middle


POINTS = st.fixed_dictionaries({name: inside(where) for name, where in DOMAINS.items()})
LEAVES = st.one_of(
    st.sampled_from([symbol(name) for name in DOMAINS]),
    st.sampled_from([number(n) for n in (0, 1, 2, 3, Fraction(1, 2), Fraction(3, 4), -1)]),
)


def _grow(tree):
    unary = ["exp", "log", "sqrt", "tanh", "neg", "square", "inv", "softplus", "sigmoid"]
    return st.one_of(
        st.builds(lambda op, a: call(op, a), st.sampled_from(unary), tree),
        st.builds(lambda op, a, b: call(op, a, b), st.sampled_from(["add", "sub", "mul", "div"]), tree, tree),
        st.builds(lambda a, n: a ** number(n), tree, st.sampled_from([2, 3, -1, 0, Fraction(1, 2), Fraction(-2, 3)])),
        st.builds(lambda a, b: call("pow", a, b), tree, tree),
    )  # fmt: skip


SMOOTH = st.recursive(LEAVES, _grow, max_leaves=7)


def _grow_kinks(tree):
    return st.one_of(
        _grow(tree),
        st.builds(lambda op, a: call(op, a), st.sampled_from(["relu", "abs", "sign"]), tree),
        st.builds(lambda op, a, b: call(op, a, b), st.sampled_from(["min", "max"]), tree, tree),
        st.builds(lambda op, a, b, u, v: call(op, a, b, u, v),
                  st.sampled_from(["where<", "where<=", "where>", "where>="]), tree, tree, tree, tree),
    )  # fmt: skip


def context(*facts):
    made = Context(DOMAINS, (), Budget(200_000))
    for tree, mask in facts:
        made = made.under(tree, mask)
    return made


def at(tree, point, precision=200):
    with flint.ctx.workprec(precision):
        return enclose(tree, {name: ball(value) for name, value in point.items()})


def fits(value, mask):
    """Whether a ball leaves room for the mask (nan never does)."""
    if not value.is_finite():
        return False
    if mask == ZERO:
        return value.contains(0)
    if mask == POSITIVE:
        return not value <= 0
    if mask == NEGATIVE:
        return not value >= 0
    if mask == NONNEGATIVE:
        return not value < 0
    if mask == NONPOSITIVE:
        return not value > 0
    return mask != 0


def understood(question):
    """The answer, or a discarded example where the checker refuses."""
    try:
        return question()
    except (Unproved, OverBudget):
        assume(False)


@settings(max_examples=400)
@given(SMOOTH, st.lists(POINTS, min_size=3, max_size=3))
def test_normal_form_is_the_function(tree, points):
    here = context()
    simplified = understood(lambda: here.simplified(tree))
    for point in points:
        value, again = at(tree, point), at(simplified, point)
        if value.is_finite() and again.is_finite():
            assert value.overlaps(again)


@settings(max_examples=400)
@given(SMOOTH, st.lists(POINTS, min_size=3, max_size=3))
def test_signs_are_true(tree, points):
    mask = understood(lambda: context().mask(tree))
    for point in points:
        value = at(tree, point)
        if value.is_finite():
            assert fits(value, mask), (str(tree), mask, point, value)


@settings(max_examples=200)
@given(SMOOTH, POINTS)
def test_defined_means_finite(tree, point):
    """What has a normal form is defined at every point, ends of closed ranges included."""
    understood(lambda: context().normal(tree))
    here = Point(Budget(200_000))
    placed = substitute(tree, {name: number(value) for name, value in point.items()})
    undefined = False
    try:
        here.normal(placed)
    except Undefined:
        undefined = True
    except (Unproved, OverBudget):
        pass  # not told at this precision
    assert not undefined


@settings(max_examples=300)
@given(
    SMOOTH,
    SMOOTH,
    st.sampled_from([POSITIVE, NONNEGATIVE, NEGATIVE, NONPOSITIVE]),
    st.lists(POINTS, min_size=4, max_size=4),
)
def test_signs_under_a_fact_are_true(tree, fact, mask, points):
    found = understood(lambda: context((fact, mask)).mask(tree))
    for point in points:
        known, value = at(fact, point), at(tree, point)
        strict = {
            POSITIVE: known > 0,
            NONNEGATIVE: known >= 0,
            NEGATIVE: known < 0,
            NONPOSITIVE: known <= 0,
        }
        if strict[mask] and value.is_finite():
            assert fits(value, found), (str(tree), str(fact), mask, found, point)


@settings(max_examples=200)
@given(SMOOTH, st.sampled_from(list(DOMAINS)), POINTS)
def test_slopes_are_slopes(tree, name, point):
    """By the mean value theorem on a narrow box."""
    here = context()
    form, slope = understood(lambda: (here.simplified(tree), here.slope(tree, name)))
    step = Fraction(1, 2**20)
    with flint.ctx.workprec(300):
        balls = {other: ball(value) for other, value in point.items()}
        balls[name] = ball(point[name]).union(ball(point[name] + step))
        rate = enclose(slope, balls)
        rise = at(form, point | {name: point[name] + step}, 300) - at(form, point, 300)
        assume(rate.is_finite() and rise.is_finite())
        assert (rise / ball(step)).overlaps(rate)


@settings(max_examples=300)
@given(st.recursive(LEAVES, _grow_kinks, max_leaves=7), POINTS)
def test_resolved_at_a_point(tree, point):
    """The exact evaluator agrees with the table's float64 one where that is trustworthy."""
    placed = substitute(tree, {name: number(value) for name, value in point.items()})
    here = Point(Budget(300_000))
    smooth = understood(lambda: resolve(here, placed))
    value = enclose(smooth, {})
    assume(value.is_finite() and abs(value) < 1e6)
    floats = _float(tree, {name: float(value) for name, value in point.items()})
    if floats is not None:
        assert abs(arb(floats) - value) < 1e-6 * (1 + abs(value)) or _near_a_kink(tree, point)


def _float(tree, values):
    import numpy as np

    from symbolic.expression import Number, Symbol, fold, integer_exponent
    from symbolic.pointwise import integer_power

    def visit(node, args):
        if isinstance(node, Number):
            return np.float64(node.value)
        if isinstance(node, Symbol):
            return np.float64(values[node.name])
        if node.op == "pow" and integer_exponent(node) is not None:
            return integer_power(np, args[0], integer_exponent(node))
        return OPERATIONS[node.op].numpy(*args)

    with np.errstate(all="ignore"):
        value = fold(tree, visit)
    return float(value) if np.isfinite(value) else None


def _near_a_kink(tree, point):
    """Float64 may fall on the other side of a jump; then a nudged point differs too."""
    nudged = [
        _float(tree, {n: float(v) * (1 + e) + e for n, v in point.items()})
        for e in (0.0, 1e-9, -1e-9, 1e-7)
    ]
    known = [value for value in nudged if value is not None]
    return len(known) < 4 or max(known) - min(known) > 1e-5


def test_every_operation_is_covered():
    """Each operation of the table is either smooth here or resolved."""
    for name, operation in OPERATIONS.items():
        count = operation.arity[0]
        args = [number(Fraction(n + 2, 3)) for n in range(count)]
        smooth = resolve(Context({}, (), Budget(10_000)), call(name, *args))
        value = enclose(smooth, {})
        assert value.is_finite()
        assert abs(value - arb(_float(call(name, *args), {}))) < 1e-12


@pytest.mark.parametrize(
    "text",
    [
        "tanh(1/k)",
        "exp(-1/k**2)",
        "sigmoid(log(k))",
        "tanh(log(k))",
        "sqrt(k)*0",
        "log(k)**0",
        "k**0.5",
    ],
)
def test_known_enclosures_of_nothing(text):
    """Over a box where a formula is undefined somewhere, its enclosure is not finite."""
    box = {"k": arb(-1).union(arb(1))}
    assert not enclose(parse(text, names=["k"]), box).is_finite()


# Germs ----------------------------------------------------------------------------------------

IN_S = st.recursive(
    st.sampled_from([symbol("_s"), number(1), number(2), number(Fraction(1, 2)), call("exp", symbol("_s"))]),
    _grow_kinks, max_leaves=6,
)  # fmt: skip


@settings(max_examples=300)
@given(IN_S)
def test_leading_terms(tree):
    """c·s^e is what a small s shows."""
    germ = Germ(6, Budget(300_000))
    smooth = understood(lambda: resolve(germ, tree))
    order, sign = understood(lambda: germ.leading(smooth))
    with flint.ctx.workprec(600):
        small = {"_s": arb(2) ** -60}
        value = enclose(smooth, small)
        assume(value.is_finite())
        if sign == ZERO:
            assert value.contains(0)
        else:
            scaled = value / small["_s"] ** ball(order)
            assert fits(scaled, sign)
            # At 2**-60 the next term, at least s**(1/6) relative, is far below the first.
            nearer = enclose(smooth, {"_s": arb(2) ** -120}) / (arb(2) ** -120) ** ball(order)
            assume(nearer.is_finite())
            assert abs(scaled / nearer - 1) < 0.9


@settings(max_examples=300)
@given(IN_S)
def test_flat_means_flat(tree):
    """What the proof rule accepts, the germ's leading term confirms."""
    near = Eventual({"_s": HALF_LINE}, (), Budget(300_000))

    def accept():
        smooth = resolve(near, tree)
        at_zero = resolve(near.limit, substitute(tree, {"_s": number(0)}))
        near.flat(smooth, at_zero)
        return at_zero

    at_zero = understood(accept)
    germ = Germ(8, Budget(300_000))
    try:
        order, sign = germ.leading(resolve(germ, tree) - at_zero)
    except Unproved:
        return
    assert sign == ZERO or order > 1


@settings(max_examples=300)
@given(IN_S)
def test_eventual_signs(tree):
    near = Eventual({"_s": HALF_LINE}, (), Budget(300_000))
    smooth = understood(lambda: resolve(near, tree))
    mask = understood(lambda: near.mask(smooth))
    with flint.ctx.workprec(800):
        value = enclose(smooth, {"_s": arb(2) ** -80})
    if value.is_finite():
        assert fits(value, mask)


# Sturm -------------------------------------------------------------------------------------------


@given(
    st.lists(RATIONALS, min_size=1, max_size=4), RATIONALS, RATIONALS, st.booleans(), st.booleans()
)
def test_roots_are_counted(roots, a, b, left, right):
    assume(a < b)
    poly = flint.fmpq_poly([1])
    for root in roots:
        poly *= flint.fmpq_poly([flint.fmpq(-root.numerator, root.denominator), 1])
    low, high = flint.fmpq(a.numerator, a.denominator), flint.fmpq(b.numerator, b.denominator)
    assert roots_between(poly, low, high) == len({root for root in roots if a < root < b})
    assert roots_between(poly, low, None) == len({root for root in roots if root > a})
    assert roots_between(poly, None, high) == len({root for root in roots if root < b})
    assert roots_between(poly, None, None) == len(set(roots))
    below = sign_on(poly, Range(None, min(*roots, a) - 1))
    assert below == (POSITIVE if len(roots) % 2 == 0 else NEGATIVE)
    mask = sign_on(poly, Range(a, b, left, right))
    for where in (a, b, (a + b) / 2, *roots):
        if a < where < b or (where == a and not left) or (where == b and not right):
            value = poly(flint.fmpq(where.numerator, where.denominator))
            assert mask & (POSITIVE if value > 0 else NEGATIVE if value < 0 else ZERO)


# What must be understood, so that the checker is of use --------------------------------------------


@pytest.mark.parametrize(("text", "mask"), [
    ("exp(_s) - 1 - _s", POSITIVE), ("exp(-_s) - 1", NEGATIVE), ("1 + k**2 - 2*k", NONNEGATIVE),
    ("u - 1", NONNEGATIVE), ("v + 1", NEGATIVE), ("k + 2", NONNEGATIVE), ("k - 3", NONPOSITIVE), ("k - 3.1", NEGATIVE),
    ("x**2 + x + 1", POSITIVE), ("x**2 - 2", ANY), ("log(1 + _s)", POSITIVE), ("exp(1) - 2.7182818284", POSITIVE),
    ("log(8) - 3*log(2)", ZERO), ("sqrt(8) - 2*sqrt(2)", ZERO), ("tanh(_a) - 1", NEGATIVE), ("exp(x)*_s", POSITIVE),
    ("(-1e300)**33", NEGATIVE), ("1e-300**300", POSITIVE), ("(6**300)**30 - (2**300)**30*(3**300)**30", ZERO),
    ("exp(300*log(9e99)) - (9e99)**300", ZERO), ("(1e300*x)**300", NONNEGATIVE), ("(1e300)**(100/3) - 1e300**33", POSITIVE),
    ("softplus(x)", POSITIVE), ("sigmoid(x) - 1", NEGATIVE), ("(_s*_a)**0.7", POSITIVE), ("u**_s - 1", NONNEGATIVE),
    ("_s - 2*sqrt(_s*_a) + _a", ANY), ("2**_s - 1", POSITIVE), ("4 - k**2", ANY), ("exp(v+1) - 1", NEGATIVE), ("-(1+v)**3 - 2*(1+v)**2 - 2*(1+v) + 1", POSITIVE), ("exp(v) - 1", NEGATIVE), ("exp(v+1) - exp(2*v+2)", POSITIVE), ("k**3 + 9", POSITIVE),
])  # fmt: skip
def test_known_signs(text, mask):
    assert context().mask(parse(text, names=DOMAINS)) == mask


@pytest.mark.parametrize(("text", "facts", "mask"), [
    ("x", [("x", POSITIVE)], POSITIVE), ("x", [("x*_s", POSITIVE)], POSITIVE), ("x", [("-x*_s", POSITIVE)], NEGATIVE),
    ("x", [("x*v", POSITIVE)], NEGATIVE), ("x", [("x/v", NONNEGATIVE)], NONPOSITIVE), ("x", [("x**3", NEGATIVE)], NEGATIVE),
    ("x", [("x*k**2", POSITIVE)], POSITIVE), ("x", [("x*k**2", NONNEGATIVE)], ANY), ("x**2", [("x", NONNEGATIVE)], NONNEGATIVE), ("x**3", [("x", NEGATIVE)], NEGATIVE),
    ("x*k", [("x*k", NEGATIVE)], NEGATIVE), ("x", [("x - 1", POSITIVE)], ANY), ("2 - 2*x", [("x - 1", POSITIVE)], NEGATIVE),
    ("x", [("x", NONNEGATIVE), ("x", NONPOSITIVE)], ZERO), ("1", [("x", POSITIVE), ("x", NEGATIVE)], POSITIVE),
    ("log(x**2)", [("x", NEGATIVE)], ANY), ("log(x) - log(1-k)", [("x", POSITIVE), ("1-k", POSITIVE)], ANY),
    ("sqrt(x**2) - x", [("x", POSITIVE)], ZERO), ("sqrt(x**2) + x", [("x", NEGATIVE)], ZERO),
    ("sqrt(x**2*k**2) - x*k", [("x", POSITIVE)], ANY), ("sqrt(x*k)**2 - x*k", [("x*k", NONNEGATIVE)], ZERO),
    ("log(x*k) - log(-x) - log(-k)", [("x", NEGATIVE), ("k", NEGATIVE)], ZERO),
    ("x", [("-(_s*_a + 1)*x", POSITIVE)], NEGATIVE), ("x", [("(exp(-_s) - 1)*x", POSITIVE)], NEGATIVE),
    ("1/x", [("x", NEGATIVE)], NEGATIVE), ("_s/x", [("x", POSITIVE)], POSITIVE), ("(x-1)/(x-2)", [("x-2", NEGATIVE), ("x-1", POSITIVE)], NEGATIVE),
])  # fmt: skip
def test_known_signs_under_facts(text, facts, mask):
    here = context(*((parse(fact, names=DOMAINS), sign) for fact, sign in facts))
    assert here.mask(parse(text, names=DOMAINS)) in (mask, 0)


@pytest.mark.parametrize("text", [
    "log(x)", "log(_s - _a)", "log(k)", "sqrt(x)", "sqrt(k + 1)", "1/x", "1/k", "inv(k)", "k**-1", "k**0.5", "x**0.5",
    "k**_s", "0**k", "(0*_s)**k", "(_s-_s)**(_a-2)", "1/(_s - _a)", "log(u - 1)", "log(k)**0", "0*log(k)", "q", "relu(_s)",
    "(k+2)**-0.5", "(k+2)**_s", "(_s*0)**-0.5", "sqrt(-_s)", "log(0*x)", "sqrt(v)", "1/(k+2)", "1/(u-1)",
])  # fmt: skip
def test_known_undefined(text):
    with pytest.raises(Unproved):
        context().normal(parse(text, names=[*DOMAINS, "q"]))


@pytest.mark.parametrize(("text", "again"), [
    ("exp(u*_s)", "exp(_s)*exp((u-1)*_s)"), ("exp(v)", "exp(v+1)/exp(1)"), ("exp(x+_s)", "exp(x)*exp(_s)"),
    ("tanh(x)", "(exp(x)-exp(-x))/(exp(x)+exp(-x))"), ("log(_s**3*_a/2)", "3*log(_s)+log(_a)-log(2)"), ("_s**_a", "exp(_a*log(_s))"),
    ("sqrt(_s/_a)", "sqrt(_s*_a)/_a"), ("(_s/_a)**(2/3)", "_s**(2/3)*_a**(1/3)/_a"), ("sqrt(12)", "2*sqrt(3)"), ("8**(2/3)", "4"),
    ("sqrt((u-1)**2)", "u-1"), ("sqrt((k-3)**2)", "3-k"), ("sqrt(_s/(1/v)**2)", "-v*sqrt(_s)"), ("sqrt((v-_s)/v)", "sqrt(v*(v-_s))/(-v)"),
    ("exp(log(1+_s)/2)", "sqrt(1+_s)"), ("exp(_s/3)**6", "exp(_s)**2"), ("log(exp(x)*2)", "x+log(2)"), ("sigmoid(x)", "1-sigmoid(-x)"),
    ("softplus(x)", "x+softplus(-x)"), ("log(sqrt(_s))", "log(_s)/2"), ("((1+_s)**(1/3))**3", "1+_s"), ("exp(60*_s)", "exp(6*_s)**10"),
])  # fmt: skip
def test_known_identities(text, again):
    here = context()
    assert here.vanishes(parse(f"({text}) - ({again})", names=DOMAINS))


@pytest.mark.parametrize(("text", "name", "slope"), [
    ("exp(3*_s)", "_s", "3*exp(3*_s)"), ("log(1+_s**2)", "_s", "2*_s/(1+_s**2)"), ("sqrt(1+_s)", "_s", "1/(2*sqrt(1+_s))"),
    ("_s/(1+_s)", "_s", "1/(1+_s)**2"), ("tanh(x)", "x", "1-tanh(x)**2"), ("_s**_a", "_a", "log(_s)*_s**_a"), ("u**(2/3)", "u", "2/3*u**(-1/3)"),
    ("exp(_s*_a)", "_a", "_s*exp(_s*_a)"), ("x**5", "x", "5*x**4"), ("x", "_s", "0"), ("sigmoid(x)", "x", "sigmoid(x)*(1-sigmoid(x))"),
])  # fmt: skip
def test_known_slopes(text, name, slope):
    here = context()
    found = here.slope(parse(text, names=DOMAINS), name)
    assert here.vanishes(found - parse(slope, names=DOMAINS))


@pytest.mark.parametrize(("text", "fact"), [
    ("log(x*k)", "x*k"), ("sqrt(x*k)", "x*k"), ("(x*k)**1.5", "x*k"), ("(x*k)**(1/3)", "x*k"),
    ("sqrt(k**2/x**2)", "x*k"), ("log(k**2)/2", "x*k"), ("log(x**2*k**2)", "x*k"),
])  # fmt: skip
def test_known_values_where_signs_are_not(text, fact):
    """x and k have the same sign, which may be either."""
    here = context((parse(fact, names=DOMAINS), POSITIVE))
    tree = parse(text, names=DOMAINS)
    again = here.simplified(tree)
    for x, k in ((2, 1), (-3, Fraction(-1, 2)), (Fraction(1, 3), 3), (-1, -2)):
        point = {"x": Fraction(x), "k": Fraction(k)}
        value = at(again, point)
        assert value.is_finite()
        assert value.overlaps(at(tree, point))


def test_known_root_without_slope():
    with pytest.raises(Unproved, match="derivative"):
        context().slope(parse("sqrt(k+2)", names=DOMAINS), "k")
