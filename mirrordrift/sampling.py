"""Looks for a counterexample in a callable drift of any array library, by evaluating it."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

LOG_RATIOS = (
    *(sign * size for size in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0) for sign in (1, -1)),
    *(sign * 10.0**-k for k in (2, 3, 4) for sign in (1, -1)),
    *(math.log(r) for r in (2.0, 0.5, 1.5, 1.25, 0.8, 1.2, 3.0, 0.01)),
)
ADVANTAGES = (
    0.0,
    *(sign * size for size in (1.0, 0.5, 2.0, 3.0, 0.1, 10.0, 20.0, 0.01) for sign in (1, -1)),
)
PROGRESS = (0.0, 0.5, 1.0)
EXAMPLES = 150
"""Random points that Hypothesis tries beyond the grid."""


def sample(f: Callable[..., Any], argument: str) -> tuple[int, str, str]:
    """(points evaluated, floating-point type, what is wrong or "").

    `argument` is "ratio" or "log_ratio", what f takes first.
    """
    with warnings.catch_warnings():
        # Overflow at a sampled point is a finding, not a warning.
        warnings.simplefilter("ignore", RuntimeWarning)
        with np.errstate(all="ignore"):
            subject = Subject(f, argument)
            failure = _search(subject)
            return subject.points, subject.precision, failure


class Subject:
    """The callable behind one interface: float64 arrays of (log r, A, t) in, float64 out.

    How it wants its arguments (NumPy arrays, PyTorch tensors, or numbers) is found by trying.
    """

    def __init__(self, f: Callable[..., Any], argument: str) -> None:
        self.f = f
        self.argument = argument
        self.progress = _takes_progress(f)
        self.points = 0
        self.precision = "float64"
        self.call = self._choose()

    @property
    def eps(self) -> float:
        """Relative rounding of the values seen so far."""
        return float(np.finfo(self.precision).eps)

    def first(self, log_ratio: Values) -> Values:
        """What f takes: log-ratios, or ratios (exactly 1 and as they are printed)."""
        return log_ratio if self.argument == "log_ratio" else np.exp(log_ratio)

    def __call__(self, first: Values, advantage: Values, progress: Values) -> Values:
        """Values of f, `[n]`, at ratios or log-ratios, advantages and progress, each `[n]`."""
        self.points += len(first)
        return self.call(*(first, advantage, progress)[: 3 if self.progress else 2])

    def _choose(self) -> Callable[..., Values]:
        one = 0.0 if self.argument == "log_ratio" else 1.0
        probe: tuple[Values, ...] = (
            np.array([one, one + 0.5, one + 0.5]),
            np.array([1.0, -1.0, 0.5]),
            np.full(3, 0.5),
        )
        probe = probe[: 3 if self.progress else 2]
        problem: Exception | None = None
        for make in self._ways():
            try:
                values = make(*probe)
            except Exception as error:  # noqa: BLE001 - whatever f does not like, another way may do
                problem = error
                continue
            if values.shape == (3,):
                return make
        raise TypeError(
            f"cannot evaluate {self.f!r}: it must take ({self.argument}, advantage"
            f"{', progress' if self.progress else ''}) as arrays or numbers and return f"
        ) from problem

    def _ways(self) -> Iterator[Callable[..., Values]]:
        yield lambda *args: self._numpy(self.f(*args))
        if torch := sys.modules.get("torch"):
            yield lambda *args: self._numpy(self.f(*map(torch.from_numpy, args)))
        yield lambda *args: np.concatenate(
            [self._numpy(self.f(*map(float, row))).reshape(1) for row in zip(*args)]
        )
        if torch:
            yield lambda *args: np.concatenate(
                [
                    self._numpy(self.f(*(torch.tensor(x, dtype=torch.float64) for x in row)))
                    .reshape(1)
                    for row in zip(*args)
                ]
            )  # fmt: skip

    def _numpy(self, values: Any) -> Values:
        """Whatever array f gave, as float64; remembers in which precision it was computed."""
        if hasattr(values, "detach"):
            values = values.detach().cpu()
        array = np.asarray(values)
        if array.dtype in (np.float16, np.float32) or array.dtype.name == "bfloat16":
            self.precision = "float16" if array.dtype.itemsize == 2 else "float32"
        return array.astype(np.float64)


def _takes_progress(f: Callable[..., Any]) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        found = inspect.signature(f).parameters.values()
        needed = [p for p in found if p.kind in kinds and p.default is inspect.Parameter.empty]
        return len(needed) >= 3
    return False


Check = Callable[[Subject, Values, Values, Values], tuple[NDArray[np.bool_], Values]]
"""(f, first argument, A, t) -> where a condition fails, and the value that shows it."""


def _noise(subject: Subject, ratio: Values, advantage: Values) -> Values:
    """How far rounding alone may move a valid drift from its value.

    A drift is a difference of terms of the size of A·r or (A·(r − 1))², computed to eps.
    """
    return 32 * subject.eps * (1 + advantage**2) * np.maximum(1.0, ratio)


def _undefined(
    subject: Subject, first: Values, advantage: Values, progress: Values
) -> tuple[NDArray[np.bool_], Values]:
    values = subject(first, advantage, progress)
    return ~np.isfinite(values), values


def _negative(
    subject: Subject, first: Values, advantage: Values, progress: Values
) -> tuple[NDArray[np.bool_], Values]:
    values = subject(first, advantage, progress)
    ratio = np.exp(first) if subject.argument == "log_ratio" else first
    return values < -_noise(subject, ratio, advantage), values


def _nonzero(
    subject: Subject, first: Values, advantage: Values, progress: Values
) -> tuple[NDArray[np.bool_], Values]:
    values = subject(np.full_like(first, _identity(subject)), advantage, progress)
    return np.abs(values) > _noise(subject, np.ones_like(first), advantage), values


def _sloped(
    subject: Subject, first: Values, advantage: Values, progress: Values
) -> tuple[NDArray[np.bool_], Values]:
    """The worse one-sided slope at r = 1, by differences.

    Quotients at three shrinking steps are extrapolated (Aitken), which is exact both for
    slope + c·h and for c·h^p: a steep parabola is no kink. Steps are powers of two, so that
    1 ± h is exact; gradients by autodiff would miss kinks, whose value at 0 is a convention.
    """
    identity = np.full_like(first, _identity(subject))
    base = subject(identity, advantage, progress)
    steps = [2.0**-k for k in ((6, 8, 10) if subject.precision != "float64" else (12, 15, 18))]
    noise = _noise(subject, np.ones_like(first), advantage) / steps[-1]
    worst, steepest = np.zeros_like(first), np.zeros_like(first)
    for side in (1, -1):
        q1, q2, q3 = (
            (subject(identity + side * h, advantage, progress) - base) / (side * h) for h in steps
        )
        bend = (q3 - q2) - (q2 - q1)
        safe = np.where(bend == 0, 1.0, bend)
        limit = np.where(bend == 0, q3, q3 - (q3 - q2) ** 2 / safe)
        # Where extrapolation is ill-conditioned the last quotient bounds what is left.
        limit = np.where(np.abs(limit) > np.abs(q3), q3, limit)
        worst = np.where(np.abs(limit) > np.abs(worst), limit, worst)
        steepest = np.maximum(steepest, np.abs(q1))
    return np.abs(worst) > noise + 1e-6 + 1e-3 * steepest, worst


CHECKS: tuple[tuple[str, Check], ...] = (
    ("it is not finite", _undefined),
    ("f(1, A) is not 0", _nonzero),
    ("f is negative", _negative),
    ("the slope at r = 1 is not 0", _sloped),
)
_AT_IDENTITY = (_nonzero, _sloped)


def _identity(subject: Subject) -> float:
    return 0.0 if subject.argument == "log_ratio" else 1.0


def _search(subject: Subject) -> str:
    """The first condition with a counterexample, as text; "" if none was met."""
    progress = PROGRESS if subject.progress else (0.0,)
    grid = np.array(list(itertools.product((0.0, *LOG_RATIOS), ADVANTAGES, progress)))
    at_one = grid[grid[:, 0] == 0.0]
    for sentence, check in CHECKS:
        rows = at_one if check in _AT_IDENTITY else grid
        bad, _ = check(subject, subject.first(rows[:, 0]), rows[:, 1], rows[:, 2])
        point = _shrunk(subject, check, [tuple(map(float, row)) for row in rows[bad]])
        if point is not None:
            return _tell(subject, sentence, check, point)
    return ""


def _shrunk(
    subject: Subject, check: Check, known: list[tuple[float, ...]]
) -> tuple[float, ...] | None:
    """The simplest (first argument, A, t) that Hypothesis finds, starting from the known ones."""
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample

    from verify.strategies import advantages, log_ratios, ratios

    limit = 10.0
    if subject.argument == "log_ratio":
        firsts = log_ratios("float32").filter(lambda x: abs(x) <= limit)
    else:
        firsts = ratios("float32").filter(lambda r: abs(math.log(r)) <= limit)
    if check in _AT_IDENTITY:
        firsts = st.just(_identity(subject))
    moments = st.sampled_from(PROGRESS) if subject.progress else st.just(0.0)
    anywhere = st.tuples(firsts, advantages("float32"), moments)
    seeds = [(float(subject.first(np.array([x]))[0]), a, t) for x, a, t in known]

    def fails(point: tuple[float, ...]) -> bool:
        bad, _ = check(subject, *(np.array([x]) for x in point))
        return bool(bad[0])

    options = settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(anywhere, fails, settings=options)
    except NoSuchExample:
        return next((seed for seed in sorted(seeds, key=_length) if fails(seed)), None)


def _length(point: tuple[float, ...]) -> tuple[int, float]:
    """Short numbers first, then small ones."""
    return sum(len(f"{x:.12g}") for x in point), sum(map(abs, point))


def _tell(subject: Subject, sentence: str, check: Check, point: tuple[float, ...]) -> str:
    _, value = check(subject, *(np.array([x]) for x in point))
    names = ["r" if subject.argument == "ratio" else "log r", "A", "t"]
    shown = [f"{name} = {x:.12g}" for name, x in zip(names, point)]
    where = ", ".join(shown[: 3 if subject.progress else 2])
    what = "slope" if check is _sloped else "f"
    return f"{sentence}: at {where}, {what} = {value[0]:.6g} ({subject.precision})"
