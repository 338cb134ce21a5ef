"""Divergences and robust losses used as penalties on the ratio alone.

The expectation is under the old policy, so Csiszár's f-divergence of the new policy from the
old one has the generator f(r); adding c(r - 1) changes no expectation, and the generators are
given with f'(1) = 0. Directions are stated with `old` and `new`.
"""

from __future__ import annotations

from symbolic.catalogue.entry import Entry
from symbolic.drift import Reference

_SCHULMAN = Reference("Approximating KL Divergence", 2020, "Schulman, a web note")
_CSISZAR = Reference(
    "Information-Type Measures of Difference of Probability Distributions and Indirect Observations",
    1967,
    "Csiszár",
)
_KULLBACK = Reference("On Information and Sufficiency", 1951, "Kullback and Leibler")
_INEQUALITIES = Reference("f-Divergence Inequalities", 2016, "Sason and Verdú")
_ALPHA = Reference(
    "Families of Alpha- Beta- and Gamma- Divergences: Flexible and Robust Measures of Similarities",
    2010,
    "Cichocki and Amari",
)
_BARRON = Reference("A General and Adaptive Robust Loss Function", 2019, "Barron")
_ALPHA_FORMULA = "(r**alpha - alpha*r + alpha - 1)/(alpha*(alpha - 1))"
_POSITIVE = "(0, inf)"

DIVERGENCES = (
    Entry(
        name="kl",
        title="KL(old ‖ new)",
        formula="r - 1 - log(r)",
        reference=_KULLBACK,
        note="The direction of TRPO and PPO; as an estimator under the old policy it is k3.",
    ),
    Entry(
        name="reverse-kl",
        title="KL(new ‖ old)",
        formula="r*log(r) - r + 1",
        reference=_KULLBACK,
    ),
    Entry(
        name="k1",
        title="Estimator k1 of KL(old ‖ new)",
        formula="-log(r)",
        reference=_SCHULMAN,
        note="No drift point by point: negative for r > 1, of slope -1 at r = 1. Its expectation "
        "is right: k1 + (r - 1) is k3, and E[r - 1] = 0 under the old policy. Here r is new over "
        "old and the samples are the old policy's.",
        refuted=("nonnegative", "flat_at_identity"),
    ),
    Entry(
        name="k2",
        title="Estimator k2 of KL(old ‖ new)",
        formula="log(r)**2/2",
        reference=_SCHULMAN,
        note="Biased as an estimator, and a drift. The same for the ratio and its inverse.",
    ),
    Entry(
        name="k3",
        title="Estimator k3 of KL(old ‖ new)",
        formula="(r - 1) - log(r)",
        reference=_SCHULMAN,
        note="Unbiased and never negative. Here r is new over old and the samples are the old "
        "policy's; language-model code often has the inverse ratio (see grpo-kl).",
    ),
    Entry(
        name="jeffreys",
        title="Jeffreys divergence, both directions of KL",
        formula="(r - 1)*log(r)",
        reference=Reference(
            "An Invariant Form for the Prior Probability in Estimation Problems", 1946, "Jeffreys"
        ),
    ),
    Entry(
        name="jensen-shannon",
        title="Jensen–Shannon divergence, twice",
        formula="r*log(r) - (r + 1)*log((r + 1)/2)",
        reference=Reference("Divergence Measures Based on the Shannon Entropy", 1991, "Lin"),
        note="Leaky PPO's paper penalises PPO with it.",
    ),
    Entry(
        name="chi-square",
        title="Pearson chi-square of the new policy from the old",
        formula="(r - 1)**2",
        reference=_INEQUALITIES,
    ),
    Entry(
        name="neyman-chi-square",
        title="Neyman chi-square: Pearson's with the policies exchanged",
        formula="(r - 1)**2/r",
        reference=_INEQUALITIES,
    ),
    Entry(
        name="hellinger",
        title="Squared Hellinger distance (not halved)",
        formula="(sqrt(r) - 1)**2",
        reference=_INEQUALITIES,
    ),
    Entry(
        name="triangular",
        title="Triangular discrimination (Vincze–Le Cam)",
        formula="(r - 1)**2/(r + 1)",
        reference=Reference(
            "Some Inequalities for Information Divergence and Related Measures of Discrimination",
            2000,
            "Topsøe",
        ),
    ),
    Entry(
        name="total-variation",
        title="Total variation distance",
        formula="abs(r - 1)/2",
        reference=_CSISZAR,
        note="No drift: a kink at r = 1, with slopes -1/2 and +1/2, so the first step away "
        "from the old policy already costs.",
        refuted=("flat_at_identity",),
    ),
    Entry(
        name="alpha-divergence",
        title="Alpha-divergence between the two KL directions",
        formula=_ALPHA_FORMULA,
        domains={"alpha": "(0, 1)"},
        defaults={"alpha": "1/2"},
        reference=_ALPHA,
        note="alpha = 1/2 is twice the squared Hellinger distance; alpha → 1 gives reverse-kl, "
        "alpha → 0 kl.",
    ),
    Entry(
        name="alpha-divergence-above",
        title="Alpha-divergence with alpha above 1",
        formula=_ALPHA_FORMULA,
        domains={"alpha": "(1, inf)"},
        defaults={"alpha": "2"},
        reference=_ALPHA,
        note="alpha = 2 is half of chi-square.",
    ),
    Entry(
        name="alpha-divergence-below",
        title="Alpha-divergence with alpha below 0",
        formula=_ALPHA_FORMULA,
        domains={"alpha": "(-inf, 0)"},
        defaults={"alpha": "-1"},
        reference=_ALPHA,
        note="alpha = -1 is half of neyman-chi-square.",
    ),
    Entry(
        name="pseudo-huber",
        title="Pseudo-Huber loss of r - 1",
        formula="delta**2*(sqrt(1 + ((r - 1)/delta)**2) - 1)",
        domains={"delta": _POSITIVE},
        defaults={"delta": "1"},
        reference=_BARRON,
        note="The loss is the paper's with shape 1, up to scale; its use as a penalty is ours.",
    ),
    Entry(
        name="cauchy",
        title="Cauchy (Lorentzian) loss of r - 1",
        formula="log(1 + ((r - 1)/delta)**2)",
        domains={"delta": _POSITIVE},
        defaults={"delta": "1"},
        reference=_BARRON,
        note="The loss is the paper's with shape 0, up to scale; its use as a penalty is ours.",
    ),
    Entry(
        name="linex",
        title="LINEX loss of r - 1: the Bregman divergence of exp",
        formula="exp(a*(r - 1)) - a*(r - 1) - 1",
        domains={"a": _POSITIVE},
        defaults={"a": "1"},
        reference=Reference("A Bayesian Approach to Real Estate Assessment", 1975, "Varian"),
        note="Rising ratios cost exponentially, falling ones linearly. Of log r instead of "
        "r - 1, with a = 1, it is kl.",
    ),
    Entry(
        name="log-cosh",
        title="log cosh of the log-ratio",
        formula="log((r + 1/r)/2)",
        note="Folklore: quadratic near r = 1, |log r| far away.",
    ),
)
