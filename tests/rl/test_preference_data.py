"""Preference datasets: pairs from one state, ranked as stated, the same bytes whenever they are made."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from preference_probes import AGENTS, ENV, TINY, actor, made

from rl import environments
from rl.agent import Agent
from rl.environments import Continuous, Discrete, Episodes, Task
from rl.networks import ActorCritic, Perceptron
from rl.normalisation import empty, update
from rl.policies import policy_for
from rl.preference import cards, generation
from rl.preference.actors import Actor, read_actor, write_actor
from rl.preference.chunks import Preferences
from rl.preference.config import POOR, SURE, PreferenceConfig
from rl.preference.data import PreferenceData
from rl.preference.judge import preference_probability, temperature_for
from rl.preference.pairs import draw, rank
from rl.preference.rollouts import play
from rl.score import Score
from symbolic.errors import ConfigError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("data") / "base")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_both_trajectories_of_a_row_begin_in_one_state(dataset: Path) -> None:
    rows = PreferenceData.open(dataset, env=ENV).arrays()
    np.testing.assert_array_equal(rows.chosen_observations[:, 0], rows.rejected_observations[:, 0])
    assert len(np.unique(rows.chosen_observations[:, 0], axis=0)) == 20
    assert (rows.chosen_observations[:, 1] != rows.rejected_observations[:, 1]).any()
    assert (rows.chosen_length == 12).all() and (rows.pair == 0).all()
    assert (np.abs(rows.chosen_actions) < 2).all()


def test_numpy_reads_the_files_as_they_are(dataset: Path) -> None:
    data = PreferenceData.open(dataset)
    assert (len(data), data.num_chunks) == (20, 3)
    for index, rows in enumerate(data.chunks()):
        with np.load(dataset / cards.chunk_name(index), allow_pickle=False) as archive:
            for name, array in rows._asdict().items():
                np.testing.assert_array_equal(archive[name], array)
                assert archive[name].dtype == array.dtype


def test_flipped_is_where_the_rejected_one_is_worth_more(dataset: Path) -> None:
    data = PreferenceData.open(dataset)
    rows = data.arrays()
    np.testing.assert_array_equal(rows.flipped, rows.chosen_return < rows.rejected_return)
    assert data.card["flip_rate"] == pytest.approx(rows.flipped.mean())
    assert data.card["judge"]["accuracy"] == pytest.approx(1 - rows.flipped.mean())
    expected = preference_probability(
        np.maximum(rows.chosen_return, rows.rejected_return),
        np.minimum(rows.chosen_return, rows.rejected_return), 5.0,
    )  # fmt: skip
    assert data.card["judge"]["expected_accuracy"] == pytest.approx(expected.mean())


def test_the_same_seed_is_the_same_bytes_and_another_is_not(dataset: Path, tmp_path: Path) -> None:
    assert contents(made(tmp_path / "again")) == contents(dataset)
    other = PreferenceData.open(made(tmp_path / "other", seed=1)).card
    assert other["hash"] != PreferenceData.open(dataset).card["hash"]


def test_how_many_rows_are_asked_for_changes_none(dataset: Path, tmp_path: Path) -> None:
    fewer = PreferenceData.open(made(tmp_path / "fewer", rows=11)).arrays()
    for few, all_of_them in zip(fewer, PreferenceData.open(dataset).arrays()):
        np.testing.assert_array_equal(few, all_of_them[:11])


def test_kinds_share_their_trajectories(dataset: Path, tmp_path: Path) -> None:
    base = PreferenceData.open(dataset).arrays()
    noisy = PreferenceData.open(made(tmp_path / "noisy", kind="noisy", noise=0.3)).arrays()
    swapped = base.chosen_return != noisy.chosen_return
    assert 0 < swapped.sum() < 20
    np.testing.assert_array_equal(base.flipped ^ swapped, noisy.flipped)
    np.testing.assert_array_equal(
        np.where(swapped[:, None, None], noisy.rejected_actions, noisy.chosen_actions),
        base.chosen_actions,
    )
    shuffled = PreferenceData.open(made(tmp_path / "shuffled", kind="shuffled")).arrays()
    alike = shuffled.pair == 0
    assert 0 < alike.sum() < 20
    for one, other in zip(shuffled, base):
        np.testing.assert_array_equal(one[alike], other[alike])


ROWS = 20_000


def within(count: float, share: float) -> bool:
    """Whether a binomial count is within five standard deviations."""
    return abs(count - ROWS * share) <= 5 * np.sqrt(ROWS * share * (1 - share)) + 1e-9


def test_shuffled_pairs_have_their_shares() -> None:
    shares = PreferenceConfig(env=ENV, kind="shuffled").shares
    draws = draw(jax.random.key(0), jnp.asarray(shares), jnp.arange(ROWS))
    for pair, share in enumerate(shares):
        assert within(float(jnp.sum(draws.pair == pair)), share)
    first, second = (np.asarray(side) for side in draws.players)
    pair = np.asarray(draws.pair)
    assert (first[pair == 0] == 0).all() and (second[pair == 0] == 1).all()
    assert (first[pair == 1] == 0).all() and (second[pair == 1] == 0).all()
    assert (first[pair == 2] == 1).all() and (second[pair == 2] == 1).all()


@pytest.mark.parametrize("accuracy", [0.95, 0.85, 0.75])
def test_a_judge_is_as_accurate_and_noise_as_frequent_as_stated(accuracy: float) -> None:
    shares = jnp.asarray([1.0, 0.0, 0.0])
    draws = draw(jax.random.key(3), shares, jnp.arange(ROWS))
    judge, noise = np.asarray(draws.judge), np.asarray(draws.noise)
    temperature = temperature_for(accuracy, 300.0)
    config = PreferenceConfig(env=ENV, kind="noisy", noise=0.1, temperature=temperature)
    better, worse = np.full(ROWS, 2100.0), np.full(ROWS, 1800.0)
    for first, second in ((better, worse), (worse, better)):
        tally = rank(first, second, judge, noise, config).tally
        assert tally["expected_right"] == pytest.approx(ROWS * accuracy)
        assert within(tally["right"], accuracy)
        assert within(tally["noised"], 0.1)
        assert within(tally["flipped"], 0.1 * accuracy + 0.9 * (1 - accuracy))


def test_the_judges_of_the_paper() -> None:
    assert [round(temperature_for(p, 300.0), 1) for p in (0.95, 0.85, 0.75)] == [
        101.9,
        173.0,
        273.1,
    ]
    assert (round(SURE, 1), round(POOR, 1)) == (101.9, 273.1)
    assert preference_probability(np.array([1e9]), np.array([-1e9]), 1.0) == 1.0


def test_equal_returns_are_neither_right_nor_flipped() -> None:
    tied = np.zeros(4)
    config = PreferenceConfig(env=ENV)
    ranked = rank(tied, tied, np.array([0.1, 0.9, 0.4, 0.6]), np.ones(4), config)
    assert ranked.first_chosen.tolist() == [True, False, True, False]
    tally = ranked.tally
    assert (tally["flipped"], tally["right"], tally["expected_right"], tally["tied"]) == (
        0,
        0,
        0,
        4,
    )
    whole = cards.summary(PreferenceConfig(env=ENV, rows=4), [{"tally": tally}])
    assert whole["tie_rate"] == 1 and whole["judge"]["accuracy"] is None


def test_an_agent_does_not_play_itself() -> None:
    with pytest.raises(ConfigError, match="expert and reference are the same agent"):
        generation.check_agents(environments.make(ENV), "spring", {who: actor(0) for who in AGENTS})


def test_any_function_plays_and_ends_are_padded(counter: Task) -> None:
    policy = jax.tree_util.Partial(lambda observation, key: jnp.int32(1))
    idle = jax.tree_util.Partial(lambda observation, key: jnp.int32(0))
    keys = jax.random.split(jax.random.key(0), 4)
    player = jnp.array([0, 1, 0, 1])
    found = play(Episodes(counter, 4), (policy, idle), player, keys, keys)
    assert found.lengths.tolist() == [3, 3, 3, 3]
    assert found.observations[0, :, 0].tolist() == [0, 1, 2, 0, 0]
    assert found.rewards[0].tolist() == [1, 2, 3, 0, 0]
    assert found.actions[:, :, 0].tolist() == [[1, 1, 1, 0, 0], [0] * 5] * 2


@pytest.fixture
def counter() -> Task:
    import probe_envs

    return probe_envs.counter(3, 5)


def test_an_actor_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "actor.npz"
    write_actor(path, AGENTS["expert"])
    again = read_actor(path)
    assert again.content_hash == AGENTS["expert"].content_hash
    assert again.story == {"return_mean": -100.5}
    observation, key = jnp.ones(3), jax.random.key(0)
    assert again.network(observation, key) == AGENTS["expert"].network(observation, key)


@pytest.mark.parametrize("actions", [Discrete(3), Continuous(2, -2.0, 1.0)])
def test_an_actor_acts_as_its_agent_does(actions: Discrete | Continuous) -> None:
    policy = policy_for(actions)
    outputs = policy.num_outputs
    networks = ActorCritic(
        policy=Perceptron((8, 8), outputs, "swish", "orthogonal", output_scale=1.0),
        value=Perceptron((8,), 1, "swish", "orthogonal", output_scale=1.0),
    )
    agent = Agent(
        env=ENV,
        score=Score(0, 0, 1.0, 0.1, 1.0, 10, 1.0, 1.0, None, ()),
        networks=networks,
        policy=policy,
        parameters=networks.init(jax.random.key(0), 3),
        observations=update(
            empty(3), 2 * jnp.asarray(np.random.default_rng(0).normal(size=(50, 3)))
        ),
    )
    network = Actor.of(agent, backend="spring", actions=actions).network
    for seed in range(5):
        key, observation = jax.random.key(seed), jax.random.normal(jax.random.key(-seed), (3,))
        np.testing.assert_allclose(
            network(observation, key), agent.act(observation, key), rtol=1e-5
        )


def test_actions_lie_strictly_within_the_range() -> None:
    sure = AGENTS["expert"].network
    wide = tuple((100 * kernel, bias + 100) for kernel, bias in sure.layers)
    action = float(replace(sure, layers=wide)(jnp.ones(3), jax.random.key(0))[0])
    assert 1.99 < action < 2
    assert np.isfinite(np.arctanh(np.float32(action / 2)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "odd"}, "kind='odd' is unknown"),
        ({"rows": 0}, "rows=0 must be"),
        ({"steps": 1.5}, "steps=1.5 must be"),
        ({"seed": -1}, "seed=-1 must be"),
        ({"noise": 1.0}, "noise=1.0 must lie"),
        ({"noise": 0.1}, "does not go with kind='base'"),
        ({"kind": "noisy"}, "does not go with kind='noisy'"),
        ({"temperature": 0.0}, "temperature=0.0 must be"),
        ({"temperature": float("nan")}, "temperature=nan must be"),
    ],
)
def test_settings_that_break_a_rule(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PreferenceConfig(**{**TINY, **changes})


def test_accuracies_that_no_judge_has() -> None:
    for accuracy, difference in ((0.5, 300.0), (1.0, 300.0), (0.9, 0.0)):
        with pytest.raises(ConfigError, match="try"):
            temperature_for(accuracy, difference)


def test_preferences_name_every_array() -> None:
    from rl.preference.chunks import Sizes

    assert tuple(Sizes(1, 1, 1).arrays(1)) == Preferences._fields


def test_memory_holds_a_chunk_however_many_rows_there_are(tmp_path: Path) -> None:
    made(tmp_path / "first", rows=8, steps=400)  # what compiling takes is no part of it
    tracemalloc.start()
    try:
        folder = made(tmp_path / "many", rows=240, steps=400)
        making = tracemalloc.get_traced_memory()[1]
        data = PreferenceData.open(folder)
        tracemalloc.reset_peak()
        assert [len(rows.flipped) for rows in data.chunks()] == [8] * 30
        reading = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    chunk = data.card["chunks"][0]["bytes"]
    assert making < 10 * chunk and reading < 6 * chunk, (making, reading, chunk)
