"""Agents learn what probe tasks have to teach, and a run that is cut goes on bit for bit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import probe_envs
import pytest

from rl import config as config_rules
from rl import networks
from rl.config import TrainerConfig
from rl.drifts import of_formulas
from rl.environments import Task
from rl.folder import RunFolder
from rl.population import Population, Programs, schedule
from rl.trainer import _optimiser
from rl.training import train
from symbolic.catalogue import catalogue
from symbolic.drift import Drift
from symbolic.errors import ConfigError

CONFIG = TrainerConfig(
    total_env_steps=12_800, num_envs=32, unroll_length=8, num_minibatches=4, update_epochs=4,
    learning_rate=5e-3, discount=0.5, entropy_cost=0.0, policy_hidden=(16,), value_hidden=(16,),
    activation="tanh", num_evaluations=2, num_eval_envs=64,
)  # fmt: skip


def population(
    task: Task, *names: str, config: TrainerConfig = CONFIG, seeds: Sequence[int] = (0,)
) -> Population:
    return Population.alone(
        task, config, of_formulas([catalogue[n] for n in names or ("ppo",)]), seeds
    )


def trained(task: Task, *names: str, config: TrainerConfig = CONFIG) -> tuple[Population, object]:
    agents = population(task, *names, config=config)
    state, _ = agents.run(agents.init(), config.num_updates)
    return agents, state


def values(agents: Population, state: object, observation: float) -> np.ndarray:
    actor_critic = agents.programs.trainer.networks
    of = jax.vmap(lambda p: actor_critic.values(p, jnp.full(1, observation)))
    return np.asarray(of(state.parameters))


def test_the_critic_learns_a_constant() -> None:
    agents, state = trained(probe_envs.constant_reward())
    assert values(agents, state, 1.0) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("refresh", [False, True])
def test_truncation_bootstraps(refresh: bool) -> None:
    config = replace(CONFIG, refresh_advantages=refresh)
    agents, state = trained(probe_envs.endless(), config=config)
    assert values(agents, state, 1.0) == pytest.approx(1 / (1 - CONFIG.discount), abs=0.1)


def test_drifts_learn_the_right_action_and_one_that_fails_touches_no_other() -> None:
    task = probe_envs.right_action()
    broken = Drift.from_text("(r-1)**2*log(A)")
    drifts = of_formulas([catalogue["ppo"], broken, catalogue["dpo"]])
    programs = Programs(task, CONFIG, drifts.apply, width=6)
    scores = train(Population(programs, drifts, [0, 1])).scores
    assert [score.failed is None for score in scores] == [True, True, False, False, True, True]
    assert "not finite" in str(scores[2].failed)
    good = [score for score in scores if score.failed is None]
    assert all(score.return_mean > 0.95 for score in good)
    others = of_formulas([catalogue["ppo"], catalogue["dpo"], catalogue["k3"]])
    without = train(Population(programs, others, [0, 1])).scores
    assert [s.return_mean for s in without[:4]] == [s.return_mean for s in good]


def test_a_continuous_action_finds_its_target() -> None:
    """Most agents do; where one settles follows from the last digits of its sums."""
    longer = replace(CONFIG, total_env_steps=2 * CONFIG.total_env_steps)
    found = train(population(probe_envs.target(), config=longer, seeds=range(5)))
    returns = [score.return_mean for score in found.scores]
    assert np.median(returns) > -0.2 and min(returns) > -0.5  # at random: -2.3
    agent = found.agent(int(np.argmax(returns)))
    assert agent.act(jnp.ones((3, 1))) == pytest.approx(np.ones((3, 1)), abs=0.3)
    drawn = agent.act(jnp.ones((50, 1)), jax.random.key(0))
    assert len(np.unique(drawn)) > 10 and np.abs(drawn).max() <= 2


def test_a_run_that_is_cut_goes_on_bit_for_bit(tmp_path: Path) -> None:
    task = probe_envs.right_action()
    drifts = of_formulas([catalogue["ppo"]])
    programs = Programs(task, CONFIG, drifts.apply, width=1)
    whole = Population(programs, drifts, [0])
    state, _ = whole.run(whole.init(), CONFIG.num_updates)

    class Cut(Exception):
        pass

    def cut(done: int, total: int, records: object) -> None:
        if done:
            raise Cut

    folder = RunFolder.create(tmp_path / "run", {"env": task.name})
    with pytest.raises(Cut):
        train(Population(programs, drifts, [0]), folder, cut)
    agents = Population(programs, drifts, [0])
    done, restored, records = RunFolder.open(folder.path)[0].restore(agents.init())
    assert done == 1 and [record["evaluation"] for record in records] == [0, 1]
    onward, _ = agents.run(restored, schedule(CONFIG)[1])
    for one, other in zip(jax.tree.leaves(state), jax.tree.leaves(onward), strict=True):
        if jax.dtypes.issubdtype(one.dtype, jax.dtypes.prng_key):
            one, other = jax.random.key_data(one), jax.random.key_data(other)
        np.testing.assert_array_equal(one, other)
    later = [*records, *({**record, "evaluation": 2} for record in records)]
    folder.write_metrics(later)  # killed after the records of a segment and before its checkpoint
    again = train(Population(programs, drifts, [0]), folder).scores
    assert [score.failed for score in again] == [None]
    lines = (folder.path / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == len(schedule(CONFIG)) + 1


def test_records_that_are_no_json(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {})
    folder.save(1, {"weight": jnp.zeros(2)}, [])
    (folder.path / "metrics.jsonl").write_text("{nonsense\n")
    with pytest.raises(ConfigError, match="no record"):
        folder.restore({"weight": jnp.zeros(2)})


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", {})
    with pytest.raises(ConfigError, match="--resume"):
        RunFolder.create(tmp_path / "run", {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_minibatches": 3}, "does not divide .* = 256; try 2 or 4"),
        ({"num_envs": 0}, "num_envs=0 must be a whole number of at least 1"),
        ({"discount": 1.5}, "discount=1.5 must lie in"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"activation": "gelu"}, "use one of swish"),
        ({"num_envs": 2**23}, "is beyond"),
        ({"num_eval_envs": 1}, "no standard error"),
        ({"num_envs": 8.0}, "must be a whole number"),
        ({"policy_hidden": 64}, "sizes of layers"),
        ({"max_grad_norm": "small"}, "positive number"),
        ({"normalise_rewards": "yes"}, "true or false"),
        ({"refresh_advantages": True, "num_minibatches": 64}, r"num_envs \* num_unrolls = 32"),
        ({"backend": "bullet"}, "use one of spring"),
        ({"backend": 5}, "use one of spring"),
        ({"adam_epsilon": 0}, "positive number"),
    ],
)
def test_a_configuration_checks_itself(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(CONFIG, **change)  # type: ignore[arg-type]


def test_names_of_a_configuration_mean_something() -> None:
    assert set(networks.ACTIVATIONS) == set(config_rules.ACTIVATIONS)


def steps_of_adam(config: TrainerConfig, gradient: float) -> list[float]:
    """How far each of all steps goes."""
    optimiser = _optimiser(config)
    weight = jnp.zeros(())
    state = optimiser.init(weight)
    steps = []
    for _ in range(config.num_updates * config.update_epochs * config.num_minibatches):
        step, state = optimiser.update(jnp.asarray(gradient), state, weight)
        steps.append(float(step))
    return steps


def test_the_learning_rate_may_fall_to_nothing() -> None:
    short = replace(CONFIG, total_env_steps=512)
    assert steps_of_adam(short, 1.0)[-1] == pytest.approx(-short.learning_rate, rel=1e-4)
    fallen = steps_of_adam(replace(short, anneal_learning_rate=True), 1.0)
    assert fallen[0] == pytest.approx(-short.learning_rate, rel=1e-4)
    assert fallen[-1] == pytest.approx(-short.learning_rate / len(fallen), rel=1e-3)


def test_a_clipped_gradient_is_as_good_as_a_smaller_one() -> None:
    short = replace(CONFIG, total_env_steps=256, adam_epsilon=0.1)
    clipped = replace(short, max_grad_norm=0.5)
    assert steps_of_adam(clipped, 100.0) == steps_of_adam(short, 0.5)
    assert steps_of_adam(clipped, 0.1) == steps_of_adam(short, 0.1)


def test_rewards_are_divided_by_the_spread_of_returns() -> None:
    config = replace(CONFIG, total_env_steps=256, normalise_rewards=True, reward_scaling=50.0)
    agents = population(probe_envs.right_action(), config=config)
    state, _ = agents.run(agents.init(), 1)
    assert float(state.returns.std[0, 0]) == pytest.approx(25.0, rel=0.1)
    assert float(state.returns.count[0]) == config.batch_size


def test_seconds_of_compiling_are_told_once_and_whole() -> None:
    agents = population(probe_envs.right_action())
    begun = time.perf_counter()
    assert agents.memory > 0
    spent = time.perf_counter() - begun
    assert agents.compile() > 0.5 * spent
    assert agents.compile() == 0.0


@pytest.mark.parametrize(
    ("seeds", "message"),
    [([-1], "seed=-1"), ([2**32], "0 to 4294967295"), ([3, 4, 3], "given twice")],
)
def test_seeds_that_are_none(seeds: list[int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Population.alone(probe_envs.endless(), CONFIG, of_formulas([catalogue["ppo"]]), seeds)


def test_segments_cover_the_training() -> None:
    assert sum(schedule(CONFIG)) == CONFIG.num_updates
