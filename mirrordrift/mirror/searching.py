"""What a search for mirror maps stands on: its preferences, made first where they are its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rl.offline.config import SCRATCH
from rl.preference.cards import AGENTS
from search.mirror.config import DataSettings, MirrorConfig
from search.mirror.folder import MirrorFolder
from search.mirror.training import Ground, ground

if TYPE_CHECKING:
    from rl.preference.data import PreferenceData

Tell = Callable[[str, int, int], None]
"""(what is made, how much of it is done, of how much)."""


def check(config: MirrorConfig) -> None:
    """Raise ConfigError for data or an agent that cannot be used, before anything is written."""
    from mirrordrift.actors import actor_of
    from rl import environments
    from rl.offline.actor import from_agent
    from rl.offline.population import check_minibatch
    from rl.preference.data import PreferenceData
    from rl.preference.generation import check_agents

    if config.dataset:
        data = PreferenceData.open(config.dataset)
        check_minibatch(config.training, len(data))
        task = environments.make(data.config.env, backend=data.config.backend)
    else:
        check_minibatch(config.training, config.data.rows)
        agents = {who: actor_of(getattr(config.data, who)) for who in AGENTS}
        backend = agents["expert"].backend
        task = environments.make(config.data.env, backend=backend)
        check_agents(task, backend, agents)
    if config.start != SCRATCH:
        from_agent(actor_of(config.start).network, task)


def opened(config: MirrorConfig, folder: MirrorFolder, tell: Tell) -> tuple[PreferenceData, Ground]:
    """The preferences of a search, made first where they are its own, and what it stands on.

    Raises ConfigError for a dataset or an agent that cannot be read or made.
    """
    from mirrordrift.actors import actor_of
    from rl.preference.data import PreferenceData

    start = kept_start(config.start, folder.start_path)
    path = Path(config.dataset) if config.dataset else made(config.data, folder.data_path, tell)
    data = PreferenceData.open(path)
    return data, ground(config, data, None if start == SCRATCH else actor_of(start).network)


def kept_start(spec: str, path: Path) -> str:
    """Where trainings begin: SCRATCH, or the copy of the agent at `path`, made where there is none.

    What was named may be trained further, or be gone, when they go on.
    Raises ConfigError for an agent that cannot be read.
    """
    from mirrordrift.actors import actor_of
    from rl.preference.actors import write_actor

    if spec == SCRATCH:
        return spec
    if not path.exists():
        write_actor(path, actor_of(spec))
    return str(path)


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
        agents = {who: actor_of(getattr(wanted, who)) for who in AGENTS}
        settings = wanted.preferences(agents["expert"].backend)
        task = environments.make(settings.env, backend=settings.backend)
        check_agents(task, settings.backend, agents)
        begun = PreferenceFolder.create(path, settings, agents, task, versions())
    task = environments.make(begun.config.env, backend=begun.config.backend)
    generate(
        begun, task, agents, lambda done, total: tell(f"preferences, {wanted.kind}", done, total)
    )
    return path
