"""Does PPO's drift learn as brax's own PPO does? Curves of both, from one run.

    python benchmarks/learning_curves.py                     # two environments, five seeds
    python benchmarks/learning_curves.py --envs hopper --steps 204800 --seeds 2

Both train in the same setting (`SETTING`) and are judged by whole episodes at the same steps. Seeds
of the two are not related, so intervals are compared: `agree` says at how many evaluations the 95 %
intervals of the two means (Student's t, over seeds) have a point in common. brax estimates
advantages anew in every minibatch; what this trainer does by itself, once an update, is the third
curve.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import Any

import numpy as np
from brax import envs
from brax.training.agents.ppo import train as ppo
from brax.training.agents.ppo.networks import make_ppo_networks
from flax import linen
from measuring import TRAINING_PACKAGES, machine, versions, write_json
from scipy import stats

from mirrordrift import evaluate
from rl.config import TrainerConfig
from rl.presets import preset

HERE = Path(__file__).resolve().parent
EPSILON = 0.2
EVALUATIONS = 10
SETTING: dict[str, Any] = {
    "num_envs": 256,
    "unroll_length": 16,
    "num_unrolls": 1,
    "num_minibatches": 8,
    "update_epochs": 4,
    "policy_hidden": (64, 64),
    "value_hidden": (64, 64),
    "refresh_advantages": True,
    "num_evaluations": EVALUATIONS,
    "num_eval_envs": 64,
}
"""What differs from an environment's recipe, so that two cores do in minutes."""


OURS, ONCE, BRAX = "mirrordrift", "mirrordrift, advantages once", "brax"


def ours(env: str, config: dict[str, Any], seeds: int) -> np.ndarray:
    """Mean returns, axes (seeds, evaluations)."""
    scores = evaluate([f"ppo; eps={EPSILON}"], env, range(seeds), **config)
    return np.array([[record["return_mean"] for record in score.records] for score in scores])


def brax(env: str, config: TrainerConfig, seeds: int) -> np.ndarray:
    """Mean returns of brax's PPO, axes (seeds, evaluations)."""
    curves = []
    for seed in range(seeds):
        curve: list[float] = []

        def note(_: int, metrics: dict[str, Any], curve: list[float] = curve) -> None:
            curve.append(float(metrics["eval/episode_reward"]))

        ppo.train(
            environment=envs.get_environment(env, backend=config.backend),
            num_timesteps=config.total_env_steps,
            num_evals=EVALUATIONS + 1,
            num_eval_envs=config.num_eval_envs,
            reward_scaling=config.reward_scaling,
            episode_length=1000,
            action_repeat=config.action_repeat,
            max_grad_norm=config.max_grad_norm,
            normalize_observations=config.normalise_observations,
            unroll_length=config.unroll_length,
            num_minibatches=config.num_minibatches,
            num_updates_per_batch=config.update_epochs,
            batch_size=config.num_envs * config.num_unrolls // config.num_minibatches,
            num_envs=config.num_envs,
            discounting=config.discount,
            gae_lambda=config.gae_lambda,
            learning_rate=config.learning_rate,
            entropy_cost=config.entropy_cost,
            vf_loss_coefficient=config.value_cost,
            clipping_epsilon=EPSILON,
            network_factory=functools.partial(
                make_ppo_networks,
                policy_hidden_layer_sizes=config.policy_hidden,
                value_hidden_layer_sizes=config.value_hidden,
                activation=getattr(linen, config.activation),
            ),
            progress_fn=note,
            seed=seed,
        )
        curves.append(curve)
        print(f"brax {env} {seed}: {curve[-1]:.1f}", flush=True)
    return np.array(curves)


def interval(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, lower, upper) over seeds at each evaluation."""
    mean = curves.mean(0)
    half = stats.t.ppf(0.975, len(curves) - 1) * stats.sem(curves, axis=0)
    return mean, mean - half, mean + half


def compared(env: str, steps: np.ndarray, curves: dict[str, np.ndarray]) -> dict[str, Any]:
    """The record of one environment."""
    _, low, high = interval(curves[OURS])
    _, other_low, other_high = interval(curves[BRAX])
    together = (low <= other_high) & (other_low <= high)
    return {
        "env": env,
        "env_steps": steps.tolist(),
        "curves": {name: curve.tolist() for name, curve in curves.items()},
        "agree": int(together.sum()),
        "evaluations": len(together),
    }


def picture(path: Path, results: list[dict[str, Any]]) -> None:
    """Means and intervals of both, one panel an environment."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(results), figsize=(4.5 * len(results), 3.4), squeeze=False, layout="constrained"
    )
    for axis, result in zip(axes[0], results):
        for (name, curve), colour in zip(result["curves"].items(), ("C0", "C2", "C1")):
            mean, low, high = interval(np.array(curve))
            steps = np.array(result["env_steps"]) / 1e6
            axis.plot(steps, mean, color=colour, label=name)
            axis.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        axis.set(title=result["env"], xlabel="environment steps, millions", ylabel="return")
        axis.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Train all, say what was found, write the record and the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--envs", nargs="+", default=["inverted_pendulum", "hopper"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1_024_000)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "learning_curves.json")
    options = parser.parse_args()
    results: list[dict[str, Any]] = []
    changes = {**SETTING, "total_env_steps": options.steps}
    configs = {env: preset(env, **changes) for env in options.envs}
    for config in configs.values():
        if config.num_updates % EVALUATIONS:
            parser.error(
                f"--steps {options.steps} make {config.num_updates} updates, which {EVALUATIONS} "
                "evaluations do not divide"
            )
    for env, config in configs.items():
        trained = config.num_updates * config.env_steps_per_update
        steps = np.linspace(0, trained, EVALUATIONS + 1)
        curves = {
            OURS: ours(env, changes, options.seeds),
            ONCE: ours(env, {**changes, "refresh_advantages": False}, options.seeds),
            BRAX: brax(env, config, options.seeds),
        }
        results.append(compared(env, steps, curves))
        for name, curve in curves.items():
            mean, low, high = (part[-1] for part in interval(curve))
            print(f"{env}, {name}: {mean:.1f} in the end, 95 % interval {low:.1f} to {high:.1f}")
        print(f"{env}: intervals meet at {results[-1]['agree']} of {EVALUATIONS + 1} evaluations")
        record = {
            "schema": "mirrordrift/bench-curves/1",
            "machine": machine(),
            "versions": versions(TRAINING_PACKAGES),
            "seeds": options.seeds,
            "epsilon": EPSILON,
            "setting": SETTING,
            "results": results,
        }
        write_json(options.out, record)
        picture(options.out.with_suffix(".png"), results)


if __name__ == "__main__":
    main()
