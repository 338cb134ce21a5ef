"""An engine is chosen openly: by name, or by what is usable, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from distilling import TRUTHS, samples_of

from search.distill.distillation import distil
from search.distill.engines import Chosen, choose
from symbolic.distill.engine import Effort, Engine, Found
from symbolic.distill.samples import Samples
from symbolic.errors import ConfigError
from symbolic.parser import parse


class Fake(Engine):
    """An engine that finds what it is told to, until it is interrupted."""

    default_generations = 4

    def __init__(self, name: str, lacks: str = "", steps: tuple = ("r - 1 - log(r)",)) -> None:
        self.name, self.lacks, self.steps = name, lacks, steps

    def missing(self) -> str:
        return self.lacks

    def version(self) -> str:
        return "7"

    def search(self, samples: Samples, effort: Effort) -> Iterator[Found]:
        for i, step in enumerate(self.steps, 1):
            if step is KeyboardInterrupt:
                raise KeyboardInterrupt
            yield Found(i, (parse(step),))


def test_julia_wins_where_it_is_ready() -> None:
    chosen = choose("auto", [Fake("pysr"), Fake("templates"), Fake("operon")])
    assert chosen.record() == {"name": "pysr", "version": "7", "why": "PySR's Julia is ready"}


def test_otherwise_the_others_run_and_it_is_said_why() -> None:
    both = choose("auto", [Fake("pysr", "no Julia"), Fake("templates"), Fake("operon")])
    assert both.name == "templates+operon" and both.why == "PySR: no Julia"
    alone = choose(
        "auto", [Fake("pysr", "no Julia"), Fake("templates"), Fake("operon", "no wheel")]
    )
    assert alone.name == "templates" and "no Julia" in alone.why and "no wheel" in alone.why


def test_what_is_asked_for_is_never_replaced() -> None:
    engines = [Fake("pysr", "no Julia"), Fake("templates"), Fake("operon")]
    with pytest.raises(ConfigError, match="engine=pysr: no Julia"):
        choose("pysr", engines)
    with pytest.raises(ConfigError, match="unknown; use auto, pysr"):
        choose("eureqa", engines)
    assert choose("operon+templates", engines).record()["why"] == "asked for"


def test_an_interrupt_keeps_what_was_found() -> None:
    last = Chosen((Fake("a"), Fake("b", steps=(KeyboardInterrupt,))), "")
    assert distil(samples_of(TRUTHS["kl"]), last).interrupted
    engines = Chosen((Fake("a", steps=("r - 1 - log(r)", KeyboardInterrupt)), Fake("b")), "")
    found = distil(samples_of(TRUTHS["kl"]), engines)
    assert found.interrupted and str(found.members[0].formula) == "r - 1 - log(r)"
    with pytest.raises(KeyboardInterrupt):
        distil(samples_of(TRUTHS["kl"]), Chosen((Fake("a", steps=(KeyboardInterrupt,)),), ""))


def test_nothing_found_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no candidate is defined"):
        distil(samples_of(TRUTHS["kl"]), Chosen((Fake("a", steps=("log(A)",)),), ""))
    with pytest.raises(ConfigError, match="effort"):
        distil(samples_of(TRUTHS["kl"]), Chosen((Fake("a"),), ""), effort=0.0)
