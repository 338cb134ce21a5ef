"""Formulas as researchers write them: valid by construction, or broken by one known edit."""

from __future__ import annotations

import random
from collections.abc import Callable

from generators import VALID, Generated

Part = tuple[str, tuple[str, ...]]
"""A formula and the declarations it needs."""

SMOOTH = (
    "r-1-log(r)", "r*log(r)-r+1", "(r-1)**2", "(r-1)**2/r", "(sqrt(r)-1)**2", "log(r)**2",
    "log(r)**2/2", "(r-1)*log(r)", "r*log(r)-(r+1)*log((r+1)/2)", "exp(r-1)-r", "r+1/r-2",
    "sqrt(1+(r-1)**2)-1", "log(1+(r-1)**2)", "(r**2-1)/2-log(r)", "exp(-log(r))-1+log(r)",
    "r**1.5-1.5*r+0.5", "((r-1)*A)**2", "(r-1)**2*abs(A)", "sqrt(1+(log(r)*A)**2)-1",
    "abs(r-1)*tanh(abs(r-1))", "(r-1)*A*tanh(log(r)*A)", "(r-1)*tanh((r-1)*A)*A",
)  # fmt: skip
"""Drifts that are known to be valid."""
POSITIVE = (
    "abs(A)", "A**2", "(1+abs(A))", "exp(-abs(A))", "sigmoid(A)", "sigmoid(3*A)", "softplus(A)",
    "(1+tanh(A))", "(1-0.5*tanh(2*A))", "relu(A)", "relu(-A)", "1/(1+A**2)", "t", "(1-t)",
    "(1-0.9*t)", "exp(-2*t)", "where(A > 0, 1, 0.5)", "where(A >= 0, 0.2, 3)", "sqrt(1+A**2)",
)  # fmt: skip
"""Weights that are never negative."""
GROWTH = (
    ("log(r)**2", "(r-1)**2"), ("log(1+(r-1)**2)", "(r-1)**2"), ("r-1-log(r)", "(r-1)**2"),
    ("(sqrt(r)-1)**2", "r*log(r)-r+1"), ("sqrt(1+(r-1)**2)-1", "(r-1)*log(r)"),
    ("r*log(r)-r+1", "(r-1)**2"), ("(r-1)**2", "exp(r-1)-r"),
)  # fmt: skip
"""(slow, fast): slow − c·fast turns negative as r → ∞ for every c > 0."""


def _constant(rng: random.Random) -> str:
    return rng.choice(("0.01", "0.05", "0.1", "0.2", "0.3", "0.5", "0.6", "1", "2", "3", "1/3"))


def _gap(rng: random.Random) -> str:
    return rng.choice(("(r-1)*A", "log(r)*A"))


def _smooth(rng: random.Random) -> Part:
    return rng.choice(SMOOTH), ()


def _divergence(rng: random.Random) -> Part:
    if rng.random() < 0.5:
        return "(r**alpha-alpha*r+alpha-1)/(alpha*(alpha-1))", (
            rng.choice(("alpha in (1, inf)", "alpha in (0, 1)", "alpha=3", "alpha=1/2")),
        )
    return "beta*(r-1-log(r))", (rng.choice(("beta in (0, inf)", "beta in [0, 5]")),)


def _clip(rng: random.Random) -> Part:
    kind = rng.randrange(5)
    low, high = rng.choice(("0.1", "0.2", "0.3")), rng.choice(("0.1", "0.2", "0.28", "0.4"))
    if kind == 0:
        return f"relu((r-clip(r, 1-{low}, 1+{high}))*A)", ()
    if kind == 1:
        return "relu((r-clip(r, 1-eps, 1+eps))*A)", (
            rng.choice(("eps in (0, 1)", "eps in [1/10, 1/2]")),
        )
    if kind == 2:
        return f"where(A >= 0, relu((r-1-{high})*A), relu((r-1+{low})*A))", ()
    if kind == 3:
        return f"r*A-min(r*A, clip(r, 1-{low}, 1+{high})*A)", ()
    return f"relu((r-clip(r, 1-{low}*(1-t/2), 1+{high}*(1-t/2)))*A)", ()


def _tanh_gate(rng: random.Random) -> Part:
    kind, g, c = rng.randrange(5), _gap(rng), _constant(rng)
    if kind == 0:
        return f"relu({g}-{c}*tanh({g}/({c})))", ()
    if kind == 1:
        return f"relu({g}-alpha*tanh({g}/alpha))", ("alpha in (0, inf)",)
    if kind == 2:
        return f"abs({g})-{c}*tanh(abs({g})/({c}))", ()
    if kind == 3:
        return f"{g}*tanh({g}/({c}))", ()
    other = _constant(rng)
    return (
        f"where(A >= 0, relu((r-1)*A-{c}*tanh((r-1)*A/({c}))), "
        f"relu(log(r)*A-{other}*tanh(log(r)*A/({other}))))",
        (),
    )


def _softplus(rng: random.Random) -> Part:
    g = _gap(rng)
    return f"softplus({g})-({g})/2-log(2)", ()


