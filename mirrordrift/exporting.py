"""A drift, or a preference objective, as text for other code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mirrordrift.interface import verdict_of
from mirrordrift.runs import label as label_of
from mirrordrift.slope import text_of
from mirrordrift.spec import FRONT_SUFFIX, Target, file_kind, resolve
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.export.backends import BACKENDS
from symbolic.export.patches import PATCHES, instructions
from symbolic.export.source import function_source
from symbolic.latex import to_latex
from symbolic.preference.objective import PreferenceObjective

LATEX, TRL = "latex", "trl"


def exported(
    spec: str,
    to: str,
    *,
    kind: str = "",
    parameters: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
    refuted: Callable[[str], None] | None = None,
) -> str:
    """The text of a SPEC or of a preference objective for a target.

    `refuted` hears, with the witness, of a drift or a map that is none, which is exported all the same.

    `kind` says which of the two, where the text alone would mean the other. `changes` are fields of
    an objective. Raises ConfigError or FormulaError for what is neither or has no such target.
    """
    if (kind or kind_of(spec)) == "objective":
        from mirrordrift.aligning.plan import objective_of
        from mirrordrift.aligning.running import refutations
        from symbolic.preference.reading import refuse_unused

        label, objective = objective_of(spec, parameters, changes)
        refuse_unused(parameters, [objective])
        text = objective_text(label, objective, to)
        if refuted is not None:
            for why in refutations(label, objective):
                refuted(why)
        return text
    if changes:
        raise ConfigError(
            f"--{min(changes).replace('_', '-')} changes a preference objective, and {spec:.60} is a "
            "drift; leave it out, or say --kind objective"
        )
    if to == TRL:
        raise ConfigError(
            f"--to trl is for preference objectives, and {spec:.60} {_no_objective(spec)}"
        )
    target = resolve(spec, parameters)
    text = source(target, to)
    if refuted is not None and (why := verdict_of(label_of(target), target)[1]):
        refuted(why)
    return text


def kind_of(spec: str) -> str:
    """`objective` for two or three formulas, an objective's file, or a name that no drift has too.

    `dpo`, which both have, is Discovered Policy Optimisation here; only where nothing but objectives is
    asked for (`drift align`) it is direct preference optimisation.
    """
    from search import pretrained
    from symbolic.catalogue import catalogue
    from symbolic.catalogue.objectives import objectives
    from symbolic.preference import reading

    text = spec.strip()
    if text.endswith(FRONT_SUFFIX):
        found = file_kind(text) == "objective"
    else:
        named = text in objectives and text not in catalogue and text not in pretrained.names()
        found = named or len(reading.split_objective(text)[0]) > 1
    return "objective" if found else "drift"


def objective_text(label: str, objective: PreferenceObjective, to: str) -> str:
    """The text of a preference objective for a target; raises ConfigError for one that it has not."""
    from symbolic.export.equation import objective_latex
    from symbolic.export.objective import objective_source
    from symbolic.export.trl import trainer_source

    if to in PATCHES:
        raise ConfigError(f"--to {to} takes drifts; a preference objective is trained by --to trl")
    if to == LATEX:
        return objective_latex(objective)
    formulas = "" if ";" in label else f": {objective.text}"
    title = f"The preference objective {label}{formulas}."
    if to == TRL:
        return trainer_source(objective, title)
    _check_target(to, [*BACKENDS, LATEX, TRL])
    return objective_source(objective, to, title)


def source(target: Target, to: str) -> str:
    """The text of a drift for a target; raises ConfigError for one that is unknown."""
    _check_target(to, [*BACKENDS, LATEX, *PATCHES])
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


def _check_target(to: str, known: Sequence[str]) -> None:
    if to not in known:
        raise ConfigError(f"--to {to:.40} is no target; use one of {', '.join(known)}")


def _no_objective(spec: str) -> str:
    from symbolic.catalogue.objectives import ALIASES, objectives

    if full := ALIASES.get(spec.strip()):
        return f"is a drift; did you mean {full}?"
    return f"is none; name one of {', '.join(objectives)}, or write 'psi; phi_inverse'"
