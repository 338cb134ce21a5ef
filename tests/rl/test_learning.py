"""With PPO's drift agents learn what PPO is known to learn; minutes, so in the slow tier."""

from __future__ import annotations

import numpy as np
import pytest

from mirrordrift import evaluate


@pytest.mark.slow
def test_cartpole_is_solved_by_every_seed() -> None:
    scores = evaluate(["ppo"], "CartPole-v1", seeds=range(5))
    assert min(score.return_mean for score in scores) >= 475


@pytest.mark.slow
def test_inverted_pendulum_is_balanced() -> None:
    """Long unrolls of few environments: brax's recipe of 2 M steps does not get there in spring."""
    changes = {
        "num_envs": 64, "unroll_length": 64, "num_unrolls": 1, "num_minibatches": 8, "update_epochs": 4,
        "policy_hidden": (64, 64), "value_hidden": (64, 64), "discount": 0.99, "reward_scaling": 0.1,
        "learning_rate": 1e-3, "anneal_learning_rate": True, "total_env_steps": 1_500_000,
    }  # fmt: skip
    scores = evaluate(["ppo"], "inverted_pendulum", seeds=range(5), **changes)
    assert np.mean([score.return_mean for score in scores]) >= 950


@pytest.mark.slow
def test_hopper_is_learned_far_beyond_chance() -> None:
    changes = {
        "num_envs": 256, "unroll_length": 32, "num_unrolls": 1, "num_minibatches": 8, "update_epochs": 4,
        "policy_hidden": (64, 64), "value_hidden": (64, 64), "total_env_steps": 1_000_000,
    }  # fmt: skip
    scores = evaluate(["ppo"], "hopper", seeds=range(3), **changes)
    assert min(score.return_mean for score in scores) > 200
    assert np.mean([s.records[0]["return_mean"] for s in scores]) < 100


@pytest.mark.slow
def test_breakout_is_learned_far_beyond_chance() -> None:
    scores = evaluate(["ppo"], "Breakout-MinAtar", seeds=range(3), total_env_steps=500_000)
    for score in scores:
        assert score.return_mean > 8 * score.records[0]["return_mean"]
        assert score.return_mean > 4
