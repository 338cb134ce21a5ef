"""`drift plot`: draw where drifts push the policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.options import Common, Declarations, Texts
from mirrordrift.spec import resolve_all

SCHEMA = "mirrordrift/plot/1"
EXAMPLES = """
drift plot ppo dpo -o picture.png
drift plot "C*(r - 1 - log(r))" --param C=2 -o kl.svg
drift plot lpo.npz dpo -o network.png
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Draw the derivative of r*A - f over ratio and advantage, and its slices, side by side.

    A parameter is drawn at the value it is bound to, else at its customary one.
    """

    specs: Annotated[Positional[Texts], arg(metavar="SPEC ...", help_behavior_hint="(required)")]
    """Formulas, names of the catalogue, networks (.npz, .safetensors) or members of a front (.json)."""
    output: Annotated[str, arg(metavar="FILE", aliases=("-o",))]
    """The picture: .png, .svg or .pdf."""
    param: Declarations = ()
    """Declare or bind a parameter of those formulas that have it, alpha=3/5."""


def run(options: Options) -> int:
    """Draw and say where the picture is."""
    drifts = resolve_all(options.specs, options.param)
    from mirrordrift.plot import plot_drifts
    from mirrordrift.slope import drawn_values, text_of

    plot_drifts(drifts, Path(options.output))
    if options.json:
        drawn = [
            {"formula": text_of(f), "at": {name: str(v) for name, v in drawn_values(f).items()}}
            for f in drifts
        ]
        print(json.dumps({"schema": SCHEMA, "output": options.output, "drawn": drawn}))
    else:
        print(options.output)
    return PROVED
