"""Tests of drifts in your own repository.

    from mirrordrift.testing import assert_valid_drift, ratios, advantages

    def test_my_drift():
        assert_valid_drift(my_drift, argument="log_ratio")

A formula, a `Drift` or a SymPy expression is decided by the verifier. Any other callable is
sampled: a counterexample is real, its absence proves nothing. The Hypothesis strategies are
those of `verify.strategies`; Hypothesis is imported when one of them is first used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from verify.report import Report
    from verify.strategies import (
        advantages,
        drift_expressions,
        log_ratios,
        parameters,
        ratios,
    )

__all__ = [
    "Sampled",
    "advantages",
    "assert_valid_drift",
    "drift_expressions",
    "log_ratios",
    "parameters",
    "ratios",
]

_STRATEGIES = ("advantages", "drift_expressions", "log_ratios", "parameters", "ratios")
SAMPLING = (
    "This was found by sampling a callable. Sampling proves nothing: a pass would only mean "
    "that no counterexample was met. Give the formula to have it decided."
)


def __getattr__(name: str) -> Any:
    if name in _STRATEGIES:
        import verify.strategies

        return getattr(verify.strategies, name)
    raise AttributeError(f"module 'mirrordrift.testing' has no attribute '{name}'")


@dataclass(frozen=True)
class Sampled:
    """A callable in which sampling met no counterexample; that is no proof."""

    points: int
    """Points (r, A) at which it was evaluated."""
    precision: str
    """The floating-point type of its values."""
    gradients: tuple[str, ...] = ()
    """The libraries, "JAX" or "PyTorch", whose gradient was compared with the values."""

    def __str__(self) -> str:
        by = f", nor in its gradient by {' and '.join(self.gradients)}" if self.gradients else ""
        return (
            f"no counterexample at {self.points} points in {self.precision}{by}; sampling proves "
            "nothing: give the formula to have it decided"
        )


def assert_valid_drift(
    f: object,
    argument: Literal["ratio", "log_ratio"] = "ratio",
    *,
    parameters: Iterable[str] | Mapping[str, object] | None = None,
    timeout: float = 10.0,
) -> Report | Sampled:
    """Raise AssertionError unless f is a valid drift: f ≥ 0, f(1, A) = 0, ∂f/∂r(1, A) = 0.

    A formula (text, `Drift`, tree, SymPy expression) goes to the verifier with its `parameters`
    and `timeout` (seconds): every condition must be proved, and the error has the exact witness.
    A Python, NumPy, JAX or PyTorch callable `f(ratio, A)` or, by `argument`, `f(log_ratio, A)`,
    over arrays or numbers, is sampled over e^-10 ≤ r ≤ e^10 and |A| ≤ 20; a third positional
    argument without a default is training progress in [0, 1]. Where JAX or PyTorch can
    differentiate it, the gradient in the first argument must be finite (for a log-ratio up to
    |log r| = 40), 0 at r = 1, and the slope of the values. Its error has a counterexample shrunk
    to simple numbers.
    Raises ConfigError for a wrong `argument` or one that does not apply, FormulaError for what is
    no formula, and TypeError for a callable that does not give a number for each point.
    """
    from mirrordrift.sampling.subject import name_of
    from symbolic.errors import ConfigError

    if argument not in ("ratio", "log_ratio"):
        raise ConfigError(f"argument={argument!r}: use 'ratio' or 'log_ratio'")
    if not _is_formula(f):
        assert callable(f)
        if parameters is not None:
            raise ConfigError(
                f"parameters={parameters!r:.60} are those of a formula; {name_of(f)} is a callable: "
                "fix its own, for example with functools.partial"
            )
        from mirrordrift.sampling import sample

        met = sample(f, argument)
        if met.failure:
            raise AssertionError(f"{name_of(f)} is no valid drift: {met.failure}\n{SAMPLING}")
        return Sampled(met.points, met.precision, met.gradients)
    if argument != "ratio":
        raise ConfigError(
            f"argument={argument!r} is for a callable; a formula is written in r: leave it out, "
            "and write log(r) for the log-ratio"
        )
    from mirrordrift.interface import verify
    from verify.report import Verdict

    report = verify(f, parameters, timeout=timeout)
    if report.verdict is not Verdict.PROVED:
        raise AssertionError(explain(report))
    return report


def explain(report: Report) -> str:
    """What an assertion shows of a report that is not proved: each failing condition."""
    head = "is no valid drift" if report.verdict == "refuted" else "is not proved to be a drift"
    lines = [f"{report.formula} {head}"]
    for condition in report.conditions:
        if condition.verdict == "proved":
            continue
        line = f"  {condition.id}: {condition.verdict}"
        if condition.witness is not None:
            pairs = condition.witness.to_json().items()
            line += " at " + ", ".join(f"{name} = {value}" for name, value in pairs)
        elif condition.detail:
            line += f" ({condition.detail})"
        lines.append(line)
    return "\n".join([*lines, *(f"  note: {note}" for note in report.notes)])


def _is_formula(f: object) -> bool:
    """Whether the verifier can read f; every other callable is sampled."""
    from symbolic.drift import Drift
    from symbolic.expression import Expression

    return isinstance(f, (str, PurePath, Drift, Expression)) or not callable(f)
