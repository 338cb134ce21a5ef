"""What agents of an alignment reach, as records: what `--json` prints and its folder keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.writing import writing
from symbolic.arrays import read_bounded, read_json, write_atomically
from symbolic.cards import plain as as_floats

if TYPE_CHECKING:
    from mirrordrift.aligning.plan import AlignPlan
    from mirrordrift.aligning.running import Aligned

SCHEMA = "mirrordrift/align/1"
TABLE = "mirrordrift/align-table/1"
_FILE = "results.jsonl"


def lines(plan: AlignPlan, found: Sequence[Aligned]) -> list[dict[str, Any]]:
    """A record an agent, and then the table."""
    from mirrordrift.aligning.running import summary
    from rl.records import plain

    return [*agents(plan, found), {"schema": TABLE, "table": plain(summary(plan, found))}]


def agents(plan: AlignPlan, found: Sequence[Aligned]) -> list[dict[str, Any]]:
    """A record an agent."""
    from rl.records import plain

    return [
        plain(
            {
                "schema": SCHEMA,
                "objective": aligned.objective,
                "reduction": plan.objectives[aligned.objective].reduction,
                "dataset": plan.data_hash,
                "seed": aligned.score.seed,
                "return_mean": aligned.score.return_mean,
                "return_stderr": aligned.score.return_stderr,
                "episode_length": aligned.score.episode_length,
                "epochs": plan.config.epochs,
                "seconds": aligned.score.seconds,
                "failed": aligned.score.failed,
                "warning": aligned.score.warning,
            }
        )
        for aligned in found
    ]


def keep(plan: AlignPlan, found: Sequence[Aligned], folder: Path) -> None:
    """Write the records; raises ConfigError for a folder that cannot be written."""
    text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines(plan, found))
    with writing(str(folder)):
        write_atomically(folder / _FILE, text.encode())


def kept_agents(folder: Path) -> list[dict[str, Any]]:
    """The agents' records of a folder; none before all are trained.

    Raises ConfigError for a file that is damaged.
    """
    path = folder / _FILE
    texts = read_bounded(path).splitlines() if path.exists() else []
    records = [as_floats(read_json(text, str(path))) for text in texts]
    return [record for record in records if record.get("schema") == SCHEMA]


def notes(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of agents' records, who failed and why, and what to know of those that did not."""
    told = []
    for each in records:
        if why := each["failed"] or each.get("warning"):
            told.append(f"{each['objective']}, seed {each['seed']}: {why}")
    return told
