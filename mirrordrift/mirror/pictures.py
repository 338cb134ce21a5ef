"""The picture of a search for mirror maps."""

from __future__ import annotations

import sys
from pathlib import Path

from mirrordrift import figures
from mirrordrift.meta.pictures import returns_by_generation
from search.mirror.folder import MirrorFolder


def draw_search(folder: MirrorFolder, path: Path) -> Path:
    """Returns of the members by generation, and what the mean has beyond ORPO where it was judged."""
    return figures.save(returns_by_generation(folder.records(sys.maxsize), "ORPO"), path)
