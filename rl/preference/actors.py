"""An actor: the part of an agent that acts, in a file of its own.

NAME.npz    mean, std           by which observations are normalised
            kernel_0, bias_0 …  layers of the policy network
            card                a JSON text: schema, env, backend, activation, actions, hash, and
                                what is known of it, such as return_mean
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from rl.agent import Agent
from rl.environments import Continuous, Discrete
from rl.networks import ACTIVATIONS
from rl.policies import policy_for
from rl.records import json_line, writing_into
from symbolic.arrays import read_arrays, read_json, write_arrays
from symbolic.errors import ConfigError

SCHEMA = "mirrordrift/actor/1"

_EDGE = 2.0**-20
"""Share of the range of actions next to either end that is not played: tanh can be inverted."""


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("layers", "mean", "std"),
    meta_fields=("activation", "actions"),
)
@dataclass(frozen=True)
class PolicyNetwork:
    """A stochastic policy, called as policy(observation, key); a tree whose leaves are its weights.

    Policies of one form share a compiled program.
    """

    layers: tuple[tuple[Float[Array, "inputs outputs"], Float[Array, "outputs"]], ...]
    """(kernel, bias) of each layer."""
    mean: Float[Array, "observation"]
    std: Float[Array, "observation"]
    activation: str
    actions: Discrete | Continuous

    def __call__(self, observation: Float[Array, "observation"], key: PRNGKeyArray) -> Array:
        """An action, drawn; a continuous one lies strictly within the range, by 2⁻²⁰ of it."""
        policy = policy_for(self.actions)
        outputs = self.outputs(observation)
        action = policy.played(policy.sample(outputs, policy.noise(key, ())))
        if isinstance(self.actions, Discrete):
            return action
        edge = _EDGE * (self.actions.high - self.actions.low)
        return jnp.clip(action, self.actions.low + edge, self.actions.high - edge)

    def outputs(self, observation: Float[Array, "*n observation"]) -> Float[Array, "*n outputs"]:
        """What `policy_for(actions)` makes a distribution of."""
        act = ACTIVATIONS[self.activation]
        *hidden, (kernel, bias) = self.layers
        x = (observation - self.mean) / self.std
        for weights, offset in hidden:
            x = act(x @ weights + offset)
        return x @ kernel + bias


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A policy network and where it comes from."""

    env: str
    backend: str
    """brax's physics, where brax has the environment."""
    network: PolicyNetwork = field(repr=False)
    story: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What is known of it, such as `return_mean` and `return_stderr` of whole episodes."""

    @staticmethod
    def of(agent: Agent, *, backend: str, actions: Discrete | Continuous, **story: Any) -> Actor:
        """The actor of a trained agent."""
        dense = agent.parameters.policy["params"]
        network = PolicyNetwork(
            layers=tuple(
                (dense[f"Dense_{i}"]["kernel"], dense[f"Dense_{i}"]["bias"])
                for i in range(len(dense))
            ),
            mean=agent.observations.mean,
            std=agent.observations.std,
            activation=agent.networks.policy.activation,
            actions=actions,
        )
        return Actor(env=agent.env, backend=backend, network=network, story=story)

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything that its actions follow from."""
        about = {"activation": self.network.activation, "actions": asdict(self.network.actions)}
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for name, array in sorted(_arrays(self.network).items()):
            digest.update(f"{name}{array.shape}".encode())
            digest.update(array.astype("<f8").tobytes())
        return f"sha256:{digest.hexdigest()}"

    def record(self) -> dict[str, Any]:
        """As JSON has it, without the weights."""
        actions = self.network.actions
        kind = "discrete" if isinstance(actions, Discrete) else "continuous"
        return {
            "schema": SCHEMA,
            "env": self.env,
            "backend": self.backend,
            "activation": self.network.activation,
            "actions": {kind: asdict(actions)},
            "hash": self.content_hash,
            **self.story,
        }


def write_actor(path: Path, actor: Actor) -> None:
    """Write a `.npz` file, the same bytes for the same actor; raises ConfigError if that fails."""
    with writing_into(path.parent):
        write_arrays(path, _arrays(actor.network), {"card": json_line(actor.record())})


def read_actor(path: Path) -> Actor:
    """The actor of a `.npz` file.

    Raises ConfigError for a file that is damaged, is no actor, or holds other weights than its card
    says.
    """
    numbers, texts = read_arrays(path)
    read_json(texts.get("card", ""), f"{path}: the card of an actor")  # refuses what is no JSON
    card = json.loads(texts["card"])
    if card.get("schema") != SCHEMA:
        raise ConfigError(
            f"{path}: schema={card.get('schema')!r:.60} is no actor; this version reads '{SCHEMA}'"
        )
    try:
        actor = Actor(
            env=str(card.pop("env")),
            backend=str(card.pop("backend")),
            network=_network(numbers, card),
            story={name: value for name, value in card.items() if name not in _SETTLED},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: no actor of this version ({error!s:.120}); write it again"
        ) from None
    if card.get("hash") != actor.content_hash:
        raise ConfigError(f"{path}: holds other weights than its card says; write it again")
    return actor


_SETTLED = ("schema", "activation", "actions", "hash")
"""Entries of a card that are no story."""


def _network(numbers: Mapping[str, np.ndarray], card: Mapping[str, Any]) -> PolicyNetwork:
    """The network of a file; raises KeyError, TypeError or ValueError for what is none."""
    ((kind, settings),) = card["actions"].items()
    actions = {"discrete": Discrete, "continuous": Continuous}[kind](**settings)
    count = sum(name.startswith("kernel_") for name in numbers)
    shapes = [numbers[f"kernel_{i}"].shape for i in range(count)]
    sizes = [numbers["mean"].size, *(shape[1] for shape in shapes)]
    if card["activation"] not in ACTIVATIONS or not count:
        raise ValueError(f"activation={card['activation']!r:.20}, {count} layers")
    if shapes != list(pairwise(sizes)) or sizes[-1] != policy_for(actions).num_outputs:
        raise ValueError(f"layers of shapes {shapes} do not fit together")
    weights = {name: jnp.asarray(array, jnp.float32) for name, array in numbers.items()}
    return PolicyNetwork(
        layers=tuple((weights[f"kernel_{i}"], weights[f"bias_{i}"]) for i in range(count)),
        mean=weights["mean"],
        std=weights["std"],
        activation=card["activation"],
        actions=actions,
    )


def _arrays(network: PolicyNetwork) -> dict[str, np.ndarray]:
    arrays = {"mean": network.mean, "std": network.std}
    for index, (kernel, bias) in enumerate(network.layers):
        arrays |= {f"kernel_{index}": kernel, f"bias_{index}": bias}
    return {name: np.asarray(array, np.float64) for name, array in arrays.items()}
