"""`drift distill`: a network in, a front of formulas out, each with a verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from mirrordrift.cli import INTERRUPTED, PROVED
from mirrordrift.cli.options import Common, Declarations, Flag, Texts, check_timeout
from mirrordrift.cli.streams import complain
from search.distill.maps.sampling import LOWEST
from search.distill.sampling import POINTS
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from mirrordrift.spec import Target
    from search.distill.front import Front, Tell
    from symbolic.distill.samples import Samples
    from symbolic.expression import Expression

EXAMPLES = """
drift distill lpo-cartpole --out distilled/lpo
drift distill lpo.npz --density runs/cartpole --engine templates --out distilled/lpo
drift distill samples.npz --engine operon --effort 3 --out distilled/table
drift distill lpo.npz --front hall_of_fame.csv --out distilled/pysr
drift distill --kind mirror-map "log(x) - log(1-x)" --out distilled/orpo
drift distill searched/objective.json --out distilled/objective
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Distil a drift, a mirror map or an objective into closed forms: a Pareto front of size and error,
    every formula decided.

    SPEC is a network, a formula, a catalogue name, or samples (.npz with r, A, f, dfdr, weight).
    Constants are fitted to values and slopes and made the simplest numbers that fit as well;
    formulas that are no drifts are repaired where that costs little. The distance to SPEC is
    certified. The folder gets front.json, hall_of_fame.csv, front.tex, certificates.jsonl,
    samples.npz, and the pictures front.png and drifts.png.

    A mirror map or ψ (a network by its card, else --kind) is followed by sums of increasing functions
    of x, in values and in slopes by log x; map.png shows it. An objective .json gets both its maps
    distilled, and DIR/objective.json with the two knees as formulas, for `drift align`.

    Engines of drifts: pysr (needs Julia), templates (embedded), operon, or several as templates+operon;
    auto takes pysr where Julia is ready, else the others, and says why.

    Exit code: 0 distilled, 2 could not run, 130 interrupted (the front of what
    there was is written).
    """

    spec: Annotated[Positional[str], arg(metavar="SPEC", help_behavior_hint="")] = ""
    """What to distil."""
    engine: Annotated[str, arg(metavar="NAME")] = "auto"
    """Who proposes formulas."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The folder to make."""
    front: Annotated[str, arg(metavar="FILE", help_behavior_hint="")] = ""
    """Take the formulas of a hall_of_fame.csv in place of an engine's."""
    input: Annotated[
        UseAppendAction[Texts], arg(metavar="NAME=FORMULA", help_behavior_hint="(repeatable)")
    ] = ()
    """What a variable of that file is: "x1 = (r-1)*A"; r, A, t, u, v, d and l are known."""
    density: Annotated[
        UseAppendAction[Texts], arg(metavar="RUN", help_behavior_hint="(repeatable)")
    ] = ()
    """A run folder, or its density.npz, that tells where training asks a drift; for maps a folder
    of drift align, or a file with log_prob, and perhaps progress and weight."""
    kind: Literal["drift", "mirror-map", "psi"] = "drift"
    """What a formula or samples are; a network, a catalogue entry and an objective say it themselves."""
    lowest: Annotated[float, arg(metavar="LOG_X")] = LOWEST
    """Of maps: the least log-probability to sample."""
    points: Annotated[int, arg(metavar="N")] = POINTS
    """Samples to draw of SPEC."""
    effort: Annotated[float, arg(metavar="X")] = 1.0
    """How long engines look, next to their own number of generations: 0.5 for half as long."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Everything random follows from it."""
    timeout: Annotated[float, arg(metavar="SECONDS")] = 10.0
    """Bound for the verdict of one formula."""
    param: Declarations = ()
    """Bind a parameter of SPEC, alpha=3/5, or declare "x in (0, inf)"."""
    install: Flag = False
    """With --engine pysr: have PySR fetch Julia and its packages first."""

    def __post_init__(self) -> None:
        if not (self.spec and self.out):
            raise ConfigError("give SPEC and --out DIR")
        if self.input and not self.front:
            raise ConfigError("--input says what variables of --front are; give that file, too")
        if self.front and (self.engine != "auto" or self.effort != 1.0 or self.install):
            raise ConfigError("--front takes the place of an engine; leave out its flags")
        if not 0 < self.effort < float("inf"):
            raise ConfigError(f"--effort {self.effort} must be a positive number, such as 0.5")
        check_timeout(self.timeout)


