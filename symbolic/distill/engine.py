"""What all engines of distillation have in common: samples in, candidates out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from symbolic.distill.samples import Samples
from symbolic.errors import ConfigError
from symbolic.expression import Expression


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long an engine looks, and what its randomness follows from."""

    generations: int
    """Steps of its search, whatever the engine calls them."""
    seed: int = 0

    def __post_init__(self) -> None:
        if type(self.generations) is not int or self.generations < 1:
            raise ConfigError(
                f"generations={self.generations!r:.40} must be a whole number of at least 1"
            )
        check_seed(self.seed)


def check_seed(seed: object) -> None:
    """Raise ConfigError for what is no seed."""
    if type(seed) is not int or not 0 <= seed < 2**32:
        raise ConfigError(f"seed={seed!r:.40} must be a whole number from 0 to 4294967295")


@dataclass(frozen=True)
class Found:
    """Candidates so far, best known at this moment."""

    share: float
    """Of the search that is done, in [0, 1]; 0 where nobody knows."""
    candidates: tuple[Expression, ...]


def installed_version(package: str) -> str:
    """Of a package, or "unknown" where it was not installed as one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


class Engine(ABC):
    """Proposes formulas that follow samples; nobody has verified them."""

    name: str
    default_generations: int

    @abstractmethod
    def missing(self) -> str:
        """Why it cannot run here and what would help; empty where it can."""

    @abstractmethod
    def version(self) -> str:
        """Of the engine, for the record; asked only where nothing is missing."""

    @abstractmethod
    def search(self, samples: Samples, effort: Effort) -> Iterator[Found]:
        """Candidates, generation after generation; the last ones count.

        The same samples and effort give the same candidates. A consumer that stops early keeps what it
        has. Raises ConfigError where something is missing.
        """
