"""Laws of the prover's algebra, signs, germs and regions, checked by numbers of many digits.

Each raises AssertionError, or crashes, where something is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

from flint import arb, ctx, fmpq, fmpq_poly
from mutation.verdicts import decide

from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import Expression, number, substitute
from symbolic.parser import parse
from verify.algebra.masks import ANY, NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO
from verify.balls.boxes import enclose
from verify.proof.flat import EventualResolver, germ_of

from verify.algebra.masks import flip, product as times  # isort: skip
from verify.algebra.resolve import Resolver
from verify.algebra.signs import Signs
from verify.algebra.sturm import sign_on
from verify.proof.prove import with_scales
from verify.proof.regions import regions

Check = Callable[[], None]
HALF_LINE = Interval(Fraction(0), None, True, True)

# Laws ----------------------------------------------------------------------------------------

SMOOTH = (
    "exp(2*x)*y", "exp(x/3)-exp(x/2)", "log(1+x)*y", "sqrt(1+x)*x", "(1+x*y)**(1/3)", "x/(1+y)",
    "log(1+exp(x))/(2+sqrt(y))", "tanh(x)-sigmoid(y)", "softplus(x-y)", "x**3-2*x*y+y**2/3",
    "log(6*x**2/(5*y))", "sqrt(x**2)*sqrt(12)", "exp(-x)*(1-x)", "exp(x*y-y)", "exp(1/(1+x))",
    "(1+x)**(-2)", "x**y", "sqrt(1+x)**3*sqrt(1+x)", "exp(log(x)/2)", "inv(1+square(x))",
    "log((1+x)**3)", "log(1/x)-exp(x-3)",
    "exp((2-z)*x)/(3-z)", "exp(-(z-1))*x", "log(z)+sqrt(z**3)", "exp((x+z)**2/40)", "sqrt((z-3)**2)",
    "y*sqrt((x-exp(x))**2)",
)  # fmt: skip
KINKED = (
    "relu(1+x)", "max(x, -y)", "min(x+y, x)", "abs(-x)", "sign(-x-y)", "clip(1+x, 1, 1)",
    "where(x > 0, x, y)", "where(x+y <= 0, x, y)", "where(x < 0, x, y)", "clip(-x, -1-x, 0)",
    "max(1, 2, 2+x)", "sqrt((-x)**2)", "where(z >= 1, z, x)", "sign(x)",
)  # fmt: skip
POINTS = [
    {"x": x, "y": y, "z": z}
    for x, y, z in (
        ("1/3", "2", "3/2"),
        ("5", "1/7", "9/5"),
        ("9/4", "3/4", "1"),
        ("1/90", "8", "2"),
    )
]
DOMAINS = {
    "x": HALF_LINE, "y": HALF_LINE, "z": Interval(Fraction(1), Fraction(2), False, False),
}  # fmt: skip


def tree_of(text: str) -> Expression:
    return parse(text, names=["x", "y", "z"])


def exact(tree: Expression, point: dict[str, str]) -> arb:
    """The value at a point, as a ball of the present precision."""
    return arb_value(substitute(tree, {name: number(Fraction(at)) for name, at in point.items()}))


def arb_value(tree: Expression) -> arb:
    """A formula without variables, kinks by their definition (nothing of the prover is used)."""
    args = [arb_value(arg) for arg in tree.args if not tree.op.startswith("where")]
    if tree.op == "number":
        return arb(fmpq(tree.value.numerator, tree.value.denominator))
    if tree.op.startswith("where"):
        a, b, u, v = tree.args
        gap = arb_value(a) - arb_value(b)
        holds = {"<": gap < 0, "<=": gap <= 0, ">": gap > 0, ">=": gap >= 0}[tree.op[5:]]
        return arb_value(u if holds else v)
    if tree.op == "pow":
        whole = args[1].unique_fmpz()
        if whole is not None:
            return whole_power(args[0], int(whole))
        if args[0] == 0 and args[1] > 0:
            return arb(0)
        return (args[1] * args[0].log()).exp()
    x = args[0]
    match tree.op, args:
        case "add", (a, b):
            return a + b
        case "sub", (a, b):
            return a - b
        case "mul", (a, b):
            return a * b
        case "div", (a, b):
            return a / b
        case "max", _:
            return arb.max(x, arb_max(args[1:])) if args[1:] else x
        case "min", _:
            return -arb_max([-a for a in args])
        case "clip", (a, b, c):
            return arb.min(arb.max(a, b), c)
    return {
        "neg": lambda: -x, "exp": x.exp, "log": x.log, "sqrt": x.sqrt, "tanh": x.tanh,
        "abs": lambda: abs(x), "relu": lambda: arb.max(x, arb(0)), "inv": lambda: 1 / x,
        "square": lambda: x * x, "sign": lambda: x.sgn(), "softplus": lambda: (1 + x.exp()).log(),
        "sigmoid": lambda: 1 / (1 + (-x).exp()),
    }[tree.op]()  # fmt: skip


def whole_power(x: arb, n: int) -> arb:
    """x**n by products: `**` gives nan for balls around 0."""
    found = arb(1)
    for _ in range(abs(n)):
        found *= x
    return found if n >= 0 else 1 / found


def arb_max(values: list[arb]) -> arb:
    found = values[0]
    for value in values[1:]:
        found = arb.max(found, value)
    return found


def on_kernel(text: str, question: Callable[[Signs, Any], None]) -> None:
    """Ask a question of a formula's quotient over DOMAINS."""

    def ask(scales: dict[str, Fraction]) -> dict[str, Any]:
        signs = Signs(DOMAINS, scales)
        question(signs, Resolver(signs).resolve(tree_of(text)))
        return {}

    assert with_scales(ask) is not None, f"{text} is too hard for the kernel"


