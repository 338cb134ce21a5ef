"""What the pictures of measurements have in common."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.writing import writing
from symbolic.arrays import write_atomically
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
"""Of pictures that a person names."""
_COLUMNS = 3
_LABEL = 40
# Told apart without red and green alike (Okabe and Ito), then by dashes.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
_DASHES = ("-", "--", ":", "-.")


def figure(panels: int) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(panels, _COLUMNS)
    bands = math.ceil(panels / columns)
    made = Figure(figsize=(4.4 * columns, 3.2 * bands + 0.6), layout="constrained")
    FigureCanvasAgg(made)
    return made, [made.add_subplot(bands, columns, i + 1) for i in range(panels)]


def style(number: int) -> tuple[str, str]:
    """(colour, dashes) of the line of that number."""
    colour = _COLOURS[number % len(_COLOURS)]
    return colour, _DASHES[(number // len(_COLOURS) + number) % len(_DASHES)]


def legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One for all panels: a line may be missing in some of them."""
    found: dict[str, Any] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        found |= {label: handle for label, handle in zip(labels, handles) if label not in found}
    columns = min(4, len(found) or 1)
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=columns)


def plain(axes: Axes) -> None:
    """No more ink than needed."""
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def short(label: str) -> str:
    """A label that a legend has room for."""
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG; raises ConfigError where that fails."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130)
    with writing(str(path)):
        write_atomically(path, out.getvalue())
    return path


def check_path(path: Path) -> None:
    """Raise ConfigError for a picture that no format is known for, or that has no folder."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path}: a picture ends in one of {' '.join(SUFFIXES)}, not '{path.suffix}'"
        )
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: the folder {path.parent} does not exist; create it first")


def write(figure: Figure, path: Path) -> None:
    """Write a picture in the format of its suffix; raises ConfigError where that fails."""
    picture = io.BytesIO()
    # No date, so that the same formulas give the same file.
    stamp = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
    figure.savefig(picture, format=path.suffix[1:].lower(), dpi=160, metadata=stamp)
    with writing(str(path)):
        write_atomically(path, picture.getvalue())
