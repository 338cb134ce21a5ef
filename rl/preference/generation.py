"""Preference datasets made: chunk after chunk played, ranked and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from rl.environments import Continuous, Discrete, Episodes, Task
from rl.preference.actors import Actor
from rl.preference.cards import AGENTS
from rl.preference.chunks import Preferences
from rl.preference.config import PreferenceConfig
from rl.preference.folder import PreferenceFolder
from rl.preference.pairs import Draws, draw, rank, sorted_out
from rl.preference.rollouts import PolicyFunction, Trajectories, play
from symbolic.errors import ConfigError

Progress = Callable[[int, int], None]
"""(chunks done, chunks in all)."""


class Chunk(NamedTuple):
    """Rows, and what is counted over them."""

    rows: Preferences
    tally: dict[str, float]


@lru_cache(maxsize=8)
def _program(task: Task, steps: int, rows: int) -> Callable[..., tuple[Draws, Trajectories]]:
    """Plays `rows` pairs of at most `steps` steps, the first sides before the second ones."""
    episodes = Episodes(replace(task, episode_length=steps), 2 * rows)

    @jax.jit
    def played(
        policies: tuple[PolicyFunction, ...], key: PRNGKeyArray, shares: Array, first_row: Array
    ) -> tuple[Draws, Trajectories]:
        draws = draw(key, shares, first_row + jnp.arange(rows))
        starts = jnp.concatenate([draws.start_keys, draws.start_keys])
        keys = jnp.concatenate([draws.first_keys, draws.second_keys])
        return draws, play(episodes, policies, jnp.concatenate(draws.players), starts, keys)

    return played


class Generator:
    """Plays and ranks the chunks of a dataset, each a pure function of its number.

    All chunks run one program, a short one with rows that are thrown away: so how many rows are
    asked for changes none of them.
    """

    def __init__(
        self,
        task: Task,
        config: PreferenceConfig,
        expert: PolicyFunction,
        reference: PolicyFunction,
    ) -> None:
        self.config = config
        self.policies = (expert, reference)
        self._played = _program(task, config.steps, config.chunk_rows)

    def chunk(self, index: int) -> Chunk:
        """The rows of one chunk; raises ConfigError where a return is no finite number."""
        config = self.config
        first_row, count = index * config.chunk_rows, config.rows_of(index)
        draws, both = self._played(
            self.policies, jax.random.key(config.seed), jnp.asarray(config.shares), first_row
        )
        pair, judge, noise = (
            np.asarray(column)[:count] for column in (draws.pair, draws.judge, draws.noise)
        )
        host = [np.asarray(array) for array in both]
        first, second = (
            Trajectories(*(array[begin : begin + count] for array in host))
            for begin in (0, config.chunk_rows)
        )
        one, other = (side.rewards.sum(axis=1, dtype=np.float64) for side in (first, second))
        if not (np.isfinite(one).all() and np.isfinite(other).all()):
            raise ConfigError(
                f"a return in rows {first_row} to {first_row + count - 1} is no finite number: the "
                "physics diverged; try another --seed or other agents"
            )
        ranked = rank(one, other, judge, noise, config)
        return Chunk(sorted_out(first, second, one, other, ranked.first_chosen, pair), ranked.tally)


def check_agents(task: Task, backend: str, agents: dict[str, Actor]) -> None:
    """Raise ConfigError for an agent that cannot act in a task, and for one that plays itself."""
    hashes = {agent.content_hash for agent in agents.values()}
    if len(hashes) < len(agents):
        raise ConfigError(
            "expert and reference are the same agent, so that no row says who is better; name a "
            "weaker reference, for example a run with fewer --steps"
        )
    for who, agent in agents.items():
        seen, actions = agent.network.mean.size, agent.network.actions
        if (seen, actions) != (task.observation_size, task.actions):
            raise ConfigError(
                f"the {who} is an agent of {agent.env}, {seen} observed numbers and "
                f"{_described(actions)}, and cannot act in {task.name}, "
                f"{task.observation_size} and {_described(task.actions)}; name another"
            )
        if agent.backend != backend:
            raise ConfigError(
                f"the {who} was trained on backend={agent.backend}, not on {backend}; name another"
            )


def generate(
    folder: PreferenceFolder, task: Task, agents: dict[str, Actor], progress: Progress | None = None
) -> dict[str, Any]:
    """Make what a folder lacks of its dataset; its card when all is there.

    Chunks that are there are kept, and those that are damaged are made again.
    Raises ConfigError for a folder that cannot be written; what was saved before stays.
    """
    total = folder.config.chunks
    expert, reference = (agents[who].network for who in AGENTS)
    generator = Generator(task, folder.config, expert, reference)
    for index in range(total):
        if not folder.has(index):
            folder.save(index, *generator.chunk(index))
        if progress is not None:
            progress(index + 1, total)
    folder.finish()
    return folder.card


def _described(actions: Discrete | Continuous) -> str:
    if isinstance(actions, Discrete):
        return f"{actions.count} actions"
    return f"{actions.size} actions in [{actions.low}, {actions.high}]"
