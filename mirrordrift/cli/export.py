"""`drift export`: a drift or a preference objective as source text for other code."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.objectives import ObjectiveChanges, changes_of
from mirrordrift.cli.options import Declarations
from mirrordrift.cli.streams import complain
from symbolic.errors import ConfigError

SCHEMA = "mirrordrift/export/1"
EXAMPLES = """
drift export dpo --to jax
drift export "(r-1)**2*abs(A)/(2*eps)" --param eps=0.2 --to torch -o my_drift.py
drift export distilled/lpo/front.json --to cleanrl -o my_drift.py
drift export orpo --to trl -o my_trainer.py
drift export "log(x); log(x) - log(1-x)" --weight 0.25 --reduction mean --to torch
"""


@dataclass(frozen=True, kw_only=True)
class Options(ObjectiveChanges):
    """Write a drift, or a preference objective, as source that runs as it is.

    A drift becomes drift(log_ratio, advantage[, progress]). Its targets: numpy, jax, torch, latex, and
    cleanrl or sb3, which are torch with the two changes by which their PPO takes the drift. Of a
    front (.json) the knee is taken.

    An objective, as drift align takes it, becomes loss(chosen, rejected, reference_chosen,
    reference_rejected, progress). Its targets: numpy, jax, torch, latex, and trl, which is a trainer
    for language models. What is given is an objective if it holds two formulas or more, is an
    objective's file, or has a name that no drift has: dpo is the drift, direct-preference the
    objective.

    Parameters get their customary values unless --param binds them.
    """

    spec: Annotated[Positional[str], arg(metavar="SPEC", help_behavior_hint="(required)")]
    """A drift: a formula, a name of the catalogue, a network or a front. Or an objective: a name,
    "psi; phi_inverse[; link]" or a .json file."""
    to: Annotated[str, arg(metavar="TARGET")]
    """numpy, jax, torch, latex, cleanrl, sb3 or trl."""
    kind: Annotated[str, arg(metavar="KIND", help_behavior_hint="(by what SPEC is)")] = ""
    """drift or objective, to insist on one of them."""
    output: Annotated[str, arg(metavar="FILE", aliases=("-o",), help_behavior_hint="")] = ""
    """Write there rather than to standard output."""
    param: Declarations = ()
    """Bind a parameter, alpha=3/5."""

    def __post_init__(self) -> None:
        if self.kind not in ("", "drift", "objective"):
            raise ConfigError(f"--kind {self.kind:.40} is unknown; use drift or objective")


def run(options: Options) -> int:
    """Print the source, or write it."""
    from mirrordrift.exporting import exported

    text = exported(
        options.spec,
        options.to,
        kind=options.kind,
        parameters=options.param,
        changes=changes_of(options),
        refuted=lambda why: complain(f"drift: note: {why}"),
    )
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
