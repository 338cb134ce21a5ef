"""The three-legged ant: brax's ant, paid for leaving its fourth leg alone.

The fourth leg is `right_back_leg`, with the joints hip_4 and ankle_4. It is used as much as its two
motors work: use = hip² + ankle², each torque as a share of its greatest, so from 0 to 2. A step
pays what the ant's does, less LEG_COST · use. Physics, observations, actions, starts and ends are
the ant's: an agent of one acts in the other.

Source: the task of "Learning loss landscapes in preference optimization", section 4.2, whose text
says only that using the leg is penalised.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from rl.environments.adapter import Task, TaskStep

NAME = "three-legged-ant"

LEG_COST = 4.3
"""What one unit of use costs in a step.

The paper's agent of the ant is worth 6000 there and 1700 here: 4.3 a step, over 1000 steps. Torques
that swing as a sine of full amplitude have mean square 1/2, which is a use of 1; uniformly random
ones have 2/3, ones that are always at their greatest 2. No agent worth 6000 was at hand to measure.
"""

_LEG_JOINTS = 2


def penalised(ant: Task, env: Any) -> Task:
    """The task of brax's environment `env`, which is an ant, as the three-legged one."""
    motors = leg_motors(env)

    def step(key: PRNGKeyArray, state: Any, action: Array) -> TaskStep:
        found = ant.step(key, state, action)
        torques = jnp.clip(action[motors], -1.0, 1.0)  # as the motors take them
        return found._replace(reward=found.reward - LEG_COST * jnp.sum(jnp.square(torques)))

    return replace(ant, name=NAME, step=step)


def leg_motors(env: Any) -> Array:
    """Places in an action of the motors that drive the fourth leg.

    brax lists the leg's joints last and its motors first, whatever the ant's description says.
    """
    first_joint = env.sys.qd_size() - _LEG_JOINTS
    return jnp.flatnonzero(jnp.asarray(env.sys.actuator.qd_id) >= first_joint)
