"""`drift export`: a drift as source text for other code."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.options import Common, Declarations
from mirrordrift.spec import resolve

if TYPE_CHECKING:
    pass

SCHEMA = "mirrordrift/export/1"
EXAMPLES = """
drift export dpo --to jax
drift export "(r-1)**2*abs(A)/(2*eps)" --param eps=0.2 --to torch -o my_drift.py
drift export distilled/lpo/front.json --to cleanrl -o my_drift.py
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Write a drift as source that runs as it is: drift(log_ratio, advantage[, progress]).

    Targets: numpy, jax, torch, latex, and cleanrl or sb3, which are torch with the two changes by
    which their PPO takes the drift. Parameters get their customary values unless --param binds them.
    Of a front (.json) the knee is taken.
    """

    spec: Annotated[Positional[str], arg(metavar="SPEC", help_behavior_hint="(required)")]
    """A formula, a name of the catalogue, a network or a front."""
    to: Annotated[str, arg(metavar="TARGET")]
    """numpy, jax, torch, latex, cleanrl or sb3."""
    output: Annotated[str, arg(metavar="FILE", aliases=("-o",), help_behavior_hint="")] = ""
    """Write there rather than to standard output."""
    param: Declarations = ()
    """Bind a parameter, alpha=3/5."""


def run(options: Options) -> int:
    """Print the source, or write it."""
    from mirrordrift.exporting import source

    text = source(resolve(options.spec, options.param), options.to)
    if options.output:
        from mirrordrift.writing import writing
        from symbolic.arrays import write_atomically

        with writing(options.output):
            write_atomically(Path(options.output), text.encode())
    if options.json:
        found = {
            "schema": SCHEMA,
            "to": options.to,
            "source": text,
            "output": options.output or None,
        }
        print(json.dumps(found))
    elif options.output:
        print(options.output)
    else:
        sys.stdout.write(text)
    return PROVED
