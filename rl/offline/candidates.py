"""Preference objectives of a population: of one form, so that they share one compiled program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from rl.drifts import tapes
from rl.drifts.candidates import arguments_needed
from rl.drifts.slopes import DriftApply, forward_mode, trainable
from symbolic import jax_arrays
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.lowering import lower
from symbolic.mirror_network import MirrorNetwork, mirror_output
from symbolic.preference.objective import PreferenceObjective, Slot

_ABSENT = Drift.from_text("0", kind="psi")


class Pairs(NamedTuple):
    """What an objective is asked about: log-probabilities, summed over steps, of pairs."""

    chosen: Float[Array, "pairs"]
    rejected: Float[Array, "pairs"]
    reference_chosen: Float[Array, "pairs"]
    """By the reference policy; anything where no objective has one."""
    reference_rejected: Float[Array, "pairs"]
    chosen_steps: Float[Array, "pairs"]
    """Steps that a sum has."""
    rejected_steps: Float[Array, "pairs"]


class Settings(NamedTuple):
    """The numbers of an objective, each with a leading axis `candidates` in a population."""

    weight: Array
    beta: Array
    margin: Array
    label_smoothing: Array
    reference: Array
    """Whether there is a reference policy."""
    mean: Array
    """Whether log-probabilities are means over steps."""
    lowest: Array
    highest: Array
    """The range of log-probabilities for which the objective is meant."""


class ObjectiveParameters(NamedTuple):
    """All that sets objectives of one form apart."""

    settings: Settings
    psi: Any
    phi_inverse: Any
    link: Any


class Judged(NamedTuple):
    """What an objective makes of pairs."""

    value: Float[Array, "pairs"]
    """To be maximised."""
    difference: Float[Array, "pairs"]
    """Of φ⁻¹ (before β and the margin); the pair is told apart as it should be where it is above 0."""
    below: Bool[Array, "pairs"]
    """Where a log-probability is below the objective's range."""
    above: Bool[Array, "pairs"]
    """Where one is above it, or no number."""
    chosen: Float[Array, "pairs"]
    """Log-probabilities as the objective takes them: sums over steps, or means."""
    rejected: Float[Array, "pairs"]


ObjectiveApply = Callable[[ObjectiveParameters, Pairs, Float[Array, ""]], Judged]


@dataclass(frozen=True, eq=False)
class Objectives:
    """Objectives that share one compiled program: what it computes, and what sets them apart."""

    apply: ObjectiveApply
    parameters: ObjectiveParameters
    """Arrays with a leading axis `candidates`."""
    count: int
    form: Any
    """What they have in common; hashable."""


def of_objectives(objectives: Sequence[PreferenceObjective]) -> Objectives:
    """Objectives of one form: formulas, or networks of one shape, in the same slots.

    Raises ConfigError where a slot holds different forms.
    """
    if not objectives:
        raise ConfigError("no objective to train with; give one at least")
    form = objective_form(objectives[0])
    if any(objective_form(objective) != form for objective in objectives[1:]):
        raise ConfigError(
            "objectives of one population must have formulas, or networks of one shape, in the "
            "same slots; train the others in a run of their own"
        )
    slots = [
        _slot_parameters([getattr(objective, name) for objective in objectives], part)
        for name, part in zip(("psi", "phi_inverse", "link"), form)
    ]
    parameters = ObjectiveParameters(_settings(objectives), *slots)
    return Objectives(_objective(form), parameters, len(objectives), form)


def of_map_weights(
    template: PreferenceObjective, psi: Sequence[Array], phi_inverse: Sequence[Array]
) -> Objectives:
    """Objectives like `template` with these weights in its two networks.

    Each is (layer_0, layer_1, skip) with a leading axis `candidates`. Log-probabilities count as outside
    where they leave the range of the template's networks.
    """
    form = objective_form(template)
    count = len(phi_inverse[0])
    one = of_objectives([template]).parameters
    rest = jax.tree.map(
        lambda leaf: jnp.broadcast_to(leaf[0], (count, *leaf.shape[1:])),
        (one.settings, one.link),
    )
    maps = [tuple(jnp.asarray(leaf, jnp.float32) for leaf in part) for part in (psi, phi_inverse)]
    parameters = ObjectiveParameters(rest[0], maps[0], maps[1], rest[1])
    return Objectives(_objective(form), parameters, count, form)


def grouped_objectives(
    objectives: Sequence[PreferenceObjective],
) -> list[tuple[tuple[int, ...], Objectives]]:
    """(places in `objectives`, objectives) of each form, in the order of their first members."""
    groups: dict[Any, list[int]] = {}
    for place, objective in enumerate(objectives):
        groups.setdefault(objective_form(objective), []).append(place)
    return [
        (tuple(places), of_objectives([objectives[place] for place in places]))
        for places in groups.values()
    ]


