"""What the flags of every command share, and how they are read.

tyro makes the parser and the `--help` from a command's dataclass. It is imported with one
command's fields only, which takes about 0.06 s of the half second that `drift verify dpo` may take.
"""

from __future__ import annotations

import difflib
import inspect
import io
import itertools
import json
import re
import shutil
import textwrap
from collections.abc import Iterable
from contextlib import redirect_stderr
from dataclasses import dataclass, fields
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import UseAppendAction, arg

from symbolic.errors import ConfigError

# A formula may begin with a minus, as no flag does that has more than one letter after it.
_FLAG = re.compile(r"--[a-z][a-z-]*(=.*)?|-[ho]", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

UNSET = -(2**63)
"""The default of a number that a recipe or a preset has where nobody gives one."""
Flag = Annotated[bool, arg(help_behavior_hint="")]
"""A switch that is off unless it is given."""
if TYPE_CHECKING:
    from rl.config import TrainerConfig

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
    """The options of a command; leaves by SystemExit after `--help`.

    Raises ConfigError for a wrong flag, with what tyro says of it.
    """
    paragraphs = inspect.cleandoc(module.Options.__doc__ or "").split("\n\n")
    width = max(40, shutil.get_terminal_size().columns)
    # Indented, or tyro would join the lines again and leave them to the terminal to break.
    what = "\n\n".join(textwrap.fill(p, width, subsequent_indent="  ") for p in paragraphs)
    heard = io.StringIO()
    try:
        with redirect_stderr(heard):
            options: Any = tyro.cli(
                module.Options,
                prog=f"drift {command}",
                description=f"{what}\n\nexamples:\n{_indented(module.EXAMPLES)}",
                args=_shielded(arguments),
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        said = _unboxed(heard.getvalue()) + _hint(module, arguments, heard.getvalue())
        raise ConfigError(f"{said} see drift {command} --help") from None
    return options


def _hint(module: ModuleType, arguments: list[str], said: str) -> str:
    """What to do about an argument that tyro does not recognise."""
    if "Unrecognized" not in said:
        return ";"
    known = [
        f"--{field.name.replace('_', '-')}"
        for field in fields(module.Options)
        if "Positional" not in str(field.type)
    ]
    for argument in arguments:
        flag = argument.partition("=")[0]
        if _FLAG.fullmatch(argument) and flag not in known:
            near = difflib.get_close_matches(flag, known, 1, 0.75)
            return f"; did you mean {near[0]}?" if near else ";"
    return "; one argument too many (a formula with spaces or brackets is one, in quotes);"


def _unboxed(said: str) -> str:
    """The message in the box that tyro draws: its first part, without the frame and the title.

    Where the console is not known to have them, tyro uses no lines of Unicode: the title is then
    underlined.
    """
    said = _COLOUR.sub("", said)
    lines = [line.strip("│ ") for line in said.splitlines()]
    lines = lines[1:] if said.startswith("╭") else lines[2:]
    message = " ".join(itertools.takewhile(lambda line: line.strip("─-"), lines))
    return " ".join(message.removeprefix("Error parsing Options: ").split()).rstrip(".")


def check_resumed(options: Any, settled: tuple[str, ...]) -> None:
    """Raise ConfigError for a flag beside --resume that its folder has `settled` already."""
    for field in fields(options):
        if field.name in settled and getattr(options, field.name) != field.default:
            raise ConfigError(
                f"--resume goes on with what its folder holds; leave out "
                f"--{field.name.replace('_', '-')}, or begin a new run with --out"
            )


def changes_asked(
    config: type[TrainerConfig], settings: Iterable[str], steps: int
) -> dict[str, Any]:
    """Fields of the trainer that --set, with texts such as "learning_rate=1e-3", and --steps change.

    Raises ConfigError for what is no field, and for steps that both give.
    """
    found = fields_asked(config, settings)
    if steps != UNSET:
        if "total_env_steps" in found:
            raise ConfigError("--steps and --set total_env_steps say the same; leave one out")
        found["total_env_steps"] = steps
    return found


def fields_asked(
    config: type, settings: Iterable[str], prefix: str = "", *, without: Iterable[str] = ()
) -> dict[str, Any]:
    """Fields of a dataclass that --set changes, "learning_rate=1e-3", each named after the prefix.

    `without` are fields that have another flag.

    Raises ConfigError for what is no field.
    """
    known = {f"{prefix}{f.name}": f for f in fields(config) if f.name not in without}
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if name not in known or not equals:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? " if near and name not in known else ""
            raise ConfigError(
                f"--set {setting:.60} sets no field; {hint}write FIELD=VALUE with one "
                f"of {', '.join(sorted(known))}"
            )
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if isinstance(value, float) and value.is_integer() and known[name].type == "int":
            value = int(value)  # 1e5
        found[known[name].name] = tuple(value) if isinstance(value, list) else value
    return found


def check_timeout(timeout: float) -> None:
    """Raise ConfigError for a time that is no positive number of seconds."""
    if not 0 < timeout < float("inf"):
        raise ConfigError(f"--timeout {timeout} is no positive number of seconds; try 10")


def _shielded(arguments: list[str]) -> list[str]:
    """Formulas such as `-log(r) + r - 1` made arguments: by a space, which the parser skips.

    After `--` nothing is a flag.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    before = [f" {a}" if a[:1] == "-" and not _FLAG.fullmatch(a) else a for a in arguments[:end]]
    return before + [f" {a}" if a[:1] == "-" else a for a in arguments[end + 1 :]]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
