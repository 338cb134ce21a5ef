"""Shapes of drift networks, and vectors of weights that become them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from mirrordrift import verify
from search.meta.networks import FEATURE_SETS, NetworkShape, official_network
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, evaluate_network

RANDOM = np.random.default_rng(3)
RATIO = np.exp(RANDOM.normal(scale=0.4, size=200))
ADVANTAGE = RANDOM.normal(size=200)


def inputs(r: NDArray[np.float64], A: NDArray[np.float64]) -> NDArray[np.float64]:
    """The eight inputs of Lu et al. 2022, section 4.2, by hand."""
    columns = [
        1 - r,
        (1 - r) ** 2,
        (1 - r) * A,
        (1 - r) ** 2 * A,
        np.log(r),
        np.log(r) ** 2,
        np.log(r) * A,
        np.log(r) ** 2 * A,
    ]
    return np.stack(columns, axis=-1)


def some_weights(shape: NetworkShape, scale: float = 0.5) -> NDArray[np.float64]:
    return np.random.default_rng(5).normal(scale=scale, size=shape.size)


def test_the_paper_s_network_has_its_number_of_weights() -> None:
    assert NetworkShape().size == 8 * 128 + 128
    assert NetworkShape().layer_shapes == ((8, 128), (128, 1))


def test_a_network_is_what_the_paper_says() -> None:
    shape = NetworkShape()
    vector = some_weights(shape)
    first, last = vector[: 8 * 128].reshape(8, 128), vector[8 * 128 :]
    clip = np.maximum((RATIO - np.clip(RATIO, 0.8, 1.2)) * ADVANTAGE, 0.0)
    out = np.tanh(inputs(RATIO, ADVANTAGE) @ first) @ last
    expected = np.maximum(clip + out - 1e-6, 0.0)
    found = evaluate_network(shape.network(vector), RATIO, ADVANTAGE)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_time_multiplies_every_input() -> None:
    shape = NetworkShape(temporal=True, hidden=(5,), ppo_epsilon=None)
    vector = some_weights(shape)
    first, last = vector[: 16 * 5].reshape(16, 5), vector[16 * 5 :]
    plain = inputs(RATIO, ADVANTAGE)
    both = np.concatenate([plain, 0.25 * plain], axis=-1)
    expected = np.maximum(np.tanh(both @ first) @ last - 1e-6, 0.0)
    found = evaluate_network(shape.network(vector), RATIO, ADVANTAGE, 0.25)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("start", ["zero", "twins-differ"])
def test_evolution_starts_as_ppo(start: str) -> None:
    network = (shape := NetworkShape(start=start)).network(shape.initial(0))
    clip = np.maximum((RATIO - np.clip(RATIO, 0.8, 1.2)) * ADVANTAGE, 0.0)
    np.testing.assert_allclose(evaluate_network(network, RATIO, ADVANTAGE), clip, atol=1.1e-6)


def test_where_all_weights_are_zero_the_members_of_a_pair_are_the_same() -> None:
    """And beside a random hidden layer they are not: why that is where evolution starts."""

    def pair(start: str) -> list[NDArray[np.float64]]:
        shape = NetworkShape(start=start, ppo_epsilon="0.2")
        step = some_weights(shape, 0.05)
        mean = shape.initial(0)
        return [
            evaluate_network(shape.network(mean + sign * step), RATIO, ADVANTAGE)
            for sign in (1, -1)
        ]

    one, other = pair("zero")
    np.testing.assert_array_equal(one, other)
    one, other = pair("twins-differ")
    assert np.abs(one - other).max() > 0.01


def test_from_scratch_every_weight_is_random() -> None:
    shape = NetworkShape(hidden=(256, 256), activation="relu", ppo_epsilon=None)
    vector = shape.initial(0)
    first, _, last = shape.layers(vector)
    assert vector.std() > 0 and np.abs(last).min() > 0
    assert first.std() == pytest.approx(8**-0.5, rel=0.1)
    np.testing.assert_array_equal(vector, shape.initial(0))


@pytest.mark.parametrize("features", FEATURE_SETS)
@pytest.mark.parametrize("temporal", [False, True])
def test_every_network_is_a_drift_by_construction(features: str, temporal: bool) -> None:
    shape = NetworkShape(features=features, temporal=temporal, hidden=(4,))
    report = verify(shape.network(some_weights(shape)))
    assert report.verdict == "proved"


def test_vectors_become_layers_members_first() -> None:
    shape = NetworkShape(hidden=(3,))
    vectors = RANDOM.normal(size=(2, shape.size))
    layers = shape.layers(vectors)
    assert [layer.shape for layer in layers] == [(2, 8, 3), (2, 3, 1)]
    for layer, alone in zip(layers, shape.layers(vectors[1])):
        np.testing.assert_array_equal(layer[1], alone)


def test_weights_of_the_official_code_keep_their_meaning() -> None:
    hidden, last = RANDOM.normal(size=(8, 16)), RANDOM.normal(size=(16, 1))
    d = np.log(RATIO)
    e = 1 - np.exp(d)
    four = np.stack([d, d**2, e, e**2], axis=-1)
    x = np.concatenate([four, ADVANTAGE[:, None] * four], axis=-1)
    clip = np.maximum((RATIO - np.clip(RATIO, 0.8, 1.2)) * ADVANTAGE, 0.0)
    expected = np.maximum(clip + (np.tanh(x @ hidden) @ last)[:, 0] - 1e-4, 0.0)
    network: DriftNetwork = official_network(hidden, last)
    assert network.xi == Fraction("1e-4")
    found = evaluate_network(network, RATIO, ADVANTAGE)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": "some"}, "use one of all"),
        ({"activation": "gelu"}, "use one of tanh"),
        ({"start": "ones"}, "use one of twins-differ, zero"),
        ({"hidden": (0,)}, "at least 1"),
        ({"hidden": 64}, "try [128]"),
        ({"xi": "0"}, "above 0"),
        ({"xi": "small"}, "no number"),
        ({"ppo_epsilon": "1"}, "[0, 1)"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        NetworkShape(**changes)  # type: ignore[arg-type]
    assert said in str(refused.value)
