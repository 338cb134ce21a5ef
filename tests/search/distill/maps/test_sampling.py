"""Where a map is asked, and what it says there."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from distilling_maps import network, random_networks

from search.distill.maps.sampling import map_points, reaches_beyond_one, sampled_map
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.mirror_network import MirrorNetwork

TEMPORAL = Drift.from_text("log(x)*(2 - t)", kind="mirror-map")


def test_points_lie_where_it_is_said() -> None:
    at = map_points(1000, 0, lowest=-20)
    near = at.log_x > -0.1
    assert -20 <= at.log_x.min() < -19.5 and -2e-3 < at.log_x.max() <= -1e-3
    assert 0.2 <= near.mean() < 0.23 and at.weight.sum() == pytest.approx(1)
    assert set(at.t * 16) == set(range(17))
    again = map_points(1000, 0, lowest=-20)
    assert (again.log_x == at.log_x).all() and (again.t == at.t).all()
    assert map_points(1000, 0, beyond=True).log_x.max() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_the_fewest_points_follow_a_map_that_knows_the_time(seed: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "seen.npz", log_prob=[-2.0] * 64, progress=np.arange(64) / 64)
    for densities in ((), (tmp_path / "seen.npz",)):
        found = sampled_map(TEMPORAL, map_points(64, seed, densities=densities), "mirror-map")
        assert found.t is not None and len(set(found.t)) >= 5


@pytest.mark.parametrize("which", [0, 1])
def test_a_network_and_a_function_give_the_same(which: int) -> None:
    import jax.numpy as jnp

    at = map_points(100, 0)
    formula = Drift.from_text("2*log(x) + x", kind="psi")
    net = network("psi", {"identity": (1.0, 1.0)}, skip=2.0)
    exact = sampled_map(formula, at, "psi")
    other = sampled_map((net, lambda l: 2 * l + jnp.exp(l))[which], at, "psi")
    np.testing.assert_allclose(other.g, exact.g, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(other.dgdlogx, exact.dgdlogx, rtol=1e-5)
    assert other.t is None and other.about["of"] == (net.content_hash, "function")[which]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda l: 0.0, "returns an array of shape ()"),
        (lambda l: l.sum(), "returns an array of shape ()"),
        (lambda l, t: np.sin(l), "computes with jax.numpy"),
        (lambda l: math.sin(l), "computes with jax.numpy"),
        (lambda l: None, "cannot be traced"),
    ],
)
def test_a_function_that_is_none_of_arrays_is_told(function, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        sampled_map(function, map_points(100, 0), "psi")


def test_a_record_is_drawn_from_and_kept_within_reach(tmp_path: Path) -> None:
    np.savez(tmp_path / "seen.npz", log_prob=[-2.0, -3000.0, 5.0], progress=[0.1, 0.5, 1.0])
    at = map_points(1000, 0, densities=[tmp_path / "seen.npz"])
    assert {-2.0, -700.0, -1e-6} <= set(at.log_x) and {0.125, 0.5} <= set(at.t)
    assert 5.0 in map_points(1000, 0, densities=[tmp_path / "seen.npz"], beyond=True).log_x
    assert sampled_map(TEMPORAL, at, "mirror-map").t is not None


def test_a_folder_of_an_alignment_tells_what_its_agents_met(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no agent of it was trained by pairs"):
        map_points(100, 0, densities=[tmp_path])
    for number, low in enumerate((-4.0, -6.0)):
        (tmp_path / f"agents-{number}").mkdir()
        met = {"chosen": np.full((1, 3), low), "rejected": np.full((1, 3), low - 1)}
        file = tmp_path / f"agents-{number}" / "trajectory.npz"
        np.savez(file, **met, progress=np.array([[0.0, 0.25, 0.5]]))
    at = map_points(1000, 0, densities=[tmp_path])
    seen = at.log_x[:900]
    assert set(seen) == {-4.0, -5.0, -6.0, -7.0} and set(at.t[:900]) == {0.0, 0.25, 0.5}
    np.savez(file, chosen=np.zeros((1, 3)))
    with pytest.raises(ConfigError, match="is not what a training left"):
        map_points(100, 0, densities=[tmp_path])


def test_progress_is_asked_for_where_a_map_needs_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "seen.npz", log_prob=[-2.0, -3.0])
    at = map_points(100, 0, densities=[tmp_path / "seen.npz"])
    with pytest.raises(ConfigError, match="'progress' is missing beside log_prob"):
        sampled_map(TEMPORAL, at, "mirror-map")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"f": [1.0]}, "'log_prob' is missing"),
        ({"log_prob": [-1.0, np.nan]}, "log_prob holds a number that is not finite"),
        (
            {"log_prob": [-1.0], "progress": [0.0, 1.0]},
            "progress has 2 numbers where log_prob has 1",
        ),
        ({"log_prob": [-1.0], "progress": [3.0]}, r"progress must lie in \[0, 1\]"),
        ({"log_prob": [-1.0], "weight": [0.0]}, "not 0 everywhere"),
    ],
)
def test_a_damaged_record_is_refused(arrays, said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "seen.npz", **arrays)
    with pytest.raises(ConfigError, match=said):
        map_points(100, 0, densities=[tmp_path / "seen.npz"])


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="must lie from -700 to"):
        map_points(100, 0, lowest=-1000.0)


def test_points_where_a_map_is_undefined_are_left_out_unless_they_are_all() -> None:
    layers = (np.full((1, 9), 2.0), np.ones((9, 1)))  # log-odds end at x = 1/2
    cut = MirrorNetwork(kind="mirror-map", layers=layers, skip=1.0, mode="paper")
    found = sampled_map(cut, map_points(400, 0), "mirror-map")
    assert found.log_x.max() < np.log(0.5) and found.about["undefined"] > 80
    with pytest.raises(ConfigError, match="a finite number at 0 of 400 points"):
        sampled_map(Drift.from_text("log(x - 2)", kind="psi"), map_points(400, 0), "psi")


def test_which_maps_go_on_beyond_one() -> None:
    psi, phi_inverse = random_networks(0)
    assert not reaches_beyond_one(psi) and not reaches_beyond_one(phi_inverse)
    assert reaches_beyond_one(Drift.from_text("log(x)", {"x": "(0, inf)"}, kind="psi"))
    assert not reaches_beyond_one(TEMPORAL)
