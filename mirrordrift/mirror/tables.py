"""What is said of a search for mirror maps at its end."""

from __future__ import annotations

from typing import Any

from mirrordrift.meta.tables import last_judged
from search.mirror.folder import OBJECTIVE_FILE, MirrorFolder

BASELINE = "ORPO"
"""What a search starts as, and is judged against."""


def conclusion(folder: MirrorFolder) -> dict[str, Any]:
    """The last object of --json: the objective, and its last judgement."""
    last = last_judged(folder)
    return {
        "schema": "mirrordrift/mirror-trained/1",
        "objective": str(folder.path / OBJECTIVE_FILE),
        "generations": last["generation"],
        "held_out": last["held_out"],
    }
