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


class Raised(Exception):
    """What f raised, and at which point."""


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
        """Values of f, `[n]`, at ratios or log-ratios, advantages and progress, each `[n]`.

        Raises Raised where f raises.
        """
        self.points += len(first)
        arguments = self.taken(first, advantage, progress)
        try:
            return self.call(*arguments)
        except Exception as error:  # whatever f raises, it raises it at some point
            raise self._located(arguments, error) from error

    def where(self, point: tuple[float, ...]) -> str:
        """`r = 2, A = -1`, with t if f takes it."""
        names = ["r" if self.argument == "ratio" else "log r", "A", "t"]
        shown = [f"{name} = {x:.12g}" for name, x in zip(names, point)]
        return ", ".join(shown[: 3 if self.progress else 2])

    def _located(self, arguments: tuple[Values, ...], error: Exception) -> Raised:
        """The first point at which f raises by itself, else the first of the batch."""
        for row in zip(*arguments):
            try:
                self.call(*(np.array([x]) for x in row))
            except Exception as alone:  # noqa: BLE001 - as above
                return Raised(f"{_said(alone)} at {self.where(row)}")
        return Raised(f"{_said(error)} for {len(arguments[0])} points at once")

    def _choose(self) -> Callable[..., Values]:
        problems: dict[str, str] = {}
        misshapen = False
        for how, way, batched in self._ways():
            try:
                values = way(*self.probe())
            except Exception as error:  # noqa: BLE001 - whatever f does not like, another way may do
                problems[how] = _said(error)
                continue
            if batched and (values.size == 1 or values.shape == (3,)):
                self._check_pointwise(way, np.broadcast_to(values.ravel(), (3,)), values.size == 1)
            if values.shape == (3,) and not misshapen:
                return way
            if values.shape == (3,):  # it takes numbers, but makes something else of a batch
                break
            misshapen = misshapen or (batched and values.size != 1)
            problems[how] = f"it returned an array of shape {values.shape}; expected (3,)"
        tried = "".join(f"\n  with {how}: {problem}" for how, problem in problems.items())
        raise TypeError(
            f"cannot evaluate {name_of(self.f)}: it must take ({self.argument}, advantage"
            f"{', progress' if self.progress else ''}) as arrays or numbers and return f for each"
            f"{tried}"
        )

    def _check_pointwise(self, way: Callable[..., Values], values: Values, single: bool) -> None:
        """Raise TypeError if the value at a point depends on the rest of its batch."""
        rows = [tuple(np.array([x]) for x in row) for row in zip(*self.probe())]
        alone = [way(*row).reshape(-1) for row in rows]
        if all(len(v) == 1 and _close(v[0], value) for v, value in zip(alone, values)):
            return
        what = (
            "it returned a single number for arrays of 3 points: it sums or averages over the batch"
            if single
            else "its value at a point changes with the other points of the batch, or by chance"
        )
        raise TypeError(
            f"cannot evaluate {name_of(self.f)}: {what}\n"
            "return f at each point; what the batch does with it belongs to the training loop"
        )

    def _ways(self) -> Iterator[tuple[str, Callable[..., Values], bool]]:
        """(how f is called, the call, whether all points at once)."""
        makers: list[tuple[str, Callable[[Any], Any]]] = []
        if torch := sys.modules.get("torch"):
            makers.append(("PyTorch tensor", lambda x: torch.tensor(x, dtype=torch.float64)))
        if jax := sys.modules.get("jax"):
            makers.append(("JAX array", lambda x: jax.numpy.asarray(x)))
        yield "NumPy arrays", lambda *args: self._numpy(self.f(*args)), True
        for kind, make in makers:
            yield f"{kind}s", lambda *args, make=make: self._numpy(self.f(*map(make, args))), True
        for kind, make in (("number", float), *makers):
            yield (
                f"one {kind} each",
                lambda *args, make=make: np.concatenate(
                    [self._numpy(self.f(*map(make, row))).reshape(1) for row in zip(*args)]
                ),
                False,
            )

    def _numpy(self, values: Any) -> Values:
        """Whatever array f gave, as float64; remembers whose it is and its precision."""
        if values is None or isinstance(values, (str, tuple, dict)):
            raise TypeError(f"it returned {type(values).__name__}; expected numbers")
        if (library := library_of(values)) != "NumPy":
            self.library = library
        array, precision = as_float64(values)
        if precision != "float64":
            self.precision = precision
        return array


def name_of(f: Callable[..., object]) -> str:
    """What a message calls a callable."""
    return getattr(f, "__qualname__", type(f).__qualname__)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]:.200}"


def _close(a: float, b: float) -> bool:
    """Equal up to rounding in half precision; what is not finite is looked at later."""
    return not (np.isfinite(a) and np.isfinite(b)) or abs(a - b) <= 2e-3 * (1 + abs(a))


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
    if array.dtype.kind == "c":
        raise TypeError("it returned complex numbers; expected real ones")
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
