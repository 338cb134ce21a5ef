"""Regression writes a sum of increasing functions, and each once."""

from __future__ import annotations

import numpy as np
import pytest

from symbolic.distill.maps.basis import SHAPES, SUM, Term, combined, independent, terms
from symbolic.distill.maps.loss import MapObjective
from symbolic.distill.maps.regression import regressed
from symbolic.distill.maps.samples import MapSamples
from symbolic.distill.tidy import tidied
from symbolic.expression import number, substitute
from symbolic.numeric import evaluate


def samples(value, slope, log_x, **more) -> MapObjective:
    weight = np.ones_like(log_x)
    return MapObjective(
        MapSamples(kind="psi", log_x=log_x, g=value, dgdlogx=slope, weight=weight, **more)
    )


def test_every_shape_increases() -> None:
    x = np.linspace(0.001, 0.999, 400)
    for shape in SHAPES:
        assert (np.diff(evaluate(shape, {"x": x})) > 0).all()
    both = evaluate(SHAPES[0] + SHAPES[1], {"x": x})
    np.testing.assert_allclose(both, evaluate(SHAPES[SUM], {"x": x}))


def test_a_shape_by_t_and_by_its_rest_is_written_once() -> None:
    formula, start = combined([Term(0, 1), Term(3), Term(0, 2)], [1.0, 5.0, 2.0])
    assert start == {"k0": 2.0, "k1": -1.0, "k2": 5.0}
    closed = tidied(substitute(formula, {k: number(int(v)) for k, v in start.items()}))
    assert str(closed) == "log(x)*(2 - t) + 5*x"
    assert independent([Term(0, 1), Term(0, 2)]) and not independent([Term(0), Term(0, 2)])
    assert len(terms(False)) == len(SHAPES) and len(terms(True)) == 3 * len(SHAPES)


def test_what_is_undefined_at_a_sample_is_no_term() -> None:
    log_x = np.linspace(-3, 2, 60)  # x beyond 1, as densities are
    fits = regressed(samples(log_x + np.exp(log_x), 1 + np.exp(log_x), log_x))
    assert min(fit.loss for fit in fits) < 1e-20
    assert not any("1 - x" in str(fit.formula) for fit in fits)


def test_losses_fall_and_nothing_follows_an_exact_sum() -> None:
    log_x = np.linspace(-8, -0.01, 80)
    x = np.exp(log_x)
    fits = regressed(samples(log_x + 0.5 * x**3, 1 + 1.5 * x**3, log_x))
    assert fits[-1].loss < 1e-20 and fits[-1].nodes == 10
    assert all(fit.loss > 1e-12 for fit in fits[:-1])


def test_a_map_that_falls_has_no_sum() -> None:
    log_x = np.linspace(-8, -0.01, 80)
    assert regressed(samples(-log_x, -np.ones(80), log_x)) == []


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_samples_give_the_same_fits(seed: int) -> None:
    log_x = np.sort(np.random.default_rng(seed).uniform(-6, -0.1, 60))
    given = samples(log_x + np.exp(log_x / 2), 1 + np.exp(log_x / 2) / 2, log_x)
    assert [str(f.closed()) for f in regressed(given)] == [
        str(f.closed()) for f in regressed(given)
    ]
