"""Which engine distils: asked for by name, or chosen by what is usable here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbolic.distill.engine import Engine
from symbolic.distill.operon import Operon
from symbolic.distill.pysr import PySR
from symbolic.distill.templates import Templates
from symbolic.errors import ConfigError

AUTO = "auto"
JOIN = "+"


@dataclass(frozen=True)
class Chosen:
    """Engines whose candidates make one front, and why these."""

    engines: tuple[Engine, ...]
    why: str

    @property
    def name(self) -> str:
        return JOIN.join(engine.name for engine in self.engines)

    def record(self) -> dict[str, str]:
        """Name, version and reason, as the front keeps them."""
        versions = JOIN.join(engine.version() for engine in self.engines)
        return {"name": self.name, "version": versions, "why": self.why}


def all_engines() -> tuple[Engine, ...]:
    """Every engine there is, the preferred one first."""
    return (PySR(), Templates(), Operon())


def check_name(name: str) -> None:
    """Raise ConfigError for what names no engine, without asking what is usable here."""
    if name != AUTO:
        _parts(name, [engine.name for engine in all_engines()])


def _parts(name: str, known: Iterable[str]) -> list[str]:
    """The engines that a name joins, each once."""
    parts = list(dict.fromkeys(part.strip() for part in name.split(JOIN)))
    for part in parts:
        if part not in known:
            raise ConfigError(
                f"engine={part!r:.40} is unknown; use auto, {', '.join(known)}, or several as "
                "templates+operon"
            )
    return parts


def choose(name: str, engines: Sequence[Engine] | None = None) -> Chosen:
    """The engines of a name: `auto`, one of them, or several as "templates+operon".

    `auto` is PySR where Julia is ready, else the embedded templates, with Operon where it is
    installed. An engine that is asked for and cannot run is an error, never replaced.
    Raises ConfigError.
    """
    known = {engine.name: engine for engine in engines or all_engines()}
    if name == AUTO:
        return _automatic(known)
    wanted = _parts(name, known)
    for part in wanted:
        if reason := known[part].missing():
            raise ConfigError(f"engine={part}: {reason}")
    return Chosen(tuple(known[part] for part in wanted), "asked for")


def _automatic(known: dict[str, Engine]) -> Chosen:
    reason = known["pysr"].missing()
    if not reason:
        return Chosen((known["pysr"],), "PySR's Julia is ready")
    if no_operon := known["operon"].missing():
        return Chosen((known["templates"],), f"PySR: {reason}; Operon: {no_operon}")
    return Chosen((known["templates"], known["operon"]), f"PySR: {reason}")
