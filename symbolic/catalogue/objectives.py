"""The known objectives of preference optimisation, by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache

from symbolic.catalogue import UnknownName
from symbolic.drift import Drift, Reference
from symbolic.preference.objective import PreferenceObjective

ALIASES = {
    "dpo": "direct-preference",
    "cdpo": "conservative-direct-preference",
    "discopop": "log-ratio-modulated",
    "lrml": "log-ratio-modulated",
}
"""Short names, here alone: among drifts `dpo` is Discovered Policy Optimisation."""

_RAFAILOV = Reference(
    "Direct Preference Optimization: Your Language Model is Secretly a Reward Model", 2023
)
_ANY = ["x in (0, inf)"]


def _log(kind: str, factor: str = "") -> Drift:
    return Drift.from_text(f"{factor}log(x)", _ANY, kind=kind)


def _link(text: str, *parameters: str) -> Drift:
    return Drift.from_text(text, parameters, kind="link")


def _direct_preference() -> PreferenceObjective:
    return PreferenceObjective(
        name="direct-preference",
        title="Direct preference optimisation",
        psi=None,
        phi_inverse=_log("mirror-map"),
        beta=0.1,
        reference=True,
        source=_RAFAILOV,
        note="Objective (9) of the mirror-map paper with φ = exp.",
    )


def _conservative() -> PreferenceObjective:
    return PreferenceObjective(
        name="conservative-direct-preference",
        title="Conservative direct preference optimisation",
        psi=None,
        phi_inverse=_log("mirror-map"),
        beta=0.1,
        label_smoothing=0.1,
        reference=True,
        source=Reference("A note on DPO with noisy preferences and relationship to IPO", 2023),
        note="Takes a share of the labels to be wrong. TRL 1.16 has it as `aot` for one pair at a time; "
        "its `robust` is another loss.",
    )


def _orpo() -> PreferenceObjective:
    return PreferenceObjective(
        name="orpo",
        title="Odds ratio preference optimisation",
        psi=_log("psi"),
        phi_inverse=Drift.from_text("log(x) - log(1 - x)", kind="mirror-map"),
        weight=0.1,
        reduction="mean",
        source=Reference("ORPO: Monolithic Preference Optimization without Reference Model", 2024),
        note="Objective (10) of the mirror-map paper with ψ = log x and φ⁻¹ the log-odds.",
    )


def _ipo() -> PreferenceObjective:
    return PreferenceObjective(
        name="ipo",
        title="Identity preference optimisation",
        psi=None,
        phi_inverse=_log("mirror-map"),
        link=_link("-(z - 1/(2*tau))**2", "tau = 0.1"),
        reference=True,
        source=Reference(
            "A General Theoretical Paradigm to Understand Learning from Human Preferences", 2023
        ),
        note="A square in place of the logistic loss: the difference is to be 1/(2τ), not large. Of "
        "whole responses, as equation (17) has it; TRL takes means over their tokens, which it says the "
        "authors' experiments did: reduction='mean'.",
    )


def _simpo() -> PreferenceObjective:
    return PreferenceObjective(
        name="simpo",
        title="Simple preference optimisation",
        psi=None,
        phi_inverse=_log("mirror-map"),
        beta=2.0,
        margin=1.0,
        reduction="mean",
        source=Reference(
            "SimPO: Simple Preference Optimization with a Reference-Free Reward", 2024
        ),
    )


def _log_ratio_modulated() -> PreferenceObjective:
    return PreferenceObjective(
        name="log-ratio-modulated",
        title="Log-ratio modulated loss (DiscoPOP)",
        psi=None,
        phi_inverse=_log("mirror-map"),
        link=_link("-(softplus(-z)*sigmoid(-z/tau) + exp(-z - softplus(-z/tau)))", "tau = 0.05"),
        beta=0.1,
        reference=True,
        source=Reference(
            "Discovering Preference Optimization Algorithms with and for Large Language Models",
            2024,
        ),
        note="Logistic loss blended with exp(−z) by σ(z/τ); exp(−z)·σ(z/τ) is written as one "
        "exponential, which stays finite.",
    )


def _closed_form() -> PreferenceObjective:
    return PreferenceObjective(
        name="mpo-closed-form",
        title="Closed form of mirror preference optimisation",
        psi=Drift.from_text("alpha*log(x)", [*_ANY, "alpha = 1"], kind="psi"),
        phi_inverse=Drift.from_text("b*log(x)", [*_ANY, "b = 1"], kind="mirror-map"),
        source=Reference("Learning Loss Landscapes in Preference Optimization", 2024),
        note="Equation (11), found by regression on networks discovered on shuffled and noisy data; "
        "the paper gives no α, β and λ: ours are 1.",
    )


_MAKERS = {
    "direct-preference": _direct_preference,
    "conservative-direct-preference": _conservative,
    "orpo": _orpo,
    "ipo": _ipo,
    "simpo": _simpo,
    "log-ratio-modulated": _log_ratio_modulated,
    "mpo-closed-form": _closed_form,
}


class _Objectives(Mapping[str, PreferenceObjective]):
    """Names in order; an alias finds its objective and is not listed."""

    def __getitem__(self, name: str) -> PreferenceObjective:
        full = ALIASES.get(name, name)
        if full in _MAKERS:
            return _made(full)
        near = difflib.get_close_matches(str(name), [*_MAKERS, *ALIASES], n=2)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UnknownName(
            f"'{name!s:.60}' is no objective; {hint}known: {', '.join(_MAKERS)}; or write two "
            "formulas, 'log(x); log(x) - log(1 - x)'"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)

    def __contains__(self, name: object) -> bool:
        return name in _MAKERS or name in ALIASES


objectives: Mapping[str, PreferenceObjective] = _Objectives()
"""Every known objective; read-only."""


@cache
def _made(name: str) -> PreferenceObjective:
    return _MAKERS[name]()
