"""`assert_valid_drift` and its sampling of callables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mirrordrift import testing
from mirrordrift.testing import Sampled, assert_valid_drift
from symbolic.drift import Drift
from symbolic.errors import ConfigError, FormulaError
from symbolic.parser import parse


def dpo(r, A):
    up, down = (r - 1) * A, np.log(r) * A
    return np.where(
        A >= 0,
        np.maximum(up - 2 * np.tanh(up / 2), 0),
        np.maximum(down - 0.6 * np.tanh(down / 0.6), 0),
    )


VALID = {
    "kl": lambda r, A: r - 1 - np.log(r),
    "dpo": dpo,
    "scalars only": lambda r, A: max((r - min(max(r, 0.8), 1.2)) * A, 0.0),
    "math only": lambda r, A: (r - 1) * math.log(r),
    "steep": lambda r, A: 1000 * ((r - 1) * A) ** 2,
    "nearly a kink": lambda r, A: np.abs(r - 1) ** 1.1,
    "sharp gate": lambda r, A: abs((r - 1) * A) - 0.01 * np.tanh(abs((r - 1) * A) / 0.01),
    "progress": lambda r, A, t: (1 - t) * (r - 1) ** 2,
    "optional third": lambda r, A, c=2.0: c * (r - 1) ** 2,
    "float32": lambda r, A: np.float32(1) * (np.asarray(r, np.float32) - 1 - np.log(np.asarray(r, np.float32))),
    "constant": lambda r, A: 0.0 * r * A,
}  # fmt: skip


@pytest.mark.parametrize("name", VALID)
def test_valid_callables_pass_and_nothing_is_claimed(name):
    outcome = assert_valid_drift(VALID[name])
    assert isinstance(outcome, Sampled)
    assert outcome.points > 1000
    assert "proves nothing" in str(outcome)


BROKEN = {
    "linear": (lambda r, A: (r - 1) * A, "negative: at r = 2, A = -1, f = -1 "),
    "tail": (lambda r, A: np.log(r) ** 2 - 1e-3 * (r - 1) ** 2, "negative: at r = "),
    "far advantage": (lambda r, A: (r - 1) ** 2 * (A + 7), "negative: at r = 2, A = -8|at r = 2, A = -10"),
    "kink": (lambda r, A: 0.01 * np.abs(r - 1), "slope at r = 1 .* A = 0, slope = 0.01 "),
    "kink far out": (lambda r, A: (r - 1) ** 2 + abs(r - 1) * np.maximum(abs(A) - 5, 0) / 10, "slope .* A = 6"),
    "one-sided": (lambda r, A: np.maximum(r - 1, 0) * A**2, "slope at r = 1 .* A = 1, slope = 1 "),
    "steep kink": (lambda r, A: 1000 * (r - 1) ** 2 + 0.05 * abs(r - 1), "slope = 0.05 "),
    "offset": (lambda r, A: (r - 1) ** 2 + 1e-6 * A**2, "not 0: at r = 1, A = 1, f = 1e-06 "),
    "undefined": (lambda r, A: np.log(A) * (r - 1) ** 2, "not finite: at r = 1, A = 0, f = nan "),
    "late": (lambda r, A, t: (r - 1) ** 2 * (0.75 - t), "negative: at r = 2, A = 0, t = 1, f = -0.25 "),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_callables_fail_with_a_simple_counterexample(name):
    f, message = BROKEN[name]
    with pytest.raises(AssertionError, match=message) as caught:
        assert_valid_drift(f)
    assert "Sampling proves nothing" in str(caught.value)


def test_log_ratios():
    assert_valid_drift(lambda x, A: np.expm1(x) - x, argument="log_ratio")
    with pytest.raises(AssertionError, match="at log r = 1, A = -1, f = -1"):
        assert_valid_drift(lambda x, A: x * A, argument="log_ratio")


def test_the_counterexample_is_the_same_every_time():
    def again() -> str:
        with pytest.raises(AssertionError) as caught:
            assert_valid_drift(lambda r, A: (r - 1) ** 2 - 0.3 * abs(r - 1) ** 3)
        return str(caught.value)

    assert again() == again()


def test_a_callable_that_cannot_be_called():
    with pytest.raises(TypeError, match="must take \\(ratio, advantage\\)"):
        assert_valid_drift(lambda r: r)


ODD = {
    "nothing": (lambda r, A: None, "with NumPy arrays: TypeError: it returned NoneType; expected"),
    "pair": (lambda r, A: (r, A), "it returned tuple; expected numbers"),
    "text": (lambda r, A: "r", "it returned str; expected numbers"),
    "fault": (lambda r, A: 1 / 0, "with one number each: ZeroDivisionError: division by zero"),
    "shape": (lambda r, A: np.zeros((2, 2)), r"shape \(2, 2\); expected \(3,\)"),
    "mean": (lambda r, A: np.mean((r - 1) ** 2), "it sums or averages over the batch"),
    "sum": (lambda r, A: ((r - 1) ** 2).sum(), "return f at each point"),
    "kept": (
        lambda r, A: np.mean((r - 1) ** 2, keepdims=True),
        "it sums or averages over the batch",
    ),
    "outer": (lambda r, A: np.outer(r - 1, r - 1), r"shape \(3, 3\); expected \(3,\)"),
    "complex": (lambda r, A: (r - 1 + 0j) ** 2, "it returned complex numbers; expected real ones"),
    "centred": (lambda r, A: (r - 1) ** 2 * (A - A.mean()) ** 2, "changes with the other points"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_callable_that_gives_no_number_for_each_point(name):
    f, message = ODD[name]
    with pytest.raises(TypeError, match=message) as caught:
        assert_valid_drift(f)
    assert str(caught.value).startswith("cannot evaluate <lambda>: ")


def test_a_constant_may_be_a_single_number():
    assert_valid_drift(lambda r, A: 0.0)
    with pytest.raises(AssertionError, match=r"f\(1, A\) is not 0"):
        assert_valid_drift(lambda r, A: 1.0)


def test_what_a_callable_raises_is_a_counterexample():
    with pytest.raises(AssertionError) as caught:
        assert_valid_drift(lambda r, A: math.sqrt(A + 1.5) * (r - 1) ** 2)
    assert "raises ValueError: math domain error at r = " in str(caught.value)
    assert ", A = -2; expected a finite number" in str(caught.value)


@pytest.mark.peer
def test_pytorch():
    torch = pytest.importorskip("torch")
    assert_valid_drift(lambda r, A: torch.relu((r - r.clamp(0.8, 1.2)) * A))
    with pytest.raises(AssertionError, match="negative"):
        assert_valid_drift(lambda r, A: torch.tanh((r - 1) * A))


def test_jax():
    jnp = pytest.importorskip("jax.numpy")
    assert_valid_drift(lambda x, A: jnp.expm1(x) - x, argument="log_ratio")
    with pytest.raises(AssertionError, match="negative"):
        assert_valid_drift(lambda r, A: jnp.tanh((r - 1) * A))


def test_formulas_are_decided():
    for spec in ("dpo", "(r-1)**2", Drift.from_text("r-1-log(r)"), parse("(r-1)**2")):
        assert assert_valid_drift(spec).verdict == "proved"
    assert assert_valid_drift("C*(r-1)**2", parameters={"C": "[0, inf)"}).verdict == "proved"


def test_a_refuted_formula_shows_its_exact_witness():
    with pytest.raises(AssertionError) as caught:
        assert_valid_drift("(r-1)**2*A")
    text = str(caught.value)
    assert "nonnegative: refuted at r = " in text
    assert "A = -" in text
    assert "Sampling" not in text


def test_mistakes_are_explained():
    with pytest.raises(ConfigError, match="argument='x'"):
        assert_valid_drift("dpo", argument="x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="a formula is written in r"):
        assert_valid_drift("dpo", argument="log_ratio")
    with pytest.raises(ConfigError, match="are those of a formula; dpo is a callable"):
        assert_valid_drift(dpo, parameters={"alpha": 2})
    with pytest.raises(FormulaError, match="unknown name"):
        assert_valid_drift("r - beta")


def test_strategies_are_offered_here():
    import verify.strategies

    for name in testing._STRATEGIES:
        assert getattr(testing, name) is getattr(verify.strategies, name)
    with pytest.raises(AttributeError, match="no_such"):
        testing.no_such  # noqa: B018
