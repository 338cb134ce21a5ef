"""The numbers of a comparison: per environment and drift, and over all environments.

A run that failed counts as if its agent had never learned: it has the return of its untrained
agent. Leaving failures out would praise a drift for them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrordrift.bench.comparison import Scored
from mirrordrift.render import compact
from rl import statistics
from rl.score import Score

SCHEMA = "mirrordrift/bench/1"
FEWEST = 5
"""Seeds below which a bootstrap knows too little of the spread to give an interval."""


def summary(rows: Sequence[Scored], baseline: str) -> dict[str, Any]:
    """The summary object of a comparison, ready for JSON."""
    return {
        "schema": SCHEMA,
        "table": [_row(row, _baseline_of(row, rows, baseline)) for row in rows],
        "baseline": baseline,
        "normalisation": _normalisation(rows, baseline),
        "overall": overall(rows, baseline),
    }


def final_return(score: Score) -> float:
    """The last mean return of an agent; of a failed one, the first."""
    return untrained_return(score) if score.failed else score.return_mean


def untrained_return(score: Score) -> float:
    """The mean return before the first update."""
    return float(score.records[0]["return_mean"])


def overall(rows: Sequence[Scored], baseline: str) -> list[dict[str, Any]]:
    """Each drift over all environments that can be normalised: untrained is 0, the baseline 1."""
    matrices = normalised_scores(rows, baseline)
    if not matrices[baseline].size:
        return []
    return [
        {
            "drift": label,
            "interquartile_mean": _estimate(matrix, statistics.interquartile_mean),
            "mean": _estimate(matrix, statistics.mean),
            "median": _estimate(matrix, statistics.median),
            "probability_of_improvement": None
            if label == baseline
            else _with_interval(
                statistics.probability_of_improvement(matrix, matrices[baseline]), len(matrix)
            ),
        }
        for label, matrix in matrices.items()
    ]


def normalised_scores(rows: Sequence[Scored], baseline: str) -> dict[str, NDArray[np.float64]]:
    """By drift, the matrix [seeds, environments] of normalised returns."""
    scales = [scale for scale in _normalisation(rows, baseline) if scale["used"]]
    return {label: _normalised(rows, label, scales) for label in _labels(rows)}


Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""A header and rows, as texts."""


def tables(found: Mapping[str, Any]) -> list[Table]:
    """What a person sees of a summary: per environment, and over several."""
    header: tuple[str, ...] = (
        "environment",
        "drift",
        "return",
        "lowest to highest",
        "interquartile mean",
        "difference",
        "entropy",
    )
    several_rates = len({row["learning_rate"] for row in found["table"]}) > 1
    rows = [
        (
            row["env"],
            row["drift"],
            f"{compact(row['return_mean'])} ± {compact(row['return_stderr'])}",
            f"{compact(row['return_min'])} to {compact(row['return_max'])}",
            _interval(row["interquartile_mean"]),
            _interval(row["difference"], signed=True),
            compact(row["entropy"]),
            *([f"{row['learning_rate']:g}"] if several_rates else []),
            *([f"{row['failed']} of {row['seeds']}"] if _failures(found) else []),
        )
        for row in found["table"]
    ]
    header += ("learning rate",) if several_rates else ()
    header += ("failed",) if _failures(found) else ()
    if len(found["normalisation"]) == 1 or not found["overall"]:
        return [(header, rows)]
    over = [
        (
            row["drift"],
            *(_interval(row[name]) for name in ("interquartile_mean", "mean", "median")),
            _interval(row["probability_of_improvement"]),
        )
        for row in found["overall"]
    ]
    names = ("over all", "interquartile mean", "mean", "median", "chance to beat the baseline")
    return [(header, rows), (names, over)]


def sentences(found: Mapping[str, Any]) -> list[str]:
    """What the numbers of the tables mean."""
    seeds = found["table"][0]["seeds"]
    said = [
        f"Return: mean ± standard error over {seeds} {'seed' if seeds == 1 else 'seeds'}, whole "
        "episodes after training"
        + (
            f" (too few seeds for bootstrap intervals, which {FEWEST} would have)."
            if seeds < FEWEST
            else "; in brackets 95 % stratified bootstrap intervals."
        )
    ]
    if any(row["difference"] for row in found["table"]):
        said.append(
            f"Difference: from {found['baseline']}, seed by seed, with Student's 95 % interval; "
            "where it holds 0, the two drifts are not told apart."
        )
    if _failures(found):
        said.append("A run that failed counts as untrained.")
    if len(found["normalisation"]) > 1:
        said.append(_normalisation_text(found))
    return said


