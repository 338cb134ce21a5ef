"""What `drift meta-train` asks of a search for mirror maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mirrordrift.cli.options import UNSET, fields_asked
from rl.preference.data import PreferenceData
from search.mirror.config import MirrorConfig
from search.mirror.folder import MirrorFolder
from search.mirror.presets import PRESETS, preset
from symbolic.errors import ConfigError

PARTS = {
    "strategy.": "strategy", "network.": "network", "training.": "training", "data.": "data",
}  # fmt: skip
"""Fields of a search that have fields, by the prefix of these."""
_FLAGS = ("seed", "generations", "dataset", "data_hash", *PARTS.values())


def is_mirror(name: str, resume: str) -> bool:
    """Whether a preset, or the folder that goes on, is a search for mirror maps."""
    return name in PRESETS or (bool(resume) and (Path(resume) / MirrorFolder.NAME).exists())


def asked(
    name: str, settings: tuple[str, ...], *, generations: int, seed: int, dataset: str
) -> MirrorConfig:
    """A preset with what the flags change; raises ConfigError for what is no field."""
    config = preset(name)
    plain = [s.strip() for s in settings if not s.strip().startswith(tuple(PARTS))]
    changes: dict[str, Any] = fields_asked(MirrorConfig, plain, without=_FLAGS) | {"seed": seed}
    config = with_parts(config, settings)
    if generations != UNSET:
        changes["generations"] = generations
    if dataset:
        if any(s.strip().startswith("data.") for s in settings):
            raise ConfigError("--dataset and --set data.… say the same; leave one out")
        changes["dataset"] = str(Path(dataset).resolve())
        changes["data_hash"] = PreferenceData.open(dataset).card["hash"]
    return replace(config, **changes)


def with_parts(config: MirrorConfig, settings: Iterable[str]) -> MirrorConfig:
    """The search with what is asked of its parts, "strategy.sigma=0.1"; raises ConfigError."""
    asked = [setting.strip() for setting in settings]
    changes: dict[str, Any] = {}
    for prefix, part in PARTS.items():
        own = [setting for setting in asked if setting.startswith(prefix)]
        value = getattr(config, part)
        changes[part] = replace(value, **fields_asked(type(value), own, prefix))
    return replace(config, **changes)
