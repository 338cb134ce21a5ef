"""A callable drift of any array library behind one interface: float64 arrays in, float64 out."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

PROBE = (np.array([0.0, 0.5, 0.5]), np.array([1.0, -1.0, 0.5]), np.full(3, 0.5))
"""Log-ratios, advantages and progress with which the ways of calling are tried."""


class Subject:
    """The callable, called with (r or log r, A, t).

    How it wants its arguments (NumPy arrays, PyTorch tensors, JAX arrays, or numbers) is found by
    trying; `library` is whose arrays it gives back: "NumPy", "JAX" or "PyTorch".
    """

    def __init__(self, f: Callable[..., Any], argument: str) -> None:
        self.f = f
        self.argument = argument
        self.progress = _takes_progress(f)
        self.points = 0
        self.precision = "float64"
        self.library = "NumPy"
        self.call = self._choose()

    @property
    def identity(self) -> float:
        """What f takes at r = 1."""
        return 0.0 if self.argument == "log_ratio" else 1.0

    def first(self, log_ratio: Values) -> Values:
        """What f takes: log-ratios, or ratios (exactly 1 and as they are printed)."""
        return log_ratio if self.argument == "log_ratio" else np.exp(log_ratio)

    def ratio(self, first: Values) -> Values:
        """The ratios behind what f takes."""
        return np.exp(first) if self.argument == "log_ratio" else first

    def taken(self, first: Values, advantage: Values, progress: Values) -> tuple[Values, ...]:
        """The arguments without the one that f does not have."""
        return (first, advantage, progress)[: 3 if self.progress else 2]

    def probe(self) -> tuple[Values, ...]:
        """Three rows of arguments."""
        return self.taken(self.first(PROBE[0]), *PROBE[1:])

    def __call__(self, first: Values, advantage: Values, progress: Values) -> Values:
        """Values of f, `[n]`, at ratios or log-ratios, advantages and progress, each `[n]`."""
        self.points += len(first)
        return self.call(*self.taken(first, advantage, progress))

    def _choose(self) -> Callable[..., Values]:
        problem: Exception | None = None
        for way in self._ways():
            try:
                values = way(*self.probe())
            except Exception as error:  # noqa: BLE001 - whatever f does not like, another way may do
                problem = error
                continue
            if values.shape == (3,):
                return way
        raise TypeError(
            f"cannot evaluate {self.f!r}: it must take ({self.argument}, advantage"
            f"{', progress' if self.progress else ''}) as arrays or numbers and return f"
        ) from problem

    def _ways(self) -> Iterator[Callable[..., Values]]:
        makers: list[Callable[[Any], Any]] = []
        if torch := sys.modules.get("torch"):
            makers.append(lambda x: torch.tensor(x, dtype=torch.float64))
        if jax := sys.modules.get("jax"):
            makers.append(lambda x: jax.numpy.asarray(x))
        yield lambda *args: self._numpy(self.f(*args))
        for make in makers:
            yield lambda *args, make=make: self._numpy(self.f(*map(make, args)))
        for make in (float, *makers):
            yield lambda *args, make=make: np.concatenate(
                [self._numpy(self.f(*map(make, row))).reshape(1) for row in zip(*args)]
            )

    def _numpy(self, values: Any) -> Values:
        """Whatever array f gave, as float64; remembers whose it is and its precision."""
        if (library := library_of(values)) != "NumPy":
            self.library = library
        array, precision = as_float64(values)
        if precision != "float64":
            self.precision = precision
        return array


def library_of(values: object) -> str:
    """Whose array this is; libraries that nobody has imported are not asked."""
    for name, kind, library in (("jax", "Array", "JAX"), ("torch", "Tensor", "PyTorch")):
        module = sys.modules.get(name)
        if module is not None and isinstance(values, getattr(module, kind)):
            return library
    return "NumPy"


def as_float64(values: Any) -> tuple[Values, str]:
    """An array of any library as float64, and the precision in which it was computed."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values)
    precision = "float64"
    if array.dtype in (np.float16, np.float32) or array.dtype.name == "bfloat16":
        precision = "float16" if array.dtype.itemsize == 2 else "float32"
    return array.astype(np.float64), precision


def _takes_progress(f: Callable[..., Any]) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        found = inspect.signature(f).parameters.values()
        needed = [p for p in found if p.kind in kinds and p.default is inspect.Parameter.empty]
        return len(needed) >= 3
    return False
