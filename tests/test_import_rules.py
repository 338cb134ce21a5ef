"""The rule of the rooms: imports point one way, and heavy libraries wait until they are used.

The contracts themselves are in pyproject.toml, under `tool.importlinter`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("symbolic", "verify", "rl", "search", "mirrordrift")

HEAVY = ("jax", "sympy", "z3", "cvc5", "matplotlib", "scipy", "hypothesis", "torch", "pysr", "rich")
"""What deciding a formula never imports; rich may come with the command line only."""

CHECKER = "verify.checker"
CHECKER_MAY_IMPORT = {"symbolic.errors", "symbolic.expression", "symbolic.parser"}


@pytest.fixture(scope="module")
def graph():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        return grimp.build_graph(*ROOMS, include_external_packages=True, cache_dir=None)


def test_contracts_are_kept():
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as main; main()",
    ]
    done = subprocess.run(
        [*command, "--no-cache", "--config", "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_checker_shares_only_the_formula_tree(graph):
    """The checker re-derives everything itself: a fault of the prover must not be its fault too."""
    own = {CHECKER, *graph.find_descendants(CHECKER)}
    ours = {module for module in graph.modules if module.split(".")[0] in ROOMS}
    imported = {
        (module, target)
        for module in own
        for target in graph.find_modules_directly_imported_by(module)
        if target in ours - own
    }
    assert {target for _, target in imported} <= CHECKER_MAY_IMPORT, sorted(imported)


def modules_after(statement: str) -> set[str]:
    """Top-level modules loaded by a statement in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import symbolic", {*HEAVY, "flint"}),
        ("import verify", set(HEAVY)),
        ("import mirrordrift", {*HEAVY, "flint", "numpy"}),
        ("from mirrordrift import verify\nverify('dpo')", set(HEAVY)),
        ("import hypothesis", {"jax", "sympy", "torch"}),
        ("import rl", {"jax"}),
        ("import search", {"jax"}),
    ],
    ids=lambda value: value.replace("\n", "; ") if isinstance(value, str) else "",
)
def test_heavy_libraries_wait_until_they_are_used(statement, unwanted):
    assert not modules_after(statement) & unwanted
