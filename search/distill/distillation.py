"""One distillation: engines over samples, then the front of what they found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from search.distill.engines import Chosen
from search.distill.front import Front, Tell, build
from search.distill.sampling import BOX
from symbolic.distill.engine import Effort, Engine
from symbolic.distill.samples import Samples
from symbolic.errors import ConfigError
from symbolic.expression import Expression
from verify.distance import Box, Reference

TIMEOUT = 10.0
"""Seconds for one verdict."""

MOST_EFFORT = 1000.0
_WHOLE = 100
"""Of an engine's search, in what is told of it."""


def silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""


def box_of(samples: Samples) -> Box:
    """The box over which distances are certified."""
    return {name: BOX[name] for name in samples.points}


def distil(
    samples: Samples,
    engines: Chosen,
    *,
    reference: Reference | None = None,
    effort: float = 1.0,
    seed: int = 0,
    timeout: float = TIMEOUT,
    tell: Tell = silent,
) -> Front:
    """The front of what the engines find; an interrupt ends what is being done and keeps what it has.

    `effort` is the share of each engine's own number of generations that it gets. Raises ConfigError
    where an engine cannot run, or nothing was found.
    """
    if not 0 < effort <= MOST_EFFORT:
        raise ConfigError(
            f"effort={effort!r:.40} must be a positive number, at most {MOST_EFFORT:g}"
        )
    candidates: dict[str, Sequence[Expression]] = {}
    interrupted = False
    for engine in engines.engines:
        generations = max(1, round(effort * engine.default_generations))
        asked = Effort(generations=generations, seed=seed)
        found, interrupted = _searched(engine, samples, asked, tell)
        candidates[engine.name] = found
        if interrupted:
            if not any(candidates.values()):
                raise KeyboardInterrupt
            break
    front = front_of(
        candidates, samples, reference=reference, seed=seed, timeout=timeout, tell=tell
    )
    return replace(front, interrupted=front.interrupted or interrupted)


def front_of(
    candidates: Mapping[str, Iterable[Expression]],
    samples: Samples,
    *,
    reference: Reference | None = None,
    seed: int = 0,
    timeout: float = TIMEOUT,
    tell: Tell = silent,
) -> Front:
    """The front of candidates that somebody else found; raises ConfigError if none is left."""
    front = build(
        candidates,
        samples,
        reference=reference,
        box=box_of(samples),
        timeout=timeout,
        seed=seed,
        tell=tell,
    )
    if not front.members:
        raise ConfigError(
            "no candidate is defined at the samples; raise the generations, or try another engine"
        )
    return front


def _searched(
    engine: Engine, samples: Samples, effort: Effort, tell: Tell
) -> tuple[tuple[Expression, ...], bool]:
    """(candidates, whether an interrupt ended it)."""
    found: tuple[Expression, ...] = ()
    tell(engine.name, 0, _WHOLE)
    try:
        for step in engine.search(samples, effort):
            found = step.candidates
            tell(engine.name, round(_WHOLE * step.share), _WHOLE)
    except KeyboardInterrupt:
        return found, True
    return found, False
