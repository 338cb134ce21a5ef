"""With PPO's drift agents learn what PPO is known to learn; minutes, so in the slow tier."""

from __future__ import annotations

import pytest

from mirrordrift import evaluate


@pytest.mark.slow
def test_cartpole_is_solved_by_every_seed() -> None:
    scores = evaluate(["ppo"], "CartPole-v1", seeds=range(5))
    assert min(score.return_mean for score in scores) >= 475


@pytest.mark.slow
def test_breakout_is_learned_far_beyond_chance() -> None:
    scores = evaluate(["ppo"], "Breakout-MinAtar", seeds=range(3), total_env_steps=500_000)
    for score in scores:
        assert score.return_mean > 8 * score.records[0]["return_mean"]
        assert score.return_mean > 4
