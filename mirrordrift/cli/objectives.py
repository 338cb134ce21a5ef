"""The flags that change a preference objective, which commands share."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

from tyro.conf import arg

from mirrordrift.cli.options import UNSET, Common, Flag
from symbolic.preference.objective import SETTINGS


@dataclass(frozen=True, kw_only=True)
class ObjectiveChanges(Common):
    """Numbers and choices of an objective, where they are to be others than its own."""

    weight: Annotated[float, arg(metavar="LAMBDA", help_behavior_hint="(the objective's)")] = UNSET
    """Of an objective's preference term."""
    beta: Annotated[float, arg(metavar="BETA", help_behavior_hint="(the objective's)")] = UNSET
    """Of its difference."""
    margin: Annotated[float, arg(metavar="GAMMA", help_behavior_hint="(the objective's)")] = UNSET
    """By which the difference has to exceed 0."""
    label_smoothing: Annotated[
        float, arg(metavar="SHARE", help_behavior_hint="(the objective's)")
    ] = UNSET
    """Share of the labels taken to be wrong."""
    reduction: Annotated[str, arg(metavar="HOW", help_behavior_hint="(the objective's)")] = ""
    """Log-probabilities of trajectories or responses: the sum over steps or tokens, or the mean."""
    reference: Flag = False
    """Take differences relative to a reference policy, also where the objective has none."""


def changes_of(options: ObjectiveChanges) -> dict[str, Any]:
    """The fields of an objective that were asked to be others."""
    usual = {field.name: field.default for field in fields(ObjectiveChanges)}
    found = {name: getattr(options, name) for name in SETTINGS}
    return {name: value for name, value in found.items() if value != usual[name]}
