"""How each library writes the operations of a lowered formula.

An operation is a template over its arguments; those that could divide by 0, take a logarithm of 0 or
meet a plain number where a library wants an array are calls of a helper, which is written into the
source where it is used. Helpers keep the double-where: no branch that is not taken makes a slope nan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PLAIN = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "neg": "-{0}",
    "square": "{0} * {0}",
    "exp": "{xp}.exp({0})",
    "expm1": "{xp}.expm1({0})",
    "tanh": "{xp}.tanh({0})",
    "abs": "{xp}.abs({0})",
    "sign": "{xp}.sign({0})",
    "div": "_divide({0}, {1})",
    "inv": "_divide(1.0, {0})",
    "log": "_log({0})",
    "sqrt": "_sqrt({0})",
    "pow": "_power({0}, {1})",
    "sigmoid": "0.5 * (1.0 + {xp}.tanh(0.5 * {0}))",
    "softplus": "_softplus({0})",
}
_ARRAYS = {
    "relu": "{xp}.maximum({0}, 0.0)",
    "max": "{xp}.maximum({0}, {1})",
    "min": "{xp}.minimum({0}, {1})",
    "clip": "{xp}.minimum({xp}.maximum({0}, {1}), {2})",
    **{
        f"where{relation}": f"{{xp}}.where({{0}} {relation} {{1}}, {{2}}, {{3}})"
        for relation in ("<", "<=", ">", ">=")
    },
}
_TENSORS = {
    "relu": "torch.relu({0})",
    "max": "_maximum({0}, {1})",
    "min": "_minimum({0}, {1})",
    "clip": "_minimum(_maximum({0}, {1}), {2})",
    **{
        f"where{relation}": f"_where({{0}} {relation} {{1}}, {{2}}, {{3}})"
        for relation in ("<", "<=", ">", ">=")
    },
}

_HELPERS = {
    "_divide": """\
def _divide(a, b):
    safe = {where}(b == 0, 1.0, b)
    return {where}(b == 0, float("nan"), a / safe)
""",
    "_log": """\
def _log(x):
    safe = {where}(x > 0, x, 1.0)
    return {where}(x > 0, {xp}.log(safe), float("nan"))
""",
    "_sqrt": """\
def _sqrt(x):
    safe = {where}(x == 0, 1.0, x)
    return {where}(x == 0, 0.0, {xp}.sqrt(safe))
""",
    "_power": """\
def _power(a, b):
    safe = {where}(a > 0, a, 1.0)
    return {where}(a > 0, safe**b, 0.0)
""",
    "_softplus": """\
def _softplus(x):
    return {relu} + {xp}.log1p({xp}.exp(-{xp}.abs(x)))
""",
    "_maximum": """\
def _maximum(a, b):
    return torch.maximum(*_tensors(a, b))
""",
    "_minimum": """\
def _minimum(a, b):
    return torch.minimum(*_tensors(a, b))
""",
    "_where": """\
def _where(chosen, a, b):
    like = next((x for x in (a, b, chosen) if torch.is_tensor(x) and x.is_floating_point()), None)
    dtype = torch.get_default_dtype() if like is None else like.dtype
    a, b = (torch.as_tensor(x, dtype=dtype, device=chosen.device) for x in (a, b))
    return torch.where(chosen, a, b)
""",
    "_tensors": """\
def _tensors(a, b):
    like = a if torch.is_tensor(a) else b
    return tuple(torch.as_tensor(x, dtype=like.dtype, device=like.device) for x in (a, b))
""",
}


@dataclass(frozen=True)
class Backend:
    """A library that source is written for."""

    name: str
    imports: str
    xp: str
    """What its functions are called by."""
    operations: Mapping[str, str]
    where: str
    relu: str
    matrix: str
    """How a literal becomes an array."""

    def call(self, op: str, args: list[str]) -> str:
        """The expression of one operation; arguments are names or numbers."""
        return self.operations[op].format(*args, xp=self.xp)

    def helpers(self, body: str) -> str:
        """The definitions of the helpers that a body needs, those first that others need."""
        chosen: list[str] = []
        pending = [name for name in _HELPERS if f"{name}(" in body]
        while pending:
            name = pending.pop(0)
            text = _HELPERS[name].format(xp=self.xp, where=self.where, relu=self.relu)
            if text in chosen:
                continue
            chosen.append(text)
            called = text.partition("\n")[2]
            pending += [other for other in _HELPERS if f"{other}(" in called]
        return "\n\n".join(reversed(chosen))


BACKENDS: Mapping[str, Backend] = {
    "numpy": Backend(
        "numpy", "import numpy as np", "np", {**_PLAIN, **_ARRAYS}, "np.where",
        "np.maximum(x, 0.0)", "np.array({0})",
    ),
    "jax": Backend(
        "jax", "import jax.numpy as jnp", "jnp", {**_PLAIN, **_ARRAYS}, "jnp.where",
        "jnp.maximum(x, 0.0)", "jnp.array({0})",
    ),
    "torch": Backend(
        "torch", "import torch", "torch", {**_PLAIN, **_TENSORS}, "_where",
        "torch.relu(x)", "torch.tensor({0})",
    ),
}  # fmt: skip
