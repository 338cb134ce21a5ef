"""Penalties that are wrong on purpose, each in one way that is easy to miss."""

from __future__ import annotations

from symbolic.catalogue.entry import Entry

BROKEN = (
    Entry(
        name="broken-tail",
        title="Broken: negative far out",
        formula="log(r)**2 - 0.000001*(r - 1)**2",
        note="The square of the logarithm loses to any multiple of (r - 1)², but only from "
        "r ≈ 10⁴ on, where sampling seldom looks.",
        refuted=("nonnegative",),
    ),
    Entry(
        name="broken-kink",
        title="Broken: a kink at r = 1 for large advantages only",
        formula="(r - 1)**2 + abs(r - 1)*relu(abs(A) - 5)",
        note="Flat for |A| <= 5; beyond, the slopes at r = 1 are ±(|A| - 5).",
        refuted=("flat_at_identity",),
    ),
    Entry(
        name="broken-value",
        title="Broken: a bump at r = 1",
        formula="relu(0.001 - (r - 1)**2)",
        note="Never negative and flat, but 1/1000 at r = 1: staying put costs something.",
        refuted=("zero_at_identity",),
    ),
    Entry(
        name="broken-undefined",
        title="Broken: undefined for negative advantages",
        formula="(r - 1)**2*sqrt(A)",
        note="Where it is defined, for A >= 0, the other conditions hold.",
        refuted=("defined",),
    ),
    Entry(
        name="broken-near-tie",
        title="Broken: negative by 1e-16 at r = 1",
        formula="sqrt((r - 1)**2*A**2 + 0.00000001) - 0.0001000000000001",
        note="The square root of 1e-8 is 0.0001: the constant is too large in its sixteenth "
        "decimal, and float64 arithmetic cannot be trusted to see it.",
        refuted=("nonnegative", "zero_at_identity"),
    ),
)
