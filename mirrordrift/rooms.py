"""Which files the rooms resolve to: `symbolic`, `verify`, `rl`, `search` are ordinary words."""

from __future__ import annotations

from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

ROOMS = ("symbolic", "verify", "rl", "search")
HOME = Path(__file__).resolve().parents[1]
"""The folder that holds this package and the rooms beside it."""


def resolved() -> dict[str, Path | None]:
    """Where an import of each room would find it now; nothing is imported."""
    return {room: _place(PathFinder.find_spec(room)) for room in ROOMS}


def shadowed() -> dict[str, Path]:
    """The rooms that an import takes from somewhere else, with that place."""
    return {
        room: place
        for room, place in resolved().items()
        if place is not None and place != HOME / room
    }


def shadow_message() -> str:
    """What to tell a person whose import went to the wrong room; empty if none is shadowed."""
    places = shadowed()
    if not places:
        return ""
    listed = ", ".join(f"'{room}' is taken from {place}" for room, place in places.items())
    return (
        f"a part of mirrordrift is shadowed: {listed}\n"
        "rename that folder, or take its parent out of PYTHONPATH; `drift doctor` shows more"
    )


def _place(spec: ModuleSpec | None) -> Path | None:
    """The folder of a package, or the file of a module."""
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin).resolve() if spec.origin else None
