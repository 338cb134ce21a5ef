"""Agents and datasets so small that they are made in a second."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from rl import environments
from rl.preference.actors import Actor, PolicyNetwork
from rl.preference.config import PreferenceConfig
from rl.preference.folder import PreferenceFolder
from rl.preference.generation import generate

ENV = "Pendulum-v1"
TINY: dict[str, Any] = {"env": ENV, "rows": 20, "steps": 12, "chunk_rows": 8, "temperature": 5.0}


def actor(seed: int, scale: float = 1.0) -> Actor:
    random = np.random.default_rng(seed)
    sizes = [3, 8, 2]
    layers = tuple(
        (jnp.asarray(scale * random.normal(size=shape), jnp.float32), jnp.zeros(shape[1]))
        for shape in pairwise(sizes)
    )
    actions = environments.make(ENV).actions
    network = PolicyNetwork(layers, jnp.zeros(3), jnp.ones(3), "tanh", actions)
    return Actor(env=ENV, backend="spring", network=network, story={"return_mean": -100.5})


AGENTS = {"expert": actor(0), "reference": actor(1, 0.1)}


def made(path: Path, **changes: Any) -> Path:
    config = PreferenceConfig(**{**TINY, **changes})
    task = environments.make(ENV)
    generate(PreferenceFolder.create(path, config, AGENTS, task, {}), task, AGENTS)
    return path
