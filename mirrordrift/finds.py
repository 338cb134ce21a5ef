"""What a person sees of a search over formulas: its news, its table, its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mirrordrift.plot import MAX_FORMULAS, plot_drifts
from mirrordrift.render import compact
from mirrordrift.spec import Target, resolve
from search.formulas.folder import NAMED

Rows = Sequence[Mapping[str, Any]]
"""Of a judgement: PPO, DPO, then what was found."""


def news(record: Mapping[str, Any]) -> str:
    """A generation in one line: returns, and the best formula so far."""
    returns = ", ".join(
        f"{compact(found['mean'])} (PPO {compact(found['ppo'])})"
        for found in record["returns"].values()
    )
    best = record["best"][0]["formula"] if record["best"] else "none yet"
    return f"return {returns}, best {best}"


def table(rows: Rows) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns on held-out seeds, by formula and environment: a header and rows, as texts."""
    header = ("formula", "nodes", "environment", "return", "beyond PPO")
    return header, [
        (
            row["formula"],
            str(row.get("nodes", "")),
            env,
            compact(found["return_mean"]),
            ""
            if row["formula"] == "ppo"
            else f"{compact(found['difference'], '+')} ± {compact(found['difference_stderr'])}",
        )
        for row in rows
        for env, found in row["envs"].items()
    ]


def draw(rows: Rows, folder: Path) -> Path:
    """Write drifts.png: PPO, DPO and the best of what was found."""
    drifts: list[Target] = [resolve("ppo"), resolve("dpo")]
    drifts += [resolve(row["formula"]) for row in rows[NAMED:MAX_FORMULAS]]
    plot_drifts(drifts, folder / "drifts.png")
    return folder / "drifts.png"
