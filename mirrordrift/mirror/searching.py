"""What a search for mirror maps stands on: its preferences, made first where they are its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rl.offline.config import SCRATCH
from search.mirror.config import DataSettings, MirrorConfig
from search.mirror.folder import MirrorFolder
from search.mirror.training import Ground, ground

if TYPE_CHECKING:
    from rl.preference.actors import Actor
    from rl.preference.data import PreferenceData

Tell = Callable[[str, int, int], None]
"""(what is made, how much of it is done, of how much)."""


def check(config: MirrorConfig) -> None:
    """Raise ConfigError for data or an agent that cannot be used, before anything is written."""
    from mirrordrift.actors import actor_of
    from rl.offline.population import check_minibatch
    from rl.preference.data import PreferenceData

    rows = config.data.rows
    if config.dataset:
        rows = len(PreferenceData.open(config.dataset))
    else:
        actor_of(config.data.expert)
        actor_of(config.data.reference)
    check_minibatch(config.training, rows)
    if config.start != SCRATCH:
        actor_of(config.start)


def opened(config: MirrorConfig, folder: MirrorFolder, tell: Tell) -> tuple[PreferenceData, Ground]:
    """The preferences of a search, made first where they are its own, and what it stands on.

    Raises ConfigError for a dataset or an agent that cannot be read or made.
    """
    from rl.preference.data import PreferenceData

    path = Path(config.dataset) if config.dataset else made(config.data, folder.data_path, tell)
    data = PreferenceData.open(path)
    start = None if config.start == SCRATCH else _start(config.start, folder).network
    return data, ground(config, data, start)


def _start(spec: str, folder: MirrorFolder) -> Actor:
    """The agent that trainings begin with: the copy in the folder, made where there is none.

    What was named may be trained further while a search goes on.
    """
    from mirrordrift.actors import actor_of
    from rl.preference.actors import read_actor, write_actor

    if not folder.start_path.exists():
        write_actor(folder.start_path, actor_of(spec))
    return read_actor(folder.start_path)


def made(wanted: DataSettings, path: Path, tell: Tell) -> Path:
    """A dataset, made or finished in its folder; raises ConfigError for agents that do not fit."""
    from mirrordrift.actors import actor_of
    from mirrordrift.runs import versions
    from rl import environments
    from rl.preference.cards import CARD, read_card
    from rl.preference.folder import PreferenceFolder
    from rl.preference.generation import check_agents, generate

    if (path / CARD).exists():
        if read_card(path).get("complete"):
            return path
        begun, agents = PreferenceFolder.open(path)
    else:
        agents = {"expert": actor_of(wanted.expert), "reference": actor_of(wanted.reference)}
        settings = wanted.preferences(agents["expert"].backend)
        task = environments.make(settings.env, backend=settings.backend)
        check_agents(task, settings.backend, agents)
        begun = PreferenceFolder.create(path, settings, agents, task, versions())
    task = environments.make(begun.config.env, backend=begun.config.backend)
    generate(
        begun, task, agents, lambda done, total: tell(f"preferences, {wanted.kind}", done, total)
    )
    return path