def markdown(found: Mapping[str, Any]) -> str:
    """The tables and their sentences as Markdown."""
    blocks = []
    for header, rows in tables(found):
        lines = [header, ("---",) * len(header), *rows]
        blocks.append(
            "\n".join(
                "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
            )
        )
    return "\n\n".join([*blocks, *sentences(found)]) + "\n"


def _failures(found: Mapping[str, Any]) -> bool:
    return any(row["failed"] for row in found["table"])


def _baseline_of(row: Scored, rows: Sequence[Scored], baseline: str) -> Scored:
    """What a row is measured against, in its environment."""
    (found,) = (other for other in rows if (other.env, other.drift) == (row.env, baseline))
    return found


def _difference(row: Scored, base: Scored) -> list[float] | None:
    """(mean, low, high) of the paired differences of returns; None where there are none."""
    if row.drift == base.drift:
        return None
    own, other = (np.array([final_return(s) for s in r.scores]) for r in (row, base))
    found = statistics.paired_difference(own, other)
    return None if found is None else list(found)


def _row(row: Scored, base: Scored) -> dict[str, Any]:
    returns = np.array([final_return(score) for score in row.scores])
    good = [score for score in row.scores if not score.failed]
    seconds = [score.seconds for score in row.scores]
    return {
        "env": row.env,
        "drift": row.drift,
        "seeds": len(returns),
        "failed": len(row.scores) - len(good),
        "return_mean": float(returns.mean()),
        "return_stderr": float(returns.std(ddof=1) / math.sqrt(len(returns)))
        if len(returns) > 1
        else None,
        "return_min": float(returns.min()),
        "return_max": float(returns.max()),
        "interquartile_mean": _estimate(returns[:, None], statistics.interquartile_mean),
        "difference": _difference(row, base),
        "entropy": float(np.mean([score.entropy for score in good])) if good else None,
        "learning_rate": row.learning_rate,
        "env_steps": row.scores[0].env_steps,
        "seconds": max(seconds),
    }


def _normalisation(rows: Sequence[Scored], baseline: str) -> list[dict[str, Any]]:
    """By environment, which return is 0 and which is 1; unused where the baseline learned nothing."""
    found = []
    for env in dict.fromkeys(row.env for row in rows):
        here = [row for row in rows if row.env == env]
        low = float(np.mean([untrained_return(s) for row in here for s in row.scores]))
        (base,) = (row for row in here if row.drift == baseline)
        high = float(np.mean([final_return(score) for score in base.scores]))
        learned = any(not score.failed for score in base.scores)
        used = learned and math.isfinite(low) and high > low
        found.append({"env": env, "untrained": low, "baseline": high, "used": used})
    return found


def _normalised(
    rows: Sequence[Scored], label: str, scales: Sequence[dict[str, Any]]
) -> NDArray[np.float64]:
    by_env = {row.env: row for row in rows if row.drift == label}
    columns = [[final_return(s) for s in by_env[scale["env"]].scores] for scale in scales]
    low = np.array([scale["untrained"] for scale in scales])
    high = np.array([scale["baseline"] for scale in scales])
    return statistics.normalised(np.array(columns).T, low, high)


def _labels(rows: Sequence[Scored]) -> list[str]:
    return list(dict.fromkeys(row.drift for row in rows))


def _estimate(matrix: NDArray[np.float64], statistic: statistics.Statistic) -> list[float | None]:
    return _with_interval(statistics.estimate(matrix, statistic), len(matrix))


def _with_interval(estimate: Sequence[float], seeds: int) -> list[float | None]:
    """(value, low, high), the interval None where there are too few seeds for one."""
    value, low, high = estimate
    return [value, low, high] if seeds >= FEWEST else [value, None, None]


def _normalisation_text(found: Mapping[str, Any]) -> str:
    used = [scale for scale in found["normalisation"] if scale["used"]]
    left = [scale["env"] for scale in found["normalisation"] if not scale["used"]]
    scales = ", ".join(
        f"{scale['env']} {compact(scale['untrained'])} to {compact(scale['baseline'])}"
        for scale in used
    )
    text = (
        f"Normalised: 0 is the untrained agent, 1 the mean of the baseline, {found['baseline']} "
        f"({scales})."
    )
    return text + (
        f" Left out, as the baseline learned nothing: {', '.join(left)}." if left else ""
    )


def _interval(estimate: Sequence[float | None] | None, *, signed: bool = False) -> str:
    if estimate is None:
        return "–"
    value, low, high = estimate
    sign = "+" if signed and value is not None and value > 0 else ""
    if low is None or low == high:
        return sign + compact(value)
    return f"{sign}{compact(value)} [{compact(low)}, {compact(high)}]"
