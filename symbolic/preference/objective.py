"""An objective of preference optimisation in three slots: ψ, φ⁻¹ and the link.

    maximise E[ψ(π_w) + λ·((1 − s)·link(z) + s·link(−z))],   z = β·Δ − γ
    Δ = φ⁻¹(π_w) − φ⁻¹(π_l)  [− φ⁻¹(ρ_w) + φ⁻¹(ρ_l) with a reference policy ρ]

π_w and π_l are the probabilities of the chosen and the rejected trajectory, known by their
logarithms; s is the label smoothing, γ the margin.

Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, equations (9) and (10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symbolic.drift import Drift, Reference
from symbolic.errors import ConfigError
from symbolic.lowering import lower
from symbolic.mirror_network import MirrorNetwork, mirror_output
from symbolic.numeric import evaluate

Function = Callable[..., Any]
Slot = Drift | MirrorNetwork | Function
"""A formula, a network, or a JAX function of (log_prob[, progress]); of (z[, progress]) for a link."""

REDUCTIONS = ("sum", "mean")
LOWEST, HIGHEST = -1e5, 1e4
"""The widest range of log-probabilities that an objective is asked to bear."""
NEAREST_TO_ONE = -1e-6
"""The greatest log-probability that a map on (0, 1) is asked about."""
_LARGEST = 1e30
"""Beyond it float32 overflows in a mean or a gradient."""

SETTINGS: Mapping[str, type] = {
    "weight": float,
    "beta": float,
    "margin": float,
    "label_smoothing": float,
    "reference": bool,
    "reduction": str,
}
"""The fields of an objective beside its slots, which files hold and flags change."""

SLOT_KINDS: Mapping[str, str] = {"psi": "psi", "phi_inverse": "mirror-map", "link": "link"}
"""What stands in each slot."""

LOG_SIGMOID = Drift.from_text(
    "-softplus(-z)", kind="link", name="log-sigmoid", title="Logarithm of the sigmoid"
)
"""The link of a Bradley–Terry likelihood, log σ(z)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PreferenceObjective:
    """What offline training maximises; raises ConfigError, naming the field, value and remedy."""

    psi: Slot | None
    """Imitation of the chosen trajectory; None leaves it out."""
    phi_inverse: Slot
    """The inverse φ⁻¹ of the potential."""
    link: Drift | Function = LOG_SIGMOID
    """Of the difference z."""
    weight: float = 1.0
    """λ > 0, of the preference term."""
    beta: float = 1.0
    """β > 0, of the difference."""
    margin: float = 0.0
    """γ ≥ 0, by which the difference has to exceed 0."""
    label_smoothing: float = 0.0
    """s in [0, 1/2): the share of labels taken to be wrong."""
    reference: bool = False
    """Whether differences are taken relative to a reference policy."""
    reduction: str = "sum"
    """log π(τ) is the `sum` over steps, or the `mean`."""
    name: str = ""
    title: str = ""
    source: Reference | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for name, wanted in SLOT_KINDS.items():
            slot = getattr(self, name)
            kind = getattr(slot, "kind", wanted)
            if slot is None and name == "psi":
                continue
            if kind != wanted or (name == "link" and isinstance(slot, MirrorNetwork)):
                raise ConfigError(f"{name} is a {kind}, where a {wanted} must stand")
            if not (isinstance(slot, (Drift, MirrorNetwork)) or callable(slot)):
                raise ConfigError(
                    f"{name}={slot!r:.60} is {type(slot).__name__}; give a formula, a network or a "
                    "function"
                )
        for name, rule, holds in (
            ("weight", "above 0", self.weight > 0),
            ("beta", "above 0", self.beta > 0),
            ("margin", "at least 0", self.margin >= 0),
            ("label_smoothing", "in [0, 1/2)", 0 <= self.label_smoothing < 0.5),
        ):
            value = getattr(self, name)
            if not (holds and np.isfinite(value)):
                raise ConfigError(f"{name}={value} must be a finite number {rule}")
        if self.reduction not in REDUCTIONS:
            raise ConfigError(
                f"reduction={self.reduction!r:.40} is unknown; use {' or '.join(REDUCTIONS)}"
            )

    @property
    def uses_progress(self) -> bool:
        """Whether it depends on t; a function is not looked into."""
        slots = (*self.maps.values(), self.link)
        return any(
            slot.uses_progress if isinstance(slot, MirrorNetwork) else "t" in slot.formula.symbols
            for slot in slots
            if isinstance(slot, (MirrorNetwork, Drift))
        )

    @property
    def link_is_log_sigmoid(self) -> bool:
        """Whether the link is the usual one, however it was come by."""
        return isinstance(self.link, Drift) and self.link.formula == LOG_SIGMOID.formula

    @property
    def prefers_rejected(self) -> bool:
        """Whether a link that is a formula is less at z than at −z, wherever z > 0 is tried.

        For customary parameters. Near z = 0 alone published links fall, too (log-ratio modulated).
        """
        if not isinstance(self.link, Drift):
            return False
        z, t = np.geomspace(1e-3, 1e2, 51), np.array([[0.0], [0.5], [1.0]])
        formula = self.link.closed_formula()
        right, wrong = (evaluate(formula, {"z": at, "t": t}) for at in (z, -z))
        return bool(np.all(right < wrong))

    @property
    def link_undefined_at(self) -> float | None:
        """A difference z at which a link that is a formula is no number, among some; None for none."""
        if not isinstance(self.link, Drift):
            return None
        sizes = np.geomspace(1e-3, 1e2, 51)
        z, t = np.concatenate([[0.0], sizes, -sizes]), np.array([[0.0], [0.5], [1.0]])
        with np.errstate(all="ignore"):
            found = evaluate(self.link.closed_formula(), {"z": z, "t": t})
        bad = ~np.isfinite(np.broadcast_to(found, (3, len(z)))).all(axis=0)
        return float(z[bad][0]) if bad.any() else None

    @property
    def maps(self) -> dict[str, Slot]:
        """ψ (if there is one) and φ⁻¹, by the names of their fields."""
        slots = {"psi": self.psi, "phi_inverse": self.phi_inverse}
        return {name: slot for name, slot in slots.items() if slot is not None}

    @cached_property
    def log_prob_range(self) -> tuple[float, float]:
        """The log-probabilities for which both maps are finite in float32, within bounds.

        A formula of x in (0, 1) ends below 0, as networks for φ⁻¹ do; a function is taken at its word.
        """
        ranges = [_finite_range(slot) for slot in self.maps.values()]
        return max(low for low, _ in ranges), min(high for _, high in ranges)

    @property
    def text(self) -> str:
        """`psi; phi_inverse; link` where all are formulas, else what stands in each slot."""
        return "; ".join(slot_text(getattr(self, name)) for name in ("psi", "phi_inverse", "link"))

    def settings(self) -> dict[str, Any]:
        """The numbers and choices beside the slots, by the names of their fields."""
        return {name: getattr(self, name) for name in SETTINGS}


