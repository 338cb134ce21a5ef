"""Samples are checked on the way in, and their files hold nothing but numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from distilling import TRUTHS, samples_of

from symbolic.arrays import write_arrays
from symbolic.distill.samples import Samples, load_samples, save_samples
from symbolic.errors import ConfigError

GOOD = {name: np.linspace(0.5, 2.0, 20) for name in ("r", "A", "f", "dfdr", "weight")}


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    made = Samples(**GOOD, t=np.linspace(0, 1, 20), about={"of": "a test"})
    save_samples(tmp_path / "s.npz", made)
    found = load_samples(tmp_path / "s.npz")
    assert found.content_hash == made.content_hash and dict(found.about) == {"of": "a test"}
    assert all(np.array_equal(getattr(found, n), getattr(made, n)) for n in made.names)
    assert found.weight.sum() == pytest.approx(1.0)


def test_other_numbers_have_another_hash() -> None:
    other = GOOD | {"f": GOOD["f"] + 1e-9}
    assert Samples(**GOOD).content_hash != Samples(**other).content_hash
    assert Samples(**GOOD).content_hash != Samples(**GOOD, t=np.zeros(20)).content_hash


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"r": -GOOD["r"]}, "r[0] is -0.5; a ratio is positive"),
        ({"weight": np.full(20, np.nan)}, "weight[0] is nan; every number must be finite"),
        ({"weight": np.zeros(20)}, "weight is 0 everywhere"),
        ({"weight": -GOOD["weight"]}, "a weight is 0 or more"),
        ({"f": np.zeros(20), "dfdr": np.zeros(20)}, "nothing to distil"),
        ({"f": np.ones(20)}, "a constant is no drift"),
        ({"f": np.ones(19)}, "f has shape (19,) where (20,) must stand"),
        ({"A": ["x"] * 20}, "A is no array of numbers"),
        ({"t": np.full(20, 2.0)}, "progress lies in [0, 1]"),
        ({name: values[:3] for name, values in GOOD.items()}, "3 samples are too few"),
    ],
)
def test_what_is_no_sample_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        Samples(**(GOOD | changes))
    assert said in str(error.value)


def test_a_file_without_an_array_says_which(tmp_path: Path) -> None:
    write_arrays(tmp_path / "s.npz", {n: v for n, v in GOOD.items() if n != "dfdr"}, {})
    with pytest.raises(ConfigError, match="'dfdr' is missing"):
        load_samples(tmp_path / "s.npz")


def test_thinning_keeps_weights_in_proportion() -> None:
    made = samples_of(TRUTHS["dpo"])
    thin = made.thinned(50, seed=1)
    assert len(thin) == 50 and thin.weight.sum() == pytest.approx(1.0)
    assert set(thin.r) <= set(made.r) and made.thinned(10_000, 0) is made
