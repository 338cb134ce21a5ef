"""Tables 1 to 3 of the mirror-map paper in form: data of several qualities, objectives, agents.

    python benchmarks/preference_table.py                       # reduced: 256 pairs of 200 steps
    python benchmarks/preference_table.py --rows 5120 --steps 1000 --seeds 25    # the paper's size
    python benchmarks/preference_table.py --objectives orpo meta/maps/objective.json

Rows are datasets of hopper: base against three references, noisy at three rates, shuffled against three
references, and three judges on 2100 against 1800; columns are objectives, each mean ± standard error of
the returns of `--seeds` agents, over episodes as long as the trajectories. Data and finished rows stay in
`--work`; a run that was cut off goes on. The temperature of judges is scaled by steps/1000, as returns are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import TRAINING_PACKAGES, machine, versions, write_json

from mirrordrift.aligning import plan as plans
from mirrordrift.aligning.running import run, summary
from rl import environments, reference_agents
from rl.offline.config import OfflineConfig
from rl.preference.cards import CARD, read_card
from rl.preference.config import SURE, PreferenceConfig
from rl.preference.folder import PreferenceFolder
from rl.preference.generation import generate
from rl.preference.judge import temperature_for
from rl.start import start

RESULTS = Path(__file__).resolve().parent / "results"
OBJECTIVES = (
    "orpo", "direct-preference", "conservative-direct-preference", "mpo-closed-form",
)  # fmt: skip


def datasets(only: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, settings) of every row of the table."""
    found: dict[str, dict[str, Any]] = {}
    for kind in ("base", "shuffled"):
        for reference in (900, 1200, 1800):
            found[f"{kind}-{reference}"] = {"kind": kind, "reference": f"hopper-{reference}"}
    for noise in (0.1, 0.2, 0.3):
        found[f"noisy-{noise:g}"] = {"kind": "noisy", "noise": noise, "reference": "hopper-900"}
    for right in (95, 85, 75):
        found[f"judge-{right}"] = {
            "kind": "poor-judge", "temperature": temperature_for(right / 100, 300.0),
            "reference": "hopper-1800",
        }  # fmt: skip
    return iter([(n, s) for n, s in found.items() if not only or n in only or s["kind"] in only])


def data(folder: Path, rows: int, steps: int, settings: dict[str, Any]) -> Path:
    """The dataset of a row, made or finished."""
    task = environments.make("hopper", backend="spring")
    agents = {"expert": reference_agents.load("hopper-2100"),
              "reference": reference_agents.load(settings["reference"])}  # fmt: skip
    if (folder / CARD).exists():
        if read_card(folder).get("complete"):
            return folder
        begun, agents = PreferenceFolder.open(folder)
    else:
        config = PreferenceConfig.usual(
            env="hopper", kind=settings["kind"], noise=settings.get("noise"), rows=rows, steps=steps,
            temperature=settings.get("temperature", SURE) * steps / 1000,
        )  # fmt: skip
        begun = PreferenceFolder.create(folder, config, agents, task, {})
    generate(begun, task, agents)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--objectives", nargs="+", default=list(OBJECTIVES))
    parser.add_argument("--datasets", nargs="+", default=[], help="names or kinds; all")
    parser.add_argument("--work", type=Path, default=Path("preference-table"))
    parser.add_argument("--out", type=Path, default=RESULTS / "preference_table.json")
    options = parser.parse_args()
    start()
    options.work.mkdir(parents=True, exist_ok=True)
    table = []
    for name, settings in datasets(options.datasets):
        done = options.work / f"{name}-{options.seeds}.json"
        if not done.exists():
            path = data(options.work / name, options.rows, options.steps, settings)
            asked = plans.plan(
                options.objectives, path, seeds=range(options.seeds), config=OfflineConfig()
            )
            card = read_card(path)
            row = {
                "dataset": name, **settings,
                **{n: card[n] for n in ("rows", "steps", "chosen_return", "rejected_return")},
                "judge": card["judge"], "flip_rate": card["flip_rate"],
                "objectives": summary(asked, run(asked)),
            }  # fmt: skip
            done.write_text(json.dumps(row))
        row = json.loads(done.read_text())
        table.append(row)
        cells = "   ".join(
            f"{o['objective']} {o['return_mean']:.1f} ± {o['return_stderr']:.1f}"
            if o["return_mean"] is not None and o["return_stderr"] is not None
            else f"{o['objective']} failed"
            for o in row["objectives"]
        )
        print(
            f"{name:<14} chosen {row['chosen_return']:.0f}   {cells}", file=sys.stderr, flush=True
        )
    write_json(
        options.out,
        {"machine": machine(), "versions": versions(TRAINING_PACKAGES), "seeds": options.seeds,
         "config": OfflineConfig().record(), "table": table},
    )  # fmt: skip


if __name__ == "__main__":
    main()
