"""A preference objective as an equation: in LaTeX with its formulas, or in a line without them."""

from __future__ import annotations

from fractions import Fraction

from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.expression import number
from symbolic.latex import to_latex
from symbolic.preference.objective import PreferenceObjective, Slot

_POTENTIAL = r"\phi^{-1}"
_PROBABILITY = {
    "sum": r"\pi_\tau = \prod_{k=1}^{|\tau|} \pi(a_k \mid s_k)",
    "mean": r"\pi_\tau = \Bigl(\prod_{k=1}^{|\tau|} \pi(a_k \mid s_k)\Bigr)^{1/|\tau|}",
}


def objective_latex(objective: PreferenceObjective) -> str:
    """Mathematics without surrounding `$`: what is maximised, and the slots' formulas below it.

    Raises ConfigError for a network or a Python function in a slot.
    """
    link = r"\log \sigma" if objective.link_is_log_sigmoid else r"\ell"
    terms = [rf"\psi(\pi_w{_t(objective.psi)})"] if objective.psi is not None else []
    terms.append(_preference(objective, link))
    given = r"\max_\pi \; \mathbb{E}_{(w, l)} \left[ " + " + ".join(terms) + r" \right]"
    rows = [given, f"z = {_difference(objective)}", _PROBABILITY[objective.reduction]]
    if objective.uses_progress:
        rows.append(r"t = n/N")
    if objective.psi is not None:
        rows.append(rf"\psi(x{_t(objective.psi)}) = {_formula('psi', objective.psi)}")
    at = _t(objective.phi_inverse)
    rows.append(rf"{_POTENTIAL}(x{at}) = {_formula('phi_inverse', objective.phi_inverse)}")
    if not objective.link_is_log_sigmoid:
        rows.append(rf"\ell(z{_t(objective.link)}) = {_formula('link', objective.link)}")
    aligned = " \\\\\n".join("& " + row for row in rows)
    return f"\\begin{{aligned}}\n{aligned}\n\\end{{aligned}}\n"


def objective_line(objective: PreferenceObjective) -> str:
    """What is maximised, in one line of text, whatever stands in the slots."""
    link = "log σ" if objective.link_is_log_sigmoid else "ℓ"
    z = "φ⁻¹(π_w) − φ⁻¹(π_l)"
    if objective.reference:
        z += " − φ⁻¹(ρ_w) + φ⁻¹(ρ_l)"
    if objective.beta != 1:
        z = f"{objective.beta:g}·({z})"
    z += f" − {objective.margin:g}" if objective.margin else ""
    share = objective.label_smoothing
    term = f"{link}(z)" if not share else f"({1 - share:g}·{link}(z) + {share:g}·{link}(−z))"
    term = term if objective.weight == 1 else f"{objective.weight:g}·{term}"
    psi = "" if objective.psi is None else "ψ(π_w) + "
    return f"E[{psi}{term}] with z = {z}"


def _preference(objective: PreferenceObjective, link: str) -> str:
    t = _t(objective.link)
    right, wrong = rf"{link}(z{t})", rf"{link}(-z{t})"
    share = objective.label_smoothing
    if not share:
        return _times(objective.weight, right)
    both = rf"{_number(1 - share)} \, {right} + {_number(share)} \, {wrong}"
    return both if objective.weight == 1 else _times(objective.weight, rf"\left({both}\right)")


def _difference(objective: PreferenceObjective) -> str:
    t = _t(objective.phi_inverse)
    found = rf"{_POTENTIAL}(\pi_w{t}) - {_POTENTIAL}(\pi_l{t})"
    if objective.reference:
        found += rf" - {_POTENTIAL}(\rho_w{t}) + {_POTENTIAL}(\rho_l{t})"
    if objective.beta != 1:
        found = rf"{_number(objective.beta)} \left({found}\right)"
    return found + (f" - {_number(objective.margin)}" if objective.margin else "")


def _times(factor: float, term: str) -> str:
    return term if factor == 1 else rf"{_number(factor)} \, {term}"


def _number(value: float) -> str:
    return to_latex(number(Fraction(repr(value))))


def _t(slot: Slot | None) -> str:
    return ", t" if isinstance(slot, Drift) and "t" in slot.formula.symbols else ""


def _formula(name: str, slot: Slot) -> str:
    if isinstance(slot, Drift):
        return to_latex(slot.bound_formula())
    raise ConfigError(
        f"{name} is no formula, and only formulas are equations; export it --to torch, or write a "
        "formula in its place"
    )
