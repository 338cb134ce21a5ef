"""Where metrics go beside the run folder: TensorBoard and Weights & Biases."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from symbolic.arrays import read_bounded, write_atomically
from symbolic.errors import ConfigError

Hear = Callable[[Sequence[Mapping[str, Any]]], None]
"""What is told records."""
Log = Callable[[int, Mapping[str, float]], None]
"""(place on the axis, metrics by name)."""

_NOT_METRICS = ("candidate", "seed", "evaluation", "schema", "members")


@contextmanager
def sinks(
    names: Sequence[str], folder: Path, record: Mapping[str, Any], *, axis: str = "env_steps"
) -> Iterator[Hear]:
    """What hands records on to each of `names`; `record` is what the folder says of its run.

    `axis` is the field that counts. A number inside a mapping is named by its path, "held_out/ant".
    `check_sinks` comes first. Raises ConfigError for one that refuses.
    """
    with ExitStack() as stack:
        opened = [
            stack.enter_context(SINKS[name](folder, record, axis)) for name in dict.fromkeys(names)
        ]

        def hear(records: Sequence[Mapping[str, Any]]) -> None:
            for each in records:
                metrics = dict(_numbers(each))
                place = int(metrics.pop(axis))
                for log in opened:
                    log(place, metrics)

        yield hear


def _numbers(record: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{path}{name}/")
        elif name not in _NOT_METRICS and isinstance(value, (int, float)) and math.isfinite(value):
            yield f"{path}{name}", value


def check_sinks(names: Sequence[str]) -> None:
    """Raise ConfigError for an unknown name, or one whose package is missing."""
    for name in names:
        if name not in SINKS:
            raise ConfigError(f"log='{name:.40}' is unknown; use one of {', '.join(SINKS)}")
        if find_spec(_PACKAGES[name]) is None:
            raise ConfigError(
                f"log='{name}' needs {_PACKAGES[name]}; "
                f'install it with pip install "mirrordrift[{name}]"'
            )


@contextmanager
def _tensorboard(folder: Path, record: Mapping[str, Any], axis: str) -> Iterator[Log]:
    """Event files in the folder's `tensorboard`; a run that goes on adds one."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder / "tensorboard")) as writer:

        def log(place: int, metrics: Mapping[str, float]) -> None:
            for name, value in metrics.items():
                writer.add_scalar(name, value, place)

        yield log


@contextmanager
def _wandb(folder: Path, record: Mapping[str, Any], axis: str) -> Iterator[Log]:
    """A run of the project `mirrordrift` (or WANDB_PROJECT), which a run that goes on continues."""
    import wandb

    settings = wandb.Settings(console="off", silent=True)
    try:
        run = wandb.init(
            project=None if "WANDB_PROJECT" in os.environ else "mirrordrift",
            id=_wandb_id(folder),
            name=folder.name,
            dir=str(folder),
            config=dict(record),
            resume="allow",
            settings=settings,
        )
    except wandb.Error as error:
        raise ConfigError(
            f"wandb does not start ({str(error).strip():.120}); run 'wandb login', or set "
            "WANDB_MODE=offline"
        ) from None
    try:
        yield lambda place, metrics: run.log({axis: place, **metrics})
    finally:
        run.finish()


def _wandb_id(folder: Path) -> str:
    """What W&B knows the folder's run by, made up at its start."""
    path = folder / "wandb-id.txt"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, secrets.token_hex(8).encode())
    return read_bounded(path).decode("ascii", "replace").strip()


SINKS: Mapping[str, Callable[..., Any]] = {"tensorboard": _tensorboard, "wandb": _wandb}
_PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb"}
