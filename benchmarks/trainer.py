"""This trainer, rejax and brax's PPO in one run: speed, compilation, start, memory.

    python benchmarks/trainer.py --rejax-python ~/rejax/bin/python     # everything
    python benchmarks/trainer.py --quick                               # does it work at all?
    python benchmarks/trainer.py --envs CartPole-v1 --agents 1 8 --trainers mirrordrift rejax
    python benchmarks/trainer.py --envs ant Breakout-MinAtar --agents 1 32 256   # on an accelerator

Every figure comes from a process of its own, which trains in the same setting (`SETTINGS`) for the
same number of updates, evaluation apart, and says what it took. Trainers take turns cell by cell,
and in the other order every second round, so that a slow phase of the machine meets them all. rejax
wants other versions than this project and so an interpreter of its own. brax's PPO trains one agent
a process, and on brax alone.

Speed is environment steps a second, of all agents together, best of all runs. `start` is from the
start of the process until the first update is done, with nothing cached; `warm` is the same with
the compiled programs that the process before left on disk. Beside the cells, for this trainer:
different formulas against as many seeds of one formula, and what another batch of formulas compiles.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from measuring import machine, write_json

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TRAINERS = ("mirrordrift", "rejax", "brax")
BASELINE = "rejax"
EVAL_EPISODES = 16
"""Whole episodes an agent is judged by afterwards, to see that it learns."""

_GYMNAX = {
    "num_envs": 64,
    "num_steps": 128,
    "num_minibatches": 4,
    "num_epochs": 4,
    "hidden": [64, 64],
    "activation": "tanh",
    "learning_rate": 2.5e-3,
    "max_grad_norm": 0.5,
    "discount": 0.99,
    "gae_lambda": 0.95,
    "clip": 0.2,
    "entropy_cost": 0.01,
    "value_cost": 0.5,
    "normalise_observations": False,
    "backend": None,
}
_BRAX = {
    **_GYMNAX,
    "num_envs": 256,
    "num_steps": 32,
    "num_minibatches": 8,
    "activation": "swish",
    "learning_rate": 3e-4,
    "max_grad_norm": None,
    "discount": 0.97,
    "entropy_cost": 1e-3,
    "normalise_observations": True,
    "backend": "spring",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "CartPole-v1": _GYMNAX,
    "Breakout-MinAtar": {
        **_GYMNAX,
        "num_minibatches": 8,
        "learning_rate": 5e-3,
        "activation": "relu",
    },
    "hopper": _BRAX,
    "ant": {**_BRAX, "num_envs": 2048, "num_steps": 5, "num_minibatches": 32, "entropy_cost": 1e-2},
}
"""What every trainer is given; `backend` is brax's physics, None elsewhere."""
USUAL = ["CartPole-v1", "Breakout-MinAtar", "hopper"]
"""What is measured where nothing else is asked for; ant is for accelerators."""
MIXED = ("CartPole-v1", "Breakout-MinAtar")
"""Where formulas are compared with seeds."""
CELL_FIGURES: dict[str, Callable[[list[float]], float]] = {
    "env_steps_per_second": max,
    "compile_seconds": statistics.median,
    "start_seconds": statistics.median,
    "peak_mb": max,
    "return_mean": statistics.mean,
}
"""How the figures of a cell's processes become one."""
COMPARED = ("env_steps_per_second", "compile_seconds", "start_seconds", "peak_mb")


def interpreter(trainer: str, options: argparse.Namespace) -> str:
    """The Python that has the trainer."""
    return str(options.rejax_python) if trainer == "rejax" else sys.executable


def installed(trainer: str, options: argparse.Namespace) -> bool:
    """Whether the trainer can be measured here."""
    module = {"mirrordrift": "jax", "brax": "brax.training"}.get(trainer, trainer)
    look = "import importlib.util as u, sys; sys.exit(u.find_spec(sys.argv[1]) is None)"
    try:
        asked = [interpreter(trainer, options), "-c", look, module]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def can_train(trainer: str, env: str, agents: int) -> bool:
    """Whether the trainer has such a cell at all."""
    return trainer != "brax" or (agents == 1 and SETTINGS[env]["backend"] is not None)