def close(a: arb, b: arb, slack: str = "1e-25") -> bool:
    return bool(abs(a - b) < arb(slack) * (1 + abs(a)))


def law_values() -> None:
    """A quotient, written as a formula, has the values of the formula that it stands for."""
    for text in (*SMOOTH, *KINKED):

        def same(signs: Signs, value: Any, text: str = text) -> None:
            for point in POINTS:
                assert close(exact(signs.tree(value), point), exact(tree_of(text), point)), text

        with ctx.workprec(200):
            on_kernel(text, same)


def law_slopes() -> None:
    """Slopes of quotients are the formula's difference quotients."""
    h = Fraction(1, 10**25)
    for text in SMOOTH:

        def same(signs: Signs, value: Any, text: str = text) -> None:
            for name in ("x", "y"):
                slope = signs.tree(signs.slope(value, name))
                for point in POINTS:
                    ends = [
                        exact(tree_of(text), {**point, name: str(Fraction(point[name]) + d)})
                        for d in (h, -h)
                    ]
                    rise = (ends[0] - ends[1]) * arb(10) ** 25 / 2
                    assert close(exact(slope, point), rise), (text, name)

        with ctx.workprec(400):
            on_kernel(text, same)


def fits(value: arb, mask: int) -> bool:
    """Whether a number may have a sign of the mask (only certain numbers contradict)."""
    if value > 0:
        return bool(mask & POSITIVE)
    if value < 0:
        return bool(mask & NEGATIVE)
    return bool(mask & ZERO) if value == 0 else True


FACTS = (
    ("(y-x)*(1+x)", POSITIVE, "x-y"), ("(y-x)/(x-exp(x))", POSITIVE, "x-y"),
    ("x-y", NONNEGATIVE, "2*y-2*x"), ("y-x", NEGATIVE, "x-y"), ("1-x", NONNEGATIVE, "log(x)"),
    ("(-1-x)*(x-y)", NEGATIVE, "x-y"),
    ("(z-3)*(x-y)", NEGATIVE, "x-y"), ("(x-exp(x))*(x-y)", NEGATIVE, "x-y"), ("-x*(x-y)", POSITIVE, "x-y"),
)  # fmt: skip


