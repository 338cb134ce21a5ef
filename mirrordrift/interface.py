"""What Python users call: the same decisions as the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.certificates import read_certificates, replay
from mirrordrift.spec import Decidable, Parameters, resolve_decidable, resolve_together
from symbolic.drift import Drift
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from verify.checker import Replay
    from verify.report import Condition, Report


DECIDABLE = ("drift", "mirror-map", "psi")
"""What a formula may be meant to be."""


def verify(
    spec: object, parameters: Parameters = None, kind: str = "drift", timeout: float = 10.0
) -> Report:
    """Decide the conditions of a drift, a mirror map or a ψ, for every value of its parameters.

    `kind` is what a formula is meant to be: `drift`, `mirror-map` or `psi`; an entry of the catalogue
    has its own. `spec` is text (a formula, a name of the catalogue, a path), a Drift, a SymPy expression or a
    network; `parameters` are declarations such as `["alpha in (0, inf)"]` or a mapping such as
    `{"alpha": "(0, inf)", "eps": "1/5"}`; `timeout` is in seconds and can only turn a decision
    into `unknown`.
    Raises FormulaError or ConfigError with the text that the command line shows.
    """
    if kind not in DECIDABLE:
        raise ConfigError(f"kind={kind!r:.40} is unknown; choose one of {', '.join(DECIDABLE)}")
    return decide_target(resolve_decidable(spec, parameters, kind=kind), timeout)


def equal(
    f: object,
    g: object,
    parameters: Parameters = None,
    timeout: float = 10.0,
    kind: str = "drift",
) -> Condition:
    """Decide whether two formulas of a kind are the same function; the condition has the id `equal`.

    `proved` means equal on the whole domain, `refuted` comes with a point where they differ.
    `parameters` hold for both. Raises FormulaError or ConfigError.
    """
    from verify.equality import decide_equal

    _check_timeout(timeout)
    left, right = resolve_together((f, g), parameters, kind=kind)
    return decide_equal(left, right, timeout=timeout)


def check(certificate: Report | Mapping[str, Any] | str | PathLike[str]) -> Replay:
    """Replay a certificate (a report, its `certificate`, or a file) with the separate checker.

    Raises UnreadableCertificate for what is no certificate.
    """
    from verify.checker import UnreadableCertificate
    from verify.report import Report

    if isinstance(certificate, Report):
        return replay(certificate.certificate)
    if isinstance(certificate, (str, PathLike)):
        found = read_certificates(Path(certificate))
        if len(found) != 1:
            raise UnreadableCertificate(
                f"{certificate}: {len(found)} certificates; `drift check` checks them one by one"
            )
        return replay(found[0])
    return replay(certificate)


def decide_target(target: Decidable, timeout: float) -> Report:
    """The report of a resolved SPEC."""
    _check_timeout(timeout)
    if isinstance(target, Drift):
        from verify.decide import decide

        return decide(target, timeout=timeout)
    from symbolic.mirror_network import MirrorNetwork

    if isinstance(target, MirrorNetwork):
        from verify.maps.network import decide_mirror_network

        return decide_mirror_network(target)
    from verify.network.structure import decide_network

    return decide_network(target, timeout=timeout)


def refuse_refuted(label: str, target: Decidable) -> str:
    """The verdict of what may be trained with; raises ConfigError, with the witness, if refuted."""
    verdict, why = verdict_of(label, target)
    if why:
        raise ConfigError(f"{why}; to train with it all the same, say --allow-unproved")
    return verdict


def verdict_of(label: str, target: Decidable) -> tuple[str, str]:
    """The verdict, and what is refuted, with the witness; empty where nothing is."""
    report = decide_target(target, timeout=10.0)
    if report.verdict != "refuted":
        return report.verdict.value, ""
    failing = next(c for c in report.conditions if c.verdict == "refuted")
    witness = f" at {failing.witness}" if failing.witness is not None else ""
    return "refuted", f"{label} is no {target.kind}: {failing.id} is refuted{witness}"


def _check_timeout(timeout: float) -> None:
    if not (isinstance(timeout, (int, float)) and 0 < timeout < math.inf):
        raise ConfigError(f"timeout={timeout!r:.40} must be a positive number of seconds; try 10")
