"""`drift search`: formulas found by evolution, proved before they are trained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.cli import PROVED
from mirrordrift.cli.alone import alone_in
from mirrordrift.cli.searches import SearchOptions, changed, resumed
from mirrordrift.cli.stalls import ended_if_stalled

if TYPE_CHECKING:
    from search.formulas.config import FormulaConfig
    from search.formulas.folder import FormulaFolder

EXAMPLES = """
drift search --preset quick --out found/quick
drift search --preset quick --env Acrobot-v1 --set population_size=32 --out found/acrobot
drift search --resume found/quick --generations 20
"""


@dataclass(frozen=True, kw_only=True)
class Options(SearchOptions):
    """Search directly over formulas: evolution of drifts that are proved before they are trained.

    Formulas come from a grammar of drifts. In each generation they race: all train a little, the
    better half for twice as long, and so on. The best are judged on held-out seeds, beside PPO and
    DPO, and written to formulas.txt, which `drift verify --file` reads. Presets: quick and
    classic-control (two cores), minatar and brax (a GPU).

    Exit code: 0 searched, 2 could not run, 130 interrupted (resumable).
    """


def run(options: Options) -> int:
    """Search, or go on, and say what was found."""
    from rl.start import leads, start

    start(distributed=options.distributed)
    from mirrordrift import finds
    from mirrordrift.progress import generation_progress
    from mirrordrift.render import say, show_table
    from mirrordrift.runs import versions
    from search.formulas.evolution import evolve

    config, folder = _begin(options)

    def news(record: dict[str, Any]) -> str:
        last = record["generation"] == config.generations
        return "judging the best" if last else finds.news(record)

    with (
        alone_in(folder.path),
        ended_if_stalled(f"drift search --resume {folder.path}"),
        generation_progress(config.generations, news) as show,
    ):

        def progress(record: dict[str, Any]) -> None:
            if options.json and leads():
                print(json.dumps(record), flush=True)
            show(record)

        rows = evolve(config, folder, versions=versions(), progress=progress)
    if not leads():
        return PROVED
    if options.json:
        print(json.dumps({"schema": "mirrordrift/judgement/1", "rows": rows}))
        finds.draw(rows, folder.path)
        return PROVED
    show_table(*finds.table(rows), short=("formula",))
    say(
        f"Mean return of {config.held_out_seeds} held-out seeds, and the difference from PPO on the "
        "same seeds ± its standard error. Every formula is proved."
    )
    say(f"written: {folder.path}/formulas.txt, {finds.draw(rows, folder.path).name}")
    return PROVED


def _begin(options: Options) -> tuple[FormulaConfig, FormulaFolder]:
    """What the options ask for, new or going on, checked before anything is written."""
    from search.formulas.config import preset
    from search.formulas.folder import FormulaFolder

    if options.resume:
        return resumed(options, FormulaFolder, Path(options.resume))
    config = changed(options, preset(options.preset))
    config.tasks()
    return config, FormulaFolder.create(Path(options.out), config)
