"""A network for a mirror map as source: its weights as arrays, and the nine units."""

from __future__ import annotations

from symbolic.export.backends import Backend
from symbolic.export.statements import literal, row_literal
from symbolic.mirror_network import UNITS, MirrorNetwork


def network_source(network: MirrorNetwork, library: Backend, name: str) -> tuple[list[str], str]:
    """(the body of a function of log_x and progress, the weights before it), named after `name`."""
    stem = name.upper()
    constants = [
        f"{stem}_{part} = {library.matrix.format(row_literal(row.tolist()))}"
        for part, row in zip(("START", "CHANGE"), network.layers[0])
    ]
    weights = literal(network.layers[1].tolist())
    constants.append(f"{stem}_WEIGHTS = {library.matrix.format(weights)}")

    def array(part: str) -> str:
        """Torch keeps an array on a device and of a type: those of the argument."""
        return f"{stem}_{part}" + (".to(log_x)" if library.name == "torch" else "")

    change = f" + {array('CHANGE')} * progress" if network.uses_progress else ""
    lines = [
        f"factors = {array('START')}{change}",
        f"weights = {array('WEIGHTS')}",
        f"logs = {library.written('{log_factor}({0})', 'factors')} + log_x[..., None]",
    ]
    width = network.layers[0].shape[1] // len(UNITS)
    for number, unit in enumerate(UNITS):
        first, end = number * width, (number + 1) * width
        value = library.written(unit.source, f"logs[..., {first}:{end}]")
        told = "value = " if number == 0 else "value = value + "
        lines.append(f"{told}{value} @ weights[{first}:{end}]  # {unit.name}")
    skipped = "{log_odds}({0})" if network.kind == "mirror-map" else "{0}"
    skip = library.written(skipped, "log_x")
    lines.append(f"return value[..., 0] + {network.skip!r} * {skip}")
    return lines, "\n".join(constants) + "\n"
