"""`drift plot`: draw where drifts push the policy, or how objectives pull at pairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.options import UNSET, Common, Declarations, Texts
from mirrordrift.cli.streams import complain
from mirrordrift.spec import resolve_all
from symbolic.errors import ConfigError

SCHEMA = "mirrordrift/plot/1"
EXAMPLES = """
drift plot ppo dpo -o picture.png
drift plot "C*(r - 1 - log(r))" --param C=2 -o kl.svg
drift plot lpo.npz dpo -o network.png
drift plot orpo "log(x); 2*log(x)" -o landscape.png
drift plot --aligned runs/table -o landscape.png
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Draw the derivative of r*A - f over ratio and advantage, and its slices, side by side.

    A parameter is drawn at the value it is bound to, else at its customary one.

    Of preference objectives (as `drift align` takes them) the sizes of the derivatives in the
    log-probabilities of the chosen and the rejected trajectory are drawn, at three moments where the
    objective changes over the training. --aligned draws those of a folder of `drift align`, with the
    pairs that its agents met.
    """

    specs: Annotated[Positional[Texts], arg(metavar="[SPEC ...]", help_behavior_hint="")] = ()
    """Formulas, names of the catalogue, networks (.npz, .safetensors) or members of a front (.json);
    or objectives."""
    output: Annotated[str, arg(metavar="FILE", aliases=("-o",))]
    """The picture: .png, .svg or .pdf."""
    aligned: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """A folder of `drift align`, in place of SPECs."""
    low: Annotated[
        float, arg(metavar="L", help_behavior_hint="(where trajectories are, or -20)")
    ] = UNSET
    """Of objectives: the lowest log-probability drawn."""
    high: Annotated[
        float, arg(metavar="H", help_behavior_hint="(where trajectories are, or -0.05)")
    ] = UNSET
    """Of objectives: the highest log-probability drawn."""
    param: Declarations = ()
    """Declare or bind a parameter of those formulas that have it, alpha=3/5."""

    def __post_init__(self) -> None:
        if bool(self.specs) == bool(self.aligned):
            raise ConfigError("give SPECs to draw, or --aligned DIR; `drift plot --help` has both")
        if self.aligned and self.param:
            raise ConfigError(
                "--param is for SPECs; the objectives of --aligned have their numbers"
            )
        if (self.low == UNSET) != (self.high == UNSET):
            raise ConfigError("--low and --high go together; give both or none")


def run(options: Options) -> int:
    """Draw and say where the picture is."""
    from mirrordrift.exporting import kind_of

    kinds = {kind_of(spec) for spec in options.specs}
    if len(kinds) > 1:
        raise ConfigError(
            "drifts and preference objectives have pictures of their own; draw one kind"
        )
    if options.aligned or kinds == {"objective"}:
        drawn = _landscapes(options)
    else:
        if options.low != UNSET:
            raise ConfigError("--low and --high are for preference objectives; leave them out")
        drawn = _drifts(options)
    if options.json:
        print(json.dumps({"schema": SCHEMA, "output": options.output, "drawn": drawn}))
    else:
        print(options.output)
    return PROVED


def _drifts(options: Options) -> list[dict[str, object]]:
    from mirrordrift.plot import plot_drifts
    from mirrordrift.slope import drawn_values, text_of

    drifts = resolve_all(options.specs, options.param)
    plot_drifts(drifts, Path(options.output))
    return [
        {"formula": text_of(f), "at": {name: str(v) for name, v in drawn_values(f).items()}}
        for f in drifts
    ]


def _landscapes(options: Options) -> list[dict[str, object]]:
    from mirrordrift.aligning import results
    from mirrordrift.aligning.plan import labelled, load
    from mirrordrift.aligning.running import trajectories
    from mirrordrift.landscape import plot_landscapes
    from rl.start import start

    start()
    within = None if options.low == UNSET else (options.low, options.high)
    met = None
    if options.aligned:
        plan = load(Path(options.aligned))
        objectives, met = dict(plan.objectives), trajectories(plan, Path(options.aligned))
        for note in results.notes(results.kept_agents(Path(options.aligned))):
            complain(f"drift: {note}")
    else:
        objectives = labelled(options.specs, options.param)
    plot_landscapes(objectives, Path(options.output), within=within, trajectories=met)
    return [{"objective": label, "formulas": o.text} for label, o in objectives.items()]