def law_signs() -> None:
    """No inferred sign is contradicted by a value, with and without facts."""
    texts = (
        *SMOOTH, "log(x)", "log(x)*y+y", "exp(x)-1-x-x**2", "exp(x)-1-3*x/2", "x-1", "x*y-x-y+1", "exp(x-1)-1",
        "exp(-x)-1/2", "x**2-3*x+1", "x**4-3*x**2+x", "(x-1)/(-1-y)", "(x-y)**2*(1-x)", "2-z", "z-1", "(2-z)*(z-1)",
        "1-z", "3*z-4", "x**2-2*x+1", "1/(-1-x)", "-1/x", "exp(1)-2718281828/10**9", "exp(1)-2718281829/10**9",
        "log(2)-log(3)+2/5", "x-exp(x)", "y-log(1+x)", "sqrt(2)*sqrt(3)-sqrt(6)", "x**3-x**2*6+11*x-6",
        "x**2*y-x*y*2+y", "exp(2*x)-3*exp(x)+2", "-x*y", "(y-x)/(x-exp(x))", "1+x-sqrt(1+3*x)", "1-sqrt(x)",
        "log(1+x)-log(1+y)", "z*x-x", "log(z)", "z**2-3*z+2", "exp(-z)-exp(-1)", "exp(1-z)-1",
        "x**y-1",
    )  # fmt: skip
    for text in texts:

        def true(signs: Signs, value: Any, text: str = text) -> None:
            mask = signs.infer(value)
            for point in POINTS:
                assert fits(exact(tree_of(text), point), mask), (text, mask, point)

        with ctx.workprec(200):
            on_kernel(text, true)
    for fact, known, text in FACTS:

        def under(
            signs: Signs, value: Any, fact: str = fact, known: int = known, text: str = text
        ) -> None:
            signs.learn(Resolver(signs).resolve(tree_of(fact)), known)
            mask = signs.infer(value)
            assert mask != ANY, f"{text} is not clear from {fact}"
            for x, y in product(("1/3", "1", "2", "7/2"), repeat=2):
                point = {"x": x, "y": y, "z": "1"}
                if x != y and fits(exact(tree_of(fact), point), known):
                    assert fits(exact(tree_of(text), point), mask), (fact, text, point)

        with ctx.workprec(200):
            on_kernel(text, under)


KNOWN_SIGNS = {
    "x+y": POSITIVE, "-x*y": NEGATIVE, "z-1": NONNEGATIVE, "z-2": NONPOSITIVE, "exp(x)-1": POSITIVE, "log(1+x)": POSITIVE,
    "exp(x)-1-x": POSITIVE, "1/(1+x)-1": NEGATIVE, "(x-y)**2": NONNEGATIVE, "x**2-x+1": POSITIVE, "exp(-x)": POSITIVE,
    "exp(-x)-1": NEGATIVE, "1/(z-3)": NEGATIVE, "exp(1)-2": POSITIVE, "log(2)-1": NEGATIVE, "x-x": ZERO,
    "sqrt(1+x)": POSITIVE, "sqrt(1+x)**2-1-x": ZERO, "(1+x)**(1/3)*(1+x)**(2/3)-x-1": ZERO, "exp(2*x)-3*exp(x)+5": POSITIVE, "z*x": POSITIVE,
}  # fmt: skip


HIDDEN_ZERO = "sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6))"


def law_known_signs() -> None:
    """What every prover should see at once, and a 0 that no number of digits shows."""

    def hidden(signs: Signs, value: Any) -> None:
        assert signs.infer(value) & ZERO

    on_kernel(HIDDEN_ZERO, hidden)
    for text, sign in KNOWN_SIGNS.items():

        def seen(signs: Signs, value: Any, text: str = text, sign: int = sign) -> None:
            assert signs.infer(value) == sign, (text, signs.infer(value))

        on_kernel(text, seen)


def law_masks() -> None:
    """Products and opposites of signs are those of numbers."""
    values = {NEGATIVE: -1, ZERO: 0, POSITIVE: 1}
    sign = {value: mask for mask, value in values.items()}
    for a, b in product(range(1, 8), repeat=2):
        pairs = [(x, y) for m, x in values.items() for n, y in values.items() if a & m and b & n]
        assert times(a, b) == sum({sign[x * y] for x, y in pairs})
        assert flip(a) == sum({sign[-x] for x, _ in pairs})


def law_sturm() -> None:
    """Signs on intervals, of polynomials with known roots."""
    for low, high, root in product(
        (0, 1, 2), (3, 4, None), (Fraction(1, 2), 1, 2, Fraction(5, 2), 3, 5)
    ):
        poly = fmpq_poly([-fmpq(Fraction(root).numerator, Fraction(root).denominator), 1])
        mask = sign_on(
            poly * poly * poly, Fraction(low), None if high is None else Fraction(high), False
        )
        for at in {low, (low + (high or 9)) / 2, high or 9, min(max(root, low), high or 9)}:
            assert fits(arb(float(at)) - float(root), mask), (low, high, root)
        assert mask != ANY or low < root < (high or 99)


GERMS = (
    "exp(_s)-1-_s", "(1-exp(-_s))/(1+_s)", "sqrt(_s**2+_s**4)*2", "log(1+_s)-_s*exp(_s)", "tanh(2*_s)/exp(_s)",
    "sqrt(exp(_s)-1-_s)", "3+_s-sqrt(1+_s)", "(2+_s)/(3-_s)",
)  # fmt: skip


