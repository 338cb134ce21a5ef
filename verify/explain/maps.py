"""The derivation behind the verdicts of a mirror map or of ψ, piece by piece, from its certificate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from symbolic.derivative import derivative
from symbolic.drift import Drift
from symbolic.expression import Expression, number, terms
from symbolic.latex import to_latex
from verify.explain.prose import Prose, Shown
from verify.explain.reasons import rules_of
from verify.proof.regions import placed
from verify.report import Report, Verdict

_X = {
    "x": "x itself",
    "down": "s, where x = b*exp(-s) and b is the upper end",
    "up": "s, where x = a*exp(s) and a is the lower end",
    "top": "s, where x = b - (b - a)*exp(-s) between the ends a and b",
    "between": "s from 0 to 1, where x = a + (b - a)*s between the ends a and b",
    "beyond": "s > 0, where x = a + s and a is the lower end",
}
_WEIGHTS = {"constant": "c", "inverse": "c/(1 + s)"}
_TITLES = {
    "defined": "Defined",
    "increasing": "Increasing",
    "continuously_differentiable": "Continuously differentiable",
    "lower_limit": "The limit at 0",
    "integrable": "Integrable",
}


class MapDerivation:
    """Writes the derivation of one map, condition by condition."""

    def __init__(self, drift: Drift, report: Report, prose: Prose) -> None:
        self.drift = drift
        self.report = report
        self.prose = prose
        self.claims: Mapping[str, Any] = report.certificate.get("conditions", {})
        self.name = Shown("g", "g")

    def write(self) -> None:
        """All of it."""
        self._opening()
        for condition in self.report.conditions:
            claim = self.claims.get(condition.id, {})
            self.prose.heading(_TITLES[condition.id], f"{condition.id}: {condition.verdict.value}.")
            if condition.verdict is Verdict.PROVED:
                self._proof(condition.id, claim)
            elif condition.witness is not None:
                self.prose.say(f"At {condition.witness}.")
                self._growth(claim.get("witness", {}).get("growth"))
            if condition.detail:
                self._say(f"{condition.detail}.")
        if self.report.notes:
            self.prose.heading("Notes", "")
            for note in self.report.notes:
                self._say(f"{note}.")

    def _opening(self) -> None:
        formula = self.drift.bound_formula()
        word = "mirror map φ⁻¹ = g" if self.drift.kind == "mirror-map" else "map ψ = g"
        self.prose.say(f"The {word}, with its derivative from the right,")
        slope = derivative(formula, "x")
        self.prose.equations([
            (self.name, Shown(str(formula), to_latex(formula)), ()),
            (Shown("g'", "g'"), Shown(str(slope), to_latex(slope)), ()),
        ])  # fmt: skip
        names = ["x", *sorted(formula.symbols - {"x"})]
        ranges = ", ".join(f"{name} in {self.drift.domain(name)}" for name in names)
        self.prose.say(f"is considered for {ranges}.")

    def _proof(self, name: str, claim: Mapping[str, Any]) -> None:
        if "by" in claim:
            self.prose.say("It follows from the derivative, which is > 0 on the whole range.")
        elif "structure" in claim:
            self.prose.say("The form shows it: every argument of log, sqrt, a quotient or a power "
                           "has a good sign.")  # fmt: skip
        elif name == "defined":
            self.prose.say(
                f"The domain of every operation is shown on each cell, {rules_of(claim)}."
            )
        else:
            for key, region in claim.get("regions", {}).items():
                formula = _at_ends(self.drift.bound_formula(), key)
                for place, node in _below(key.replace(",", ", "), region):
                    self._leaf(name, place, formula, node)

    def _leaf(self, name: str, place: str, formula: Expression, node: Mapping[str, Any]) -> None:
        """What is shown of the formula where t and the parameters are at `place`."""
        where = f"For {place}: " if place else ""
        if name == "lower_limit":
            self._say(where + _limit(node))
            return
        for text, piece in self._pieces(node):
            self._say(f"{where}on {text}, " + _piece(name, piece))
        if node.get("cuts") and name != "integrable":
            smoothly = name == "continuously_differentiable"
            what = "values and derivatives" if smoothly else "values"
            how = "agree" if smoothly else "do not fall"
            cuts = ", ".join(node["cuts"])
            self._say(f"{where}the {what} of neighbouring pieces {how} at x = {cuts}.")
        for key, at in (("zero", "0"), ("one", "1")):
            if key in node:
                self._towards(f"{where}towards x = {at}, ", formula, node[key], at)

    def _towards(self, where: str, formula: Expression, node: Mapping[str, Any], at: str) -> None:
        """Why g, or each term of it, is integrable up to an end."""
        if "terms" not in node:
            self._say(where + _end(node, at))
            return
        for term, each in zip(terms(formula), node["terms"], strict=True):
            self._say(f"{where}of the term g = {term}: " + _end(each, at))

    def _say(self, words: str) -> None:
        """A sentence that begins with a capital, unless it begins with mathematics."""
        plain = words[:2].isalpha() or words[1:2] == " "
        self.prose.say(words[0].upper() + words[1:] if plain else words)

    def _pieces(self, node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        where = self.drift.domain("x")
        ends = [str(where.lower), *node["cuts"], "inf" if where.upper is None else str(where.upper)]
        for low, high, piece in zip(ends, ends[1:], node["pieces"], strict=False):
            yield f"({low}, {high})", piece

    def _growth(self, growth: Mapping[str, Any] | None) -> None:
        if not growth:
            return
        near = f"With x, or 1 - x, equal to {growth['from']}*exp(-s), s > 0: "
        if "sign" not in growth:
            self.prose.say(f"{near}g + {growth['bound']} >= 0, {rules_of(growth)}.")
            return
        slow = "*(1 + s)" if growth.get("weight") == "slow" else ""
        self.prose.say(
            f"{near}{growth['sign']}g{slow} >= {growth['bound']}*exp(s), {rules_of(growth)}; the integral "
            f"of |g|*exp(-s) over s diverges."
        )


def _at_ends(formula: Expression, key: str) -> Expression:
    """The formula of a region, whose key has the closed ends, "c=2,t=1"."""
    parts = (part.partition("=") for part in key.split(",") if "=" in part)
    return placed(formula, {name: number(Fraction(text)) for name, _, text in parts})


def _below(place: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "bisect" in node:
        name, at = node["bisect"], node["at"]
        for part, sign in (("low", "<="), ("high", ">=")):
            yield from _below(_and(place, f"{name} {sign} {at}"), node[part])
    elif "split" in node:
        for sign in (">", "<=", ">=", "<"):
            if sign in node:
                yield from _below(_and(place, f"{node['split']} {sign} 0"), node[sign])
    else:
        yield place, node


def _and(place: str, more: str) -> str:
    return f"{place}, {more}" if place else more


def _piece(name: str, piece: Mapping[str, Any]) -> str:
    settled = "".join(
        f" ({lemma['of']} {lemma['relation']} 0 there)" for lemma in piece.get("lemmas", ())
    )
    if name == "integrable":
        return f"g is continuous{settled}."
    return (
        f"g is smooth and g' > 0{settled}: {rules_of(piece)}; the variable is {_X[piece['chart']]}."
    )


def _limit(node: Mapping[str, Any]) -> str:
    if node.get("near"):
        rate = node["rate"]
        return f"x*g' >= {rate} for all small enough x, so g falls at least like {_factor(rate)}*log(x)."
    least = _WEIGHTS[node["weight"]].replace("c", _factor(node["rate"]))
    return (
        f"with x = {node['from']}*exp(-s), s > 0: -dg/ds >= {least}, {rules_of(node)}; its integral over s "
        "is infinite, so g tends to -inf."
    )


def _end(node: Mapping[str, Any], at: str) -> str:
    if node.get("closed"):
        return f"g is continuous up to x = {at}."
    k = "k = -dg/ds" if node["sign"] == "+" else "k = dg/ds"
    distance = "x" if at == "0" else "1 - x"
    scope = (
        f"for all small enough {distance} = exp(-s)"
        if node.get("near")
        else f"with {distance} = {node['from']}*exp(-s), s > 0"
    )
    return (
        f"{scope}: {k} >= 0 and dk/ds <= p*k with p = {node['power']} < 1, {rules_of(node)}; so |g| grows "
        "at most like (1 + s)*exp(p*s), and |g|*exp(-s) is integrable."
    )


def _factor(text: str) -> str:
    """A factor in a product."""
    return text if text.replace(".", "").isalnum() else f"({text})"
