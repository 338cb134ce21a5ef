"""Preference objectives in JAX: exact special cases, ranges, and one program for many."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rl.offline.candidates import (
    Judged,
    ObjectiveApply,
    Pairs,
    grouped_objectives,
    of_objectives,
)
from symbolic.catalogue.objectives import objectives
from symbolic.errors import ConfigError
from symbolic.mirror_network import UNITS, MirrorNetwork
from symbolic.preference.objective import PreferenceObjective
from symbolic.preference.reading import objective_from_text

COUNT = 64
HALF = jnp.asarray(0.5)


def pairs(seed: int = 0, scale: float = 30.0) -> Pairs:
    random = np.random.default_rng(seed)
    logs = -scale * random.exponential(size=(4, COUNT)) - 1e-3
    steps = np.full(COUNT, 10.0)
    return Pairs(*(jnp.asarray(part, jnp.float32) for part in (*logs, steps, steps)))


WIDTH = len(objectives)
"""All programs are for so many candidates, so that few are compiled."""


@partial(jax.jit, static_argnums=0)
def _judged(apply: ObjectiveApply, everyone: Any, given: Pairs) -> Judged:
    return jax.vmap(apply, (0, None, None))(everyone, given, HALF)


@partial(jax.jit, static_argnums=0)
def _losses(apply: ObjectiveApply, everyone: Any, given: Pairs) -> tuple[Any, tuple[Any, Any]]:
    def loss(own: Any, chosen: Any, rejected: Any) -> Any:
        asked = given._replace(chosen=chosen, rejected=rejected)
        return -apply(own, asked, HALF).value.mean()

    both = jax.vmap(jax.value_and_grad(loss, (1, 2)), (0, None, None))
    return both(everyone, given.chosen, given.rejected)


def judged(batch: Sequence[PreferenceObjective], given: Pairs) -> Judged:
    """Of each of the batch, which is filled up with its first."""
    found = of_objectives([*batch, *[batch[0]] * (WIDTH - len(batch))])
    return _judged(found.apply, found.parameters, given)


def value(objective: PreferenceObjective, given: Pairs) -> Any:
    return judged([objective], given).value[0]


def loss_and_slopes(objective: PreferenceObjective, given: Pairs) -> tuple[Any, Any, Any]:
    found = of_objectives([objective] * WIDTH)
    losses, slopes = _losses(found.apply, found.parameters, given)
    return losses[0], slopes[0][0], slopes[1][0]


def reference_loss(name: str, given: Pairs) -> Any:
    """Each paper's own equation, written out."""
    chosen, rejected, ref_chosen, ref_rejected, steps, _ = given
    log_sigmoid = jax.nn.log_sigmoid
    difference = chosen - rejected - ref_chosen + ref_rejected
    if name == "direct-preference":
        return -log_sigmoid(0.1 * difference).mean()
    if name == "conservative-direct-preference":
        z = 0.1 * difference
        return -(0.9 * log_sigmoid(z) + 0.1 * log_sigmoid(-z)).mean()
    if name == "ipo":
        return ((difference - 1 / (2 * 0.1)) ** 2).mean()
    if name == "log-ratio-modulated":
        z = 0.1 * difference
        share = jax.nn.sigmoid(z / 0.05)
        return (-log_sigmoid(z) * (1 - share) + jnp.exp(-z) * share).mean()
    chosen, rejected = chosen / steps, rejected / steps
    if name == "simpo":
        return -log_sigmoid(2.0 * (chosen - rejected) - 1.0).mean()
    odds = chosen - rejected - (jnp.log1p(-jnp.exp(chosen)) - jnp.log1p(-jnp.exp(rejected)))
    return -(chosen + 0.1 * log_sigmoid(odds)).mean()


@pytest.mark.parametrize("name", [n for n in objectives if n != "mpo-closed-form"])
def test_an_objective_is_its_papers_equation(name: str) -> None:
    given = pairs(scale=8.0)
    exact, *exact_slopes = (
        reference_loss(name, given),
        *jax.grad(lambda c, l: reference_loss(name, given._replace(chosen=c, rejected=l)), (0, 1))(
            given.chosen, given.rejected
        ),
    )
    found, *slopes = loss_and_slopes(objectives[name], given)
    np.testing.assert_allclose(found, exact, rtol=3e-5)
    for slope, wanted in zip(slopes, exact_slopes):
        np.testing.assert_allclose(slope, wanted, rtol=1e-4, atol=1e-7)


