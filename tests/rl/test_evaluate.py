"""Drifts of several kinds scored in one call."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from probe_envs import TINY

from mirrordrift import ConfigError, DriftNetwork, evaluate, parse

SMALL = {"total_env_steps": 256, **TINY}


def network(seed: int) -> DriftNetwork:
    random = np.random.default_rng(seed)
    layers = (random.normal(size=(2, 8)), random.normal(size=(8, 1)))
    return DriftNetwork(
        layers=layers,
        features=(parse("1-r"), parse("(1-r)*A")),
        xi=Fraction(1, 10**6),
    )


def test_kinds_mix_and_keep_their_order(tmp_path: Path) -> None:
    drifts = ["dpo", network(0), lambda l, A: jnp.expm1(l) ** 2, "ppo", network(1), "dpo"]
    scores = evaluate(drifts, "CartPole-v1", [3, 4], folder=tmp_path, **SMALL)
    assert [(s.candidate, s.seed) for s in scores] == [(i, s) for i in range(6) for s in (3, 4)]
    assert all(score.failed is None for score in scores)
    assert [s.return_mean for s in scores[:2]] == [s.return_mean for s in scores[-2:]]
    untrained = [score.records[0]["return_mean"] for score in scores]
    assert untrained == untrained[:2] * 6
    assert sorted(p.parent.name for p in tmp_path.glob("*/from-0000")) == ["00", "01", "02"]

    with pytest.raises(ConfigError, match="other drifts, seeds or settings"):
        evaluate(drifts, "CartPole-v1", [3, 5], folder=tmp_path, **SMALL)


def test_a_drift_that_is_no_number_on_many_samples_has_failed() -> None:
    def broken(log_ratio: jnp.ndarray, advantage: jnp.ndarray) -> jnp.ndarray:
        return jnp.where(log_ratio > 0, jnp.nan, 0.0) * advantage

    (score,) = evaluate([broken], "CartPole-v1", **SMALL)
    assert "was not finite on" in str(score.failed)


def test_networks_that_differ_in_their_form_are_told_apart(tmp_path: Path) -> None:
    evaluate([network(0)], "CartPole-v1", folder=tmp_path, **SMALL)
    other = replace(network(0), xi=Fraction(1, 100))
    with pytest.raises(ConfigError, match="other drifts, seeds or settings"):
        evaluate([other], "CartPole-v1", folder=tmp_path, **SMALL)


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError, match="nonnegative is refuted"):
        evaluate(["k1"], "CartPole-v1", **SMALL)
    with pytest.raises(ConfigError, match="is no list"):
        evaluate("dpo", "CartPole-v1")
    with pytest.raises(ConfigError, match=r"write range\(3\)"):
        evaluate(["dpo"], "CartPole-v1", 3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="give at least one"):
        evaluate([], "CartPole-v1")
