"""What every test shares: repeatable examples, a quiet plotting back end, the command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")
# Workers share what JAX compiles: most of the trainer's tests run programs that others ran.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", tempfile.mkdtemp(prefix="mirrordrift-jax-"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

# The normal tier is the same every time; `--hypothesis-profile=explore` looks further.
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Tests run tiny programs once: compiling takes longer than running, so XLA optimises less.

    Without its emitters of fused loops it compiles in half the time.

    Not where slow tests are asked for, which run theirs for minutes.
    """
    asked = re.sub(r"not\s*\([^)]*\)|not\s+\w+", "", config.option.markexpr)
    if "slow" not in asked:
        flags = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
        os.environ.setdefault("XLA_FLAGS", flags)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The controller removes what JAX compiled for this run."""
    folder = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    if not hasattr(config, "workerinput") and folder.name.startswith("mirrordrift-jax-"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker for each core that this process may use, at most eight."""
    if chosen := os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return int(chosen)
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)


class RunDrift(Protocol):
    """The installed command, called as a person calls it."""

    def __call__(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        stdin: str = "",
        timeout: float = 120.0,
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="session")
def drift_script() -> str:
    """Path of the installed `drift` script of the running interpreter."""
    folders = [str(Path(sys.executable).parent), sysconfig.get_path("scripts")]
    script = shutil.which("drift", path=os.pathsep.join(folders))
    if script is None:
        pytest.fail('the `drift` command is not installed; run: python -m pip install -e ".[test]"')
    return script


@pytest.fixture(scope="session")
def run_drift(drift_script: str) -> RunDrift:
    """Runs `drift ARGUMENTS…` in a process of its own and gives what it wrote.

    `env` is added to the environment; colours and line wrapping are settled so that the
    text is the same everywhere.
    """

    def run(
        *arguments: str | Path,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        stdin: str = "",
        timeout: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        settled = {"NO_COLOR": "1", "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(
            [drift_script, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **settled, **(env or {})},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )

    return run