def test_the_special_cases_of_the_paper_are_exact() -> None:
    given = pairs(1, 3.0)
    orpo = objective_from_text("log(x); log(x/(1 - x))")
    for at, wanted in zip(
        loss_and_slopes(PreferenceObjective(psi=orpo.psi, phi_inverse=orpo.phi_inverse,
                                            weight=0.1, reduction="mean"), given),
        loss_and_slopes(objectives["orpo"], given),
    ):  # fmt: skip
        np.testing.assert_allclose(at, wanted, rtol=1e-5, atol=1e-8)
    closed = loss_and_slopes(objectives["mpo-closed-form"], given)
    written = loss_and_slopes(objective_from_text("log(x); log(x); x in (0, inf)"), given)
    for at, wanted in zip(closed, written):
        np.testing.assert_allclose(at, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", list(objectives))
def test_values_and_slopes_are_finite_over_the_stated_range(name: str) -> None:
    objective = objectives[name]
    low, high = objective.log_prob_range
    logs = [low, -1e4, -100.0, -1.0, -1e-3, -1e-6, *((1.0, high) if high > 0 else (-10.0, -0.1))]
    chosen, rejected = (jnp.asarray(x, jnp.float32) for x in np.meshgrid(logs, logs))
    steps = jnp.ones(chosen.size)
    given = Pairs(chosen.ravel(), rejected.ravel(), -steps, -2 * steps, steps, steps)
    found = judged([objective], given)
    assert not found.below.any() and not found.above.any()
    for part in loss_and_slopes(objective, given):
        assert np.isfinite(part).all()


def test_what_leaves_the_range_is_counted() -> None:
    for chosen, below, above in ((0.5, 0, COUNT), (-1e9, COUNT, 0), (jnp.nan, 0, COUNT)):
        found = judged([objectives["orpo"]], pairs()._replace(chosen=jnp.full(COUNT, chosen)))
        assert (found.below[0].sum(), found.above[0].sum()) == (below, above)


def networks(seed: int) -> PreferenceObjective:
    random = np.random.default_rng(seed)
    maps = {}
    for name, kind in (("psi", "psi"), ("phi_inverse", "mirror-map")):
        start, end = random.uniform(0.1, 1.0, (2, 2 * len(UNITS)))
        layers = (np.stack([start, end - start]), random.uniform(0, 0.3, (2 * len(UNITS), 1)))
        maps[name] = MirrorNetwork(kind=kind, layers=layers, skip=1.0)
    return PreferenceObjective(**maps)  # type: ignore[arg-type]


def test_a_network_in_jax_is_the_network() -> None:
    from symbolic.mirror_network import evaluate_mirror_network

    objective, given = networks(4), pairs(2, 1.0)
    assert isinstance(objective.psi, MirrorNetwork)
    assert isinstance(objective.phi_inverse, MirrorNetwork)
    chosen, rejected = (np.exp(np.asarray(part, float)) for part in (given.chosen, given.rejected))
    z = evaluate_mirror_network(objective.phi_inverse, chosen, 0.5) - evaluate_mirror_network(
        objective.phi_inverse, rejected, 0.5
    )
    wanted = evaluate_mirror_network(objective.psi, chosen, 0.5) - np.log1p(np.exp(-z))
    np.testing.assert_allclose(value(objective, given), wanted, rtol=1e-4, atol=1e-4)


def test_a_population_shares_one_program_and_agrees_with_each_alone() -> None:
    given = pairs()
    for batch in (list(objectives.values()), [networks(seed) for seed in range(3)]):
        together = judged(batch, given).value
        for i, objective in enumerate(batch):
            np.testing.assert_allclose(together[i], value(objective, given), rtol=1e-5, atol=1e-6)


def test_forms_are_grouped_and_never_mixed() -> None:
    mixed = [objectives["orpo"], networks(0), objectives["dpo"], networks(1)]
    assert [places for places, _ in grouped_objectives(mixed)] == [(0, 2), (1, 3)]
    with pytest.raises(ConfigError, match="in the same slots"):
        of_objectives(mixed)


def test_python_functions_fill_slots() -> None:
    given = pairs()
    objective = PreferenceObjective(
        psi=None,
        phi_inverse=lambda log_prob, progress: log_prob * (1 + progress),
        link=lambda z: jax.nn.log_sigmoid(z),
    )
    wanted = jax.nn.log_sigmoid(1.5 * (given.chosen - given.rejected))
    np.testing.assert_allclose(value(objective, given), wanted, rtol=1e-5)


def test_training_begins_at_the_reference_with_a_gradient() -> None:
    """At the reference policy the difference is 0, and the slope of log σ is 1/2 there."""
    given = pairs()
    given = given._replace(reference_chosen=given.chosen, reference_rejected=given.rejected)
    _, chosen, rejected = loss_and_slopes(objectives["dpo"], given)
    np.testing.assert_allclose(chosen, -0.05 / COUNT, rtol=1e-5)
    np.testing.assert_allclose(rejected, 0.05 / COUNT, rtol=1e-5)