def run_worker(
    trainer: str, job: dict[str, Any], cache: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """The figures of one process, or the `problem` it had."""
    asked = {
        **job,
        "trainer": trainer,
        "agents": job["formulas"] * job["seeds"],
        "setting": SETTINGS[job["env"]],
        "repeats": options.repeats if job["kind"] != "warm" else 1,
        "updates": options.updates,
        "budget": options.budget,
        "eval_episodes": EVAL_EPISODES,
        "started": time.time(),
    }
    row = {**job, "trainer": trainer, "agents": asked["agents"]}
    module = f"trainers.{trainer}_trainer"
    command = [interpreter(trainer, options), "-W", "ignore", "-m", module, json.dumps(asked)]
    try:
        done = subprocess.run(
            command,
            cwd=HERE,
            env=_environment(trainer, cache),
            capture_output=True,
            text=True,
            timeout=options.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {**row, "problem": f"not finished after {options.timeout:.0f} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {**row, "problem": said[-1]}
    return {**row, **json.loads(lines[-1])}


def _environment(trainer: str, cache: Path) -> dict[str, str]:
    """Nothing compiled is on disk but what is in `cache`; Matplotlib's fonts are nobody's cost.

    Unfiltered, a traceback's last line is the error.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found = {"MPLCONFIGDIR": str(Path(base) / "matplotlib")} | os.environ
    found.pop("JAX_COMPILATION_CACHE_DIR", None)
    found |= {"XDG_CACHE_HOME": str(cache), "JAX_TRACEBACK_FILTERING": "off"}
    if trainer == "mirrordrift":
        found["PYTHONPATH"] = os.pathsep.join([str(ROOT), found.get("PYTHONPATH", "")]).rstrip(
            os.pathsep
        )
    return found


def measurements(trainers: Sequence[str], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row a process, in the order in which they run."""
    for number in range(options.rounds):
        order = trainers[::-1] if number % 2 else trainers
        for env in options.envs:
            for agents in options.agents:
                for trainer in order:
                    if not can_train(trainer, env, agents):
                        continue
                    job = {"env": env, "formulas": 1, "seeds": agents, "round": number}
                    with tempfile.TemporaryDirectory() as cache:
                        yield run_worker(trainer, {**job, "kind": "cell"}, Path(cache), options)
                        if trainer == "mirrordrift":
                            yield run_worker(trainer, {**job, "kind": "warm"}, Path(cache), options)
            if env in MIXED and "mirrordrift" in trainers:
                count = options.formulas
                shapes = [(count, 1, "mix"), (1, count, "seeds")]
                for formulas, seeds, kind in shapes[::-1] if number % 2 else shapes:
                    job = {"env": env, "formulas": formulas, "seeds": seeds, "round": number}
                    with tempfile.TemporaryDirectory() as cache:
                        yield run_worker("mirrordrift", {**job, "kind": kind}, Path(cache), options)


def figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The processes of one kind in one cell as one; the first problem if none went well."""
    good = [row for row in rows if "problem" not in row]
    if not good:
        return {"problem": rows[0]["problem"]}
    runs = [row["env_steps"] / seconds for row in good for seconds in row["runs"]]
    found = {name: of([row[name] for row in good]) for name, of in CELL_FIGURES.items()}
    return {**found, "median_env_steps_per_second": statistics.median(runs)}


def table(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells, each with its ratios to the baseline's."""
    keys = dict.fromkeys((r["env"], r["agents"], r["trainer"]) for r in rows if r["kind"] == "cell")
    cells: dict[tuple[str, int, str], dict[str, Any]] = {}
    for env, agents, trainer in keys:
        own = [r for r in rows if (r["env"], r["agents"], r["trainer"]) == (env, agents, trainer)]
        warm = [r["start_seconds"] for r in own if r["kind"] == "warm" and "problem" not in r]
        cells[env, agents, trainer] = {
            "env": env,
            "agents": agents,
            "trainer": trainer,
            **figures([r for r in own if r["kind"] == "cell"]),
            "warm_start_seconds": statistics.median(warm) if warm else None,
        }
    for (env, agents, _), cell in cells.items():
        base = cells.get((env, agents, BASELINE), {"problem": "not measured"})
        comparable = "problem" not in base and "problem" not in cell
        cell["ratios"] = {name: cell[name] / base[name] for name in COMPARED} if comparable else {}
    return sorted(cells.values(), key=lambda c: (list(SETTINGS).index(c["env"]), c["agents"]))


def geometric_means(cells: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Of each trainer's ratios to the baseline, over the cells that both have."""
    means = {}
    for trainer in dict.fromkeys(cell["trainer"] for cell in cells):
        own = [c["ratios"] for c in cells if c["trainer"] == trainer and c["ratios"]]
        if own and trainer != BASELINE:
            means[trainer] = {n: statistics.geometric_mean(r[n] for r in own) for n in COMPARED}
    return means


def mixtures(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Many formulas against as many seeds of one, by the best run of each."""
    found = []
    for env in MIXED:
        own = [r for r in rows if r["env"] == env and "problem" not in r]
        mix, seeds = ([r for r in own if r["kind"] == kind] for kind in ("mix", "seeds"))
        if mix and seeds:
            best = [min(r["seconds"] for r in part) for part in (mix, seeds)]
            compiled = max(r["second_batch_compile_seconds"] for r in mix)
            found.append(
                {
                    "env": env,
                    "count": mix[0]["agents"],
                    "formulas_seconds": best[0],
                    "seeds_seconds": best[1],
                    "ratio": best[0] / best[1],
                    "second_batch_compile_seconds": compiled,
                }
            )
    return found


def render(record: dict[str, Any]) -> str:
    """The record's tables, in Markdown."""
    head = (
        "env", "agents", "trainer", "steps/s", "median", f"× {BASELINE}", "compile", "start",
        "warm", "memory", "return",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---|--:|---|" + "--:|" * 8]
    for c in record["table"]:
        if "problem" in c:
            cells = [c["env"], c["agents"], c["trainer"], f"failed: {c['problem']:.60}", *[""] * 7]
        else:
            ratio = c["ratios"].get("env_steps_per_second")
            warm = c["warm_start_seconds"]
            cells = [
                c["env"], c["agents"], c["trainer"], f"{c['env_steps_per_second']:,.0f}",
                f"{c['median_env_steps_per_second']:,.0f}", f"{ratio:.2f}" if ratio else "",
                f"{c['compile_seconds']:.1f} s", f"{c['start_seconds']:.1f} s",
                f"{warm:.1f} s" if warm else "", f"{c['peak_mb']:,.0f} MB",
                f"{c['return_mean']:.1f}",
            ]  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += [f"\n{name}: not installed" for name in record["not_installed"]]
    for trainer, means in record["geometric_means"].items():
        said = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items())
        lines.append(f"\n{trainer} / {BASELINE}, geometric mean over cells: {said}")
    for m in record["mixtures"]:
        lines.append(
            f"\n{m['env']}: {m['count']} formulas × 1 seed take {m['formulas_seconds']:.2f} s, "
            f"1 formula × {m['count']} seeds {m['seeds_seconds']:.2f} s, ratio {m['ratio']:.2f}; "
            f"another batch compiles for {m['second_batch_compile_seconds']:.2f} s"
        )
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """What is to be measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--envs", nargs="+", choices=SETTINGS, default=USUAL)
    parser.add_argument("--trainers", nargs="+", choices=TRAINERS, default=list(TRAINERS))
    parser.add_argument("--rejax-python", type=Path, default=Path(sys.executable))
    parser.add_argument("--updates", type=int, default=20, help="of one training")
    parser.add_argument("--repeats", type=int, default=3, help="trainings of one process")
    parser.add_argument("--rounds", type=int, default=2, help="processes of each kind")
    parser.add_argument("--formulas", type=int, default=32, help="compared with as many seeds")
    parser.add_argument(
        "--budget", type=float, default=120.0, help="seconds after which none is repeated"
    )
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds of one process")
    parser.add_argument("--quick", action="store_true", help="one agent, two updates, once")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "trainer.json")
    options = parser.parse_args()
    if options.quick:
        options.agents, options.updates, options.repeats, options.rounds = [1], 2, 1, 1
        options.formulas = 4
    return options


def main() -> None:
    """Measure, print the tables, write the record after every process."""
    options = arguments()
    trainers = [name for name in options.trainers if installed(name, options)]
    rows: list[dict[str, Any]] = []
    record: dict[str, Any] = {
        "schema": "mirrordrift/bench-trainer/1",
        "machine": machine(),
        "settings": {env: SETTINGS[env] for env in options.envs},
        "updates": options.updates,
        "repeats": options.repeats,
        "rounds": options.rounds,
        "not_installed": [name for name in options.trainers if name not in trainers],
    }
    for row in measurements(trainers, options):
        rows.append(row)
        said = row.get("problem") or f"{row['env_steps_per_second']:,.0f} steps/s"
        print(
            f"{row['env']}, {row['formulas']} × {row['seeds']}, {row['trainer']}, "
            f"{row['kind']}, round {row['round'] + 1}: {said}",
            file=sys.stderr,
        )
        cells = table(rows)
        record |= {
            "table": cells,
            "geometric_means": geometric_means(cells),
            "mixtures": mixtures(rows),
            "rows": rows,
        }
        write_json(options.out, record)
    if not rows:
        missing = ", ".join(record["not_installed"]) or "nothing, but no cell is left"
        sys.exit(f"nothing could be measured; not installed: {missing}")
    print(render(record))


if __name__ == "__main__":
    main()
