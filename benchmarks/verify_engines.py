"""This verifier, z3, cvc5 and SymPy on the same formulas: who decides what, rightly, how fast.

    python benchmarks/verify_engines.py                  # corpus and fresh formulas, 10 s each
    python benchmarks/verify_engines.py --limit 10       # a quick look
    python benchmarks/verify_engines.py --engines mirrordrift z3 --generated 200 --seed 3

Every engine gets the same question, "is there a point of the domain where f is defined and
f < 0?", in a process of its own with the same time limit. A witness is checked exactly, with
balls. An answer is wrong if it contradicts a known truth: the corpus label, the construction
of a generated formula, or, where neither is there, a witness of any engine that was confirmed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measuring

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
GRACE = 1.0
"""Seconds beyond the limit after which an engine is stopped from outside."""
START_UP = 60.0
PACKAGES = ("python-flint", "sympy", "z3-solver", "cvc5", "numpy")
ENGINES = ("mirrordrift", "z3", "cvc5", "sympy")
FAMILIES = ("realistic", "random", "near-1e-2", "near-1e-4")


@dataclass
class Question:
    """A formula with what is known of its sign."""

    set: str
    id: str
    formula: str
    parameters: list[str]
    nonnegative: bool | None


def questions(limit: int | None, generated: int, seed: int) -> Iterator[Question]:
    """The corpus, then `generated` fresh formulas of each family; `limit` bounds every set."""
    for path in sorted((ROOT / "tests" / "corpus").glob("*.jsonl")):
        if path.stem == "mirror_maps":
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines[:limit]:
            entry = json.loads(line)
            yield Question(
                f"corpus/{path.stem}",
                entry["id"],
                entry["formula"],
                entry["parameters"],
                entry["nonnegative"],
            )
    from generators import stream

    for family in FAMILIES:
        count = generated if limit is None else min(limit, generated)
        for number, made in enumerate(itertools.islice(stream(family, seed), count)):
            yield Question(
                f"generated/{family}",
                f"{family}/{seed}/{number}",
                made.formula,
                list(made.parameters),
                made.truth.get("nonnegative"),
            )


class Worker:
    """An engine's process, started again whenever it had to be stopped."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.version = ""
        self.idle_megabytes = 0.0
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start the process; returns what went wrong, or nothing."""
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "engines.worker", self.engine],
            cwd=HERE,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        hello = self.line(START_UP)
        if hello is None:
            _, problem = self.process.communicate()
            return (problem or "").strip().splitlines()[-1:][0] if problem.strip() else "no answer"
        self.version, self.idle_megabytes = hello["version"], hello["megabytes"]
        return ""

    def line(self, seconds: float) -> dict[str, Any] | None:
        """The next line of the engine; None if it was stopped, or died, before it came."""
        assert self.process is not None
        assert self.process.stdout is not None
        watchdog = threading.Timer(seconds, self.process.kill)
        watchdog.start()
        try:
            line = self.process.stdout.readline()
        finally:
            watchdog.cancel()
        return json.loads(line) if line.strip() else None

    def ask(self, question: Question, timeout: float) -> dict[str, Any]:
        """The engine's answer; a time-out or a crash is `unknown` with the whole limit spent."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        assert self.process is not None
        assert self.process.stdin is not None
        asked = {"formula": question.formula, "parameters": question.parameters, "timeout": timeout}
        try:
            self.process.stdin.write(json.dumps(asked) + "\n")
            self.process.stdin.flush()
            answer = self.line(timeout + GRACE)
        except BrokenPipeError:
            answer = None
        if answer is None:
            self.close()
            lost = {"witness": None, "confirmed": False, "megabytes": None}
            return {"answer": "unknown", "seconds": timeout, "detail": "stopped", **lost}
        return answer

    def close(self) -> None:
        """Stop the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def run_engine(
    engine: str, asked: Sequence[Question], timeout: float
) -> tuple[Worker, list[dict[str, Any]]] | str:
    """All answers of one engine in order, or why it cannot run."""
    worker = Worker(engine)
    problem = worker.start()
    if problem:
        worker.close()
        return problem
    answers = []
    for number, question in enumerate(asked, 1):
        answers.append(worker.ask(question, timeout))
        if sys.stderr.isatty():
            print(f"\r{engine}: {number}/{len(asked)} ", end="", file=sys.stderr, flush=True)
    worker.close()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return worker, answers


def settle(asked: Sequence[Question], answers: dict[str, list[dict[str, Any]]]) -> None:
    """Where no truth is known, a confirmed witness of any engine makes one."""
    for number, question in enumerate(asked):
        if question.nonnegative is None and any(a[number]["confirmed"] for a in answers.values()):
            question.nonnegative = False


def row(engine: str, group: str, pairs: list[tuple[Question, dict[str, Any]]]) -> dict[str, Any]:
    """One line of the table: counts, times in seconds, peak memory in MB."""
    decided = [(q, a) for q, a in pairs if a["answer"] != "unknown"]
    wrong = [
        q.id
        for q, a in decided
        if q.nonnegative not in (None, {"valid": True}.get(a["answer"], False))
    ]
    times = sorted(a["seconds"] for _, a in pairs)
    invalid = [a for _, a in decided if a["answer"] == "invalid"]
    return {
        "engine": engine,
        "set": group,
        "formulas": len(pairs),
        "decided": len(decided) - len(wrong),
        "wrong": len(wrong),
        "wrong_ids": wrong,
        "unknown": len(pairs) - len(decided),
        "bad_witnesses": sum(not a["confirmed"] for a in invalid),
        "median_seconds": statistics.median(times),
        "p95_seconds": times[min(len(times) - 1, int(0.95 * len(times)))],
        "peak_megabytes": max((a["megabytes"] or 0.0) for _, a in pairs),
        "formulas_per_second": len(pairs) / max(sum(times), 1e-9),
    }


def table(
    asked: Sequence[Question], answers: dict[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Rows per set and in all, engines side by side."""
    groups = [*dict.fromkeys(question.set for question in asked), "all"]
    rows = []
    for group in groups:
        for engine, given in answers.items():
            pairs = [(q, a) for q, a in zip(asked, given) if group in (q.set, "all")]
            rows.append(row(engine, group, pairs))
    return rows


