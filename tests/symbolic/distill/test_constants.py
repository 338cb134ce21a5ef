"""Constants come back exactly: fitted to noise, simplified, and rid of what is not unique."""

from __future__ import annotations

import pytest
from distilling import TRUTHS, samples_of

from symbolic.distill.constants import fitted, simplified
from symbolic.distill.loss import Objective
from symbolic.parser import parse

DPO_NEAR = (
    "where(A >= 0, relu((r - 1)*A - 1.7*tanh((r - 1)*A/1.7)),"
    " 1.1*relu(log(r)*A - 0.9*tanh(log(r)*A/0.9)))"
)
GAIN = "abs((r - 1)*A)"
RATIONAL = f"{GAIN}**2/(1 + {GAIN})"


def recovered(truth: str, start: str, noise: float, seed: int = 0) -> str:
    objective = Objective(samples_of(truth, noise=noise, seed=seed))
    return str(simplified(fitted(parse(start), objective), objective))


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize(
    ("truth", "start", "found"),
    [
        (TRUTHS["dpo"], DPO_NEAR, TRUTHS["dpo"]),
        (TRUTHS["spo"], "2.1*(abs(A)*(r - 1)**2)", "2.5*(abs(A)*(r - 1)**2)"),
        # Three constants where one could do: the fit is not unique, the formula is.
        (
            RATIONAL,
            "160.1*(((r - 1)*A)**2/(158 + 157.3*abs((r - 1)*A)))",
            "((r - 1)*A)**2/(1 + abs((r - 1)*A))",
        ),
        # An exponent is a constant, too, and a term that is not there goes.
        ("(r**1.5 - 1.5*r + 0.5)/0.75", "1.2*r**1.4 - 1.7*r + 0.52", "4/3*r**1.5 - 2*r + 2/3"),
    ],
)
def test_constants_are_recovered(truth: str, start: str, found: str, noise: float) -> None:
    assert recovered(truth, start, noise) == found


def test_an_intercept_that_is_nothing_goes() -> None:
    assert recovered(TRUTHS["kl"], "r - 1.01 - 0.98*log(r)", 0.0) == "r - 1 - log(r)"
    assert recovered(RATIONAL, f"{RATIONAL} - 2e-11", 0.0) == "((r - 1)*A)**2/(1 + abs((r - 1)*A))"


@pytest.mark.parametrize(
    ("truth", "start", "needed"),
    [
        # A scale and an intercept, both free beside other constants.
        (RATIONAL, f"1.01*({GAIN} + 0.99/(0.98 + {GAIN}) - 1.1) + 0.1", 4),
        (RATIONAL, f"0.02*{GAIN}*(3.1*{GAIN})/(0.05*{GAIN} + 0.06)", 2),
        # One of a very different size than the one that makes up for it.
        (RATIONAL, f"{GAIN} + 1/(1 + {GAIN}) - 1.0000001 + 0.0000001", 1),
        # What a sum leaves free is made up for inside a logarithm.
        (
            f"{GAIN} - log(1 + 2*{GAIN})/2",
            f"0.5*(3.4 - (log(31.5 + 63.05*{GAIN}) - 2.02*{GAIN}))",
            4,
        ),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_what_is_spare_goes_before_formulas_are_compared(
    truth: str, start: str, needed: int, noise: float
) -> None:
    fit = fitted(parse(start), Objective(samples_of(truth, noise=noise)))
    assert len(fit.values) == needed and fit.loss < 2e-3


def test_equal_constants_stay_equal() -> None:
    found = recovered(
        "relu((r-1)*A - 0.37*tanh((r-1)*A/0.37))", "relu((r-1)*A - 0.3*tanh((r-1)*A/0.3))", 0.02
    )
    assert found == "relu((r - 1)*A - 0.37*tanh((r - 1)*A/0.37))"


def test_a_threshold_does_not_become_nothing_where_it_must_not() -> None:
    objective = Objective(samples_of("relu((r - 1)*A)", noise=0.05))
    fit = fitted(parse("relu((r - 1)*A - 0.00005)"), objective)
    assert str(simplified(fit, objective)) == "relu((r - 1)*A)"
    careful = simplified(fit, objective, zeros=False)
    assert careful is not simplified(fit, objective) and "relu((r - 1)*A" in str(careful)


def test_what_has_no_constants_or_is_undefined_comes_back() -> None:
    objective = Objective(samples_of(TRUTHS["kl"]))
    for text in ("r - 1 - log(r)", "2*log(A)"):
        fit = fitted(parse(text), objective)
        assert str(fit.closed()) == text and not fit.values
