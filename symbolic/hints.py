"""How the language writes what other languages, and hands in a hurry, write otherwise."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from symbolic.operations import FUNCTIONS, OPERATIONS, SYNONYMS

_OPERATIONS = {
    "ln": "log(x)",
    "log10": "log(x)/log(10)",
    "log2": "log(x)/log(2)",
    "log1p": "log(1 + x)",
    "expm1": "exp(x) - 1",
    "pow": "x**y",
    "power": "x**y",
    "fabs": "abs(x)",
    "sgn": "sign(x)",
    "sqr": "square(x)",
    "cbrt": "x**(1/3)",
    "sinh": "(exp(x) - exp(-x))/2",
    "cosh": "(exp(x) + exp(-x))/2",
    "maximum": "max(x, y)",
    "minimum": "min(x, y)",
    "f": "what it is, for example (r-1)**2",
    "if": "where(a < b, u, v)",
    "Piecewise": "where(a < b, u, v)",
    "Heaviside": "where(x < 0, 0, 1)",
}
_CONSTANTS = {
    "pi": "pi is no constant here: write a rational near it, 3.14159265",
    "e": "Euler's number is exp(1)",
    "E": "Euler's number is exp(1)",
}
_VARIABLES = {
    "r": ("R", "ratio", "rho"),
    "A": ("a", "adv", "Adv", "advantage", "Advantage"),
    "t": ("T", "progress"),
}


def for_operation(name: str) -> str:
    """What to write for an unknown operation, ending in a space; empty if nothing comes to mind."""
    if name in _OPERATIONS:
        return f"write {_OPERATIONS[name]}; "
    near = difflib.get_close_matches(name, [*FUNCTIONS, "where", *SYNONYMS], 1)
    return f"did you mean '{near[0]}'? " if near else ""


def for_name(name: str, known: Collection[str], declare: str) -> str:
    """What to do about an unknown name; `declare` says how a parameter is declared."""
    if name in _CONSTANTS:
        return f"{_CONSTANTS[name]}; as a parameter, {declare}"
    meant = next((v for v, others in _VARIABLES.items() if name in others and v in known), "")
    return f"did you mean '{meant}'? as a parameter, {declare}" if meant else declare


def usage(name: str) -> str:
    """How an operation is written with its arguments."""
    if name in ("clip", "where"):
        return {"clip": "clip(x, lo, hi)", "where": "where(a < b, u, v)"}[name]
    least, most = OPERATIONS[name].arity
    return f"{name}({', '.join('abc'[:least])}{', …' if most is None else ''})"