def _huber(rng: random.Random) -> Part:
    d = _constant(rng)
    x = rng.choice(("r-1", "log(r)"))
    return f"where(abs({x}) <= {d}, ({x})**2/2, {d}*(abs({x})-{d}/2))", ()


BASES: tuple[Callable[[random.Random], Part], ...] = (
    _smooth, _smooth, _divergence, _clip, _clip, _tanh_gate, _tanh_gate, _softplus, _huber,
)  # fmt: skip


def valid_part(rng: random.Random, depth: int = 1) -> Part:
    """A valid drift: a known shape, or shapes composed in ways that keep all conditions."""
    if depth == 0 or rng.random() < 0.3:
        return rng.choice(BASES)(rng)
    text, names = valid_part(rng, depth - 1)
    kind = rng.randrange(8)
    c = _constant(rng)
    if kind == 0:
        return f"{c}*({text})", names
    if kind == 1:
        return f"{rng.choice(POSITIVE)}*({text})", names
    if kind == 2:
        outer = rng.choice(
            ("log(1+{0})", "tanh({0})", "exp(tanh({0}))-1", "({0})/(1+{0})", "({0})**2",
             "sqrt(1+{0})-1", "relu({0}-0.01)", "min({0}, {1})", "clip({0}, 0, {1})")
        )  # fmt: skip
        return outer.format(f"({text})", c), names
    other, others = valid_part(rng, depth - 1)
    both = tuple(dict.fromkeys((*names, *others)))
    if len({name.split()[0].split("=")[0] for name in both}) < len(both):
        return text, names  # the same parameter with two domains
    if kind == 3:
        return f"{text}+{c}*({other})", both
    if kind == 4:
        return f"where(A >= 0, {text}, {other})", both
    if kind == 5:
        return f"{rng.choice(('max', 'min'))}({text}, {other})", both
    if kind == 6:
        return f"(1-t)*({text})+t*({other})", both
    return f"abs(A)*({text})+{c}*({other})", both


def _broken(rng: random.Random) -> tuple[str, tuple[str, ...], dict[str, bool]]:
    """One edit that breaks a drift, with the conditions whose truth it settles."""
    text, names = valid_part(rng)
    g, c = _gap(rng), _constant(rng)
    low = rng.choice(("0.1", "0.2", "0.3"))
    slow, fast = rng.choice(GROWTH)
    edits: tuple[tuple[str, dict[str, bool]], ...] = (
        (f"{text}+0.01", VALID | {"zero_at_identity": False}),
        (f"{text}-0.001", VALID | {"nonnegative": False, "zero_at_identity": False}),
        (f"{text}+{c}*abs(r-1)", VALID | {"flat_at_identity": False}),
        (f"{text}+{c}*abs({g})", VALID | {"flat_at_identity": False}),
        (f"{text}+{c}*{g}", VALID | {"nonnegative": False, "flat_at_identity": False}),
        (f"{text}+1e-9*A", VALID | {"nonnegative": False, "zero_at_identity": False}),
        (f"{slow}-1e-6*({fast})", VALID | {"nonnegative": False}),
        (f"{g}-{c}*tanh({g}/({c}))", VALID | {"nonnegative": False}),
        (f"relu({g}-{c}*tanh({g}))+relu({g})", VALID | {"flat_at_identity": False}),
        (f"relu({g}-4*tanh({g}/3))", VALID | {"flat_at_identity": False}),
        (f"relu({g}-3*tanh({g}/4))", VALID | {"flat_at_identity": False}),
        (
            f"relu((r-clip(r, 1+{low}, 2))*A)+(r-1)**2",
            VALID | {"zero_at_identity": False, "flat_at_identity": False},
        ),
        (f"relu((r-1)*A)+{c}*(r-1)**2", VALID | {"flat_at_identity": False}),
        (f"(r-clip(r, 1-{low}, 1+{low}))*A", VALID | {"nonnegative": False}),
        (f"(r-1)**2*(1+1.01*tanh({c}*A))", VALID | {"nonnegative": False}),
        (f"({rng.choice(SMOOTH)})*tanh(A)", VALID | {"nonnegative": False}),
        (f"{c}*log(r)**2*sign(A)", VALID | {"nonnegative": False}),
        (f"max({text}, abs(r-1)*relu(A-2))", VALID | {"flat_at_identity": False}),
        (f"where(t > 0.9, abs(log(r)), {text})", VALID | {"flat_at_identity": False}),
        (f"(0.95-t)*log(r)**2*exp(-{c}*abs(A))", VALID | {"nonnegative": False}),
        ("(r-1)**2/A", {"defined": False}),
        (f"({text})/(A-{c})", {"defined": False}),
        (f"{text}+sign(r-1)**2", VALID | {"flat_at_identity": False}),
    )
    formula, truth = rng.choice(edits)
    return formula, names, truth


def realistic(rng: random.Random) -> Generated:
    """Valid (twice in three) or broken by one edit."""
    if rng.random() < 2 / 3:
        text, names = valid_part(rng, rng.randint(0, 2))
        made = Generated(text, names, VALID, "valid")
    else:
        text, names, truth = _broken(rng)
        used = tuple(name for name in names if name.split()[0].split("=")[0] in text)
        made = Generated(text, used, truth, "broken")
    return made
