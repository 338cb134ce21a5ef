"""The derivative of a callable in r or log r as its own library, JAX or PyTorch, takes it.

Neither is imported here: a callable that uses one has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mirrordrift.sampling.subject import Subject, Values, as_float64, library_of

Rule = Callable[..., tuple[Any, Any]]
"""(first argument, A[, t]) -> f and its derivative in the first argument, `[n]` each."""


class NoGradient(Exception):
    """What the callable's own library says when it is asked for the gradient."""


class Gradient:
    """f and its derivative, computed by one library; float64 arrays in and out."""

    def __init__(self, subject: Subject, library: str, rule: Rule, *, slow: bool = False) -> None:
        self.subject = subject
        self.library = library
        self.own = library == subject.library
        """Whether f computes with this library, rather than with whatever it is fed."""
        self.rule = rule
        self.slow = slow
        """Whether each point is differentiated for itself."""
        self.precision = "float64"
        values, _ = self.of(subject.probe())
        if values.shape != (3,):
            raise TypeError("f gives another shape than its arguments have")

    def __call__(self, first: Values, advantage: Values, progress: Values) -> tuple[Values, Values]:
        """Values and derivatives, each `[n]`."""
        self.subject.points += len(first)
        return self.of(self.subject.taken(first, advantage, progress))

    def of(self, arguments: tuple[Values, ...]) -> tuple[Values, Values]:
        """As a call, without counting."""
        values, slopes = self.rule(*arguments)
        values, precision = as_float64(values)
        if precision != "float64":
            self.precision = precision
        return values, as_float64(slopes)[0]

    def rounded(self, first: Values) -> Values:
        """The numbers that this library makes of these."""
        return first.astype(self.precision).astype(np.float64)


def gradients(subject: Subject) -> list[Gradient]:
    """By the library that f computes with; f of plain arithmetic by each that is imported.

    Raises NoGradient if f computes with a library that cannot differentiate it.
    """
    found = []
    for module, library, rules in (("jax", "JAX", _jax), ("torch", "PyTorch", _torch)):
        own = subject.library == library
        if module not in sys.modules or not (own or subject.library == "NumPy"):
            continue
        problem: Exception | None = None
        for rule, slow in rules(subject.f, own):
            try:
                found.append(Gradient(subject, library, rule, slow=slow))
                break
            except Exception as error:  # noqa: BLE001 - whatever f does not like, the next may do
                problem = problem or error
        else:
            if own:
                raise NoGradient(f"{type(problem).__name__}: {str(problem).splitlines()[0]}")
    return found


def _jax(f: Callable[..., Any], own: bool) -> Iterator[tuple[Rule, bool]]:
    """The ways to differentiate f, and whether they are slow; compiled if f allows it.

    Arguments one by one only where f insists: fed so, NumPy code with `math.log` would pass for
    JAX code whose gradient is wrong.
    """
    jax = sys.modules["jax"]

    def arrays(first: Any, *rest: Any) -> tuple[Any, Any]:
        values, pull = jax.vjp(lambda x: f(x, *rest), first)
        return values, pull(jax.numpy.ones_like(values))[0]

    def fed(rule: Rule) -> Rule:
        return lambda *args: rule(*map(jax.numpy.asarray, args))

    yield fed(jax.jit(arrays)), False
    yield fed(arrays), False
    if own:
        each = jax.value_and_grad(f)
        yield fed(jax.jit(jax.vmap(each))), False
        yield fed(lambda *args: tuple(map(np.stack, zip(*map(each, *args))))), True


def _torch(f: Callable[..., Any], own: bool) -> Iterator[tuple[Rule, bool]]:
    """The ways, and whether they are slow.

    In float32, as agents are trained, unless f has parameters of its own in float64.
    """
    torch = sys.modules["torch"]

    def arrays(dtype: Any, first: Any, *rest: Any) -> tuple[Any, Any]:
        with torch.enable_grad():
            x = torch.tensor(first, dtype=dtype, requires_grad=True)
            values = f(x, *(torch.tensor(other, dtype=dtype) for other in rest))
            if library_of(values) != "PyTorch":
                raise TypeError(f"f gives {type(values).__name__} and no tensor")
            slopes = None
            if values.requires_grad:
                (slopes,) = torch.autograd.grad(values.sum(), x, allow_unused=True)
        # What has no path back to x is constant in it, as far as PyTorch can see.
        return values, torch.zeros_like(x) if slopes is None else slopes

    def rows(dtype: Any, *args: Any) -> tuple[Any, Any]:
        pairs = [arrays(dtype, *row) for row in zip(*args)]
        return tuple(torch.stack([x.reshape(()) for x in column]) for column in zip(*pairs))

    for rule in (arrays, rows) if own else (arrays,):
        for dtype in (torch.float32, torch.float64):
            yield (lambda *args, rule=rule, dtype=dtype: rule(dtype, *args)), rule is rows
