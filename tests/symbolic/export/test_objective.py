"""Exported preference objectives are what agents are trained with, in every library."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from exported_objectives import CASES, by_jax, exported, log_probs, with_jax, with_torch

from symbolic.catalogue.objectives import objectives
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.export.equation import objective_latex
from symbolic.export.objective import objective_source
from symbolic.mirror_network import UNITS, MirrorNetwork
from symbolic.preference.objective import PreferenceObjective
from symbolic.preference.reading import objective_from_text

NEEDS_TORCH = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed (extra export)"
)
GRADIENTS = {"jax": with_jax, "torch": with_torch}
WITH_GRADIENTS = ["jax", pytest.param("torch", marks=NEEDS_TORCH)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("progress", [0.0, 0.7])
def test_numpy_gives_the_loss_that_is_trained_with(name: str, progress: float) -> None:
    logs = log_probs()
    found = exported(CASES[name], "numpy")(*logs.astype(float), progress=progress)
    wanted, _, _ = by_jax(CASES[name], logs, progress)
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("to", WITH_GRADIENTS)
def test_values_and_gradients_are_those_of_training(name: str, to: str) -> None:
    logs = log_probs(1)
    found = GRADIENTS[to](exported(CASES[name], to), logs, 0.7)
    for part, wanted in zip(found, by_jax(CASES[name], logs, 0.7)):
        np.testing.assert_allclose(part, wanted, rtol=5e-5, atol=5e-6)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("to", WITH_GRADIENTS)
def test_everything_is_finite_over_the_stated_range(name: str, to: str) -> None:
    low, high = CASES[name].log_prob_range
    near = (1.0, high) if high > 0 else (-10.0, high)
    ends = [low, *(e for e in (-1e4, -100.0, -1.0, -1e-3) if low < e < high), *near]
    chosen, rejected = (part.ravel().astype(np.float32) for part in np.meshgrid(ends, ends))
    logs = [chosen, rejected, np.full_like(chosen, -1.0), np.full_like(chosen, -2.0)]
    for part in GRADIENTS[to](exported(CASES[name], to), logs, 0.7):
        assert np.isfinite(part).all()


@pytest.mark.parametrize("to", WITH_GRADIENTS)
def test_a_policy_that_is_its_reference_is_pushed(to: str) -> None:
    """There z is 0, where the softplus of the link has its kink in two pieces."""
    chosen, rejected, *_ = log_probs(2)
    loss = exported(objectives["direct-preference"], to)
    value, up, down = GRADIENTS[to](loss, [chosen, rejected, chosen, rejected], 0.0)
    np.testing.assert_allclose(value, np.log(2), rtol=1e-6)
    np.testing.assert_allclose(up, -0.05, rtol=1e-6)
    np.testing.assert_allclose(down, 0.05, rtol=1e-6)


@NEEDS_TORCH
def test_a_network_keeps_the_precision_that_it_is_called_with() -> None:
    import torch

    logs = torch.tensor(log_probs(3).astype(float))
    value = exported(CASES["timed-network"], "torch")(*logs, progress=torch.tensor(0.25))
    assert value.dtype == torch.float64
    wanted = exported(CASES["timed-network"], "numpy")(*logs.numpy(), progress=0.25)
    np.testing.assert_allclose(value, wanted, rtol=1e-6)


def test_a_unit_with_the_factor_zero_is_off() -> None:
    """Mode `paper` allows it, where potentials must not have it."""
    start, weights = np.full((1, 18), 0.5), np.full((18, 1), 0.1)
    start[0, :6] = 0.0
    network = MirrorNetwork(kind="mirror-map", layers=(start, weights), skip=1.0, mode="paper")
    objective = replace(CASES["network"], phi_inverse=network)
    logs = log_probs(4)
    for part, wanted in zip(
        with_jax(exported(objective, "jax"), logs, 0.0), by_jax(objective, logs, 0.0)
    ):
        assert np.isfinite(part).all()
        np.testing.assert_allclose(part, wanted, rtol=2e-5, atol=2e-6)


def test_units_are_named_where_they_stand() -> None:
    text = objective_source(CASES["network"], "torch", "")
    assert all(text.count(f"# {unit.name}\n") == 2 for unit in UNITS)


def test_a_reference_policy_is_asked_for_where_there_is_one() -> None:
    logs = log_probs()
    with pytest.raises(ValueError, match="reference policy"):
        exported(objectives["dpo"], "numpy")(logs[0], logs[1])
    assert exported(objectives["orpo"], "numpy")(logs[0], logs[1]).shape == logs[0].shape


def test_what_the_loss_takes_is_said() -> None:
    text = objective_source(objectives["orpo"], "jax", "")
    assert "means over their tokens" in text and "from -100000 to -1e-06" in text
    assert "sums over their tokens" in objective_source(objectives["dpo"], "jax", "")


@pytest.mark.parametrize("to", ["torch", "latex"])
def test_a_python_function_is_refused(to: str) -> None:
    objective = PreferenceObjective(psi=None, phi_inverse=lambda log_prob: log_prob)
    with pytest.raises(ConfigError, match=r"phi_inverse is .*formula"):
        objective_latex(objective) if to == "latex" else objective_source(objective, to, "")


def test_a_parameter_without_a_number_is_refused() -> None:
    free = Drift.from_text("b*log(x)", ["b in (0, inf)"], kind="mirror-map")
    with pytest.raises(ConfigError, match="bind it"):
        objective_source(PreferenceObjective(psi=None, phi_inverse=free), "jax", "")


@pytest.mark.parametrize("name", [n for n in CASES if "network" not in n])
def test_the_equation_has_every_part(name: str) -> None:
    objective, text = CASES[name], objective_latex(CASES[name])
    assert text.startswith("\\begin{aligned}") and text.count("{") == text.count("}")
    assert (r"\psi(" in text) == (objective.psi is not None)
    assert (r"\rho_w" in text) == objective.reference
    assert ("^{1/|" in text) == (objective.reduction == "mean")
    assert (r"\log \sigma(z" in text) != (r"\ell(z" in text)


def test_the_equation_of_orpo_is_the_papers() -> None:
    text = objective_latex(objectives["orpo"])
    assert r"\left[ \psi(\pi_w) + 0.1 \, \log \sigma(z) \right]" in text
    assert r"\phi^{-1}(x) = \log\left(x\right) - \log\left(1 - x\right)" in text
    assert "z - \\frac{1}{2 \\cdot 0.1}" in objective_latex(objectives["ipo"])
    smooth = objective_latex(objectives["conservative-direct-preference"])
    assert r"0.9 \, \log \sigma(z) + 0.1 \, \log \sigma(-z)" in smooth
    assert "z = 2 \\left(" in objective_latex(objectives["simpo"])


def test_a_network_is_no_equation() -> None:
    with pytest.raises(ConfigError, match="psi is no formula"):
        objective_latex(CASES["network"])


def test_text_is_enough() -> None:
    loss = exported(objective_from_text("none; 2*log(x)"), "numpy")
    assert loss(np.array([-1.0]), np.array([-1.0]))[0] == pytest.approx(np.log(2))
