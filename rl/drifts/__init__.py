"""Drifts as training calls them: formulas, networks and functions behind one signature."""

from rl.drifts.candidates import Candidates, of_formulas, of_function, of_networks, of_weights
from rl.drifts.grouping import AnyDrift, grouped
from rl.drifts.slopes import DriftApply

__all__ = [
    "AnyDrift",
    "Candidates",
    "DriftApply",
    "grouped",
    "of_formulas",
    "of_function",
    "of_networks",
    "of_weights",
]
