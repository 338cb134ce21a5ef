"""What `drift doctor` finds out. Nothing is downloaded, and nothing heavy is imported here:
JAX, brax and Julia are asked in processes of their own, which may hang or crash on their own.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from mirrordrift.rooms import HOME, ROOMS, resolved, shadow_message
from symbolic.cores import usable_cores
from symbolic.distill import julia

GROUPS = {
    "core": ("numpy", "scipy", "sympy", "python-flint", "hypothesis", "tyro", "rich", "matplotlib"),
    "train": ("jax", "jaxlib", "brax", "gymnax", "evosax", "optax", "flax", "orbax-checkpoint"),
    "playground": ("playground",),
    "tensorboard": ("tensorboardX",),
    "wandb": ("wandb",),
    "pysr": ("pysr",),
    "operon": ("pyoperon",),
    "export": ("torch", "trl", "stable-baselines3"),
    "bench": ("z3-solver", "cvc5"),
}
"""Distributions by the extra that brings them; `core` comes with mirrordrift itself."""

PURPOSES = {
    "core": "deciding formulas, pictures, tests",
    "train": "training agents",
    "playground": "environments of MuJoCo Playground",
    "tensorboard": "metrics of training in TensorBoard",
    "wandb": "metrics of training at Weights & Biases",
    "pysr": "distilling with PySR",
    "operon": "distilling with Operon",
    "export": "running exported code for PyTorch and Stable-Baselines3",
    "bench": "measuring against other solvers",
}
"""What each group is good for."""

_IN_PLACE = (HOME / "pyproject.toml").is_file()
CHECKOUT = f"in {HOME}" if _IN_PLACE else "in a checkout of mirrordrift"
"""Where `install_command` runs."""

_ASK_SECONDS = 60

_ASK_JAX = """
import json, jax
print(json.dumps([f"{d.platform}:{d.id} {d.device_kind}" for d in jax.devices()]))
"""
_ASK_BRAX = """
import importlib, json
found = []
for name in ("generalized", "positional", "spring", "mjx"):
    try:
        importlib.import_module(f"brax.{name}.pipeline")
        found.append(name)
    except Exception:
        pass
print(json.dumps(found))
"""
_ASK_ENVIRONMENTS = f"""
import sys
sys.path.insert(0, {str(HOME)!r})
import importlib.util, json
from rl.environments import names
print(json.dumps([
    name
    for library, known in names().items()
    if library == "playground" or importlib.util.find_spec(library)
    for name in known
]))
"""


def examine() -> dict[str, Any]:
    """Findings as JSON-able fields; `problems` keep formulas from being decided, `notes` do not."""
    versions = {group: {name: _version(name) for name in names} for group, names in GROUPS.items()}
    rooms, notes = _rooms()
    problems = [shadow_message()] if any(room["shadowed"] for room in rooms.values()) else []
    missing = [name for name, found in versions["core"].items() if found is None]
    if missing:
        problems.append(
            f"missing: {', '.join(missing)}; install again, {CHECKOUT}: {install_command('core')}"
        )
    return {
        "mirrordrift": _version("mirrordrift"),
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cpus": usable_cores(),
        "packages": versions,
        "install": install_command(*(g for g in GROUPS if None in versions[g].values())),
        "jax": _ask(_ASK_JAX, "devices") if versions["train"]["jax"] else None,
        "brax": _ask(_ASK_BRAX, "backends") if versions["train"]["brax"] else None,
        "environments": _ask(_ASK_ENVIRONMENTS, "names") if versions["train"]["jax"] else None,
        "julia": _ask(julia.ASK, None) if versions["pysr"]["pysr"] else None,
        "rooms": rooms,
        "problems": problems,
        "notes": notes,
    }


def install_command(*groups: str) -> str:
    """What installs what these groups lack, as the README has it; "" for no group.

    It runs in a checkout (`CHECKOUT`); one that is used in place goes on being used so.
    """
    if not groups:
        return ""
    extras = ",".join(group for group in groups if group != "core")
    what = f'".[{extras}]"' if extras else "."
    return f"python -m pip install -c constraints.txt {'-e ' if _IN_PLACE else ''}{what}"


def _rooms() -> tuple[dict[str, Any], list[str]]:
    """Where each room is imported from, and what could get in the way another time."""
    places = resolved()
    rooms = {
        room: {
            "path": str(places[room]) if places[room] else None,
            "shadowed": places[room] not in (None, HOME / room),
        }
        for room in ROOMS
    }
    here = Path.cwd()
    notes = []
    if here.resolve() != HOME:
        own = [room for room in ROOMS if (here / room).is_dir() or (here / f"{room}.py").is_file()]
        if own:
            notes.append(
                f"this folder has its own {', '.join(own)}: `drift` does not care, but Python "
                "started here (python -c, python -m, a notebook) would import those instead"
            )
    notes += [
        f"the distribution '{name}' also installs a package '{room}', and only one of them can be "
        f"used: python -m pip uninstall {name}, then install mirrordrift again"
        for name, room in _rivals()
    ]
    return rooms, notes


def _rivals() -> list[tuple[str, str]]:
    """(distribution, room) for other installed distributions that bring a package of that name."""
    found = set()
    for distribution in distributions():
        name = distribution.metadata["Name"] or ""
        if re.sub(r"[-_.]+", "-", name).lower() == "mirrordrift":
            continue
        listed = (distribution.read_text("top_level.txt") or "").split()
        listed += [name.lower()]
        found |= {(name, room) for room in ROOMS if room in listed}
    return sorted(found)


def _ask(code: str, field: str | None) -> dict[str, Any]:
    """The JSON that a fresh interpreter prints last, or `{"error": text}`."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-W", "ignore", "-c", code],
            env={**os.environ, "PYTHON_JULIAPKG_OFFLINE": "yes"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_ASK_SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout.strip().rpartition("\n")[2])
        return answer if field is None else {field: answer}
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {_ASK_SECONDS} s"}
    except ValueError:  # it printed no JSON: it ended in an exception or a crash
        last = done.stderr.strip().rpartition("\n")[2]
        return {"error": last[:300] or f"ended with code {done.returncode}"}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
