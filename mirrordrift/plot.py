"""The picture of the papers: where a drift pushes the policy, over ratio and advantage.

Per formula a heat map of ∂/∂r [r·A − f(r, A)], the slope of the objective that a policy step
climbs, and below it slices for fixed advantages. Where the slope is positive the update makes
the action more likely.

Source: Lu et al. 2022, figures 1, 2, 3, 5 and 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirrordrift import figures
from mirrordrift.slope import drawn_values, objective_slope, text_of
from search import pretrained
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.expression import symbol
from symbolic.latex import to_latex

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mirrordrift.spec import Target

MAX_FORMULAS = 12
MAX_COLUMNS = 4

_RATIOS = (0.0, 2.0)
_ADVANTAGES = (-3.0, 3.0)
_SLICES = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
_ZERO = (-1e-6, 1e-6)
"""What counts as 0: more than rounding leaves."""
_POINTS = 601
_COLOURS = "RdBu"  # diverging, and told apart by people who do not see red and green alike
_TITLE_CHARACTERS = 42


def plot_drifts(
    drifts: Sequence[Target], path: str | Path, *, titles: Sequence[str] | None = None
) -> None:
    """Draw formulas and networks side by side and write the picture; the suffix decides the format.

    A parameter is drawn at its value if it is bound, else at its default, else at a value in
    the middle of its domain; the title, if none is given, says which. Grey is where the slope is undefined.
    Raises ConfigError for an unknown suffix, a missing folder, a file that cannot be
    written, what is no drift, or is undefined at every point.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = Path(path)
    _check(drifts, path)
    bands, columns = grid(len(drifts))
    figure = Figure(figsize=(1.4 + 3.5 * columns, 0.6 + 6.0 * bands), layout="constrained")
    FigureCanvasAgg(figure)
    panels: NDArray[Any] = figure.subplots(
        2 * bands, columns, squeeze=False, sharex=True, height_ratios=(1.15, 1) * bands
    )
    heats, slices = panels[0::2].ravel(), panels[1::2].ravel()
    for heat, slice_, drift, title in zip(heats, slices, drifts, titles or map(_title, drifts)):
        _draw(heat, slice_, drift)
        heat.set_title(title, fontsize=11)
    for unused in (*heats[len(drifts) :], *slices[len(drifts) :]):
        unused.remove()
    _label(figure, panels, len(drifts))
    figures.write(figure, path)


