"""What goes on from one generation of an evolution strategy to the next, in a search's folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rl.records import writing_into
from rl.start import leads
from search.folder import SearchFolder
from symbolic.arrays import read_arrays, read_json, write_arrays
from symbolic.errors import ConfigError

FILE = "state.npz"


def save_state(folder: SearchFolder[Any], state: Any, generation: int) -> None:
    """Write the strategy's state after so many generations; raises ConfigError if that fails."""
    numbers = {  # a file has no arrays without axes
        f"leaf_{i:02}": np.atleast_1d(np.asarray(leaf, np.float64))
        for i, leaf in enumerate(jax.tree.leaves(state))
    }
    about = {
        "schema": folder.SCHEMA,
        "generation": generation,
        "asked": folder.asked(),
        "sha256": _digest(numbers, generation),
    }
    if leads():
        with writing_into(folder.path):
            write_arrays(folder.path / FILE, numbers, {"about": json.dumps(about)})


def restore_state(folder: SearchFolder[Any], template: Any) -> tuple[int, Any]:
    """(generations done, the state after them); none and `template` where it begins.

    Raises ConfigError for a state that is damaged, or of another network or strategy.
    """
    path = folder.path / FILE
    if not path.exists():
        folder.check_fresh()
        return 0, template
    try:
        numbers, texts = read_arrays(path)
    except ConfigError:
        raise ConfigError(
            f"{path}: is damaged; restore it from a copy, or begin a new run"
        ) from None
    about = read_json(texts.get("about", "").encode(), str(path))
    if about.get("sha256") != _digest(numbers, about.get("generation")):
        raise ConfigError(
            f"{path}: is not what was written (its hash differs); restore it from a copy, "
            "or begin a new run"
        )
    folder.check_asked(path, about.get("asked"))
    like, structure = jax.tree.flatten(template)
    found = [numbers.get(f"leaf_{i:02}") for i in range(len(like))]
    leaves = []
    for leaf, old in zip(found, like):
        if leaf is None or leaf.size != jnp.size(old) or len(numbers) != len(like):
            raise ConfigError(f"{path}: is of another network or strategy; begin a new run")
        leaves.append(jnp.asarray(leaf.reshape(jnp.shape(old)), jnp.asarray(old).dtype))
    return int(about["generation"]), jax.tree.unflatten(structure, leaves)


def _digest(numbers: Mapping[str, np.ndarray], generation: object) -> str:
    digest = hashlib.sha256(f"{generation}".encode())
    for name in sorted(numbers):
        digest.update(f"{name}{numbers[name].shape}".encode())
        digest.update(np.ascontiguousarray(numbers[name], "<f8").tobytes())
    return digest.hexdigest()
