"""Known maps are found exactly at the knee; what is no potential is told, and not hidden."""

from __future__ import annotations

import numpy as np
import pytest
from distilling_maps import front_of, network, random_networks

from search.distill.front import as_json
from search.distill.maps.front import asked_at, distil_map, knee_of
from search.distill.maps.sampling import map_points, sampled_map
from symbolic.drift import Drift
from symbolic.errors import ConfigError

LOG_PLUS_CUBE = network("mirror-map", {"logarithm": (1.0, 1.0), "cube": (0.1, 1.0)})
FADING = network(
    "psi", {"identity": (2.0, 1.0, -0.5)}, skip=1.5, temporal=True
)  # 1.5·log x + 2·(1 − t/2)·x
SCALED_BY_T = network("psi", {"logarithm": (1.0, 1.0, 1.0)}, skip=0.0, temporal=True)


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("mirror-map", "log(x) - log(1 - x)", "log(x/(1 - x))"),
        ("psi", "log(x)", "log(x)"),
        ("psi", "0.7*log(x)", "0.7*log(x)"),
        ("mirror-map", "2.5*log(x)", "2.5*log(x)"),
        ("mirror-map", "log(x) + 0.1*x**3", "log(x) + 0.1*x**3"),
        ("mirror-map", "log(x)*(2 - t)", "log(x)*(2 - t)"),
        ("mirror-map", "1 + log(x)/3 + sqrt(x)", "1/3*log(x) + sqrt(x)"),
    ],
)
def test_a_known_formula_is_the_knee(kind: str, text: str, found: str) -> None:
    knee = front_of(Drift.from_text(text, kind=kind), kind).knee
    assert str(knee.formula) == found and knee.proved and knee.errors.loss < 1e-20


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (network("mirror-map", skip=1.0), "log(x/(1 - x))"),
        (network("psi", skip=0.7), "0.7*log(x)"),
        (LOG_PLUS_CUBE, "log(x) + 0.1*x**3"),
        (FADING, "1.5*log(x) + x*(2 - t)"),
        (SCALED_BY_T, "log(x)"),  # log((1 + t)·x): what t adds is a constant of the map
    ],
    ids=["log-odds", "scaled-log", "log-plus-cube", "fading", "scaled-by-t"],
)
def test_a_known_network_is_the_knee(target, found: str) -> None:
    knee = front_of(target, target.kind).knee
    assert str(knee.formula) == found and knee.proved and knee.errors.loss < 1e-20


@pytest.mark.parametrize("which", [0, 1])
def test_along_a_networks_front_errors_fall(which: int) -> None:
    target = random_networks(1)[which]
    front = front_of(target, target.kind)
    losses = [m.errors.loss for m in front.members if m.proved]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 1e-3 * losses[0]
    assert front.knee.errors.loss <= 1e-4 and front.knee.complexity <= 25


def test_what_is_no_potential_is_marked_refuted() -> None:
    front = front_of(network("mirror-map", skip=1.0), "mirror-map")
    refuted = [m for m in front.members if m.report.verdict == "refuted"]
    assert refuted and not any(m.knee for m in refuted)
    record = as_json(front, {"log_x": (-10.0, 0.0)})["members"]
    told = [m["refuted"] for m in record if m["verdict"] == "refuted"]
    assert all("lower_limit: x = 0: limit from the right 0" in each for each in told)


def test_a_map_that_is_no_potential_has_no_knee_and_gives_no_objective() -> None:
    front = front_of(Drift.from_text("x", kind="mirror-map"), "mirror-map")
    assert [m.report.verdict.value for m in front.members] == ["refuted"] and front.knee is None
    with pytest.raises(ConfigError, match="no member of the front is proved to be a mirror-map"):
        knee_of(front, "mirror-map", {})
    with pytest.raises(ConfigError, match="does the map decrease"):
        front_of(Drift.from_text("-log(x)", kind="psi"), "psi")


def test_a_map_beyond_one_is_decided_there() -> None:
    target = Drift.from_text("log(x) + 0.2*x", {"x": "(0, inf)"}, kind="mirror-map")
    samples = sampled_map(target, map_points(300, 0, beyond=True), "mirror-map")
    front = distil_map(samples, domains={"x": "(0, inf)"})
    assert str(front.knee.formula) == "log(x) + 0.2*x"
    assert front.knee.report.parameters == {"x": "(0, inf)"}
    assert str(knee_of(front, "mirror-map", {"x": "(0, inf)"}).domain("x")) == "(0, inf)"
    low, high = asked_at(samples)["log_x"]
    assert low < -9 and 0.9 < high <= 1


def test_many_samples_are_thinned_for_the_fit_alone() -> None:
    target = Drift.from_text("3*log(x) + x**2", kind="psi")
    samples = sampled_map(target, map_points(3000, 0), "psi")
    knee = distil_map(samples).knee
    assert str(knee.formula) == "3*log(x) + x**2" and knee.errors.loss < 1e-20
    noisy = sampled_map(lambda l: 3 * l, map_points(500, 1), "psi")  # JAX, in float32
    assert str(distil_map(noisy).knee.formula) == "3*log(x)" and np.ptp(noisy.dgdlogx) < 1e-6


def test_an_interrupt_keeps_what_is_decided() -> None:
    def cut_after(count: int):
        def tell(what: str, done: int, total: int) -> None:
            if done == count:
                raise KeyboardInterrupt

        return tell

    target = network("mirror-map", skip=1.0)
    found = front_of(target, "mirror-map", tell=cut_after(2))
    assert found.interrupted and found.members
    with pytest.raises(KeyboardInterrupt):
        front_of(target, "mirror-map", tell=cut_after(0))
