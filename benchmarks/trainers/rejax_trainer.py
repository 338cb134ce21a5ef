"""rejax's PPO, vmapped over seeds as its documentation has it.

It has no annealing, clips gradients element by element, and resets brax's physics at every step to
begin anew where an episode ended: that is how it works, and its time counts.
"""

from __future__ import annotations

import time
from typing import Any

import jax
from rejax import PPO
from rejax.evaluate import evaluate

from trainers import measurement
from trainers.measurement import Job


def algorithm(job: Job) -> Any:
    """PPO in the job's setting, without evaluation."""
    setting = job["setting"]
    steps = job["updates"] * measurement.batch_size(setting)
    brax = setting["backend"] is not None
    optional = (
        {} if setting["max_grad_norm"] is None else {"max_grad_norm": setting["max_grad_norm"]}
    )
    algo = PPO.create(
        env=f"brax/{job['env']}" if brax else job["env"],
        env_params={"backend": setting["backend"]} if brax else {},
        total_timesteps=steps,
        eval_freq=steps,
        skip_initial_evaluation=True,
        num_envs=setting["num_envs"],
        num_steps=setting["num_steps"],
        num_minibatches=setting["num_minibatches"],
        num_epochs=setting["num_epochs"],
        learning_rate=setting["learning_rate"],
        gamma=setting["discount"],
        gae_lambda=setting["gae_lambda"],
        clip_eps=setting["clip"],
        ent_coef=setting["entropy_cost"],
        vf_coef=setting["value_cost"],
        normalize_observations=setting["normalise_observations"],
        agent_kwargs={
            "activation": setting["activation"],
            "hidden_layer_sizes": tuple(setting["hidden"]),
        },
        **optional,
    )
    return algo.replace(eval_callback=lambda *_: ())


def return_mean(algo: Any, state: Any, episodes: int) -> float:
    """Mean return of all agents, over whole episodes."""

    def one(state: Any, key: jax.Array) -> jax.Array:
        _, returns = evaluate(algo.make_act(state), key, algo.env, algo.env_params, episodes)
        return returns.mean()

    keys = jax.random.split(jax.random.key(1), len(state.rng))
    return float(jax.jit(jax.vmap(one))(state, keys).mean())


def main() -> None:
    """Measure one job."""
    job = measurement.job()
    algo = algorithm(job)
    keys = jax.random.split(jax.random.key(0), job["agents"])
    init = jax.jit(jax.vmap(algo.init_state))
    train = jax.jit(jax.vmap(lambda state: algo.train(train_state=state)[0]))
    state = init(keys)
    begun = time.perf_counter()
    compiled = train.lower(state).compile()
    compile_seconds = time.perf_counter() - begun
    timing = measurement.timed(
        job, lambda: init(keys), lambda state: jax.block_until_ready(compiled(state))
    )
    measurement.report(
        job,
        timing,
        compile_seconds=compile_seconds,
        return_mean=return_mean(algo, timing.state, job["eval_episodes"]),
    )


if __name__ == "__main__":
    main()
