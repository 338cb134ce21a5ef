"""`drift distill` of mirror maps and of objectives, as a person or a program meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from distilling_maps import network

from mirrordrift import distill
from mirrordrift.aligning.plan import objective_of
from mirrordrift.aligning.running import all_proved
from mirrordrift.fronts import files
from symbolic.distill.maps.samples import load_map_samples
from symbolic.errors import ConfigError
from symbolic.mirror_network import save_mirror_network
from symbolic.preference.objective import PreferenceObjective
from symbolic.preference.reading import load_objective, save_objective

FEW = ("--points", "200")
ALPHA, BETA = network("psi", skip=0.7), network("mirror-map", {"logarithm": (2.5, 1.0)})


def saved(path: Path, phi_inverse=BETA) -> Path:
    objective = PreferenceObjective(
        psi=ALPHA, phi_inverse=phi_inverse, weight=0.3, beta=2.0, reduction="mean", name="found"
    )
    save_objective(path / "objective.json", objective)
    return path / "objective.json"


def test_an_objective_of_networks_becomes_formulas_that_train(drift, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = drift("distill", saved(tmp_path), *FEW, "--out", out, "--json")
    assert done.code == 0
    psi, phi_inverse, last = done.lines
    assert (psi["slot"], phi_inverse["slot"]) == ("psi", "phi_inverse")
    assert psi["kind"] == "psi" and phi_inverse["schema"] == "mirrordrift/front/1"
    assert last == {
        "schema": "mirrordrift/distilled-objective/1",
        "objective": str(out / "objective.json"),
        "psi": "0.7*log(x)",
        "phi_inverse": "2.5*log(x)",
    }
    label, found = objective_of(str(out / "objective.json"))
    assert label == "out" and found.text == "0.7*log(x); 2.5*log(x); -softplus(-z)"
    assert found.settings() == load_objective(tmp_path / "objective.json").settings()
    assert all_proved(label, found)
    again = drift("distill", tmp_path / "objective.json", *FEW, "--out", out)
    assert again.code == 2 and "holds an objective already" in again.err


def test_without_psi_there_is_one_front(drift, tmp_path: Path) -> None:
    save_objective(tmp_path / "o.json", PreferenceObjective(psi=None, phi_inverse=BETA))
    done = drift("distill", tmp_path / "o.json", *FEW, "--out", tmp_path / "out")
    assert done.code == 0 and "none; 2.5*log(x); -softplus(-z)" in done.out
    assert not (tmp_path / "out" / "psi").exists()


def test_a_network_is_known_by_its_card(drift, tmp_path: Path) -> None:
    save_mirror_network(tmp_path / "map.npz", network("mirror-map", skip=1.0))
    out = tmp_path / "out"
    done = drift("distill", tmp_path / "map.npz", *FEW, "--out", out)
    assert done.code == 0 and "error ∂φ⁻¹/∂log x" in done.out and "Engine: basis" in done.out
    record = files.read(out / "front.json")
    assert record["kind"] == "mirror-map" and record["network"].startswith("sha256:")
    (knee,) = (m for m in record["members"] if m["knee"])
    assert knee["formula"] == "log(x/(1 - x))" and knee["verdict"] == "proved"
    assert {m["verdict"] for m in record["members"]} == {"proved", "refuted"}
    assert load_map_samples(out / "samples.npz").content_hash == record["samples"]
    assert r"\varphi^{-1}(x)" in (out / "front.tex").read_text()
    for name in ("front.png", "map.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    assert drift("check", out / "certificates.jsonl").code == 0
    # The front is a SPEC, its samples are one, too.
    assert drift("verify", "--kind", "mirror-map", out / "front.json").code == 0
    again = drift("distill", out / "samples.npz", *FEW, "--out", tmp_path / "again", "--json")
    assert [m["formula"] for m in again.json["members"]] == [
        m["formula"] for m in record["members"]
    ]


def test_a_formula_beyond_one_keeps_its_domain(drift, tmp_path: Path) -> None:
    done = drift(
        "distill", "--kind", "psi", "alpha*log(x)", "--param", "alpha=0.3", "--param",
        "x in (0, inf)", *FEW, "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    (knee,) = (m for m in done.json["members"] if m["knee"])
    assert knee["formula"] == "0.3*log(x)" and knee["parameters"] == {"x": "(0, inf)"}
    shown = drift("verify", "--kind", "psi", tmp_path / "out" / "front.json", "--json").json
    assert shown["verdict"] == "proved" and shown["parameters"] == {"x": "(0, inf)"}


def test_from_python() -> None:
    assert str(distill("log-odds", points=200).knee.formula) == "log(x/(1 - x))"
    assert str(distill("c*log(x); c=2", kind="psi", points=200).knee.formula) == "2*log(x)"
    assert str(distill(BETA, points=200).knee.formula) == "2.5*log(x)"
    fading = distill(lambda log_prob, t: (2 - t) * log_prob, kind="mirror-map", points=200)
    assert str(fading.knee.formula) == "log(x)*(2 - t)"
    with pytest.raises(ConfigError, match="give its psi, or its phi_inverse"):
        distill(PreferenceObjective(psi=ALPHA, phi_inverse=BETA))


def test_a_slot_without_a_proved_formula_leaves_no_objective(drift, tmp_path: Path) -> None:
    save_objective(
        tmp_path / "o.json",
        PreferenceObjective(psi=None, phi_inverse=network("mirror-map", {"identity": (1.0, 1.0), "logarithm": (1e-12, 1.0)})),
    )  # fmt: skip
    done = drift("distill", tmp_path / "o.json", *FEW, "--out", tmp_path / "out")
    assert done.code == 2 and "no member of the front is proved" in done.err
    assert (tmp_path / "out" / "phi_inverse" / "front.json").exists()
    assert not (tmp_path / "out" / "objective.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "mirror-map", "{drift}"), "this is a drift, not a mirror-map"),
        (("--kind", "psi", "{map}"), "this is a mirror-map, not a psi"),
        (("--kind", "psi", "log-odds"), "this is a mirror-map, not a psi"),
        (("--kind", "psi", "{objective}"), "this is an objective, not a psi"),
        (("{map}", "--engine", "operon"), "engines and their effort are for drifts"),
        (("{map}", "--front", "f.csv"), "--front and --install are for drifts"),
        (("{map}", "--lowest", "-0.01"), "lowest=-0.01 must lie from -700"),
        (("{map}", "--density", "{seen}"), "log_prob holds a number that is not finite"),
        (("{temporal}", "--density", "{plain}"), "'progress' is missing beside log_prob"),
        (("kl", "--lowest", "-5"), "--lowest is for mirror maps"),
        (("--kind", "mirror-map", "r - 1"), "'r'"),
        (("--kind", "mirror-map", "c*log(x)", "--param", "c in (0, inf)"), "bind it"),
        (("{objective}", "--param", "c=1"), "an objective has its own"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_clear_message(
    drift, arguments, said: str, network_file: Path, tmp_path: Path
) -> None:
    save_mirror_network(tmp_path / "map.npz", BETA)
    fading = network("psi", {"identity": (1.0, 1.0, -0.5)}, skip=1.0, temporal=True)
    save_mirror_network(tmp_path / "temporal.npz", fading)
    np.savez(tmp_path / "seen.npz", log_prob=[np.nan, -1.0])
    np.savez(tmp_path / "plain.npz", log_prob=[-2.0, -1.0])
    places = {
        "drift": network_file,
        "objective": saved(tmp_path),
        **{name: tmp_path / f"{name}.npz" for name in ("map", "temporal", "seen", "plain")},
    }
    given = [argument.format(**places) for argument in arguments]
    done = drift("distill", *given, "--out", tmp_path / "out")
    assert done.code == 2 and said in done.err and done.err.count("drift:") == 1
    assert not (tmp_path / "out" / "front.json").exists()
