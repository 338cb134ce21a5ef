"""Distillation by PySR, the reference, in a process of its own: Julia and PyTorch crash in one.

What is fitted is the template where(A ≥ 0, above, below), each half a formula of the inputs; its loss
is that of every engine here, on f and on ∂f/∂r, by Julia's own derivatives of both halves. The
search begins from guesses of the embedded engine. `hall_of_fame.csv` is read again, never a pickle.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from symbolic.distill import julia
from symbolic.distill.engine import Effort, Engine, Found, installed_version
from symbolic.distill.hall_of_fame import read_front
from symbolic.distill.inputs import INPUTS
from symbolic.distill.samples import Samples, save_samples
from symbolic.errors import ConfigError
from symbolic.expression import Expression

_WORKER = "symbolic.distill.pysr_worker"
_POLL = 2.0
RUN = "search"
FRONT = "hall_of_fame.csv"


class PySR(Engine):
    """PySR, by the extra `pysr`; a generation is one of its iterations."""

    name = "pysr"
    default_generations = 100

    def missing(self) -> str:
        return julia.missing()

    def version(self) -> str:
        return installed_version("pysr")

    def search(self, samples: Samples, effort: Effort) -> Iterator[Found]:
        if reason := self.missing():
            raise ConfigError(f"engine=pysr: {reason}")
        if samples.t is not None:
            raise ConfigError("engine=pysr: formulas in t are for the other engines; use templates")
        with tempfile.TemporaryDirectory(prefix="drift-pysr-") as folder:
            place = Path(folder)
            save_samples(place / "samples.npz", samples)
            asked = {"generations": effort.generations, "seed": effort.seed}
            (place / "effort.json").write_text(json.dumps(asked))
            said = place / "stderr.txt"
            with said.open("w") as errors:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", _WORKER, folder],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                )
            try:
                yield from _watched(process, place / RUN / FRONT, said)
            finally:
                process.kill()
                process.wait()


def install() -> None:
    """Have PySR fetch Julia and its packages; raises ConfigError where that fails."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import pysr"], capture_output=True, text=True
    )
    julia.missing.cache_clear()
    if done.returncode:
        raise ConfigError(f"PySR could not fetch Julia: {_last_line(done.stderr)}")


def _watched(process: subprocess.Popen[bytes], front: Path, said: Path) -> Iterator[Found]:
    """What the file has, whenever it has changed, and once more at the end."""
    seen = 0
    while process.poll() is None:
        time.sleep(_POLL)
        changed = front.stat().st_mtime_ns if front.exists() else 0
        if changed != seen and (formulas := _formulas(front)):
            seen = changed
            yield Found(0.0, formulas)
    if process.returncode:
        error = _last_line(said.read_text("utf-8", "replace"))
        raise ConfigError(f"PySR ended with an error: {error}")
    if formulas := _formulas(front):
        yield Found(1.0, formulas)


def _formulas(front: Path) -> tuple[Expression, ...]:
    try:
        rows = read_front(front)
    except ConfigError:  # half written: the next look has it whole
        return ()
    return tuple(row.formula for row in rows if row.formula is not None)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def template() -> str:
    """The Julia that makes a row's loss of the halves and the columns of the table."""
    args = ", ".join(INPUTS)
    slopes = {
        half: " + ".join(
            f"D({half}, {i})({args}) * d{name}" for i, name in enumerate(INPUTS, 1) if name != "A"
        )
        for half in ("above", "below")
    }
    return "\n".join(
        [
            f"value = p * above({args}) + (1 - p) * below({args})",
            f"slope = p * ({slopes['above']}) + (1 - p) * ({slopes['below']})",
            "wf * (value - f) * (value - f) + ws * (slope - dfdr) * (slope - dfdr)",
        ]
    )