def slot_text(slot: Slot | None) -> str:
    """What stands in a slot, in one line."""
    if slot is None:
        return "none"
    if isinstance(slot, Drift):
        return str(slot.closed_formula())
    if isinstance(slot, MirrorNetwork):
        return f"network {slot.content_hash[:19]}"
    return f"function {getattr(slot, '__name__', type(slot).__name__)}"


def _finite_range(slot: Slot) -> tuple[float, float]:
    if isinstance(slot, Drift):
        upper = slot.domain("x").upper
        highest = HIGHEST if upper is None else NEAREST_TO_ONE
        program = lower(slot)

        def value(log_x: Any, t: Any) -> Any:
            return program(np, log_x, np.zeros_like(log_x), t)

    elif isinstance(slot, MirrorNetwork):
        network, highest = slot, NEAREST_TO_ONE if slot.kind == "mirror-map" else HIGHEST

        def value(log_x: Any, t: Any) -> Any:
            return mirror_output(np, network.kind, network.layers, network.skip, log_x, t)

    else:
        return LOWEST, HIGHEST
    tried = np.concatenate(
        [-np.geomspace(-LOWEST, 1e-6, 200), [0.0], np.geomspace(1e-6, HIGHEST, 200)]
    )
    tried = tried[tried <= highest].astype(np.float32)
    with np.errstate(all="ignore"):
        found = np.stack([value(tried, np.float32(t)) for t in (0.0, 0.5, 1.0)])
        fine = (np.abs(found) < _LARGEST).all(axis=0)
    return _around_minus_one(tried, fine)


def _around_minus_one(tried: Any, fine: Any) -> tuple[float, float]:
    """The run of good points around log x = −1, which every map must bear."""
    middle = int(np.searchsorted(tried, -1.0))
    if not fine[middle]:
        raise ConfigError(
            "a map of the objective is not finite at x = exp(-1); mend the formula or its domain"
        )
    bad = np.flatnonzero(~fine)
    first = bad[bad < middle].max(initial=-1) + 1
    last = bad[bad > middle].min(initial=len(tried)) - 1
    return float(tried[first]), float(tried[last])
