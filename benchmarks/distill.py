"""Are known drifts found again? Ten seeds each, clean and with 2 % of noise, by engine.

    python benchmarks/distill.py                       # everything; goes on where it was
    python benchmarks/distill.py --seeds 2 --truths dpo kl --engines templates

A truth is 1000 points (log r ~ N(0, 0.35²), A ~ N(0, 1)) with its values and slopes, noise relative
to their spread. It is found if the knee of the front is equal to it, which `verify` decides; an
impostor that is as accurate and not equal is a failure. Rows go to benchmarks/results/distill.jsonl,
which is read again, the table to distill.json and the screen. Templates take one core, Operon all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measuring import machine, write_json

from search.distill.distillation import distil
from search.distill.engines import choose
from symbolic.derivative import derivative
from symbolic.distill.samples import Samples
from symbolic.drift import Drift
from symbolic.numeric import evaluate_all
from symbolic.parser import parse
from verify.equality import decide_equal

RESULTS = Path(__file__).resolve().parent / "results"
ROWS = RESULTS / "distill.jsonl"
LIBRARY = {
    "ppo": "relu((r - clip(r, 0.8, 1.2))*A)",
    "dpo": "where(A >= 0, relu((r - 1)*A - 2*tanh((r - 1)*A/2)), relu(log(r)*A - 0.6*tanh(log(r)*A/0.6)))",
    "kl": "r - 1 - log(r)",
    "reverse-kl": "r*log(r) - r + 1",
    "spo": "abs(A)*(r - 1)**2/0.4",
    "chi-square": "(r - 1)**2",
    "hellinger": "(sqrt(r) - 1)**2",
}
BEYOND = {
    "alpha-divergence-1.5": "(r**1.5 - 1.5*r + 0.5)/0.75",
    "rational": "abs((r - 1)*A)**2/(1 + abs((r - 1)*A))",
    "logarithmic": "abs((r - 1)*A) - log(1 + 2*abs((r - 1)*A))/2",
}
"""In no template."""
TRUTHS = {**LIBRARY, **BEYOND}
ENGINES = {"templates": LIBRARY, "templates+operon": TRUTHS}
"""What each engine is tried on; templates alone cannot have the others."""
SIZE = 1000
NOISES = (0.0, 0.02)


def samples_of(formula: str, noise: float, seed: int) -> Samples:
    draw = np.random.default_rng([seed, 7])
    r, A = np.exp(0.35 * draw.standard_normal(SIZE)), draw.standard_normal(SIZE)
    tree = parse(formula)
    found = evaluate_all([tree, derivative(tree)], {"r": r, "A": A})
    f, dfdr = (np.broadcast_to(part, r.shape) for part in found)
    f, dfdr = (part + noise * part.std() * draw.standard_normal(SIZE) for part in (f, dfdr))
    return Samples(r=r, A=A, f=f, dfdr=dfdr, weight=np.ones(SIZE))


def recovery(engine: str, name: str, noise: float, seed: int) -> dict[str, Any]:
    truth = Drift(formula=parse(TRUTHS[name]))
    begun = time.perf_counter()
    front = distil(samples_of(TRUTHS[name], noise, seed), choose(engine), seed=seed)
    seconds = time.perf_counter() - begun
    knee = front.knee
    found = (
        knee is not None and decide_equal(Drift(formula=knee.formula), truth).verdict == "proved"
    )
    return {
        "engine": engine, "truth": name, "noise": noise, "seed": seed, "found": found,
        "knee": str(knee.formula) if knee else None, "seconds": round(seconds, 2),
    }  # fmt: skip


def wanted(options: argparse.Namespace) -> Iterator[tuple[str, str, float, int]]:
    for seed in range(options.seeds):
        for engine in options.engines:
            for name in options.truths:
                if name in ENGINES[engine]:
                    for noise in NOISES:
                        yield engine, name, noise, seed


def table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    cells: dict[tuple[str, str, float], list[dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault((row["engine"], row["truth"], row["noise"]), []).append(row)
    return [
        {
            "engine": engine, "truth": name, "noise": noise, "in_library": name in LIBRARY,
            "found": sum(r["found"] for r in own), "runs": len(own),
            "median_seconds": float(np.median([r["seconds"] for r in own])),
            "most_seconds": max(r["seconds"] for r in own),
        }
        for (engine, name, noise), own in sorted(cells.items())
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--truths", nargs="+", choices=TRUTHS, default=list(TRUTHS))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    options = parser.parse_args()
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []
    known = {(r["engine"], r["truth"], r["noise"], r["seed"]) for r in rows}
    for case in wanted(options):
        if case in known:
            continue
        row = recovery(*case)
        rows.append(row)
        with ROWS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(
            *case,
            "found" if row["found"] else f"NOT: {row['knee']}",
            row["seconds"],
            file=sys.stderr,
            flush=True,
        )
    cells = table(rows)
    write_json(RESULTS / "distill.json", {"machine": machine(), "table": cells})
    for cell in cells:
        print(
            f"{cell['engine']:<17} {cell['truth']:<21} noise {cell['noise']:.0%}  "
            f"{cell['found']:>2} of {cell['runs']:>2}  median {cell['median_seconds']:.1f} s, "
            f"most {cell['most_seconds']:.1f} s"
        )


if __name__ == "__main__":
    main()