def grid(formulas: int) -> tuple[int, int]:
    """(bands, columns) for so many formulas: at most four side by side, bands as even as can be."""
    bands = -(-formulas // MAX_COLUMNS)
    return bands, -(-formulas // bands)


def _check(drifts: Sequence[Target], path: Path) -> None:
    figures.check_path(path)
    if not 1 <= len(drifts) <= MAX_FORMULAS:
        raise ConfigError(f"{len(drifts)} formulas: draw between 1 and {MAX_FORMULAS} in a picture")
    for drift in drifts:
        if drift.kind != "drift":
            raise ConfigError(
                f"{text_of(drift)}: only drifts are drawn, and this is a {drift.kind}"
            )


def _draw(heat: Axes, slices: Axes, drift: Target) -> None:
    # Cell centres: the open end r = 0 is not among them.
    edges = np.linspace(*_RATIOS, _POINTS)
    ratio = (edges[1:] + edges[:-1]) / 2
    rows = np.linspace(*_ADVANTAGES, _POINTS)
    advantage = ((rows[1:] + rows[:-1]) / 2)[:, None]
    slope = objective_slope(drift, ratio[None, :], advantage)
    limit = _ADVANTAGES[1]
    if np.isnan(slope).all():
        raise ConfigError(
            f"{text_of(drift):.200}: undefined at every point of the picture, r < {_RATIOS[1]:g} and "
            f"|A| < {limit:g}; `drift verify` shows a point where it fails"
        )
    heat.set_facecolor("0.8")
    heat.pcolormesh(
        edges, rows, slope, cmap=_COLOURS, vmin=-limit, vmax=limit, rasterized=True, shading="flat"
    )
    if np.nanmin(slope, initial=0) < 0 < np.nanmax(slope, initial=0):
        # Two levels beside 0: a plateau at 0 (PPO's clip) is outlined on both its sides.
        heat.contour(
            ratio,
            advantage[:, 0],
            slope,
            levels=_ZERO,
            colors="black",
            linewidths=1,
            linestyles="-",
        )
    _mark_identity(heat)
    _mark_identity(slices)
    slices.axhline(0, color="0.5", linewidth=0.8)
    for value in _SLICES:
        line = objective_slope(drift, ratio, value)
        slices.plot(
            ratio, line, color=_slice_colour(value), label=_advantage_label(value), linewidth=1.8
        )
    heat.set_ylim(*_ADVANTAGES)
    slices.set_xlim(*_RATIOS)
    first, *_, last = slices.set_xticks([0, 0.5, 1, 1.5, 2], ["0", "0.5", "1", "1.5", "2"])
    first.label1.set_horizontalalignment("left")  # away from the neighbour's numbers
    last.label1.set_horizontalalignment("right")
    slices.set_ylim(-limit, limit)


def _mark_identity(axes: Axes) -> None:
    axes.axvline(1, color="0.35", linewidth=0.8, linestyle=(0, (2, 3)))


def _slice_colour(advantage: float) -> Any:
    """The colour map's own colours, its pale middle left out so that lines stay visible."""
    from matplotlib import colormaps

    return colormaps[_COLOURS](0.5 + np.sign(advantage) * (0.24 + 0.13 * abs(advantage)))


def _advantage_label(value: float) -> str:
    return f"$A = {value:g}$"


def _label(figure: Figure, panels: NDArray[Any], formulas: int) -> None:
    push = r"$\partial_r\,[\,r A - f\,]$"
    columns = panels.shape[1]
    for index in range(formulas):
        band, column = divmod(index, columns)
        heat, slices = panels[2 * band : 2 * band + 2, column]
        slices.set_xlabel("ratio $r$")
        slices.tick_params(labelbottom=True)
        for axes, label in ((heat, "advantage $A$"), (slices, f"slices of {push}")):
            axes.tick_params(labelleft=column == 0)
            axes.set_ylabel(label if column == 0 else "")
    heat = panels[0, 0]
    bar = figure.colorbar(
        heat.collections[0], ax=figure.axes, extend="both", aspect=22 * len(panels), pad=0.02
    )
    bar.set_label(f"{push}: where positive, the action becomes more likely")
    handles, labels = panels[1, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=6 if columns > 1 else 3,
        frameon=False,
        fontsize=9,
    )


def _title(drift: Target) -> str:
    name = drift.name if isinstance(drift, Drift) else pretrained.name_of(drift)
    head = _in_two_lines(name or text_of(drift))
    values = ", ".join(
        rf"${to_latex(symbol(name))} = {float(value):.4g}$"
        for name, value in drawn_values(drift).items()
    )
    return f"{_plain(head)}\n{values}" if values else _plain(head)


def _in_two_lines(text: str) -> str:
    """As much as two lines hold, broken where no name, number or power sign is torn."""
    if len(text) <= _TITLE_CHARACTERS:
        return text
    ends = range(_TITLE_CHARACTERS, 1, -1)
    whole = (
        i
        for i in ends
        if not (text[i - 1].isalnum() and text[i].isalnum()) and text[i - 1 : i + 1] != "**"
    )
    end = next(whole, _TITLE_CHARACTERS)
    first, second = text[:end], text[end:].lstrip()
    if len(second) > _TITLE_CHARACTERS:
        second = second[: _TITLE_CHARACTERS - 1] + "…"
    return f"{first.rstrip()}\n{second}"


def _plain(text: str) -> str:
    """Text that matplotlib does not read as mathematics."""
    return text.replace("$", r"\$")
