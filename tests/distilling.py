"""What the tests of distillation share: samples of formulas whose form is known."""

from __future__ import annotations

import numpy as np

from symbolic.derivative import derivative
from symbolic.distill.samples import Samples
from symbolic.numeric import evaluate_all
from symbolic.parser import parse

TRUTHS = {
    "ppo": "relu((r - clip(r, 0.8, 1.2))*A)",
    "dpo": "where(A >= 0, relu((r - 1)*A - 2*tanh((r - 1)*A/2)), relu(log(r)*A - 0.6*tanh(log(r)*A/0.6)))",
    "kl": "r - 1 - log(r)",
    "spo": "abs(A)*(r - 1)**2/0.4",
}


def samples_of(formula: str, *, noise: float = 0.0, size: int = 400, seed: int = 0) -> Samples:
    """The formula where log r ~ N(0, 0.35²) and A ~ N(0, 1), with noise relative to its spread."""
    draw = np.random.default_rng(seed)
    r, A = np.exp(0.35 * draw.standard_normal(size)), draw.standard_normal(size)
    tree = parse(formula)
    found = evaluate_all([tree, derivative(tree)], {"r": r, "A": A})
    f, dfdr = (np.broadcast_to(part, r.shape) for part in found)
    f, dfdr = (part + noise * part.std() * draw.standard_normal(size) for part in (f, dfdr))
    return Samples(r=r, A=A, f=f, dfdr=dfdr, weight=np.ones(size))
