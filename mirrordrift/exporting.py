"""A drift as text for other code."""

from __future__ import annotations

from mirrordrift.slope import text_of
from mirrordrift.spec import Target
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.export.backends import BACKENDS
from symbolic.export.patches import PATCHES, instructions
from symbolic.export.source import function_source
from symbolic.latex import to_latex

LATEX = "latex"


def source(target: Target, to: str) -> str:
    """The text of a drift for a target; raises ConfigError for one that is unknown."""
    known = [*BACKENDS, LATEX, *PATCHES]
    if to == "trl":
        raise ConfigError(
            "--to trl is for preference objectives, which come with mirror maps in a later version"
        )
    if to not in known:
        raise ConfigError(f"--to {to:.40} is no target; use one of {', '.join(known)}")
    if to == LATEX:
        if not isinstance(target, Drift):
            raise ConfigError("a network has no formula; distil it first: drift distill")
        return to_latex(target.bound_formula()) + "\n"
    aware = "t" in target.formula.symbols if isinstance(target, Drift) else target.uses_progress
    if to in PATCHES and aware:
        raise ConfigError(
            f"--to {to}: this drift depends on the training's progress t, which their PPO does not "
            "pass on; export it --to torch and call it with three arguments"
        )
    formula = str(target.closed_formula()) if isinstance(target, Drift) else text_of(target)
    name = f"{target.name}: " if isinstance(target, Drift) and target.name else ""
    text = function_source(target, "torch" if to in PATCHES else to, f"The drift {name}{formula}.")
    return f"{instructions(PATCHES[to])}\n{text}" if to in PATCHES else text
