"""What the flags of every command share, and how they are read.

tyro makes the parser and the `--help` from a command's dataclass. It is imported with one
command's fields only, which takes about 0.06 s of the half second that `drift verify dpo` may take.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import UseAppendAction, arg

from symbolic.errors import ConfigError

# A formula may begin with a minus, as no flag does that has more than one letter after it.
_FLAG = re.compile(r"--[a-z][a-z-]*(=.*)?|-[ho]", re.DOTALL)

Flag = Annotated[bool, arg(help_behavior_hint="")]
"""A switch that is off unless it is given."""
if TYPE_CHECKING:
    Texts = tuple[str, ...]
else:  # tyro reads a bare tuple as texts; to look into tuple[str, ...] it imports typeguard, 0.05 s
    Texts = tuple
Declarations = Annotated[
    UseAppendAction[Texts], arg(metavar="DECLARATION", help_behavior_hint="(repeatable)")
]
"""The type of `--param`."""


@dataclass(frozen=True, kw_only=True)
class Common:
    """Flags that every command takes."""

    json: Flag = False
    """Print JSON alone on standard output, everything else on standard error."""
    debug: Flag = False
    """Show the traceback behind an error."""


def parse_options(module: ModuleType, command: str, arguments: list[str]) -> Any:
    """The options of a command; leaves by SystemExit after `--help` (0) or a wrong flag (2)."""
    what = inspect.cleandoc(module.Options.__doc__ or "")
    options: Any = tyro.cli(
        module.Options,
        prog=f"drift {command}",
        description=f"{what}\n\nexamples:\n{_indented(module.EXAMPLES)}",
        args=[_shielded(argument) for argument in arguments],
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
    )
    return options


def check_timeout(timeout: float) -> None:
    """Raise ConfigError for a time that is no positive number of seconds."""
    if not 0 < timeout < float("inf"):
        raise ConfigError(f"--timeout {timeout} is no positive number of seconds; try 10")


def _shielded(argument: str) -> str:
    """A formula such as `-log(r) + r - 1` made an argument: by a space, which the parser skips."""
    if argument.startswith("-") and not _FLAG.fullmatch(argument):
        return f" {argument}"
    return argument


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
