"""`drift verify`: decide the conditions of one drift, or of every line of a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from mirrordrift.cli import ERROR, PROVED, REFUTED, UNKNOWN, message_of, worst
from mirrordrift.cli.files import Writer, certificate_writer, label_of, read_lines
from mirrordrift.cli.options import Common, Declarations, Flag, check_timeout
from mirrordrift.cli.streams import complain
from mirrordrift.interface import decide_target
from mirrordrift.spec import Decidable, resolve_decidable, split_line
from symbolic.domains import parse_declarations
from symbolic.drift import Drift
from symbolic.errors import ConfigError, FormulaError

if TYPE_CHECKING:
    from verify.explain.document import Explanation
    from verify.report import Report

SCHEMA = "mirrordrift/verdict/1"
EXAMPLES = """
drift verify dpo
drift verify "(r-1)**2 - 0.1*abs(A)"
drift verify "relu((r-1)*A - alpha*tanh((r-1)*A/alpha))" --param "alpha in (0, inf)"
drift verify --file formulas.txt --json
drift verify --network lpo.npz --certificate lpo.json
drift verify --kind mirror-map "log(x) - log(1-x)"
drift verify --kind mirror-map --network map.npz
"""
_CODES = {"proved": PROVED, "refuted": REFUTED, "unknown": UNKNOWN}


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Decide whether a penalty f(r, A) is a drift, or a map in x a mirror map: proved, refuted with a
    witness, or unknown.

    SPEC is a file (.npz or .safetensors network, .json member of a front), else an exact name of
    the catalogue, else a formula in r, A and t (x and t with --kind mirror-map).

    Exit code: 0 all proved, 1 something refuted, 2 could not run, 3 something unknown.
    """

    spec: Annotated[Positional[str], arg(metavar="[SPEC]", help_behavior_hint="")] = ""
    """What to decide."""
    name: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    """Insist on a name of the catalogue."""
    network: Annotated[str, arg(metavar="FILE", help_behavior_hint="")] = ""
    """Insist on a network file."""
    file: Annotated[str, arg(metavar="FILE", help_behavior_hint="")] = ""
    """Decide every line of a file (- is standard input): `formula ; alpha in (0, inf) ; eps = 0.2`,
    `#` for comments."""
    param: Declarations = ()
    """Declare a parameter, "alpha in (0, inf)", or bind it, alpha=3/5."""
    kind: Literal["drift", "mirror-map", "psi"] = "drift"
    """What the formula is meant to be: a drift in r and A, a mirror map or ψ of the probability x (0 < x < 1
    unless --param "x in (0, inf)"). An entry of the catalogue has its own kind."""
    certificate: Annotated[str, arg(metavar="FILE", help_behavior_hint="")] = ""
    """Write what was decided and how, for `drift check` (with --file: one JSON object a line)."""
    timeout: Annotated[float, arg(metavar="SECONDS")] = 10.0
    """Bound for one formula; it can only turn a decision into unknown."""
    explain: Flag = False
    """Show the derivation as mathematics."""

    def __post_init__(self) -> None:
        given = [text for text in (self.spec, self.name, self.network, self.file) if text]
        if len(given) != 1:
            count = f"{len(given)} things" if given else "nothing"
            raise ConfigError(f"{count} to decide; give one SPEC, --name, --network or --file")
        check_timeout(self.timeout)

    def target(self) -> Decidable:
        """The one drift or network to decide; raises FormulaError or ConfigError."""
        if self.name:
            return resolve_decidable(self.name, self.param, kind=self.kind, only="catalogue")
        if self.network:
            return resolve_decidable(self.network, self.param, kind=self.kind, only="network")
        return resolve_decidable(self.spec, self.param, kind=self.kind)


@dataclass(frozen=True)
class Outcome:
    """What became of one formula: a report, or the text of an error."""

    formula: str
    report: Report | None = None
    explanation: Explanation | None = None
    error: str = ""

    @property
    def code(self) -> int:
        """The exit code of this formula alone."""
        return ERROR if self.report is None else _CODES[self.report.verdict.value]

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        if self.report is None:
            failed = {"formula": self.formula, "verdict": "error", "error": self.error}
            return {"schema": SCHEMA, **failed}
        found = self.report.to_json()
        if self.explanation is not None:
            shown = {"text": self.explanation.text, "latex": self.explanation.latex}
            found["explanation"] = shown
        return found


def run(options: Options) -> int:
    """Decide, write, and say how it went."""
    sources = (options.spec, options.network, options.file)
    with certificate_writer(options.certificate, sources) as write:
        return _run_file(options, write) if options.file else _run_one(options, write)


def _run_one(options: Options, write: Writer) -> int:
    shown = options.spec or options.name or options.network
    outcome = _decide(shown.strip(), options.target, options)
    _record(outcome, write)
    if options.json:
        print(json.dumps(outcome.to_json()))
    elif outcome.report is not None:
        from mirrordrift.render import show_report

        show_report(outcome.report, outcome.explanation)
    if outcome.error:
        complain(f"drift: {outcome.error}")
    return outcome.code


def _run_file(options: Options, write: Writer) -> int:
    from mirrordrift.render import progress, row, summary

    begun = time.perf_counter()
    lines = read_lines(options.file)
    common = parse_declarations(options.param, options.kind)
    width = len(str(lines[-1][0]))
    outcomes = []
    for number, text in progress(lines, "deciding"):
        head, declarations = split_line(text)

        def target(head: str = head, declarations: list[str] = declarations) -> Decidable:
            own = parse_declarations([d for d in declarations if d], options.kind)
            given = {**common, **own}
            return resolve_decidable(head, given, kind=options.kind, only="formula")

        outcome = _decide(head, target, options)
        _record(outcome, write)
        if options.json:
            print(json.dumps(outcome.to_json()), flush=True)
        else:
            print(row(f"line {number:>{width}}", head, outcome.report), flush=True)
            if outcome.explanation is not None:
                print(outcome.explanation.text, flush=True)
        if outcome.error:
            complain(f"{label_of(options.file)}, line {number}: {outcome.error}")
        outcomes.append((outcome.code, outcome.report))
    if not options.json:
        print(summary([report for _, report in outcomes], time.perf_counter() - begun))
    return worst([code for code, _ in outcomes])


def _decide(text: str, target: Callable[[], Decidable], options: Options) -> Outcome:
    """One formula; whatever goes wrong with it is its own outcome and stops nothing else."""
    try:
        found = target()
        if options.explain and not isinstance(found, Drift):
            raise ConfigError(
                "--explain shows the derivation of a formula, and this is a network; leave it out"
            )
        report = decide_target(found, options.timeout)
        if not (options.explain and isinstance(found, Drift)):
            return Outcome(text, report)
        from verify.explain.document import apply_disagreements, explain

        explanation = explain(found, report)
        return Outcome(text, apply_disagreements(report, explanation), explanation)
    except (FormulaError, ConfigError) as error:
        return Outcome(text, error=str(error))
    except Exception as error:  # noqa: BLE001 - a fault in one line must not lose the others
        if options.debug:
            import traceback

            traceback.print_exc()
        return Outcome(text, error=message_of(error))


def _record(outcome: Outcome, write: Writer) -> None:
    if outcome.report is not None:
        write(outcome.report.certificate)
