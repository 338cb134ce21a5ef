"""Vectors as mirror maps: every vector is what its mode promises, and the first one is ORPO."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.mirror.presets import PRESETS, preset
from search.mirror.shape import MirrorShape
from search.mirror.training import objective_of
from symbolic.errors import ConfigError
from symbolic.mirror_network import evaluate_mirror_network


@given(
    st.integers(0, 2**32 - 1), st.floats(0.01, 100.0), st.booleans(),
    st.sampled_from(["potential", "paper"]),
)  # fmt: skip
def test_any_vector_is_a_network_of_its_mode(
    seed: int, scale: float, temporal: bool, mode: str
) -> None:
    shape = MirrorShape(hidden=18, temporal=temporal, mode=mode)
    vector = scale * np.random.default_rng(seed).normal(size=shape.size)
    psi, phi_inverse = shape.networks(
        vector
    )  # a network refuses weights that its mode does not allow
    assert (psi.kind, phi_inverse.kind) == ("psi", "mirror-map")
    assert psi.uses_progress == temporal and psi.mode == mode


def test_no_sum_of_rounded_factors_passes_its_bound() -> None:
    """Factors next to 1 at one end: as w₁ + w₂ they would round beyond it now and then."""
    shape = MirrorShape(hidden=126, temporal=True)
    for seed in range(40):
        vector = 10.0 ** (1 + seed % 14) * np.random.default_rng(seed).normal(size=shape.size)
        for network in shape.networks(vector):
            first, more = network.layers[0]
            bounded = np.arange(126) >= 112  # the ninth group, where log-odds are taken
            for factor in (first, first + more):
                assert (factor[bounded] < 1).all() and (factor > 0).all()


@pytest.mark.parametrize("mode", ["potential", "paper"])
@pytest.mark.parametrize("temporal", [False, True])
def test_evolution_starts_as_orpo(mode: str, temporal: bool) -> None:
    shape = MirrorShape(mode=mode, temporal=temporal)
    psi, phi_inverse = shape.networks(shape.initial(3))
    x = np.geomspace(1e-8, 0.999, 50)
    within = x < 0.9  # where no unit of log-odds ends
    for t in (0.0, 0.7):
        for network, wanted in ((psi, np.log(x)), (phi_inverse, np.log(x) - np.log1p(-x))):
            found = evaluate_mirror_network(network, x, t)
            np.testing.assert_allclose(found[within], wanted[within], rtol=2e-4, atol=1e-3)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("seed", range(12))
def test_every_search_can_begin(name: str, seed: int) -> None:
    """Also next to its start: an objective has a range where its maps are numbers."""
    config = replace(preset(name), seed=seed)
    centre = config.network.initial(seed)
    near = centre + 0.1 * np.random.default_rng(seed).normal(size=centre.size)
    for vector in (centre, near):
        low, high = objective_of(config, vector).log_prob_range
        assert low <= -1e4 and high > -1.5


def test_a_population_is_its_members() -> None:
    shape = MirrorShape(hidden=18, temporal=True)
    vectors = np.random.default_rng(0).normal(size=(4, shape.size))
    together = shape.weights(vectors)
    for i, vector in enumerate(vectors):
        for whole, alone in zip(together, shape.weights(vector)):
            for many, one in zip(whole, alone):
                np.testing.assert_array_equal(many[i], one)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden": 10}, "hidden=10 must be a multiple of 9, the groups of units; try 9"),
        ({"hidden": 64}, "try 63"),
        ({"hidden": 0}, "try 126"),
        ({"mode": "free"}, "mode='free' is unknown"),
        ({"temporal": 1}, "temporal=1 must be true or false"),
        ({"spread": True}, "spread=True must be a positive number"),
        ({"spread": 0}, "spread=0 must be a positive number"),
    ],
)
def test_a_shape_that_breaks_a_rule_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        MirrorShape(**changes)  # type: ignore[arg-type]
