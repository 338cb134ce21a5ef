"""How the maps of a preference objective are decided, as commands."""

from __future__ import annotations

from pathlib import Path

from symbolic.arrays import read_bounded, read_json
from symbolic.catalogue.objectives import objectives
from symbolic.drift import Drift
from symbolic.errors import ConfigError, FormulaError
from symbolic.mirror_network import MirrorNetwork
from symbolic.preference.objective import SLOT_KINDS, PreferenceObjective
from symbolic.preference.reading import load_objective, objective_from_text


def of_text(text: str) -> str:
    """For an objective that is named, or written as several formulas; empty for none."""
    try:
        found = objectives[text] if text in objectives else objective_from_text(text)
    except (FormulaError, ConfigError):
        return ""
    return _commands(found, {})


def of_file(path: Path) -> str:
    """For an objective's file; raises ConfigError for one that is damaged."""
    found = load_objective(path)
    card = read_json(read_bounded(path), str(path))
    networks = {
        name: str(path.with_name(card[name]["network"]))
        for name, slot in found.maps.items()
        if isinstance(slot, MirrorNetwork)
    }
    return _commands(found, networks)


def _commands(found: PreferenceObjective, networks: dict[str, str]) -> str:
    commands = []
    for name, slot in found.maps.items():
        command = f"drift verify --kind {SLOT_KINDS[name]}"
        if isinstance(slot, MirrorNetwork):
            commands.append(f"{command} --network {networks[name]}")
        elif isinstance(slot, Drift):
            declared = "".join(
                f' --param "{symbol}{" in " if at.value is None else "="}{at}"'
                for symbol, at in slot.domains.items()
            )
            commands.append(f'{command} "{slot.text}"{declared}')
    return ", ".join(commands)
