"""Errors are relative, and infinite where a formula is undefined."""

from __future__ import annotations

import numpy as np
import pytest
from distilling import TRUTHS, samples_of

from symbolic.distill.loss import Objective
from symbolic.distill.samples import Samples
from symbolic.parser import parse


def test_nothing_is_off_by_one_and_the_truth_by_nothing() -> None:
    objective = Objective(samples_of(TRUTHS["dpo"]))
    zero, truth = (objective.errors(parse(text)) for text in ("0", TRUTHS["dpo"]))
    assert zero.value == pytest.approx(1) and zero.slope == pytest.approx(1)
    assert truth.loss == 0 and truth.largest == 0


def test_undefined_is_as_far_as_can_be() -> None:
    assert Objective(samples_of(TRUTHS["kl"])).errors(parse("log(A)")).loss == np.inf


def test_samples_without_weight_do_not_count() -> None:
    made = samples_of(TRUTHS["spo"])
    f = made.f.copy()
    f[:10] = 99.0
    weight = np.ones(len(made))
    weight[:10] = 0.0
    changed = Samples(r=made.r, A=made.A, f=f, dfdr=made.dfdr, weight=weight)
    errors = Objective(changed).errors(parse(TRUTHS["spo"]))
    assert errors.loss < 1e-28 and errors.largest < 1e-12
