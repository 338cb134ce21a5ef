"""The known penalties: complete, quick to read, and what is said of them is what they do."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from symbolic.catalogue import catalogue, entries, expected_verdicts, mirror_maps, suggest
from symbolic.derivative import derivative
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.expression import Expression, number, postorder, substitute
from symbolic.numeric import evaluate
from symbolic.parser import parse

CONDITIONS = ["defined", "nonnegative", "zero_at_identity", "flat_at_identity"]
REFUTED = {
    "dual-clip": {"nonnegative"},
    "p3o": {"nonnegative"},
    "k1": {"nonnegative", "flat_at_identity"},
    "total-variation": {"flat_at_identity"},
    "broken-tail": {"nonnegative"},
    "broken-kink": {"flat_at_identity"},
    "broken-value": {"zero_at_identity"},
    "broken-undefined": {"defined"},
    "broken-near-tie": {"nonnegative", "zero_at_identity"},
}
SAMPLES = 4_000


def inside(drift: Drift, name: str, rng: np.random.Generator, count: int) -> np.ndarray:
    """Values all over the domain of a symbol, at scales from 1e-4 to 1e4, ends nearly reached."""
    domain = drift.domain(name)
    if domain.value is not None:
        return np.full(count, float(domain.value))
    size = np.exp(rng.uniform(-9, 9, count))
    if domain.lower is not None and domain.upper is not None:
        low, high = float(domain.lower), float(domain.upper)
        return low + (high - low) * size / (1 + size)
    if domain.lower is not None:
        return float(domain.lower) + size
    if domain.upper is not None:
        return float(domain.upper) - size
    return size * rng.choice([-1.0, 1.0], count)


def sample(drift: Drift, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    names = [*drift.parameters, "r", "A", "t"]
    values = {name: inside(drift, name, rng, SAMPLES) for name in names}
    values["r"][::2] = np.exp(rng.normal(0, 0.3, SAMPLES // 2))
    return values


def scale(tree: Expression, values: dict[str, np.ndarray]) -> np.ndarray:
    """The largest number met on the way: what rounding errors are relative to."""
    met = [np.broadcast_to(np.abs(evaluate(node, values)), SAMPLES) for node in postorder(tree)]
    return np.maximum.reduce([np.nan_to_num(x, nan=0.0) for x in met])


def test_at_least_thirty_with_a_source_and_five_broken():
    assert len(catalogue) >= 35
    assert sum(drift.reference is not None for drift in catalogue.values()) >= 32
    assert sum(name.startswith("broken-") for name in catalogue) == 5


@pytest.mark.parametrize("name", catalogue)
def test_entries_are_complete(name):
    drift = catalogue[name]
    assert catalogue[name] is drift
    assert drift.name == name
    assert drift.kind == "drift"
    assert drift.title
    assert drift.formula.symbols <= {"r", "A", "t", *drift.parameters}
    assert set(drift.defaults) == set(drift.parameters)
    assert all(isinstance(v, Fraction) for v in drift.defaults.values())
    assert all(value in drift.domain(key) for key, value in drift.defaults.items())
    assert drift.reference is None or 1900 < drift.reference.year < 2027
    assert drift.reference or "Folklore" in drift.note or name.startswith("broken-")
    assert list(expected_verdicts(name)) == CONDITIONS
    refuted = {c for c, verdict in expected_verdicts(name).items() if verdict == "refuted"}
    assert refuted == REFUTED.get(name, set())
    assert drift.note or not refuted  # a refutation is explained


@pytest.mark.parametrize("name", catalogue)
def test_samples_agree_with_the_expected_verdicts(name):
    drift, expected = catalogue[name], expected_verdicts(name)
    values = sample(drift)
    f = np.broadcast_to(evaluate(drift.formula, values), SAMPLES)
    finite = scale(drift.formula, values) < 1e12
    defined = ~np.isnan(f)
    if expected["defined"] == "proved":
        assert defined[finite].all()
    else:
        assert not defined.all()
    known = defined & finite
    assert known.sum() > SAMPLES // 20
    negative = f < -1e-9 * (1e-3 + scale(drift.formula, values))
    if expected["nonnegative"] == "proved":
        assert not (negative & known).any()
    elif name not in ("broken-tail", "broken-near-tie"):  # made to be missed by samples
        assert (negative & known).any()


@pytest.mark.parametrize("name", catalogue)
def test_value_and_slopes_at_one(name):
    drift, expected = catalogue[name], expected_verdicts(name)
    values = sample(drift, seed=1)
    values["A"] = np.where(values["A"] > 100, 7.0, values["A"])
    at_one = substitute(drift.formula, {"r": number(1)})
    f = np.broadcast_to(evaluate(at_one, values), SAMPLES)
    slopes = [
        np.broadcast_to(evaluate(derivative(drift.formula, "r", s), {**values, "r": 1.0}), SAMPLES)
        for s in (-1, 1)
    ]
    known = ~np.isnan(f) & (scale(at_one, values) < 1e6)
    tolerance = 1e-9 * (1 + scale(at_one, values))
    if name != "broken-near-tie":  # 1e-16
        zero = np.abs(f) <= tolerance
        assert zero[known].all() == (expected["zero_at_identity"] == "proved")
    flat = [np.abs(slope) <= 1e-9 * (1 + scale(at_one, values)) for slope in slopes]
    assert (flat[0] & flat[1])[known].all() == (expected["flat_at_identity"] == "proved")


def values_of(name: str, r: float, A: float = 0.0, **parameters: float) -> float:
    drift = catalogue[name]
    defaults = {key: float(value) for key, value in drift.defaults.items()}
    return float(evaluate(drift.formula, {**defaults, **parameters, "r": r, "A": A, "t": 0.0}))


@pytest.mark.parametrize("A", [-2.0, -0.5, 0.0, 1.5])
@pytest.mark.parametrize("r", [0.1, 0.79, 0.95, 1.0, 1.1, 1.3, 4.0])
def test_objectives_of_the_papers(r, A):
    """r·A − f is what each paper maximises."""
    clipped = min(max(r, 0.8), 1.2)
    ppo = min(r * A, clipped * A)
    assert r * A - values_of("ppo", r, A) == pytest.approx(ppo)
    dual = max(ppo, 3 * A) if A < 0 else ppo
    assert r * A - values_of("dual-clip", r, A) == pytest.approx(dual)
    rolled = -0.3 * r + 1.3 * clipped if abs(r - 1) > 0.2 else r
    assert r * A - values_of("ppo-rollback", r, A) == pytest.approx(min(r * A, rolled * A))
    leaky = 0.1 * r + 0.9 * clipped
    assert r * A - values_of("ppo-leaky", r, A) == pytest.approx(min(r * A, leaky * A))
    smooth = clipped - 0.3 * (np.tanh(r - 1) - np.tanh(clipped - 1))
    assert r * A - values_of("ppo-smooth", r, A) == pytest.approx(min(r * A, smooth * A))
    high = min(r * A, min(max(r, 0.8), 1.28) * A)
    assert r * A - values_of("ppo-asymmetric", r, A) == pytest.approx(high)
    assert r * A - values_of("spo", r, A) == pytest.approx(r * A - abs(A) * (r - 1) ** 2 / 0.4)
    sigmoid = 1 / (1 + np.exp(-2 * (r - 1)))
    assert r * A - values_of("p3o", r, A) == pytest.approx(2 * A * sigmoid)  # 4/tau·sigmoid·A


def test_relations_between_entries():
    for r in (0.2, 0.9, 1.7):
        assert values_of("k1", r) + (r - 1) == pytest.approx(values_of("k3", r))
        assert values_of("k3", r) == pytest.approx(values_of("kl", r))
        assert values_of("grpo-kl", r, beta=1) == pytest.approx(values_of("k3", 1 / r))
        assert values_of("jeffreys", r) == pytest.approx(
            values_of("kl", r) + values_of("reverse-kl", r)
        )
        half = values_of("alpha-divergence", r, alpha=0.5)
        assert half == pytest.approx(2 * values_of("hellinger", r))
        above = values_of("alpha-divergence-above", r, alpha=2)
        assert above == pytest.approx(values_of("chi-square", r) / 2)
        below = values_of("alpha-divergence-below", r, alpha=-1)
        assert below == pytest.approx(values_of("neyman-chi-square", r) / 2)
        assert values_of("linex", 1 + np.log(r)) == pytest.approx(values_of("kl", r))


@pytest.mark.parametrize(
    ("name", "divergence"),
    [
        ("kl", lambda p, q: sum(p * np.log(p / q))),
        ("reverse-kl", lambda p, q: sum(q * np.log(q / p))),
        ("chi-square", lambda p, q: sum((q - p) ** 2 / p)),
        ("neyman-chi-square", lambda p, q: sum((q - p) ** 2 / q)),
        ("hellinger", lambda p, q: sum((np.sqrt(q) - np.sqrt(p)) ** 2)),
        ("total-variation", lambda p, q: sum(abs(q - p)) / 2),
        (
            "jensen-shannon",
            lambda p, q: sum(p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))),
        ),
        ("triangular", lambda p, q: sum((q - p) ** 2 / (p + q))),
    ],
)
def test_expectations_are_the_divergences(name, divergence):
    old, new = np.array([0.1, 0.6, 0.3]), np.array([0.25, 0.35, 0.4])
    drift = sum(p * values_of(name, q / p) for p, q in zip(old, new))
    assert drift == pytest.approx(divergence(old, new))


def test_dual_clip_fails_where_its_note_says():
    assert values_of("dual-clip", 4, -1) == -1


def test_it_is_a_read_only_mapping_in_order():
    assert list(catalogue)[:2] == ["zero", "trust-region"]
    assert "ppo" in catalogue
    assert "nothing" not in catalogue
    assert catalogue.get("nothing") is None
    with pytest.raises(KeyError):
        catalogue["nothing"]
    with pytest.raises(ConfigError) as caught:
        catalogue["dp0"]
    assert str(caught.value).startswith("'dp0' is no name of the catalogue; did you mean dpo?")
    with pytest.raises(TypeError):
        catalogue["mine"] = catalogue["ppo"]
    assert catalogue["kl"].formula is parse("r - 1 - log(r)")


def test_suggestions():
    assert suggest("DPO2")[0] == "dpo"
    assert suggest("chi_square")[0] == "chi-square"
    assert "jensen-shannon" in suggest("shannon")
    assert suggest("zzzzzz") == []
    assert len(suggest("p" * 2)) <= 5


def test_reading_all_of_it_is_quick():
    code = (
        "import numpy, time, symbolic.drift; start = time.perf_counter()\n"
        "from symbolic.catalogue import catalogue; drifts = list(catalogue.values())\n"
        "print(time.perf_counter() - start)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 0.1  # 10 ms on a quiet machine


def test_mirror_maps_are_entries_of_their_own_kind():
    assert {"negative-entropy", "log-odds", "tsallis", "euclidean"} <= set(mirror_maps)
    assert not set(mirror_maps) & set(catalogue)
    assert list(entries) == [*catalogue, *mirror_maps]
    for name, phi_inverse in mirror_maps.items():
        assert phi_inverse.kind == "mirror-map" and phi_inverse.title and phi_inverse.reference
        assert set(phi_inverse.defaults) == set(phi_inverse.parameters)
        assert list(expected_verdicts(name))[0::4] == ["defined", "integrable"]
        assert phi_inverse.note
