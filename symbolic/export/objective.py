"""A preference objective as functions of Python: psi, phi_inverse, link, and the loss made of them."""

from __future__ import annotations

from collections.abc import Sequence

from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.export.backends import BACKENDS, Backend
from symbolic.export.mirror_network import network_source
from symbolic.export.statements import broadcast, one_line, statements
from symbolic.lowering import lower
from symbolic.mirror_network import MirrorNetwork
from symbolic.preference.objective import PreferenceObjective, Slot

_SLOTS = {
    "psi": ("log_x", "Imitation of the chosen response, by the logarithm of its probability."),
    "phi_inverse": ("log_x", "The inverse of the potential, by the logarithm of a probability."),
    "link": ("z", "Of the difference between chosen and rejected."),
}
_REDUCED = {
    "sum": "sums over their tokens (or steps)",
    "mean": "means over their tokens (or steps)",
}
_TORCH_PROGRESS = (
    "progress = torch.as_tensor(progress, dtype=chosen.dtype, device=chosen.device)  # or a number"
)


def objective_source(objective: PreferenceObjective, backend: str, title: str) -> str:
    """The text of a module that defines `loss`; `title` becomes its first line.

    `loss(chosen, rejected, reference_chosen=None, reference_rejected=None, progress=0.0)` takes
    log-probabilities `[pairs]` and gives what training minimises, `[pairs]`. Raises ConfigError for
    an unknown backend, a Python function in a slot or a parameter without a number.
    """
    if backend not in BACKENDS:
        raise ConfigError(f"to={backend!r:.40} is no library; use one of {', '.join(BACKENDS)}")
    library = BACKENDS[backend]
    functions, constants = [], []
    for name in _SLOTS:
        slot = getattr(objective, name)
        if slot is None:
            continue
        lines, arrays = _slot_source(name, slot, library)
        variable, what = _SLOTS[name]
        functions.append(_function(f"{name}({variable}, progress)", what, lines))
        constants += [arrays] if arrays else []
    arguments = "chosen, rejected, reference_chosen=None, reference_rejected=None, progress=0.0"
    body = _loss_body(objective, library)
    functions.append(_function(f"loss({arguments})", _loss_docstring(objective), body))
    code = "\n\n".join(functions)
    parts = [
        f'"""{one_line(title)}"""\n\n{library.imports}\n',
        *constants,
        library.helpers(code),
        code,
    ]
    return "\n\n".join(part for part in parts if part)


def _slot_source(name: str, slot: Slot, library: Backend) -> tuple[list[str], str]:
    """(the body of a slot's function, the weights before it)."""
    if isinstance(slot, MirrorNetwork):
        return network_source(slot, library, name)
    if not isinstance(slot, Drift):
        raise ConfigError(
            f"{name} is a Python function, which cannot be printed; write it as a formula"
        )
    variable = _SLOTS[name][0]
    program = lower(slot)
    lines, result = statements(program, library, "x", (variable, "", "progress"))
    return [*lines, f"return {broadcast(program, result, [variable])}"], ""


def _loss_body(objective: PreferenceObjective, library: Backend) -> list[str]:
    lines = [_TORCH_PROGRESS] if library.name == "torch" else []
    chosen, rejected = "phi_inverse(chosen, progress)", "phi_inverse(rejected, progress)"
    lines.append(f"difference = {chosen} - {rejected}")
    if objective.reference:
        before = [f"phi_inverse(reference_{name}, progress)" for name in ("chosen", "rejected")]
        lines = [
            "if reference_chosen is None or reference_rejected is None:",
            '    raise ValueError("this objective needs the reference policy\'s log-probabilities")',
            *lines,
            f"before = {before[0]} - {before[1]}",
            "difference = difference - before",
        ]
    z = scaled(objective.beta, "difference")
    margin = f" - {objective.margin!r}" if objective.margin else ""
    lines.append(f"z = {z}{margin}")
    share = objective.label_smoothing
    right, wrong = "link(z, progress)", "link(-z, progress)"
    preference = f"{1 - share!r} * {right} + {share!r} * {wrong}" if share else right
    lines.append(f"preference = {preference}")
    weighted = scaled(objective.weight, "preference")
    imitation = "psi(chosen, progress) + " if objective.psi is not None else ""
    lines.append(f"return -({imitation}{weighted})" if imitation else f"return -{weighted}")
    return lines


def scaled(factor: float, name: str) -> str:
    """A factor times a name, or the name alone where the factor is 1."""
    return name if factor == 1 else f"{factor!r} * {name}"


def _loss_docstring(objective: PreferenceObjective) -> str:
    low, high = objective.log_prob_range
    reference = (
        "reference_chosen and reference_rejected are the reference policy's"
        if objective.reference
        else "there is no reference policy, and its log-probabilities are not looked at"
    )
    progress = (
        "progress is how much of the training is over, in [0, 1]."
        if objective.uses_progress
        else "The objective does not depend on progress."
    )
    return "\n    ".join(
        [
            "What training minimises, of each pair; average it.\n",
            f"chosen and rejected are log-probabilities of responses, {_REDUCED[objective.reduction]},",
            f"from {low:g} to {high:g}; {reference}.",
            progress,
        ]
    )


def _function(signature: str, docstring: str, lines: Sequence[str]) -> str:
    end = "\n    " if "\n" in docstring else ""
    code = "\n".join(f"    {line}" for line in lines)
    return f'def {signature}:\n    """{docstring}{end}"""\n{code}\n'
