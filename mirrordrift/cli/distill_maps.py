"""`drift distill` where SPEC is a mirror map, a ψ, or an objective that holds both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mirrordrift import map_distilling
from mirrordrift.cli import INTERRUPTED, PROVED
from mirrordrift.cli.streams import complain
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from mirrordrift.cli.distill import Options
    from mirrordrift.map_distilling import DistilledMap
    from search.distill.front import Tell

SCHEMA = "mirrordrift/distilled-objective/1"
_FILE = "objective.json"


def run(options: Options, kind: str) -> int:
    """Distil what SPEC is, write, show."""
    _check(options)
    if kind == map_distilling.OBJECTIVE:
        return _run_objective(options)
    from mirrordrift.fronts import files
    from mirrordrift.progress import stage_progress

    folder = Path(options.out)
    files.check_free(folder)
    with stage_progress() as tell:
        done = _distilled(options, options.spec, kind, folder, tell)
    if options.json:
        print(json.dumps(done.record, allow_nan=False))
    else:
        _show(done, folder)
    return _code(done.front.interrupted)


def _check(options: Options) -> None:
    map_distilling.check_engine(options.engine, options.effort)
    if options.front or options.install:
        raise ConfigError("--front and --install are for drifts; leave them out")


def _run_objective(options: Options) -> int:
    """Both slots in folders of their own, and the objective with their knees."""
    from mirrordrift.fronts import files
    from mirrordrift.progress import stage_progress
    from mirrordrift.writing import writing
    from symbolic.preference.objective import SLOT_KINDS, slot_text
    from symbolic.preference.reading import load_objective, save_objective

    if options.param:
        raise ConfigError("--param binds parameters of one formula; an objective has its own")
    objective = load_objective(options.spec.strip())
    folder = Path(options.out)
    if (folder / _FILE).exists():
        raise ConfigError(f"{folder}: holds an objective already; name another folder")
    for slot in objective.maps:
        files.check_free(folder / slot)
    done: dict[str, DistilledMap] = {}
    with stage_progress() as tell:
        for slot, target in objective.maps.items():
            done[slot] = _distilled(options, target, SLOT_KINDS[slot], folder / slot, tell)
            if done[slot].front.interrupted:
                break
    for slot, one in done.items():
        if options.json:
            print(json.dumps({"slot": slot, **one.record}, allow_nan=False))
        else:
            _show(one, folder / slot)
    if done[slot].front.interrupted:
        return _code(True)
    found = map_distilling.with_knees(
        objective, {slot: (one.asked, one.front) for slot, one in done.items()}
    )
    with writing(str(folder)):
        save_objective(folder / _FILE, found)
    knees = {slot: slot_text(target) for slot, target in found.maps.items()}
    if options.json:
        print(json.dumps({"schema": SCHEMA, "objective": str(folder / _FILE), **knees}))
    else:
        from mirrordrift.render import say

        say(f"written: {folder / _FILE}: {found.text}")
        say(f"train with it: drift align --objective {folder / _FILE} --dataset DIR --out RUN")
    return PROVED


def _distilled(options: Options, spec: object, kind: str, folder: Path, tell: Tell) -> DistilledMap:
    asked = map_distilling.asked_map(
        spec,
        kind,
        options.param,
        points=options.points,
        density=options.density,
        lowest=options.lowest,
        seed=options.seed,
    )
    return map_distilling.distil_into(
        folder, asked, seed=options.seed, timeout=options.timeout, tell=tell
    )


def _show(done: DistilledMap, folder: Path) -> None:
    from mirrordrift.fronts import tables
    from mirrordrift.render import say, show_table

    show_table(*tables.table(done.record), short=("formula",))
    print()
    for sentence in tables.sentences(done.record):
        say(sentence)
    if done.front.knee is None:
        complain(f"drift: no formula here is proved to be a {done.asked.samples.kind}")
    say(f"written: {folder}/{', '.join(done.written)}")


def _code(interrupted: bool) -> int:
    if interrupted:
        complain("drift: interrupted; the front is of what was found until then")
        return INTERRUPTED
    return PROVED
