"""`assert_valid_drift` asks JAX and PyTorch for the gradient, and compares it with the values."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from mirrordrift.testing import assert_valid_drift


def fails(f, argument):
    with pytest.raises(AssertionError, match="is no valid drift") as caught:
        assert_valid_drift(f, argument=argument)
    text = str(caught.value)
    assert "expected" in text
    assert "Sampling proves nothing" in text
    return text


@pytest.fixture(scope="module")
def jnp():
    return pytest.importorskip("jax.numpy")


@pytest.fixture(scope="module")
def jax(jnp):
    return sys.modules["jax"]


def jax_dpo(jnp, x, A):
    up, down = jnp.expm1(x) * A, x * A
    return jnp.where(
        A >= 0,
        jnp.maximum(up - 2 * jnp.tanh(up / 2), 0),
        jnp.maximum(down - 0.6 * jnp.tanh(down / 0.6), 0),
    )


def test_valid_jax(jax, jnp):
    frozen = jax.lax.stop_gradient
    for f, argument in [
        (jax.jit(lambda x, A: jax_dpo(jnp, x, A)), "log_ratio"),
        # Ties and kinks: what autodiff says there is a convention, and no fault.
        (lambda r, A: r * A - jnp.minimum(r * A, jnp.clip(r, 0.8, 1.2) * A), "ratio"),
        (lambda r, A: jnp.abs(r - 1) ** 1.1 * frozen(jnp.abs(A)), "ratio"),
        # A branch that stays harmless where it is not taken; growth out of float32 far away.
        (lambda x, A: jnp.where(x > 5, x - 5, 0) + jnp.expm1(jnp.minimum(x, 5.0)) ** 4, "log_ratio"),
        (lambda x, A: 1000 * (jnp.expm1(x) * A) ** 2, "log_ratio"),
        (jax.vmap(lambda x, A, t: (1 - t) * (jnp.expm1(x) - x)), "log_ratio"),
    ]:  # fmt: skip
        outcome = assert_valid_drift(f, argument=argument)
        assert outcome.gradients == ("JAX",)
        assert "nor in its gradient by JAX" in str(outcome)


def test_valid_jax_that_takes_numbers_alone(jnp):
    def f(ratio, advantage):
        gap = ratio - 1.2 if ratio > 1.2 else 0.0 * ratio
        return jnp.square(gap) * abs(advantage)

    assert assert_valid_drift(f).gradients == ("JAX",)


def test_a_stop_gradient_in_the_wrong_place(jax):
    frozen = jax.lax.stop_gradient
    # Every array library may compute this: JAX is known by what it does when fed its own arrays.
    text = fails(lambda r, A: (frozen(r) - 1) * (r - 1) * abs(A), "ratio")
    assert "the gradient by JAX is not the slope of f: at r = 2, A = 1, df/dr = 1 (float32)" in text
    assert "expected about 2, by differences of f" in text
    assert "look for a misplaced stop_gradient" in text


def test_a_gradient_that_pushes_at_identity(jax, jnp):
    frozen = jax.lax.stop_gradient
    text = fails(lambda x, A: jnp.expm1(x) - x + (x - frozen(x)) * A, "log_ratio")
    assert "the gradient by JAX at r = 1 is not 0: at log r = 0, A = 1, df/dlog r = 1" in text
    assert "expected 0, as the values of f are flat there" in text


def test_a_gradient_that_is_nan(jnp):
    text = fails(lambda r, A: jnp.sqrt((r - 1) ** 4), "ratio")
    assert "the gradient by JAX is not finite: at r = 1, A = 0, df/dr = nan (float32)" in text

    def far(x, A):
        return jnp.where(x > 20, x - 20, jnp.exp(5 * jnp.abs(x)) * 0.0) + x**2

    assert "df/dlog r = nan" in fails(lambda x, A: jnp.where(x > 18, x**2, far(x, A)), "log_ratio")
    text = fails(
        lambda x, A: jnp.where(x < -17, x**2, x**2 + 0 / jnp.exp(5 * jnp.minimum(x, 0))),
        "log_ratio",
    )
    assert "expected a finite number for |log r| <= 40" in text
    assert "at log r = -" in text
    assert "a branch that `where` does not take" in text


def test_what_jax_cannot_differentiate(jnp):
    text = fails(lambda r, A: jnp.asarray(np.square(np.asarray(r) - 1)), "ratio")
    assert "JAX cannot differentiate it (TracerArrayConversionError" in text
    assert "give a function that returns a NumPy array" in text


def test_numpy_code_is_not_taken_for_jax_code(jax):
    for f in (
        lambda r, A: r - 1 - np.log(r),
        lambda r, A: (r - 1) * math.log(r),
        lambda r, A: max((r - min(max(r, 0.8), 1.2)) * A, 0.0),
    ):
        assert assert_valid_drift(f).gradients == ()
    # Arithmetic alone may leave the range of float32, for which it was not written.
    assert "JAX" in assert_valid_drift(lambda r, A: (r - 1) ** 40).gradients


def test_sampling_imports_no_library():
    code = (
        "import sys, mirrordrift.testing\n"
        "assert not {'jax', 'torch', 'hypothesis'} & set(sys.modules)\n"
        "mirrordrift.testing.assert_valid_drift(lambda r, A: (r - 1)**2)\n"
        "assert not {'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.peer
def test_valid_pytorch():
    torch = pytest.importorskip("torch")
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    for f, argument in [
        (lambda r, A: torch.relu((r - r.clamp(0.8, 1.2)) * A), "ratio"),
        (lambda x, A: torch.expm1(x) - x, "log_ratio"),
        (lambda r, A: (r - 1) ** 2 * A.abs().detach(), "ratio"),
        (lambda r, A: torch.zeros_like(A), "ratio"),
        (lambda r, A: (r - 1) ** 2 * weight**2, "ratio"),
    ]:
        assert assert_valid_drift(f, argument=argument).gradients == ("PyTorch",)
    for numpy in (lambda r, A: r - 1 - np.log(r), lambda r, A: (r - 1) * math.log(r)):
        assert assert_valid_drift(numpy).gradients == ()


@pytest.mark.peer
def test_broken_pytorch():
    torch = pytest.importorskip("torch")

    @torch.no_grad()
    def frozen(r, A):
        return (r - 1) ** 2

    for f, argument, words in [
        (lambda r, A: (r.detach() - 1) * (r - 1), "ratio", "is not the slope of f: at r = 2, A = 0, df/dr = 1 "),
        (frozen, "ratio", "is not the slope of f: at r = 2, A = 0, df/dr = 0 (float32); expected about 2,"),
        (lambda r, A: (r - 1) * math.log(r) * torch.ones(()), "ratio", "is not the slope of f"),
        (lambda r, A: torch.round((r - 1) ** 2 * 1e4) / 1e4, "ratio", "look for a misplaced detach, rounding"),
        (lambda x, A: torch.expm1(x) - x + (x - x.detach()) * A, "log_ratio", "at r = 1 is not 0: at log r = 0, A = 1,"),
        (lambda r, A: torch.sqrt((r - 1) ** 4), "ratio", "is not finite: at r = 1, A = 0, df/dr = nan"),
        (lambda x, A: torch.where(x > 10, x**2, x**2 + 0 / torch.exp(-5 * x)), "log_ratio", "df/dlog r = nan"),
    ]:  # fmt: skip
        text = fails(f, argument)
        assert "the gradient by PyTorch" in text
        assert words in text