def run(options: Options) -> int:
    """Sample, search, decide, write, show."""
    from mirrordrift import distilling, map_distilling

    kind = map_distilling.kind_of(options.spec, options.kind)
    if kind != "drift":
        from mirrordrift.cli import distill_maps

        return distill_maps.run(options, kind)
    if options.lowest != LOWEST:
        raise ConfigError("--lowest is for mirror maps; leave it out")
    from mirrordrift.fronts import files, pictures, tables
    from mirrordrift.progress import stage_progress
    from mirrordrift.render import say, show_table
    from mirrordrift.spec import resolve
    from search.distill.distillation import box_of

    folder = Path(options.out)
    files.check_free(folder)
    spec = resolve(options.spec, options.param) if options.param else options.spec
    samples, target = distilling.asked(
        spec, points=options.points, density=options.density, seed=options.seed
    )
    files.write_samples(folder, samples)
    engine: dict[str, str]
    with stage_progress() as tell:
        engine, front = _found(options, samples, target, tell)
    about = {"target": distilling.hash_of(target), "seed": options.seed}
    record = files.record_of(front, samples, box_of(samples), engine, about)
    written = files.write(folder, front, record)
    drawn = pictures.draw(front, record, target, folder)
    if options.json:
        print(json.dumps(record, allow_nan=False))
    else:
        show_table(*tables.table(record), short=("formula",))
        print()
        for sentence in tables.sentences(record):
            say(sentence)
        say(f"written: {folder}/{', '.join([*written, *(path.name for path in drawn)])}")
    if front.interrupted:
        complain("drift: interrupted; the front is of what was found until then")
        return INTERRUPTED
    return PROVED


def _found(
    options: Options, samples: Samples, target: Target | None, tell: Tell
) -> tuple[dict[str, str], Front]:
    """(the engine's record, its front): by an engine, or of a file's formulas."""
    from mirrordrift import distilling
    from search.distill.distillation import distil, front_of
    from search.distill.engines import choose

    reference = distilling.reference_of(target)
    if options.front:
        candidates, engine = _from_file(options)
        front = front_of(
            {"file": candidates},
            samples,
            reference=reference,
            seed=options.seed,
            timeout=options.timeout,
            tell=tell,
        )
        return engine, front
    if options.install:
        _install(options.engine)
    chosen = choose(options.engine)
    found = distil(
        samples,
        chosen,
        reference=reference,
        effort=options.effort,
        seed=options.seed,
        timeout=options.timeout,
        tell=tell,
    )
    return chosen.record(), found


def _from_file(options: Options) -> tuple[list[Expression], dict[str, str]]:
    """The formulas of --front; rows that are none are told."""
    from symbolic.distill.hall_of_fame import read_front

    inputs = {}
    for text in options.input:
        name, equals, formula = (part.strip() for part in text.partition("="))
        if not (name and equals and formula):
            raise ConfigError(f'--input {text:.60}: write NAME=FORMULA, such as "x1 = (r-1)*A"')
        inputs[name] = formula
    rows = read_front(options.front, inputs)
    for row in rows:
        if row.formula is None:
            told = f"line {row.line}, {row.equation!r:.80}: left out: {row.problem}"
            complain(f"drift: {options.front}, {told}")
    found = [row.formula for row in rows if row.formula is not None]
    if not found:
        raise ConfigError(f"{options.front}: no row is a formula of ours; --input names variables")
    return found, {"name": "file", "version": "", "why": options.front}


def _install(engine: str) -> None:
    from symbolic.distill import pysr

    if engine != "pysr":
        raise ConfigError("--install is for --engine pysr; leave it out")
    complain("drift: PySR fetches Julia and its packages; this takes minutes, once")
    pysr.install()
