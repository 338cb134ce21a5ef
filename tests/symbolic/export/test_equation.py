"""An objective in a line says every part that changes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symbolic.catalogue.objectives import objectives
from symbolic.export.equation import objective_line


@pytest.mark.parametrize(
    ("name", "changes", "line"),
    [
        ("orpo", {"weight": 0.1}, "E[ψ(π_w) + 0.1·log σ(z)] with z = φ⁻¹(π_w) − φ⁻¹(π_l)"),
        (
            "direct-preference",
            {"beta": 0.5, "label_smoothing": 0.1},
            "E[(0.9·log σ(z) + 0.1·log σ(−z))] with z = 0.5·(φ⁻¹(π_w) − φ⁻¹(π_l) − φ⁻¹(ρ_w) + φ⁻¹(ρ_l))",
        ),
        ("simpo", {"beta": 1.0, "margin": 0.5}, "E[log σ(z)] with z = φ⁻¹(π_w) − φ⁻¹(π_l) − 0.5"),
        (
            "ipo",
            {"beta": 1.0, "weight": 1.0},
            "E[ℓ(z)] with z = φ⁻¹(π_w) − φ⁻¹(π_l) − φ⁻¹(ρ_w) + φ⁻¹(ρ_l)",
        ),
    ],
)
def test_lines(name: str, changes: dict[str, float], line: str) -> None:
    assert objective_line(replace(objectives[name], **changes)) == line
