"""Which agents count."""

from __future__ import annotations

import numpy as np

from rl.config import TrainerConfig
from rl.score import MOST_NONFINITE, lost

CONFIG = TrainerConfig(total_env_steps=1024, num_envs=8, unroll_length=16, update_epochs=2)


def test_an_agent_is_lost_by_its_weights_its_return_or_its_drift() -> None:
    assert CONFIG.samples_per_update == 256
    most = MOST_NONFINITE * 256 * 4
    metrics = {
        "updates": np.full(5, 4.0),
        "diverged": np.array([0.0, 1.0, 0.0, 0.0, 0.0]),
        "nonfinite": np.array([0.0, 0.0, 0.0, most + 1, most - 1]),
    }
    returns = np.array([1.0, 1.0, np.nan, 1.0, 1.0])
    np.testing.assert_array_equal(lost(CONFIG, metrics, returns), [False, True, True, True, False])