def objective_form(objective: PreferenceObjective) -> tuple[Any, Any, Any]:
    """What has to be equal for two objectives to share a program."""
    return (
        _slot_form(objective.psi),
        _slot_form(objective.phi_inverse),
        _slot_form(objective.link),
    )


def _slot_form(slot: Slot | None) -> Any:
    if slot is None or isinstance(slot, Drift):
        return "formula"
    if isinstance(slot, MirrorNetwork):
        return slot.kind, slot.layers[0].shape
    return slot


def _slot_parameters(slots: Sequence[Slot | None], form: Any) -> Any:
    if form == "formula":
        formulas = [_ABSENT if slot is None else slot for slot in slots]
        return tapes.encode([lower(slot) for slot in formulas if isinstance(slot, Drift)])
    if isinstance(form, tuple):
        networks = [slot for slot in slots if isinstance(slot, MirrorNetwork)]
        arrays = [(*n.layers, np.asarray(n.skip)) for n in networks]
        return tuple(jnp.asarray(np.stack(part), jnp.float32) for part in zip(*arrays))
    return ()


def _settings(objectives: Sequence[PreferenceObjective]) -> Settings:
    def column(values: Sequence[float]) -> Array:
        return jnp.asarray(np.array(values, np.float32))

    ranges = [objective.log_prob_range for objective in objectives]
    return Settings(
        weight=column([o.weight for o in objectives]),
        beta=column([o.beta for o in objectives]),
        margin=column([o.margin for o in objectives]),
        label_smoothing=column([o.label_smoothing for o in objectives]),
        reference=jnp.asarray([o.reference for o in objectives]),
        mean=jnp.asarray([o.reduction == "mean" for o in objectives]),
        lowest=column([low for low, _ in ranges]),
        highest=column([high for _, high in ranges]),
    )


_tape = trainable(tapes.value_and_slope)


@lru_cache(maxsize=64)
def _objective(form: tuple[Any, Any, Any]) -> ObjectiveApply:
    """One function for a form, so that other objectives of it compile nothing."""
    psi, phi_inverse, link = (_slot(part) for part in form)

    def apply(parameters: ObjectiveParameters, pairs: Pairs, progress: Array) -> Judged:
        own = parameters.settings

        def asked(slot: DriftApply, of: Any, *points: Array) -> Sequence[Array]:
            """A slot at several arrays of points at once: tapes are slow to compile."""
            together = jnp.concatenate(points)
            found = slot(of, together, jnp.zeros_like(together), progress)
            return jnp.split(found, len(points))

        def reduced(log_prob: Array, steps: Array) -> Array:
            return jnp.where(own.mean, log_prob / steps, log_prob)

        chosen = reduced(pairs.chosen, pairs.chosen_steps)
        rejected = reduced(pairs.rejected, pairs.rejected_steps)
        before = [
            jnp.where(own.reference, reduced(log_prob, steps), -1.0)
            for log_prob, steps in (
                (pairs.reference_chosen, pairs.chosen_steps),
                (pairs.reference_rejected, pairs.rejected_steps),
            )
        ]
        points = chosen, rejected, *before
        at = asked(phi_inverse, parameters.phi_inverse, *points)
        difference = at[0] - at[1] - jnp.where(own.reference, at[2] - at[3], 0.0)
        z = own.beta * difference - own.margin
        right, wrong = asked(link, parameters.link, z, -z)
        wrong = jnp.where(own.label_smoothing > 0, wrong, 0.0)
        preference = (1 - own.label_smoothing) * right + own.label_smoothing * wrong
        (imitation,) = asked(psi, parameters.psi, chosen)
        asked_at = jnp.stack(points)
        below = (asked_at < own.lowest).any(axis=0)
        above = (~(asked_at <= own.highest)).any(axis=0)
        value = imitation + own.weight * preference
        return Judged(value, difference, below, above, chosen, rejected)

    return apply


def _slot(form: Any) -> DriftApply:
    if form == "formula":
        return _tape
    if isinstance(form, tuple):
        kind = form[0]

        def value(parameters: Any, log_x: Array, _: Array, progress: Array) -> Array:
            first, last, skip = parameters
            found = mirror_output(jax_arrays, kind, (first, last), skip, log_x, progress)
            return jnp.asarray(found)

        return trainable(forward_mode(value))

    function, with_progress = form, arguments_needed(form) >= 2

    def called(_: Any, log_x: Array, __: Array, progress: Array) -> Array:
        args = (log_x, progress) if with_progress else (log_x,)
        return jnp.broadcast_to(function(*args), log_x.shape)

    return called
