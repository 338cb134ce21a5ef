"""Drift networks that `drift meta-train` trained, to use by name: what is in this folder.

NAME.npz    a network, its card the story of its training
NAME.json   the hash of its content, and how it does beside PPO and DPO on held-out seeds
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symbolic.arrays import read_bounded, read_json
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, load_network

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """What can be loaded."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.npz")))


def load(name: str) -> DriftNetwork:
    """The network of that name.

    Raises ConfigError for an unknown name, and for a file that is not the one that was shipped.
    """
    if name not in names():
        raise ConfigError(f"network='{name:.40}' is unknown; use one of {', '.join(names())}")
    network = load_network(_FOLDER / f"{name}.npz")
    if network.content_hash != story(name)["hash"]:
        raise ConfigError(
            f"{_FOLDER / name}.npz: is not the network that was shipped; reinstall mirrordrift"
        )
    return network


def named_or_read(spec: str | Path) -> DriftNetwork:
    """The network of a name, or else of a file; raises ConfigError."""
    return load(str(spec)) if str(spec) in names() else load_network(spec)


def name_of(network: DriftNetwork) -> str:
    """The name that a network is shipped under; empty if it is not."""
    return next((name for name in names() if story(name)["hash"] == network.content_hash), "")


def story(name: str) -> dict[str, Any]:
    """What is known of a network: `hash`, `command`, `judgement`."""
    path = _FOLDER / f"{name}.json"
    return read_json(read_bounded(path), str(path))
