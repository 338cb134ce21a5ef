"""`drift equal`: decide whether two formulas are the same drift."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from mirrordrift.cli import PROVED, REFUTED, UNKNOWN
from mirrordrift.cli.options import Common, Declarations, check_timeout
from mirrordrift.interface import equal
from mirrordrift.spec import resolve_together

SCHEMA = "mirrordrift/equal/1"
EXAMPLES = """
drift equal "abs(r-1)" "max(r-1, 1-r)"
drift equal "r*A - relu((r - clip(r, 1-eps, 1+eps))*A)" \\
  "min(r*A, clip(r, 1-eps, 1+eps)*A)" --param "eps in (0, 1)"
drift equal --kind mirror-map "log(x) - log(1-x)" "log(x/(1-x))"
"""
_CODES = {"proved": PROVED, "refuted": REFUTED, "unknown": UNKNOWN}


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Decide whether two formulas have the same value on the whole domain.

    Exit code: 0 equal, 1 different (with a witness), 2 could not run, 3 unknown.
    """

    f: Annotated[Positional[str], arg(metavar="F")]
    """A formula, a name of the catalogue, or a member of a front (.json)."""
    g: Annotated[Positional[str], arg(metavar="G")]
    """The other one."""
    param: Declarations = ()
    """Declare or bind a parameter of both, "eps in (0, 1)"."""
    kind: Literal["drift", "mirror-map", "psi"] = "drift"
    """What the formulas are: drifts in r and A, or maps in x."""
    timeout: Annotated[float, arg(metavar="SECONDS")] = 10.0
    """Bound in seconds; it can only turn a decision into unknown."""

    def __post_init__(self) -> None:
        check_timeout(self.timeout)


def run(options: Options) -> int:
    """Decide and say it."""
    begun = time.perf_counter()
    f, g = resolve_together((options.f, options.g), options.param, options.kind)
    condition = equal(f, g, timeout=options.timeout, kind=options.kind)
    seconds = time.perf_counter() - begun
    domains = {name: str(domain) for name, domain in {**f.domains, **g.domains}.items()}
    if options.json:
        found = {
            "schema": SCHEMA,
            "formulas": [f.text, g.text],
            "parameters": domains,
            **{k: v for k, v in condition.to_json().items() if k != "id"},
            "seconds": round(seconds, 4),
        }
        print(json.dumps(found))
    else:
        from mirrordrift.render import show_equality

        show_equality((f.text, g.text), f.kind, domains, condition, seconds)
    return _CODES[condition.verdict.value]
