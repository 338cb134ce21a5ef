"""Where many agents are best computed together, and where in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax

Function = TypeVar("Function", bound=Callable[..., object])


def in_turn_on_cpu(function: Function) -> Function:
    """`function`, whose `vmap` is a loop on a CPU: its caches hold one agent's minibatch, not all.

    Its matrix products are as quick for one agent as for many, and branches on data stay branches.
    Elsewhere agents are computed together, because a launch costs more than what it computes.
    """
    if jax.default_backend() == "cpu":
        return jax.custom_batching.sequential_vmap(function)
    return function
