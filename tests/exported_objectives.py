"""Objectives that exports are tried with, what JAX makes of them, and sources made functions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rl.offline.candidates import ObjectiveApply, Pairs, of_objectives
from symbolic.catalogue.objectives import objectives
from symbolic.export.objective import objective_source
from symbolic.mirror_network import UNITS, MirrorNetwork
from symbolic.preference.objective import PreferenceObjective
from symbolic.preference.reading import objective_from_text

TIMED = "t*log(x); (1 + exp(-t))*log(x) - min(t, 0.5)*log(1 - x) + x**2; tanh(z/4) - t*relu(1 - z)"


def network_objective(*, aware: bool, seed: int = 3, **settings: Any) -> PreferenceObjective:
    """Two networks for mirror maps with random weights."""
    random = np.random.default_rng(seed)
    maps = {}
    for name, kind in (("psi", "psi"), ("phi_inverse", "mirror-map")):
        start, end = random.uniform(0.1, 1.0, (2, 2 * len(UNITS)))
        first = np.stack([start, end - start] if aware else [start])
        layers = (first, random.uniform(0, 0.3, (2 * len(UNITS), 1)))
        maps[name] = MirrorNetwork(kind=kind, layers=layers, skip=0.7)
    return PreferenceObjective(**maps, **settings)  # type: ignore[arg-type]


CASES: dict[str, PreferenceObjective] = {
    **objectives,
    "timed": objective_from_text(TIMED),
    "network": network_objective(aware=False, margin=0.2),
    "timed-network": network_objective(aware=True, weight=0.5, label_smoothing=0.2),
}


def module(source: str) -> dict[str, Any]:
    """What a source defines."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "exported", "exec"), space)
    return space


def exported(objective: PreferenceObjective, to: str) -> Any:
    """The loss of an objective's source."""
    return module(objective_source(objective, to, 'An "objective" \\ of\nlines'))["loss"]


def log_probs(seed: int = 0, count: int = 48, scale: float = 2.0) -> np.ndarray:
    """Chosen, rejected, and both by a reference policy: float32 `[4, count]`, below 0."""
    random = np.random.default_rng(seed)
    return (-scale * random.exponential(size=(4, count)) - 1e-3).astype(np.float32)


FORMULAS = [case for name, case in CASES.items() if "network" not in name]


@partial(jax.jit, static_argnums=0)
def _losses(apply: ObjectiveApply, everyone: Any, logs: Any, progress: Any) -> Any:
    steps = jnp.ones(len(logs[0]))

    def both(own: Any) -> Any:
        def losses(chosen: Any, rejected: Any) -> Any:
            return -apply(own, Pairs(chosen, rejected, *logs[2:], steps, steps), progress).value

        value, backward = jax.vjp(losses, *logs[:2])
        return value, *backward(jnp.ones_like(value))

    return jax.vmap(both)(everyone)


def by_jax(
    objective: PreferenceObjective, logs: np.ndarray, progress: float
) -> tuple[np.ndarray, ...]:
    """What agents are trained with: losses of pairs, and their slopes in chosen and rejected.

    `logs` are reduced already. Formulas share one program.
    """
    network = isinstance(objective.phi_inverse, MirrorNetwork)
    found = of_objectives([objective, *([] if network else FORMULAS)])
    all_of_them = _losses(found.apply, found.parameters, jnp.asarray(logs), jnp.asarray(progress))
    return tuple(np.asarray(part[0]) for part in all_of_them)


def with_jax(loss: Any, logs: Sequence[np.ndarray], progress: float) -> tuple[np.ndarray, ...]:
    """An exported loss and its slopes."""
    given = [jnp.asarray(part) for part in logs]
    value = loss(*given, progress=progress)
    slopes = jax.grad(lambda c, l: loss(c, l, *given[2:], progress=progress).sum(), (0, 1))
    return tuple(map(np.asarray, (value, *slopes(*given[:2]))))


def with_torch(loss: Any, logs: Sequence[np.ndarray], progress: float) -> tuple[np.ndarray, ...]:
    """An exported loss and its slopes."""
    import torch

    given = [torch.tensor(part) for part in logs]
    for part in given[:2]:
        part.requires_grad_()
    value = loss(*given, progress=progress)
    value.sum().backward()
    slopes = [part.grad.numpy() for part in given[:2]]
    return (value.detach().numpy(), *slopes)
