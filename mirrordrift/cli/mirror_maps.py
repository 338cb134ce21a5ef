"""What `drift meta-train` asks of a search for mirror maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from mirrordrift.cli.options import UNSET, fields_asked
from rl import reference_agents
from rl.offline.config import SCRATCH
from rl.preference.cards import AGENTS
from rl.preference.data import PreferenceData
from search.mirror.config import MirrorConfig
from search.mirror.folder import MirrorFolder
from search.mirror.presets import PRESETS, preset
from symbolic.errors import ConfigError

_PARTS = ("strategy", "network", "training", "data")
"""Fields of a search that have fields."""
SETTLED = ("seed", "dataset", "data_hash")
"""Fields of a search that flags and data settle."""
_IN_VAIN = ("num_evaluations", "sft_epochs")
"""Fields of the training that change nothing in a search: only the last judgement of a member counts, and
it has no reference policy."""


def is_mirror(name: str, resume: str) -> bool:
    """Whether a preset, or the folder that goes on, is a search for mirror maps."""
    return name in PRESETS or (bool(resume) and (Path(resume) / MirrorFolder.NAME).exists())


def asked(
    name: str, settings: tuple[str, ...], *, generations: int, seed: int, dataset: str
) -> MirrorConfig:
    """A preset with what the flags change; raises ConfigError for what is no field."""
    config = with_settings(
        preset(name), settings, without=(*SETTLED, "generations"), in_vain=_IN_VAIN
    )
    changes: dict[str, Any] = {"seed": seed}
    if generations != UNSET:
        changes["generations"] = generations
    if dataset:
        if any(s.strip().startswith("data.") for s in settings):
            raise ConfigError("--dataset and --set data.… say the same; leave one out")
        changes["dataset"] = str(Path(dataset).resolve())
        changes["data_hash"] = PreferenceData.open(dataset).card["hash"]
    return with_paths(replace(config, **changes))


def with_paths(config: MirrorConfig) -> MirrorConfig:
    """The search with agents named so that they are found wherever it goes on."""
    agents: dict[str, Any] = {who: _lasting_agent(getattr(config.data, who)) for who in AGENTS}
    return replace(config, data=replace(config.data, **agents), start=_lasting_agent(config.start))


def _lasting_agent(spec: str) -> str:
    """What names no file before all stays: a fresh policy, or an agent that is shipped."""
    named = spec == SCRATCH or spec in reference_agents.names()
    return spec if named else lasting_path(spec)


def refuse_unprefixed(settings: Iterable[str], prefix: str) -> None:
    """Raise ConfigError for settings of a search that lack the prefix, and the part, that they have."""
    parts = [(f"{part}.", type(getattr(MirrorConfig(), part))) for part in _PARTS]
    known = [
        f"{prefix}{part}{field.name}"
        for part, kind in [("", MirrorConfig), *parts]
        for field in fields(kind)
        if part or field.name not in (*SETTLED, *_PARTS)
    ]
    for setting in settings:
        name = setting.partition("=")[0].strip()
        if near := [each for each in known if each.endswith(f".{name}")]:
            raise ConfigError(f"--set {setting:.60} sets no field; write {' or '.join(near)}")


def lasting_path(name: str) -> str:
    """A path made absolute; what is none as it is."""
    return str(Path(name).resolve()) if name and Path(name).exists() else name


def with_settings(
    config: MirrorConfig,
    settings: Iterable[str],
    prefix: str = "",
    *,
    without: Iterable[str],
    in_vain: Iterable[str] = (),
) -> MirrorConfig:
    """The search with what --set asks of it, "seeds=2" or "strategy.sigma=0.1", after the prefix.

    `without` are fields that have another flag, `in_vain` fields of the training that change nothing.
    Raises ConfigError for what is no field.
    """
    left = [setting.strip() for setting in settings]
    changes: dict[str, Any] = {}
    for part in _PARTS:
        inside = f"{prefix}{part}."
        own = [setting for setting in left if setting.startswith(inside)]
        left = [setting for setting in left if setting not in own]
        value = getattr(config, part)
        asked = fields_asked(
            type(value), own, inside, without=in_vain if part == "training" else ()
        )
        changes[part] = replace(value, **asked)
    hidden = {*without, *_PARTS}
    return replace(config, **changes, **fields_asked(MirrorConfig, left, prefix, without=hidden))
