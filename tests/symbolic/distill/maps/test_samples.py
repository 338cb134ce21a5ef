"""Samples of a map say what they are, come back as they were, and refuse what they cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symbolic.distill.maps.samples import MapSamples, load_map_samples, save_map_samples
from symbolic.errors import ConfigError

LOG_X = np.linspace(-5, -0.1, 32)


def samples(**changes) -> MapSamples:
    given = {
        "kind": "psi",
        "log_x": LOG_X,
        "g": LOG_X,
        "dgdlogx": np.ones(32),
        "weight": np.ones(32),
    }
    return MapSamples(**{**given, **changes})


def test_a_file_gives_the_same_samples(tmp_path: Path) -> None:
    first = samples(t=np.arange(32) % 4 / 4, about={"of": "log(x)"})
    save_map_samples(tmp_path / "s.npz", first)
    again = load_map_samples(tmp_path / "s.npz")
    assert again.kind == "psi" and again.content_hash == first.content_hash
    assert again.about == {"of": "log(x)", "kind": "psi"} and again.weight.sum() == pytest.approx(1)
    assert set(again.points) == {"x", "t"} and again.points["x"][0] == pytest.approx(np.exp(-5))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "drift"}, "kind='drift' is unknown; use mirror-map or psi"),
        ({"g": np.full(32, np.nan)}, r"g\[0\] is nan; every number must be finite"),
        ({"log_x": LOG_X[:4]}, "4 samples are too few"),
        ({"g": LOG_X[:20]}, r"g has shape \(20,\) where \(32,\) must stand, as of log_x"),
        ({"log_x": LOG_X - 800}, "x is 0 in float64 below -700"),
        ({"weight": -np.ones(32)}, "a weight is 0 or more"),
        ({"dgdlogx": np.zeros(32)}, "nothing to distil"),
        ({"t": np.full(32, 2.0)}, r"progress lies in \[0, 1\]"),
        ({"t": np.linspace(0, 1, 32)}, "t has 32 values in 32 samples.*sixteenths"),
    ],
)
def test_what_cannot_be_is_refused(changes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        samples(**changes)


def test_a_file_without_its_kind_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", log_x=LOG_X, g=LOG_X, dgdlogx=LOG_X, weight=LOG_X)
    with pytest.raises(ConfigError, match="'about' is missing"):
        load_map_samples(tmp_path / "s.npz")
