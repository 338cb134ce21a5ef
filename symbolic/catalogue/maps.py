"""The known mirror maps, each as φ⁻¹: h(π) = Σ ∫ φ⁻¹ is the mirror map, D_h its Bregman divergence."""

from __future__ import annotations

from symbolic.catalogue.entry import Entry
from symbolic.drift import Reference

_MPO = Reference(
    "Learning Loss Landscapes in Preference Optimization", 2024, "Alfano, Sapora and others"
)
_KRICHENE = Reference(
    "Efficient Bregman Projections onto the Simplex", 2015, "Krichene, Krichene and Bayen"
)
_HALF_LINE = {"x": "(0, inf)"}

MAPS = (
    Entry(
        name="negative-entropy",
        title="Negative entropy",
        formula="log(x) + 1",
        kind="mirror-map",
        domains=_HALF_LINE,
        reference=_MPO,
        note="φ = exp(x − 1); the divergence is that of Kullback and Leibler. Direct preference "
        "optimisation has it, up to the constant.",
    ),
    Entry(
        name="log-odds",
        title="Log-odds (Fermi–Dirac entropy)",
        formula="log(x) - log(1 - x)",
        kind="mirror-map",
        reference=Reference(
            "ORPO: Monolithic Preference Optimization without Reference Model",
            2024,
            "Hong and others",
        ),
        note="φ⁻¹ of ORPO. It lives on (0, 1) alone, where Definition 2.1 asks φ → +∞.",
    ),
    Entry(
        name="tsallis",
        title="Tsallis entropy, order below 1",
        formula="(x**(q - 1) - 1)/(q - 1)",
        kind="mirror-map",
        domains={"q": "(0, 1)", **_HALF_LINE},
        defaults={"q": "1/2"},
        reference=_KRICHENE,
        note="The logarithm as q → 1.",
    ),
    Entry(
        name="tsallis-above",
        title="Tsallis entropy, order above 1",
        formula="(x**(q - 1) - 1)/(q - 1)",
        kind="mirror-map",
        domains={"q": "(1, inf)", **_HALF_LINE},
        defaults={"q": "2"},
        reference=_KRICHENE,
        note="Ends at −1/(q − 1) for x → 0: an ω-potential, which Theorem 3.1 does not cover.",
        refuted=("lower_limit",),
    ),
    Entry(
        name="euclidean",
        title="Squared Euclidean norm",
        formula="x/2",
        kind="mirror-map",
        domains=_HALF_LINE,
        reference=_MPO,
        note="φ = 2x, with ω = −∞: no 0-potential, for φ⁻¹ goes on below 0.",
        refuted=("lower_limit",),
    ),
    Entry(
        name="hypentropy",
        title="Hypentropy",
        formula="log(x/b + sqrt((x/b)**2 + 1))",
        kind="mirror-map",
        domains={"b": "(0, inf)", **_HALF_LINE},
        defaults={"b": "1"},
        reference=Reference(
            "Exponentiated Gradient Meets Gradient Descent", 2020, "Ghai and others"
        ),
        note="arsinh(x/b), between entropy and the Euclidean norm: φ⁻¹(0) = 0, no 0-potential.",
        refuted=("lower_limit",),
    ),
    Entry(
        name="log-barrier",
        title="Logarithmic barrier (Burg entropy)",
        formula="-1/x",
        kind="mirror-map",
        domains=_HALF_LINE,
        reference=_KRICHENE,
        note="The divergence of Itakura and Saito; φ⁻¹ is not integrable at 0.",
        refuted=("integrable",),
    ),
)