def law_germs() -> None:
    """Limits and one-sided slopes at s = 0+ are what small steps approach."""
    step = Fraction(1, 10**30)
    for text in GERMS:
        tree = parse(text, names=["_s"])

        def same(
            scales: dict[str, Fraction], tree: Expression = tree, text: str = text
        ) -> dict[str, Any]:
            signs = Signs({"_s": HALF_LINE}, scales)
            germ = germ_of(signs, EventualResolver(signs).resolve(tree))
            assert germ.slope is not None
            value, slope = (enclose(signs.tree(q), {}) for q in (germ.value, germ.slope))
            near = enclose(substitute(tree, {"_s": number(step)}), {})
            assert close(near, value), text
            assert close((near - value) * arb(10) ** 30, slope, "1e-20"), text
            return {}

        with ctx.workprec(400):
            assert with_scales(same) is not None, text


GUARDS = {
    "r-1-log(r)": POSITIVE, "log(r)-r+1": NEGATIVE, "exp(r-1)-r-(r-1)**2": NEGATIVE, "2-r": POSITIVE, "r-1-r+1": ZERO,
    "(r-1)**3-log(r)**2": NEGATIVE,
}  # fmt: skip


def law_eventual_signs() -> None:
    """Guards near r = 1 have the sign of their leading term, on the right side."""
    for text, sign in GUARDS.items():
        tree = substitute(Drift.from_text(text).formula, {"r": parse("exp(_s)", names=["_s"])})

        def seen(
            scales: dict[str, Fraction], tree: Expression = tree, text: str = text, sign: int = sign
        ) -> dict[str, Any]:
            resolver = EventualResolver(Signs({"_s": HALF_LINE}, scales))
            assert resolver.mask(resolver.resolve(tree)) == sign, text
            return {}

        assert with_scales(seen) is not None, text


def law_regions() -> None:
    """The regions cover the domain, and each holds the formula's values."""
    drift = Drift.from_text("r*A+t*k", ["k in [1, 2]", "t in [0, 1]"])
    cells = list(regions(drift, ("r<1", "r=1", "r>1")))
    assert len({cell.key for cell in cells}) == len(cells) == 81
    for r, A, t, k in product(
        (Fraction(1, 2), 1, 3), (-2, 0, 2), (0, Fraction(1, 3), 1), (1, Fraction(5, 4), 2)
    ):
        place = ",".join([
            *(["r<1"] if r < 1 else ["r>1"] if r > 1 else []), "A<0" if A < 0 else "A>0" if A > 0 else "A=0",
            *([f"k={k}"] if k in (1, 2) else []), *([f"t={t}"] if t in (0, 1) else []),
        ])  # fmt: skip
        cell = next(cell for cell in cells if cell.key == place)
        values = {
            "_s": arb(abs(math.log(r))),
            "_a": arb(abs(A)),
            "t": arb(float(t)),
            "k": arb(float(k)),
        }
        found = enclose(cell.tree, values)
        assert abs(found - float(r * A + t * k)) < 1e-9, place
        assert set(cell.tree.symbols) <= set(cell.domains)


def law_witnesses() -> None:
    """The text of a witness against flatness is the one-sided derivative by r."""
    for formula, sides in (
        ("-log(r)", {"left": -1.0, "right": -1.0}), ("abs(r-1)*2", {"left": -2.0, "right": 2.0}),
        ("A*log(r)", {"left": None, "right": None}), ("where(r < 1, 3*(r-1)*A, 0)", {"left": None}),
        ("sqrt(abs(r-1))", {"left": -math.inf, "right": math.inf}), ("relu(1-r)*abs(A)", {"left": None}),
    ):  # fmt: skip
        found = decide((formula,))["flat_at_identity"].witness
        assert found is not None, formula
        side = found.side
        assert side in sides, (formula, side)
        slope = sides[side]
        if slope is None:
            A = float(found.point["A"])
            slope = {"A*log(r)": A, "relu(1-r)*abs(A)": -abs(A)}.get(formula, 3 * A)
        shown = float(Fraction(found.text)) if found.text[-1].isdigit() else float(found.text)
        assert shown == slope, (formula, found)


LAWS: dict[str, Check] = {
    "values": law_values, "slopes": law_slopes, "signs": law_signs, "known signs": law_known_signs, "masks": law_masks,
    "Sturm": law_sturm, "germs": law_germs, "eventual signs": law_eventual_signs, "regions": law_regions,
    "witnesses": law_witnesses,
}  # fmt: skip
