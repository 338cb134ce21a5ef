"""Why a smooth piece is non-negative, in words: by its form, or by the kernel's proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from symbolic.expression import Expression, Number, integer_exponent
from verify.algebra.masks import NEGATIVE, POSITIVE, ZERO
from verify.explain.derivation import Setting
from verify.explain.pieces import Guard, Piece, SignOf
from verify.report import Report, Verdict

_WORDS = {
    "monotone": "calculus (its value where a variable begins, and the sign of its slope)",
    "ball": "interval arithmetic on boxes",
    "combine": "a non-negative combination of known terms",
    "shift": "a shift of a variable to its lower end",
    "abstract": "a new variable for a positive term",
    "split": "cases",
    "bisect": "cutting a range in two",
}
"""Rules of a certificate that a reader wants to know of."""
_NAMES = {"_s": "|log r|", "_a": "|A|"}


def reason(setting: Setting, ratio: str, piece: Piece, report: Report) -> str:
    """One clause that says why `piece` is non-negative where the formula equals it."""
    by_form = _by_form(piece.tree, piece.guards, setting.sign_on(ratio or "r=1"))
    if by_form:
        return by_form
    if report["nonnegative"].verdict is not Verdict.PROVED:
        return "not shown"
    return by_kernel(report, [part for part in (ratio, setting.advantage) if part])


def _by_form(tree: Expression, guards: tuple[Guard, ...], sign_of: SignOf) -> str:
    if isinstance(tree, Number):
        return "nothing to show" if tree.value == 0 else "it is a positive number"
    if any(guard is tree and text in (">", ">=", "=") for guard, text in guards):
        return "its guard says so (it is what a ReLU lets through)"
    if tree.op in ("exp", "sigmoid", "softplus", "sqrt"):
        return f"the range of {tree.op} is non-negative"
    if tree.op == "square" or (tree.op == "pow" and (integer_exponent(tree) or 1) % 2 == 0):
        return "it is an even power"
    if tree.op == "neg":
        return (
            f"{tree.args[0]} is non-positive there"
            if _at_most(tree.args[0], guards, sign_of)
            else ""
        )
    if tree.op in ("mul", "div"):
        masks = [sign_of(arg, guards) for arg in tree.args]
        for bad, word in ((NEGATIVE, "non-negative"), (POSITIVE, "non-positive")):
            if all(mask & bad == 0 for mask in masks):
                kind = "product" if tree.op == "mul" else "quotient"
                return f"it is a {kind} of two {word} factors, {tree.args[0]} and {tree.args[1]}"
    if tree.op in ("add", "sub"):
        a, b = (sign_of(arg, guards) for arg in tree.args)
        if a & NEGATIVE == 0 and b & (NEGATIVE if tree.op == "add" else POSITIVE) == 0:
            return "it is a sum of non-negative terms"
    return (
        "by the signs of its factors and coefficients in |log r| and |A|"
        if sign_of(tree, guards) & NEGATIVE == 0
        else ""
    )


def _at_most(tree: Expression, guards: tuple[Guard, ...], sign_of: SignOf) -> bool:
    return sign_of(tree, guards) & ~(NEGATIVE | ZERO) == 0


def by_kernel(report: Report, place: list[str]) -> str:
    """How the certificate proves the regions at `place`, named by their rules."""
    regions = report.certificate.get("conditions", {}).get("nonnegative", {}).get("regions", {})
    rules: Counter[str] = Counter()
    variables: set[str] = set()
    for key, node in regions.items():
        if set(place) <= set(key.split(",")):
            for step in _steps(node):
                rules[step["rule"]] += 1
                if step["rule"] == "monotone":
                    variables.add(_NAMES.get(str(step.get("in")), str(step.get("in"))))
    if not rules:
        return "by the kernel"
    told = [
        words + (f" in {' and '.join(sorted(variables))}" if rule == "monotone" else "")
        for rule, words in _WORDS.items()
        if rule in rules
    ]
    count = sum(rules.values())
    steps = f"{count} step{'s' if count > 1 else ''}"
    return f"by the kernel in {steps}: {', '.join([*told, 'signs of factors and coefficients'])}"


def rules_of(node: Any) -> str:
    """How a certificate node proves its claims, named by their rules."""
    rules = {step["rule"] for step in _steps(node)}
    told = [words for rule, words in _WORDS.items() if rule in rules]
    return f"by {', '.join([*told, 'signs of factors and coefficients'])}"


def _steps(node: Any) -> Iterator[dict[str, Any]]:
    """Every proof step of a certificate node."""
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            if "rule" in inner:
                yield inner
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)
