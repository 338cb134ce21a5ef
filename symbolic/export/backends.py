"""How each library writes the operations of a lowered formula.

The table of operations has an expression for each, with functions of the library by name; those that
could divide by 0, take a logarithm of 0 or meet a plain number where a library wants an array are
helpers, written into the source where they are used. Helpers keep the double-where: no branch that is
not taken makes a slope nan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbolic.operations import OPERATIONS

_SOURCES = {
    **{name: entry.source for name, entry in OPERATIONS.items()},
    "expm1": "{xp}.expm1({0})",
}
"""Of every instruction of a lowered program."""
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
    at_zero = {where}((a == 0) & (b > 0), 0.0, float("nan"))
    return {where}(a > 0, safe**b, at_zero)
""",
    "_softplus": """\
def _softplus(x):
    return {maximum}(x, 0.0) + {xp}.log1p({xp}.exp({minimum}(x, -x)))
""",
    "_log_factor": """\
def _log_factor(c):
    safe = {where}(c > 0, c, 1.0)
    return {where}(c > 0, {xp}.log(safe), -float("inf"))
""",
    "_log_odds": """\
def _log_odds(log_x):
    kept = {where}(log_x < 0, log_x, -1.0)
    return {where}(log_x < 0, kept - {xp}.log(-{xp}.expm1(kept)), float("inf"))
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
    matrix: str
    """How a literal becomes an array."""
    functions: Mapping[str, str]
    """Names of `where`, `maximum` and `minimum`, which may be helpers."""

    def call(self, op: str, args: list[str]) -> str:
        """The expression of one operation; arguments are names or numbers."""
        return self.written(_SOURCES[op], *args)

    def written(self, source: str, *args: str) -> str:
        """An expression of the kind that the table of operations has, with these arguments."""
        return source.format(*args, **self._names)

    def helpers(self, body: str) -> str:
        """The definitions of the helpers that a body needs, those first that others need."""
        chosen: list[str] = []
        pending = [name for name in _HELPERS if f"{name}(" in body]
        while pending:
            text = _HELPERS[pending.pop(0)].format(**self._names)
            if text not in chosen:
                chosen.append(text)
                called = text.partition("\n")[2]
                pending += [other for other in _HELPERS if f"{other}(" in called]
        return "\n\n".join(reversed(chosen))

    @property
    def _names(self) -> dict[str, str]:
        own = {name.removeprefix("_"): name for name in _HELPERS}
        return own | {"xp": self.xp, **self.functions}


def _arrays(xp: str) -> dict[str, str]:
    return {name: f"{xp}.{name}" for name in ("where", "maximum", "minimum")}


BACKENDS: Mapping[str, Backend] = {
    "numpy": Backend("numpy", "import numpy as np", "np", "np.array({0})", _arrays("np")),
    "jax": Backend("jax", "import jax.numpy as jnp", "jnp", "jnp.array({0})", _arrays("jnp")),
    "torch": Backend("torch", "import torch", "torch", "torch.tensor({0})", {}),
}
