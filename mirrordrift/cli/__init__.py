"""The command line `drift`: finds the command, runs it, and turns what went wrong into one message.

A command is a module of this package with `Options` (a frozen dataclass: its fields are the
flags), `EXAMPLES` and `run(options) -> exit code`. Only the module that is asked for is
imported: a command that shows the catalogue does not wait for the verifier.
"""

from __future__ import annotations

import os
import sys

from mirrordrift.cli.streams import complain, failed_to_write, prepare, settle

TYPE_CHECKING = False  # without `typing`: before `main` runs, an interrupt shows a traceback
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PROVED, REFUTED, ERROR, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 130
_PRECEDENCE = (INTERRUPTED, ERROR, REFUTED, UNKNOWN, PROVED)

COMMANDS = {
    "verify": "decide the conditions of a drift: a formula, a known name, or a network",
    "check": "replay a certificate with the separate checker",
    "equal": "decide whether two formulas are the same drift",
    "catalogue": "the known drifts, with their papers",
    "plot": "draw where drifts push the policy",
    "train": "train an agent with a drift",
    "bench": "compare drifts: agents, statistics, curves",
    "meta-train": "train drift networks by evolution",
    "search": "find formulas by evolution, proved before they are trained",
    "distill": "turn a drift network into formulas, each with a verdict",
    "discover": "the whole loop: network, formulas, verdicts, agents, report",
    "preference-data": "make datasets of ranked trajectories",
    "align": "train agents offline by a preference objective",
    "export": "write a drift or an objective as source for other code: JAX, PyTorch, TRL",
    "doctor": "what is installed and usable here",
}

_WITHOUT_BLAS = ("verify", "check", "equal", "catalogue")
"""Commands that multiply no large matrices: NumPy starts 0.05 s sooner without a pool of threads."""

_OVERVIEW = """\
usage: drift COMMAND ...

Design, prove and train the drift penalties of Mirror Learning.

commands:
{commands}

example:
  drift verify "relu((r-1)*A - alpha*tanh((r-1)*A/alpha))" --param "alpha in (0, inf)"

`drift COMMAND --help` explains a command; `drift --version` says which version this is."""


def entry() -> int:
    """The console script: the command in `sys.argv`, as an exit code."""
    if sys.argv[1:2] and sys.argv[1] in _WITHOUT_BLAS:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = main(sys.argv[1:])
    if code == INTERRUPTED:
        # An interrupt that hits the `exec` inside a dataclass would have Python die of the signal
        # in the end, though it was answered.
        os._exit(code)
    return code


def main(argv: Sequence[str]) -> int:
    """Run `drift ARGV…` and give its exit code; no exception leaves."""
    command = argv[0] if argv else ""
    debug, as_json = "--debug" in argv, "--json" in argv
    try:
        prepare()
        try:
            code = _dispatch(command, list(argv[1:]))
        except SystemExit as stop:  # tyro leaves so, after --help and after a wrong flag
            code = stop.code if isinstance(stop.code, int) else ERROR
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        complain("drift: interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough; nothing is left to say
        return ERROR
    except Exception as error:  # noqa: BLE001 - a command line answers with a message
        if debug:
            import traceback

            traceback.print_exc()
        complain(f"drift: {message_of(error)}")
        if as_json and not failed_to_write(error):
            _print_error(command, message_of(error))
        return ERROR
    finally:
        settle()


def worst(codes: Sequence[int]) -> int:
    """The exit code that wins when several apply; success for none."""
    return next((code for code in _PRECEDENCE if code in codes), PROVED)


def message_of(error: Exception) -> str:
    """What a person is told about an error: ours as they are, others with the way on."""
    if _ours(error):
        return str(error)
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        if failed_to_write(error):
            return f"the output cannot be written ({reason}); send it somewhere else"
        return f"{error.filename}: {reason}; check the path and its permissions"
    from mirrordrift.rooms import shadow_message

    if isinstance(error, (ImportError, AttributeError)) and (message := shadow_message()):
        return message
    if isinstance(error, ModuleNotFoundError):
        return f"{error}; is the installation complete? `drift doctor` says what is missing"
    name = type(error).__name__
    return (
        f"internal error: {name}: {error!s:.300}\n"
        "this is a bug: please report it with the formula and the output of --debug"
    )


def _ours(error: Exception) -> bool:
    """Whether the text of this exception was written for the person who reads it."""
    try:
        from symbolic.errors import ConfigError, FormulaError
    except ImportError:
        return False
    own = isinstance(error, (ConfigError, FormulaError))
    return own or type(error).__name__ == "UnreadableCertificate"


def _dispatch(command: str, arguments: list[str]) -> int:
    if command in ("-h", "--help", "help"):
        print(_overview())
        return PROVED
    if command == "--version":
        import mirrordrift

        print(f"mirrordrift {mirrordrift.__version__}")
        return PROVED
    if command not in COMMANDS:
        return _no_such_command(command)
    module = _module(command)
    from mirrordrift.cli.options import parse_options

    return int(module.run(parse_options(module, command, arguments)))


def _module(command: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"mirrordrift.cli.{command.replace('-', '_')}")


def _overview() -> str:
    width = max(map(len, COMMANDS))
    rows = (f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())
    return _OVERVIEW.format(commands="\n".join(rows))


def _no_such_command(command: str) -> int:
    if not command:
        complain(_overview())
        return ERROR
    import difflib

    near = difflib.get_close_matches(command, COMMANDS, 1)
    hint = f"did you mean `drift {near[0]}`? " if near else ""
    complain(f"drift: {command!r:.60} is no command; {hint}there are {', '.join(COMMANDS)}")
    return ERROR


def _print_error(command: str, message: str) -> None:
    """What `--json` prints where there is no answer."""
    import json

    found = {"schema": f"mirrordrift/{command}/1", "error": message}
    if command == "verify":  # like that of a formula that does not parse
        found |= {"schema": "mirrordrift/verdict/1", "formula": "", "verdict": "error"}
    try:
        print(json.dumps(found), flush=True)
    except OSError:  # said on standard error already
        pass