def render(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    head = (
        "set",
        "engine",
        "decided",
        "wrong",
        "unknown",
        "bad witness",
        "median",
        "p95",
        "memory",
    )
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "--:|" * 7]
    for r in rows:
        cells = (
            r["set"], r["engine"], f"{r['decided']}/{r['formulas']}", r["wrong"], r["unknown"],
            r["bad_witnesses"], f"{1000 * r['median_seconds']:.1f} ms",
            f"{r['p95_seconds']:.2f} s", f"{r['peak_megabytes']:.0f} MB",
        )  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run, print the table, write the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds per formula")
    parser.add_argument("--limit", type=int, help="at most so many formulas of each set")
    parser.add_argument("--generated", type=int, default=50, help="fresh formulas of each family")
    parser.add_argument("--seed", type=int, default=0, help="of the fresh formulas")
    parser.add_argument("--jobs", type=int, default=1, help="engines that run at the same time")
    parser.add_argument("--out", type=Path, default=Path("verify_engines.json"))
    options = parser.parse_args()

    asked = list(questions(options.limit, options.generated, options.seed))
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = list(pool.map(lambda e: run_engine(e, asked, options.timeout), options.engines))
    answers: dict[str, list[dict[str, Any]]] = {}
    versions: dict[str, str] = {}
    for engine, outcome in zip(options.engines, runs):
        if isinstance(outcome, str):
            print(f"{engine} is left out: {outcome}", file=sys.stderr)
        else:
            versions[engine], answers[engine] = outcome[0].version, outcome[1]
    if not answers:
        sys.exit("no engine could be started; install them: pip install 'mirrordrift[bench]'")
    settle(asked, answers)
    rows = table(asked, answers)
    print(render(rows))
    for wrong in (r for r in rows if r["wrong"] and r["set"] != "all"):
        print(f"wrong: {wrong['engine']} on {', '.join(wrong['wrong_ids'])}", file=sys.stderr)
    record = {
        "schema": "mirrordrift/bench-verify/1",
        "machine": {**measuring.machine(), "versions": measuring.versions(PACKAGES)},
        "engines": versions,
        "timeout": options.timeout,
        "seed": options.seed,
        "table": rows,
        "answers": [
            {**vars(q), "engines": {e: given[i] for e, given in answers.items()}}
            for i, q in enumerate(asked)
        ],
    }
    measuring.write_json(options.out, record)


if __name__ == "__main__":
    main()
