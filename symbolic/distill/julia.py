"""Whether PySR's Julia is ready here, asked without a download and in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any

# juliapkg decides offline whether Julia and its packages are there; both names are internals of
# juliapkg, so a version that lacks them gives an error text and not a wrong answer.
ASK = """
import json
from juliapkg.state import STATE
STATE["offline"] = True
from juliapkg.deps import can_skip_resolve
from juliapkg.find_julia import find_julia
found = can_skip_resolve()
if found:
    answer = {"ready": True, "julia": str(found["version"]), "executable": found["executable"]}
else:
    try:
        executable, julia = find_julia(install=False)
        answer = {"ready": False, "julia": str(julia), "executable": executable}
    except Exception as error:
        answer = {"ready": False, "julia": None, "error": str(error)}
print(json.dumps(answer))
"""
_SECONDS = 60


@cache
def missing() -> str:
    """What PySR lacks to run here, and what would help; empty where it is ready."""
    if find_spec("pysr") is None:
        return "pysr is not installed; pip install 'mirrordrift[pysr]'"
    found = _asked()
    if found.get("ready"):
        return ""
    what = f"Julia {found['julia']} lacks PySR's packages" if found.get("julia") else "no Julia"
    return f"{what}; `drift distill --engine pysr --install` lets PySR fetch what it needs"


def _asked() -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", ASK],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}
