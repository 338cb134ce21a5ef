"""One engine in a process of its own: a JSON line in, a JSON line out.

Started as `python -m engines.worker NAME`; the first line out gives the engine's version.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

from engines.question import certainly_negative
from symbolic.drift import Drift


def peak_megabytes() -> float:
    """Peak resident memory of this process, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Serve questions until standard input ends."""
    engine = importlib.import_module(f"engines.{sys.argv[1]}_engine")
    print(json.dumps({"version": engine.version(), "megabytes": peak_megabytes()}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        drift = Drift.from_text(asked["formula"], asked["parameters"])
        start = time.perf_counter()
        detail, witness = "", None
        try:
            answer = engine.decide(drift, asked["timeout"])
            verdict, detail, witness = answer.answer, answer.detail, answer.witness
        except Exception as error:  # noqa: BLE001 - an engine that fails has not decided
            verdict, detail = "unknown", f"{type(error).__name__}: {error}"[:300]
        seconds = time.perf_counter() - start
        confirmed = witness is not None and certainly_negative(drift, witness)
        said = {
            "answer": verdict,
            "seconds": seconds,
            "detail": detail,
            "witness": {k: str(v) for k, v in witness.items()} if witness else None,
            "confirmed": confirmed,
            "megabytes": peak_megabytes(),
        }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
