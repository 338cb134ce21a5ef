"""Preference objectives as text and as files, read without evaluating anything.

Text is `PSI; PHI_INVERSE[; LINK][; declarations]`: formulas in x (the link's in z), `none` for no ψ,
and declarations such as `alpha=2` or `x in (0, inf)`. A file is a JSON object with the schema
`mirrordrift/objective/1`; networks lie beside it and are known by their content.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbolic.arrays import read_bounded, read_json, write_atomically
from symbolic.cards import plain
from symbolic.domains import Interval, parse_declarations
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.mirror_network import MirrorNetwork, load_mirror_network, save_mirror_network
from symbolic.preference.objective import (
    LOG_SIGMOID,
    SETTINGS,
    SLOT_KINDS,
    PreferenceObjective,
    Slot,
)

SCHEMA = "mirrordrift/objective/1"
_DECLARATION = re.compile(r"\s*[A-Za-z][A-Za-z0-9_]*\s*(=|\s+in\s)")


def objective_from_text(
    text: str, parameters: Sequence[str] | Mapping[str, object] = ()
) -> PreferenceObjective:
    """The objective that `PSI; PHI_INVERSE[; LINK][; declarations]` says.

    Every parameter is declared for those formulas that use it. Raises ConfigError for another
    number of formulas, FormulaError for a formula or declaration that does not parse.
    """
    formulas, declared = split_objective(text)
    if len(formulas) not in (2, 3):
        raise ConfigError(
            f"objective={text!r:.80} holds {len(formulas)} formulas; write 'psi; phi_inverse' or "
            "'psi; phi_inverse; link', for example 'log(x); log(x) - log(1 - x)'"
        )
    if formulas[1] == "none":
        raise ConfigError(
            f"objective={text!r:.80} has no phi_inverse, without which nothing is preferred; only psi "
            "may be none"
        )
    known = {**parse_declarations(declared, "psi"), **parse_declarations(parameters, "psi")}
    psi = None if formulas[0] == "none" else _formula(formulas[0], "psi", known)
    found = PreferenceObjective(
        psi=psi,
        phi_inverse=_formula(formulas[1], "mirror-map", known),
        link=_formula(formulas[2], "link", known) if len(formulas) == 3 else LOG_SIGMOID,
    )
    refuse_unused(declared, [found])
    return found


def refuse_unused(declarations: Sequence[str], objectives: Iterable[PreferenceObjective]) -> None:
    """Raise ConfigError for a declared parameter that no formula of any objective has."""
    slots = [slot for one in objectives for slot in (*one.maps.values(), one.link)]
    used = {name for slot in slots if isinstance(slot, Drift) for name in slot.formula.symbols}
    if extra := set(parse_declarations(declarations, "psi")) - used:
        name = min(extra)
        flag = (
            f"; to change the objective's, say --{name.replace('_', '-')}"
            if name in SETTINGS
            else ""
        )
        raise ConfigError(f"'{name}' is declared, but no formula has it; leave it out{flag}")


def split_objective(text: str) -> tuple[list[str], list[str]]:
    """(formulas, declarations) of a text whose parts end in semicolons."""
    parts = [part.strip() for part in text.split(";")]
    declared = [part for part in parts if _DECLARATION.match(part)]
    return [part for part in parts if part and part not in declared], declared


def bind_objective(
    objective: PreferenceObjective, parameters: Sequence[str]
) -> PreferenceObjective:
    """The same objective with `parameters` bound or narrowed, `tau=0.2`, in the formulas that have them.

    Raises FormulaError for a declaration that does not parse.
    """
    declared = parse_declarations(parameters, "psi")
    slots: dict[str, Any] = {}
    for name in SLOT_KINDS:
        if isinstance(slot := getattr(objective, name), Drift):
            own = {k: v for k, v in declared.items() if k in slot.formula.symbols}
            slots[name] = slot.bind(own) if own else slot
    return replace(objective, **slots)


def _formula(text: str, kind: str, known: Mapping[str, Interval]) -> Drift:
    """With those declarations alone that the formula uses."""
    usable = {name: at for name, at in known.items() if not (kind == "link" and name == "x")}
    found = Drift.from_text(text, usable, kind=kind)
    used = {name: at for name, at in usable.items() if name in found.formula.symbols}
    return replace(found, domains=used)


def save_objective(path: str | Path, objective: PreferenceObjective) -> None:
    """Write an objective as JSON, atomically, and its networks beside it.

    Raises ConfigError for a function in a slot, OSError if the folder cannot be written.
    """
    path = Path(path)
    slots = {name: _saved(path, name, getattr(objective, name)) for name in SLOT_KINDS}
    fields = {"schema": SCHEMA, "name": objective.name, **slots, **objective.settings()}
    text = json.dumps(fields, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(path, text.encode())


def _saved(path: Path, name: str, slot: Slot | None) -> dict[str, Any] | None:
    if slot is None:
        return None
    if isinstance(slot, Drift):
        domains = {k: str(v) for k, v in slot.domains.items()}
        return {"formula": slot.text, "parameters": domains}
    if isinstance(slot, MirrorNetwork):
        file = f"{path.stem}-{name}.npz"
        save_mirror_network(path.with_name(file), slot)
        return {"network": file, "hash": slot.content_hash}
    raise ConfigError(f"{name} is a Python function, which no file can hold; write it as a formula")


def load_objective(path: str | Path) -> PreferenceObjective:
    """Read an objective and its networks; raises ConfigError, naming the file and the rule."""
    path = Path(path)
    content = read_bounded(path)  # names the file itself
    try:
        return _from_card(path, read_json(content, "the objective"))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _from_card(path: Path, card: dict[str, Any]) -> PreferenceObjective:
    if card.get("schema") != SCHEMA:
        raise ConfigError(
            f"schema={card.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
        )
    if "phi_inverse" not in card:
        raise ConfigError("'phi_inverse' is missing; add it")
    settings = {name: _setting(name, plain(card[name])) for name in SETTINGS if name in card}
    slots: dict[str, Any] = {
        name: _read(path, name, kind, card[name])
        for name, kind in SLOT_KINDS.items()
        if card.get(name) is not None
    }
    fields: dict[str, Any] = {"psi": None, "name": str(card.get("name", "")), **slots, **settings}
    return PreferenceObjective(**fields)


def _setting(name: str, value: object) -> object:
    wanted = SETTINGS[name]
    fits = isinstance(value, wanted) or (wanted is float and type(value) is int)
    if not fits:
        kind = {float: "a number", bool: "true or false", str: "text"}[wanted]
        raise ConfigError(f"{name}={value!r:.40} is {type(value).__name__}; it must be {kind}")
    try:
        return float(value) if type(value) is int and wanted is float else value
    except OverflowError:
        raise ConfigError(f"{name} must be a finite number; it has hundreds of digits") from None


def _read(path: Path, name: str, kind: str, slot: Any) -> Drift | MirrorNetwork:
    if isinstance(slot, dict) and isinstance(slot.get("formula"), str):
        parameters = slot.get("parameters", {})
        if not isinstance(parameters, dict):
            raise ConfigError(f"{name}: parameters must be an object")
        return Drift.from_text(slot["formula"], plain(parameters), kind=kind)
    if isinstance(slot, dict) and isinstance(slot.get("network"), str) and name != "link":
        file = slot["network"]
        if Path(file).name != file:
            raise ConfigError(f"{name}: network={file!r:.60} must lie beside the objective")
        network = load_mirror_network(path.with_name(file))
        if slot.get("hash", network.content_hash) != network.content_hash:
            raise ConfigError(
                f"{name}: {file} is another network than the objective was saved with"
            )
        return network
    raise ConfigError(f'{name} must be null, {{"formula": …}} or {{"network": …}}')
