"""How the shipped networks do beside PPO and DPO, where they were meta-trained and where not.

    python benchmarks/pretrained.py                       # all settings; resumes what is there
    python benchmarks/pretrained.py --settings cartpole   # one of them

Every drift trains agents on the same held-out seeds, which no generation used. `difference` is the
mean over seeds of the return after training less that of PPO (ε = 0.2) with the same seed, and its
95 % interval is Student's.

How alike two drifts are is told by their gradients where training asks for them: the root mean square
of the difference of ∂f/∂r over log r ~ N(0, 0.2²), A ~ N(0, 1), and how the two departures from
PPO's gradient correlate.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from measuring import TRAINING_PACKAGES, machine, versions, write_json
from scipy import stats

from mirrordrift import evaluate
from mirrordrift.slope import objective_slope
from mirrordrift.spec import resolve
from search import pretrained
from search.arena import FIRST_HELD_OUT_SEED

HERE = Path(__file__).resolve().parent
_SHORT = {
    "num_envs": 16, "unroll_length": 128, "num_minibatches": 4, "update_epochs": 4, "learning_rate": 2.5e-3,
    "num_eval_envs": 32,
}  # fmt: skip
_MINATAR = {"num_envs": 32, "num_eval_envs": 32, "total_env_steps": 49_152}
_BRAX = {
    "num_envs": 64, "unroll_length": 64, "num_unrolls": 1, "num_minibatches": 8,
    "policy_hidden": (64, 64), "value_hidden": (64, 64), "discount": 0.99, "reward_scaling": 0.1,
    "learning_rate": 1e-3, "anneal_learning_rate": True, "num_eval_envs": 32, "update_epochs": 4,
}  # fmt: skip
SETTINGS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "cartpole": ("CartPole-v1", 64, {**_SHORT, "total_env_steps": 20_480}),
    "cartpole-long": ("CartPole-v1", 32, {**_SHORT, "total_env_steps": 102_400}),
    "acrobot": ("Acrobot-v1", 48, {**_SHORT, "total_env_steps": 20_480}),
    "acrobot-long": ("Acrobot-v1", 32, {**_SHORT, "total_env_steps": 61_440}),
    "breakout": ("Breakout-MinAtar", 32, _MINATAR),
    "breakout-long": ("Breakout-MinAtar", 8, {**_MINATAR, "total_env_steps": 196_608}),
    "spaceinvaders": ("SpaceInvaders-MinAtar", 16, _MINATAR),
    "asterix": ("Asterix-MinAtar", 16, {**_MINATAR, "total_env_steps": 98_304}),
    "freeway": ("Freeway-MinAtar", 16, _MINATAR),
    "inverted_pendulum": ("inverted_pendulum", 8, {**_BRAX, "total_env_steps": 300_000}),
}
"""(environment, seeds, fields of the trainer): the first of each environment is as in training."""


def judged(name: str) -> list[dict[str, Any]]:
    """PPO, DPO and the networks in a setting."""
    env, seeds, config = SETTINGS[name]
    networks = [pretrained.load(each) for each in pretrained.names()]
    labels = ["ppo", "dpo", *pretrained.names()]
    scores = evaluate(
        ["ppo; eps=0.2", "dpo", *networks],
        env,
        range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + seeds),
        num_evaluations=1,
        **config,
    )
    returns = np.array([score.return_mean for score in scores]).reshape(len(labels), seeds)
    rows = []
    for label, own in zip(labels, returns):
        difference = own - returns[0]
        reach = stats.t.ppf(0.975, seeds - 1) * stats.sem(difference)
        rows.append(
            {
                "setting": name,
                "env": env,
                "env_steps": scores[0].env_steps,
                "drift": label,
                "seeds": seeds,
                "return_mean": float(own.mean()),
                "return_stderr": float(stats.sem(own)),
                "difference": float(difference.mean()),
                "interval": [float(difference.mean() - reach), float(difference.mean() + reach)],
                "returns": own.tolist(),
            }
        )
    return rows


def likeness() -> list[dict[str, Any]]:
    """Of each pair of networks, and of each with PPO and DPO."""
    random = np.random.default_rng(0)
    ratio, advantage = np.exp(random.normal(scale=0.2, size=20_000)), random.normal(size=20_000)
    drifts = {name: pretrained.load(name) for name in pretrained.names()}
    named = {"ppo": resolve("ppo", ["eps = 0.2"]), "dpo": resolve("dpo")}
    slopes = {
        name: advantage - objective_slope(drift, ratio, advantage)
        for name, drift in {**named, **drifts}.items()
    }
    found = []
    for one, other in itertools.combinations(slopes, 2):
        row = {"one": one, "other": other, "distance": _rms(slopes[one] - slopes[other])}
        if "ppo" not in (one, other):
            departures = [slopes[name] - slopes["ppo"] for name in (one, other)]
            row["correlation"] = float(np.corrcoef(departures)[0, 1])
        found.append(row)
    return found


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def table(rows: list[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = [
        "| environment | steps | drift | return | beyond PPO, 95 % interval |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        low, high = row["interval"]
        beyond = (
            "" if row["drift"] == "ppo" else f"{row['difference']:+.3g} [{low:+.3g}, {high:+.3g}]"
        )
        lines.append(
            f"| {row['env']} | {row['env_steps']:,} | {row['drift']} "
            f"| {row['return_mean']:.4g} ± {row['return_stderr']:.2g} | {beyond} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "pretrained.json")
    asked = parser.parse_args()
    hashes = {name: pretrained.story(name)["hash"] for name in pretrained.names()}
    record: dict[str, Any] = {"networks": hashes, "rows": []}
    if asked.out.exists():
        found = json.loads(asked.out.read_text())
        record = found if found["networks"] == hashes else record
    for name in asked.settings:
        if any(row["setting"] == name for row in record["rows"]):
            continue
        record["rows"] += judged(name)
        record |= {"machine": machine(), "versions": versions((*TRAINING_PACKAGES, "evosax"))}
        write_json(asked.out, record)
        print(table([row for row in record["rows"] if row["setting"] == name]), flush=True)
    record["likeness"] = likeness()
    write_json(asked.out, record)
    print(table(record["rows"]))
    for pair in record["likeness"]:
        correlation = f", correlation {pair['correlation']:.2f}" if "correlation" in pair else ""
        print(f"{pair['one']}, {pair['other']}: distance {pair['distance']:.3f}{correlation}")


if __name__ == "__main__":
    main()
