"""Templates are drifts by construction, and find what is made of them."""

from __future__ import annotations

import numpy as np
import pytest
from distilling import TRUTHS, samples_of

from symbolic.distill.constants import fitted, simplified
from symbolic.distill.engine import Effort
from symbolic.distill.loss import Objective
from symbolic.distill.samples import Samples
from symbolic.distill.shapes import CONSTANT, library
from symbolic.distill.templates import Templates
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.parser import parse
from verify.decide import decide
from verify.equality import decide_equal


@pytest.mark.parametrize("shape", library(progress=False), ids=lambda shape: str(shape.formula))
def test_every_shape_is_a_drift_for_every_constant(shape) -> None:
    domains = {CONSTANT: "(0, inf)"} if CONSTANT in shape.formula.symbols else {}
    assert decide(Drift(formula=shape.formula, domains=domains)).verdict == "proved"


@pytest.mark.parametrize(("name", "terms"), [("ppo", 1), ("dpo", 1), ("kl", 1), ("spo", 1)])
def test_what_is_in_the_library_is_found(name: str, terms: int) -> None:
    samples = samples_of(TRUTHS[name], noise=0.02, seed=3)
    *_, found = Templates().search(samples, Effort(generations=terms))
    objective = Objective(samples)
    best = min(found.candidates, key=lambda c: objective.errors(c).loss)
    made = simplified(fitted(best, objective), objective)
    assert decide_equal(Drift(formula=made), Drift(formula=parse(TRUTHS[name]))).verdict == "proved"


def test_the_same_seed_gives_the_same_candidates() -> None:
    samples = samples_of(TRUTHS["dpo"], noise=0.1)
    one, two = (list(Templates().search(samples, Effort(generations=1, seed=4))) for _ in "ab")
    assert one == two


def test_sums_are_found() -> None:
    truth = "r - 1 - log(r) + relu((r - 1)*A - 0.3*abs(A))"
    samples = samples_of(truth, size=500)
    *_, found = Templates().search(samples, Effort(generations=2))
    objective = Objective(samples)
    best = min(found.candidates, key=lambda c: objective.errors(c).loss)
    made = simplified(fitted(best, objective), objective)
    assert decide_equal(Drift(formula=made), Drift(formula=parse(truth))).verdict == "proved"


def test_weights_may_be_negative_inside_a_relu() -> None:
    samples = samples_of("relu(3*(r - 1 - log(r)) - 2*((r - 1)*A)**2)", size=400)
    *_, found = Templates().search(samples, Effort(generations=2))
    objective = Objective(samples)
    sums = [c for c in found.candidates if c.op == "relu" and c.args[0].op == "sub"]
    assert min(objective.errors(c).loss for c in sums) < 0.1


def test_progress_fades_shapes_in_and_out() -> None:
    made = samples_of(TRUTHS["kl"], size=400)
    t = np.linspace(0, 1, 400)
    aware = Samples(r=made.r, A=made.A, f=t * made.f, dfdr=t * made.dfdr, weight=np.ones(400), t=t)
    *_, found = Templates().search(aware, Effort(generations=1))
    objective = Objective(aware)
    best = min(found.candidates, key=lambda c: objective.errors(c).loss)
    assert str(simplified(fitted(best, objective), objective)) == "t*(r - 1 - log(r))"


def test_a_half_that_does_nothing_is_zero() -> None:
    samples = samples_of("where(A >= 0, A*relu(r - 1.2), 0)")
    *_, found = Templates().search(samples, Effort(generations=1))
    best = min(found.candidates, key=lambda c: Objective(samples).errors(c).loss)
    assert str(best).endswith(", 0)")


@pytest.mark.parametrize(
    ("changes", "said"), [({"generations": 0}, "at least 1"), ({"seed": -1}, "seed=-1")]
)
def test_an_effort_that_is_none_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Effort(**({"generations": 1} | changes))
