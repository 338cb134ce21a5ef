"""Laws of signs by form, and of covers of a half-line: what the newest proofs rest on."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product

from mutation.certificates import accepted
from oracle import Doubtful, Undefined, sign_at

from symbolic.drift import Drift
from symbolic.expression import Expression, call, number, postorder
from verify.algebra.masks import NEGATIVE, POSITIVE, ZERO
from verify.checker.algebra import Range
from verify.checker.structure import Form
from verify.proof.structure import Structure

FORMULAS = (
    "relu(A)+A", "A*(1+A)", "(1-A)*(A+1)", "A**3", "A**2", "(A-1)**2*A", "r**A", "1/A", "r/A", "inv(A-3)", "-r", "abs(A)-1",
    "sqrt(r)-1", "log(r)", "log(1+r)", "log(1+A)", "log(1+A**2)", "exp(A)-1", "exp(r)-1", "sqrt(1+r)-1", "sqrt(A+3)-1",
    "max(A, -1)", "max(A, r)", "max(-1, A, -r)", "min(A, r)", "min(r, 2, r*r)", "clip(A, 0, -1)", "clip(A, 1, 2)", "clip(r, -1, A)",
    "where(A > 0, A, r)", "where(A > 0, -A, r)", "where(A <= 0, r, -A)", "where(A >= 0, A, -A)", "where(r > 2, A-r, r)",
    "where(r > 2, r, A)", "where(r > 2, r*r, A)", "where(r > 2, A, r*r)", "max(A, r)-A", "A-min(A, r)", "A-max(A, r)", "k", "k*r", "k-1", "t*r", "t-1", "1-t", "sign(k)", "tanh(A)*r",
    "relu(-A)*A", "abs(k)", "softplus(A)*k", "sigmoid(-A)/k", "sqrt(k)", "log(k)", "1/k", "k**(1/2)", "(r-1)**(-1)", "A*A-A", "(A-1)*(A-1)",
    "relu(A)*(A-1)", "(A-1)/relu(A)", "min(relu(A), A+2)", "(A+2)**3", "1/t", "log(t)", "sqrt(t)", "t**(1/2)",
    "t**(-1/2)", "r*(A-1)", "(k+1)*A", "log(A+1)*0", "exp(-A)-1", "relu(A)-relu(r)", "-relu(A)", "-A*A-1", "square(A)-r", "sqrt(k-1)",
)  # fmt: skip
PARAMETERS = ("k in [0, 2]",)
POINTS = [
    dict(zip("rAtk", map(Fraction, values), strict=True))
    for values in product(("1/3", "1", "3"), ("-5/2", "-1/2", "0", "1/3", "4"), ("0", "1"), ("0", "1/2", "2"))
]  # fmt: skip
RANGES = {
    "r": Range(Fraction(0), None), "A": Range(None, None), "t": Range(Fraction(0), Fraction(1), False, False),
    "k": Range(Fraction(0), Fraction(2), False, False),
}  # fmt: skip
_MASKS = {-1: NEGATIVE, 0: ZERO, 1: POSITIVE}


def signs_of(formula: Expression) -> list[tuple[dict[str, Fraction], int | None]]:
    """The sign at every point, None where the formula is undefined."""
    found: list[tuple[dict[str, Fraction], int | None]] = []
    for point in POINTS:
        if any(point[name] != POINTS[0][name] for name in set(point) - formula.symbols):
            continue  # the same values again
        try:
            found.append((point, sign_at(formula, point)))
        except Undefined:
            found.append((point, None))
        except Doubtful:
            continue
    return found


@cache
def values() -> dict[str, tuple[Drift, list[tuple[dict[str, Fraction], int | None]]]]:
    """Every formula with its signs."""
    drifts = {text: Drift.from_text(text, PARAMETERS) for text in FORMULAS}
    return {text: (drift, signs_of(drift.formula)) for text, drift in drifts.items()}


def law_forms() -> None:
    """Signs by form fit the values, defined by form is defined; of the prover."""
    for text, (drift, signs) in values().items():
        form = Structure(drift.domain)
        for point, sign in signs:
            assert sign is not None or not form.defined(drift.formula), (text, point)
            assert sign is None or form.mask(drift.formula) & _MASKS[sign], (text, point)


def law_parts() -> None:
    """Where the parts left over are >= 0 the whole is; of the prover."""
    for text, (drift, signs) in values().items():
        parts = Structure(drift.domain).parts(drift.formula)
        if parts is None:
            continue
        good = [
            {
                tuple(at.items())
                for at in POINTS
                if (part_sign(part, at) or 0) >= 0
            }
            for part in parts
        ]  # fmt: skip
        for point, sign in signs:
            if sign is not None and all(tuple(point.items()) in where for where in good):
                assert sign >= 0, (text, [str(part) for part in parts], point)


def part_sign(part: Expression, point: dict[str, Fraction]) -> int | None:
    try:
        return sign_at(part, point)
    except (Undefined, Doubtful):
        return None


def law_shown_forms() -> None:
    """The same of the checker, also where a node or a branch is said to be shown >= 0."""
    for text, (drift, signs) in values().items():
        formula = drift.formula
        form = Form(formula, RANGES)
        for point, sign in signs:
            assert sign is not None or not form.defined, (text, point)
            assert sign is None or form.signs[formula] & _MASKS[sign], (text, point)
        for node in (*postorder(formula), *branches(formula)):
            if node.args and node is not formula:
                under = Form(formula, RANGES, {node})
                for point, sign in signs:
                    if sign is not None and (part_sign(node, point) or 0) >= 0:
                        assert under.signs[formula] & _MASKS[sign], (text, str(node), point)


def branches(formula: Expression) -> list[Expression]:
    """Each branch where it is chosen, 0 elsewhere."""
    zero, found = number(0), []
    for node in postorder(formula):
        if node.op.startswith("where"):
            a, b, u, v = node.args
            found += [call(node.op, a, b, u, zero), call(node.op, a, b, zero, v)]
    return found


KNOWN_FORMS = {
    "relu(A)+r": "defined nonnegative", "log(1+A**2)": "defined nonnegative", "A**2/r": "defined nonnegative",
    "max(A, 0)": "defined nonnegative", "min(r, relu(A))": "defined nonnegative", "exp(r)-1": "defined nonnegative",
    "where(A > 0, r, A**2)": "defined nonnegative", "log(r)**2": "defined nonnegative", "sqrt(k)*t": "defined nonnegative",
    "clip(A, 0, 2)": "defined nonnegative", "max(A, r)-A": "defined nonnegative", "abs(A)**3": "defined nonnegative",
    "r/A": "", "log(A)": "", "A*(r-1)": "defined",
}  # fmt: skip


def law_known_forms() -> None:
    """What the form of a formula should tell, to prover and checker alike."""
    for text, known in KNOWN_FORMS.items():
        drift = Drift.from_text(text, PARAMETERS)
        structure, form = Structure(drift.domain), Form(drift.formula, RANGES)
        for defined, good in (
            (structure.defined(drift.formula), not structure.mask(drift.formula) & NEGATIVE),
            (form.defined, form.nonnegative),
        ):
            assert defined == ("defined" in known), text
            assert good == ("nonnegative" in known), text


def cover(
    *cuts: str, ends: tuple[int, int] = (0, 0), order: int = 4, name: str = "x"
) -> dict[str, object]:
    return {"rule": "cover", "in": name, "cuts": list(cuts), "order": order, "ends": list(ends)}  # fmt: skip


FALSE_COVERS = [
    ("exp(x)-1-1.01*x", ">=", cover("1", "3", ends=(1, 0))), ("exp(x)-1-x", ">", cover("1", "3", ends=(3, 0))),
    ("(z-1)*exp(z)", ">", cover("3/2", ends=(1, 0), name="z")), ("(x-1)**2-1e-9", ">", cover("1/2", "3/4", "1", "2")),
    ("20-log(1+x)", ">", cover("2", "4", "16", "64")), ("1-x/1e30", ">", cover("2", "4")),
    ("exp(x)-1-x-1/10**60", ">", cover("1", "3", ends=(2, 0))), ("exp(x)-1-x+1/10**60-x**2/2", ">", cover("1", "3", ends=(2, 0))),
    ("log(1+x)-log(1+x**2)/2-1/100", ">=", cover("1", "2", "4", "16")), ("x*(x-1)*(x-2)*exp(x)+x/100", ">", cover("3", "4", ends=(1, 0))),
    ("1-2*exp(-x)", ">", cover("1", "3")), ("exp(-x)-1/10**9", ">", cover("1", "2", "4", "8")),
    ("1-(1+1/100)*x/(1+x)", ">", cover("1", "2", "4", "16")), ("v-1/2", ">", cover("3/4", name="v")),
    ("exp(2*v-1)-1-(2*v-1)-(2*v-1)**2/2", ">", cover("1/2", name="v", order=2)),
    ("(z-2)*exp(-z)", ">=", cover(ends=(0, 1), name="z")), ("exp(x)/100-x+2", ">", cover("1", "3/2", "2")),
    ("exp(z)+log(z)-9000*(z-3/2)**6*(z-1)*(2-z)", ">", cover(name="z", order=6)), ("1-x**5*exp(-x)/20", ">", cover("1", "2")),
    ("sqrt(1+x**2)-x-1/1000", ">", cover("1", "2", "4", "16")), ("x/exp(x)-1/10**12", ">", cover("1", "2", "4", "8", ends=(1, 0))),
]  # fmt: skip
TRUE_COVERS = [
    ("exp(x)-1-x", ">", cover("1", "3", ends=(2, 0))), ("2-x/(1+x)", ">", cover("1", "2", "4", "16")),
    ("(2-z)*exp(z)", ">=", cover("3/2", ends=(0, 1), name="z")), ("1+exp(-x)*(x-1)*2/3", ">", cover("1", "2", "4", "16")),
    ("(1+x)*log(1+x)-x", ">", cover("1/4", "1", "4", ends=(2, 0))),
    ("exp(v)-v-1/2", ">", cover("1/2", name="v")),
]  # fmt: skip


def law_false_covers() -> None:
    """The checker takes no cover of a false claim."""
    for claim in FALSE_COVERS:
        assert not accepted(*claim), claim


def law_true_covers() -> None:
    """It takes simple covers of true claims."""
    for claim in TRUE_COVERS:
        assert accepted(*claim), claim


OF_PROVER = {"forms": law_forms, "parts": law_parts}
OF_CHECKER = {
    "shown forms": law_shown_forms, "false covers": law_false_covers, "true covers": law_true_covers,
}  # fmt: skip
LAWS = {**OF_PROVER, **OF_CHECKER, "known forms": law_known_forms}
