"""brax's PPO: one agent on one of its environments.

It compiles by itself in its first epoch, so compilation is that epoch's excess over the later ones.
In its second it compiles again, for where the first left its arrays; that one is not counted at all.
The epochs after them are the trainings: they go on from each other instead of beginning anew.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
from brax import envs
from brax.training import acting
from brax.training.agents.ppo import train as ppo
from brax.training.agents.ppo.networks import make_ppo_networks
from flax import linen

from trainers import measurement
from trainers.measurement import Job, Timing

EPISODE_LENGTH = 1000
COMPILING_EPOCHS = 2


def measure(job: Job, env: Any) -> tuple[Timing, float]:
    """The timing, whose state is the policy after the first epoch, and seconds of compilation."""
    setting = job["setting"]
    epochs = COMPILING_EPOCHS + job["repeats"]
    walltimes = [0.0]
    ended: list[float] = []
    policies: list[Any] = []

    def note_time(_: int, metrics: dict[str, Any]) -> None:
        ended.append(time.time())
        walltimes.append(float(metrics["training/walltime"]))

    def note_policy(step: int, make_policy: Callable[..., Any], parameters: Any) -> None:
        if step > 0:
            policies.append((make_policy, parameters))

    ppo.train(
        environment=env,
        num_timesteps=epochs * job["updates"] * measurement.batch_size(setting),
        num_evals=epochs + 1,
        run_evals=False,
        episode_length=EPISODE_LENGTH,
        num_envs=setting["num_envs"],
        unroll_length=setting["num_steps"],
        batch_size=setting["num_envs"] // setting["num_minibatches"],
        num_minibatches=setting["num_minibatches"],
        num_updates_per_batch=setting["num_epochs"],
        learning_rate=setting["learning_rate"],
        max_grad_norm=setting["max_grad_norm"],
        discounting=setting["discount"],
        gae_lambda=setting["gae_lambda"],
        clipping_epsilon=setting["clip"],
        entropy_cost=setting["entropy_cost"],
        vf_loss_coefficient=setting["value_cost"],
        normalize_observations=setting["normalise_observations"],
        network_factory=functools.partial(
            make_ppo_networks,
            policy_hidden_layer_sizes=tuple(setting["hidden"]),
            value_hidden_layer_sizes=tuple(setting["hidden"]),
            activation=getattr(linen, setting["activation"]),
        ),
        progress_fn=note_time,
        policy_params_fn=note_policy,
    )
    lasted = [after - before for before, after in pairwise(walltimes)]
    seconds = lasted[COMPILING_EPOCHS:]
    usual = statistics.median(seconds)
    started = measurement.start_seconds(job, ended[0], usual, job["updates"])
    timing = Timing(job["updates"], seconds, started, measurement.peak_mb(), policies[0])
    return timing, max(lasted[0] - usual, 0.0)


def return_mean(env: Any, policy: Any, episodes: int) -> float:
    """Mean return, over whole episodes."""
    make_policy, parameters = policy
    evaluator = acting.Evaluator(
        envs.training.wrap(env, episode_length=EPISODE_LENGTH),
        make_policy,
        num_eval_envs=episodes,
        episode_length=EPISODE_LENGTH,
        action_repeat=1,
        key=jax.random.PRNGKey(1),  # brax reads the shape of a raw key
    )
    return float(evaluator.run_evaluation(parameters, {})["eval/episode_reward"])


def main() -> None:
    """Measure one job."""
    job = measurement.job()
    env = envs.get_environment(job["env"], backend=job["setting"]["backend"])
    timing, compile_seconds = measure(job, env)
    measurement.report(
        job,
        timing,
        compile_seconds=compile_seconds,
        return_mean=return_mean(env, timing.state, job["eval_episodes"]),
    )


if __name__ == "__main__":
    main()
