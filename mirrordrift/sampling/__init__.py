"""Looks for a counterexample in a callable drift of any array library, by evaluating it."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrordrift.sampling.autodiff import NoGradient, gradients
from mirrordrift.sampling.conditions import Condition, conditions
from mirrordrift.sampling.subject import Raised, Subject

LOG_RATIOS = (
    *(sign * size for size in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0) for sign in (1, -1)),
    *(sign * 10.0**-k for k in (2, 3, 4) for sign in (1, -1)),
    *(math.log(r) for r in (2.0, 0.5, 1.5, 1.25, 0.8, 1.2, 3.0, 0.01)),
    *(sign * size for size in (15.0, 20.0, 30.0, 40.0) for sign in (1, -1)),
)
"""Those beyond 10 are for what is asked so far out."""
ADVANTAGES = (
    0.0,
    *(sign * size for size in (1.0, 0.5, 2.0, 3.0, 0.1, 10.0, 20.0, 0.01) for sign in (1, -1)),
)
PROGRESS = (0.0, 0.5, 1.0)
SCATTERED = 500
"""Random points of every scale beyond the grid, always the same."""
EXAMPLES = 150
"""Points that Hypothesis tries for a simple counterexample, once there is one."""


@dataclass(frozen=True)
class Outcome:
    """What sampling met."""

    points: int
    """Points at which f was evaluated."""
    precision: str
    """The floating-point type of its values."""
    gradients: tuple[str, ...] = ()
    """The libraries whose gradient was compared with the values."""
    failure: str = ""
    """What is wrong, where, what was expected, and what to do; "" if nothing was met."""


def sample(f: Callable[..., Any], argument: str) -> Outcome:
    """Evaluate f, and where JAX or PyTorch can differentiate it, its gradient, at many points.

    `argument` is "ratio" or "log_ratio", what f takes first.
    """
    with warnings.catch_warnings():
        # Overflow at a sampled point is a finding, not a warning; libraries grumble while it is
        # found out whose arrays f takes.
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            subject = Subject(f, argument)
            try:
                return _sampled(subject)
            except Raised as error:
                failure = (
                    f"it raises {error}; expected a finite number for every r > 0 and every A\n"
                    "guard what it calls, or use array functions, which give inf or nan instead"
                )
                return Outcome(subject.points, subject.precision, (), failure)


def _sampled(subject: Subject) -> Outcome:
    try:
        found = gradients(subject)
    except NoGradient as problem:
        failure = _search(subject, conditions(subject, [])) or (
            f"{subject.library} cannot differentiate it ({problem}); expected a gradient\n"
            "write it with that library's operations alone; to have only its values "
            "sampled, give a function that returns a NumPy array"
        )
        return Outcome(subject.points, subject.precision, (), failure)
    failure = _search(subject, conditions(subject, found))
    libraries = tuple(gradient.library for gradient in found)
    return Outcome(subject.points, subject.precision, libraries, failure)


def _search(subject: Subject, asked: list[Condition]) -> str:
    """The first condition with a counterexample, as text; "" if none was met."""
    for condition in asked:
        rows = _rows(subject, condition)
        found = condition.measure(*rows.T)
        if found.bad.any():
            known = [tuple(map(float, row)) for row in rows[found.bad]]
            return _tell(subject, condition, _shrunk(subject, condition, known))
    return ""


def _rows(subject: Subject, condition: Condition) -> NDArray[np.float64]:
    """The points (first argument, A, t) at which a condition is asked, `[n, 3]`."""
    moments = PROGRESS if subject.progress else (0.0,)
    grid = np.array(list(itertools.product((0.0, *LOG_RATIOS), ADVANTAGES, moments)))
    random = np.random.default_rng(0)
    scattered = random.uniform(-1, 1, (SCATTERED, 3)) * 0.5 ** random.integers(
        0, 16, (SCATTERED, 3)
    )
    farthest = 0.0 if condition.at_identity else condition.largest
    scattered *= (farthest, max(ADVANTAGES), 0)
    scattered[:, 2] = random.choice(moments, SCATTERED)
    rows = np.concatenate([grid, scattered])[:: condition.every]
    rows = rows[np.abs(rows[:, 0]) <= farthest]
    rows[:, 0] = subject.first(rows[:, 0])
    return rows


def _shrunk(
    subject: Subject, condition: Condition, known: list[tuple[float, ...]]
) -> tuple[float, ...]:
    """A simple (first argument, A, t) that fails too: of Hypothesis, else of the known ones."""
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample

    from verify.strategies import advantages, log_ratios, ratios

    if subject.argument == "log_ratio":
        firsts = log_ratios("float32").filter(lambda x: abs(x) <= condition.largest)
    else:
        firsts = ratios("float32").filter(lambda r: abs(math.log(r)) <= condition.largest)
    if condition.at_identity:
        firsts = st.just(subject.identity)
    moments = st.sampled_from(PROGRESS) if subject.progress else st.just(0.0)
    anywhere = st.tuples(firsts, advantages("float32"), moments)

    def fails(point: tuple[float, ...]) -> bool:
        return bool(condition.measure(*(np.array([x]) for x in point)).bad[0])

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
        # Alone a point may be rounded otherwise than in the crowd.
        return next(filter(fails, sorted(known, key=_length)), known[0])


def _length(point: tuple[float, ...]) -> tuple[int, float]:
    """Short numbers first, then small ones."""
    return sum(len(f"{x:.12g}") for x in point), sum(map(abs, point))


def _tell(subject: Subject, condition: Condition, point: tuple[float, ...]) -> str:
    """What fails, where, what was expected, what to do."""
    found = condition.measure(*(np.array([x]) for x in point))
    where = subject.where(point)
    what = f"{condition.symbol} = {found.shown[0]:.6g} ({condition.precision()})"
    number = () if found.expected is None else (found.expected[0],)
    expected = condition.expected.format(*number)
    return f"{condition.sentence}: at {where}, {what}; expected {expected}\n{condition.remedy}"
