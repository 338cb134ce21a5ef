"""A drift as a function of Python: drift(log_ratio, advantage[, progress]), values and slopes finite."""

from __future__ import annotations

from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.export.backends import BACKENDS, Backend
from symbolic.export.statements import argument, broadcast, literal, one_line, statements
from symbolic.lowering import INPUTS, feature_programs, lower
from symbolic.network import DriftNetwork, signed_decimal


def function_source(target: Drift | DriftNetwork, backend: str, title: str) -> str:
    """The text of a module that defines `drift`; `title` becomes its first line.

    It takes arrays of log(pi_new / pi_old) and of normalised advantages, and gives the penalty,
    elementwise. Raises ConfigError for an unknown backend or a parameter without a number.
    """
    if backend not in BACKENDS:
        raise ConfigError(f"to={backend!r:.40} is no library; use one of {', '.join(BACKENDS)}")
    library = BACKENDS[backend]
    if isinstance(target, Drift):
        program = lower(target)
        aware = "t" in target.closed_formula().symbols
        body = statements(program, library, "x")
        lines = [*body[0], f"return {broadcast(program, body[1], INPUTS[:2])}"]
        constants = ""
    else:
        aware = target.uses_progress
        lines, constants = _network(target, library)
    arguments = ", ".join(INPUTS if aware else INPUTS[:2])
    code = "\n".join(f"    {line}" for line in lines)
    helpers = library.helpers(code)
    parts = [
        f'"""{one_line(title)}"""\n\n{library.imports}\n',
        constants,
        helpers,
        f'def drift({arguments}):\n    """{_docstring(aware)}"""\n{code}\n',
    ]
    return "\n\n".join(part for part in parts if part)


def _network(network: DriftNetwork, library: Backend) -> tuple[list[str], str]:
    """(the body, the weights before it)."""
    lines: list[str] = []
    results = []
    for number, program in enumerate(feature_programs(network)):
        more, result = statements(program, library, f"f{number}_")
        lines += more
        results.append(broadcast(program, result, INPUTS[:2]))
    stacked = ", ".join(results)
    axis = "dim" if library.name == "torch" else "axis"
    lines.append(f"hidden = {library.xp}.stack([{stacked}], {axis}=-1)")
    count = len(network.layers)
    activation = "tanh" if network.activation == "tanh" else "relu"
    for number in range(count):
        weights = f"LAYER_{number}" if library.name != "torch" else f"LAYER_{number}.to(hidden)"
        lines.append(f"hidden = hidden @ {weights}")
        if number < count - 1:
            lines.append(f"hidden = {library.call(activation, ['hidden'])}")
    lines.append(f"out = hidden[..., 0] - {signed_decimal(network.xi)}")
    if network.ppo_epsilon is not None:
        low, high = (signed_decimal(1 + s * network.ppo_epsilon) for s in (-1, 1))
        lines.append(f"ratio = {library.xp}.exp(log_ratio)")
        inside = library.call("clip", ["ratio", argument(low), high])
        lines.append(f"beyond = (ratio - {inside}) * advantage")
        lines.append(f"out = out + {library.call('relu', ['beyond'])}")
    lines.append(f"return {library.call('relu', ['out'])}")
    constants = "\n".join(
        f"LAYER_{number} = {library.matrix.format(literal(layer.tolist()))}"
        for number, layer in enumerate(network.layers)
    )
    return lines, constants + "\n"


def _docstring(aware: bool) -> str:
    progress = "; progress is in [0, 1]" if aware else ""
    return (
        "Penalty of a policy update, to be subtracted from ratio * advantage.\n\n"
        "    log_ratio is log(pi_new / pi_old), advantage is normalised"
        f"{progress}; elementwise.\n    "
    )
