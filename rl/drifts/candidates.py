"""Candidates of a population: drifts of one form, which share what is computed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from rl.drifts import tapes
from rl.drifts.slopes import DriftApply, forward_mode, trainable
from symbolic import jax_arrays
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.expression import Expression
from symbolic.lowering import lower, lower_network
from symbolic.network import DriftNetwork


@dataclass(frozen=True, eq=False)
class Candidates:
    """Drifts that share one compiled program: what it computes, and what sets them apart."""

    apply: DriftApply
    parameters: Any
    """Arrays with a leading axis `candidates`."""
    count: int
    form: str
    """What they have in common, as text: with the parameters it tells drifts from others."""

    def __getitem__(self, index: slice) -> Candidates:
        """Some of them, for a chunk that fits into memory."""
        part = jax.tree.map(lambda leaf: leaf[index], self.parameters)
        return Candidates(self.apply, part, len(range(self.count)[index]), self.form)


_tape_drift = trainable(tapes.value_and_slope)


def of_formulas(drifts: Sequence[Drift]) -> Candidates:
    """Formulas as tapes: any batch of like size runs the same program.

    Raises ConfigError for a parameter without a number, or a formula too long for a tape.
    """
    encoded = tapes.encode([lower(drift) for drift in drifts])
    return Candidates(_tape_drift, encoded, len(drifts), "tapes")


def of_networks(networks: Sequence[DriftNetwork]) -> Candidates:
    """Networks that differ in their weights alone.

    Raises ConfigError for networks of different shapes, features, activations, ξ or ε.
    """
    if not networks:
        raise ConfigError("no network to train with; give one at least")
    form = network_form(networks[0])
    if any(network_form(network) != form for network in networks[1:]):
        raise ConfigError(
            "networks of one population must share features, activation, xi, ppo_epsilon and the "
            "shapes of their layers; train the others in a run of their own"
        )
    layers = tuple(
        jnp.stack([jnp.asarray(network.layers[i], jnp.float32) for network in networks])
        for i in range(len(form.shapes))
    )
    return Candidates(_network_drift(form), layers, len(networks), form.text)


def of_weights(template: DriftNetwork, layers: Sequence[np.ndarray]) -> Candidates:
    """Networks of the template's form with these weights, axes (candidates, rows, columns)."""
    form = network_form(template)
    weights = tuple(jnp.asarray(layer, jnp.float32) for layer in layers)
    return Candidates(_network_drift(form), weights, len(weights[0]), form.text)


class NetworkForm(NamedTuple):
    """What networks of one population have in common."""

    shapes: tuple[tuple[int, ...], ...]
    features: tuple[Expression, ...]
    activation: str
    xi: Fraction
    ppo_epsilon: Fraction | None

    @property
    def text(self) -> str:
        """All of it, as text."""
        features = ", ".join(map(str, self.features))
        return f"{self.shapes} [{features}] {self.activation} {self.xi} {self.ppo_epsilon}"


def network_form(network: DriftNetwork) -> NetworkForm:
    """All of a network but its weights."""
    shapes = tuple(layer.shape for layer in network.layers)
    return NetworkForm(
        shapes, network.features, network.activation, network.xi, network.ppo_epsilon
    )


@lru_cache(maxsize=64)
def _network_drift(form: NetworkForm) -> DriftApply:
    """One function for a form, so that another generation of its networks compiles nothing."""
    value = lower_network(
        DriftNetwork(
            layers=tuple(np.zeros(shape) for shape in form.shapes),
            features=form.features,
            activation=form.activation,
            xi=form.xi,
            ppo_epsilon=form.ppo_epsilon,
        )
    )

    def apply(layers: Any, log_ratio: Array, advantage: Array, progress: Array) -> Array:
        return value(jax_arrays, layers, log_ratio, advantage, progress)

    return trainable(forward_mode(apply))


def of_function(function: Callable[..., Array]) -> Candidates:
    """One JAX function drift(log_ratio, advantage[, progress]), elementwise over a batch.

    It is differentiated as it is, by JAX: its slopes are not kept finite for it.
    """
    uses_progress = arguments_needed(function) >= 3

    def apply(_: Any, log_ratio: Array, advantage: Array, progress: Array) -> Array:
        args = (log_ratio, advantage, progress) if uses_progress else (log_ratio, advantage)
        return jnp.broadcast_to(function(*args), log_ratio.shape)

    return Candidates(apply, (), 1, "function")


def arguments_needed(function: Callable[..., Array]) -> int:
    """How many arguments it cannot do without; 0 where Python does not know."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
    return len(needed)
