"""This trainer: `formulas` candidates, each with `seeds` seeds, in one population."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax

from rl.config import TrainerConfig
from rl.drifts import Candidates, of_formulas
from rl.environments import make
from rl.population import Population, Programs
from rl.presets import preset
from rl.start import start
from symbolic.catalogue import catalogue, expected_verdicts
from symbolic.drift import Drift
from trainers import measurement
from trainers.measurement import Job


class Agents(NamedTuple):
    """A population ready to run."""

    compile_seconds: float
    fresh: Callable[[], Any]
    run: Callable[[Any, int], Any]
    """(state, updates) -> the state after them, computed."""


def programs_of(env: str, config: TrainerConfig, candidates: Candidates, seeds: int) -> Programs:
    """Programs for so many agents."""
    task = make(env, backend=config.backend)
    return Programs(task, config, candidates.apply, width=candidates.count * seeds)


def agents(programs: Programs, candidates: Candidates, seeds: Sequence[int]) -> Agents:
    """Everything this benchmark asks of `Population`; as with the peers, no evaluation is compiled."""
    population = Population(programs, candidates, seeds)
    _ = population.memory  # asks for the program of updates alone
    compile_seconds = programs.claim_seconds()

    def run(state: Any, updates: int) -> Any:
        return jax.block_until_ready(population.run(state, updates)[0])

    return Agents(compile_seconds, population.init, run)


def config_of(job: Job) -> TrainerConfig:
    """The recipe of the environment, in the job's setting."""
    setting = job["setting"]
    return preset(
        job["env"],
        total_env_steps=job["updates"] * measurement.batch_size(setting),
        num_envs=setting["num_envs"],
        unroll_length=setting["num_steps"],
        num_unrolls=1,
        num_minibatches=setting["num_minibatches"],
        update_epochs=setting["num_epochs"],
        learning_rate=setting["learning_rate"],
        anneal_learning_rate=False,
        max_grad_norm=setting["max_grad_norm"],
        discount=setting["discount"],
        gae_lambda=setting["gae_lambda"],
        entropy_cost=setting["entropy_cost"],
        value_cost=setting["value_cost"],
        normalise_observations=setting["normalise_observations"],
        num_evaluations=1,
        num_eval_envs=job["eval_episodes"],
        **({} if setting["backend"] is None else {"backend": setting["backend"]}),
        policy_hidden=tuple(setting["hidden"]),
        value_hidden=tuple(setting["hidden"]),
        activation=setting["activation"],
    )


def formulas(count: int, batch: int) -> list[Drift]:
    """`count` different formulas of the catalogue's proved kinds; no two batches share one.

    They are scaled by numbers near 1, because some entries are equal and there may be too few.
    """
    names = [
        name
        for name in catalogue
        if name != "zero" and set(expected_verdicts(name).values()) == {"proved"}
    ]
    known = itertools.islice(itertools.cycle(names), count)
    return [
        Drift.from_text(
            f"{1 + (batch * count + i) / 1000}*({catalogue[name].text})",
            {k: str(v) for k, v in catalogue[name].defaults.items()},
        )
        for i, name in enumerate(known)
    ]


def second_batch(job: Job, programs: Programs, seeds: Sequence[int]) -> float:
    """Seconds in the compiler until other formulas have trained for an update."""
    spent = []

    def listen(event: str, seconds: float, **_: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            spent.append(seconds)

    others = of_formulas(formulas(job["formulas"], batch=1))
    jax.monitoring.register_event_duration_secs_listener(listen)
    ready = agents(programs, others, seeds)
    ready.run(ready.fresh(), 1)
    return sum(spent)


def return_mean(programs: Programs, count: int, state: Any) -> float:
    """Mean return of `count` agents, over whole episodes."""
    evaluate = jax.jit(jax.vmap(programs.trainer.evaluate, (0, None)))
    return float(evaluate(state, jax.random.key(1)).return_mean[:count].mean())


def main() -> None:
    """Measure one job."""
    job = measurement.job()
    start()
    config, seeds = config_of(job), range(job["seeds"])
    drifts = formulas(job["formulas"], batch=0) if job["formulas"] > 1 else [catalogue["ppo"]]
    candidates = of_formulas(drifts)
    programs = programs_of(job["env"], config, candidates, len(seeds))
    ready = agents(programs, candidates, seeds)
    warm = job["kind"] == "warm"
    updates = 1 if warm else job["updates"]
    timing = measurement.timed(
        job, ready.fresh, lambda state: ready.run(state, updates), updates=updates
    )
    more = {}
    if job["kind"] == "mix":
        more["second_batch_compile_seconds"] = second_batch(job, programs, seeds)
    measurement.report(
        job,
        timing,
        compile_seconds=ready.compile_seconds,
        return_mean=None
        if warm
        else return_mean(programs, candidates.count * len(seeds), timing.state),
        **more,
    )


if __name__ == "__main__":
    main()
