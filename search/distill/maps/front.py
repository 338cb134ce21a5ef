"""From samples of a mirror map to a front of formulas, each decided as a mirror map or as a ψ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from search.distill.front import Front, Member, Tell, add, best_of, each, with_knee
from symbolic.distill.constants import Fit, simplified
from symbolic.distill.maps.loss import MapObjective
from symbolic.distill.maps.regression import regressed
from symbolic.distill.maps.samples import MapSamples
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.expression import Expression
from verify.decide import decide
from verify.distance import Box
from verify.equality import decide_equal

ENGINE = "basis"
_FITTED = 1000
"""Samples that weights are fitted to; errors are measured on all."""
_ENOUGH = 1e-4
"""A loss that is as good as none for the knee: errors of 1 %, which no training tells apart."""
BEYOND_ONE: Mapping[str, object] = {"x": "(0, inf)"}
"""The declaration of a map that is one on all x > 0."""


def distil_map(
    samples: MapSamples,
    *,
    domains: Mapping[str, object] | None = None,
    seed: int = 0,
    timeout: float = 10.0,
    tell: Tell = lambda what, done, total: None,
) -> Front:
    """The front of sums of basis functions that follow a map, each decided on `domains`.

    `timeout` bounds one verdict, in seconds. An interrupt ends what is being done and keeps what it
    has. Raises ConfigError where no sum follows the samples at all.
    """
    whole = MapObjective(samples)
    fit_to = whole if len(samples) <= _FITTED else MapObjective(_thinned(samples, seed))
    domains = {} if domains is None else domains
    fits = regressed(fit_to)
    if not fits:
        raise ConfigError(
            "no sum of increasing functions follows the samples; does the map decrease?"
        )
    members: list[Member] = []
    duplicates: list[Mapping[str, str]] = []

    def equal(f: Expression, g: Expression) -> str:
        pair = [
            Drift(formula=each, kind=samples.kind, domains=_of(each, domains)) for each in (f, g)
        ]
        return "proof" if decide_equal(*pair, timeout=timeout).verdict == "proved" else ""

    def settle(fit: Fit) -> None:
        formula = simplified(fit, fit_to)
        report = decide(
            Drift(formula=formula, kind=samples.kind, domains=_of(formula, domains)),
            timeout=timeout,
        )
        add([Member(formula, whole.errors(formula), report, ENGINE)], members, duplicates, equal)

    cut = each(fits, "simplifying and deciding", tell, settle)
    if cut and not members:
        raise KeyboardInterrupt
    return Front(tuple(with_knee(best_of(members), _ENOUGH)), tuple(duplicates), cut)


def asked_at(samples: MapSamples) -> Box:
    """Where the samples lie: the range of log x, and of t."""
    sides = {"log_x": (float(samples.log_x.min()), float(samples.log_x.max()))}
    return sides if samples.t is None else {**sides, "t": (0.0, 1.0)}


def knee_of(front: Front, kind: str, domains: Mapping[str, Any]) -> Drift:
    """The knee as what an objective holds; raises ConfigError where no member is proved."""
    knee = front.knee
    if knee is None:
        raise ConfigError(
            f"no member of the front is proved to be a {kind}, so that an objective has no formula to "
            "take; the front says what each lacks"
        )
    return Drift(formula=knee.formula, kind=kind, domains=_of(knee.formula, domains))


def _of(formula: Expression, domains: Mapping[str, object]) -> dict[str, Any]:
    return {name: domain for name, domain in domains.items() if name in formula.symbols}


def _thinned(samples: MapSamples, seed: int) -> MapSamples:
    chosen = np.random.default_rng(seed).choice(len(samples), _FITTED, replace=False)
    return samples.where(np.sort(chosen))
