"""Preference objectives: by name, as text, as files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symbolic.catalogue import UnknownName
from symbolic.catalogue.objectives import ALIASES, objectives
from symbolic.drift import Drift
from symbolic.errors import ConfigError, FormulaError
from symbolic.mirror_network import UNITS, MirrorNetwork
from symbolic.preference.objective import HIGHEST, LOWEST, PreferenceObjective
from symbolic.preference.reading import load_objective, objective_from_text, save_objective


def networks() -> tuple[MirrorNetwork, MirrorNetwork]:
    hidden = len(UNITS)
    layers = (np.full((1, hidden), 0.5), np.full((hidden, 1), 0.1))
    return (
        MirrorNetwork(kind="psi", layers=layers, skip=1.0),
        MirrorNetwork(kind="mirror-map", layers=layers, skip=1.0),
    )


def test_the_catalogue_has_what_the_literature_has() -> None:
    assert list(objectives) == [
        "direct-preference", "conservative-direct-preference", "orpo", "ipo", "simpo",
        "log-ratio-modulated", "mpo-closed-form",
    ]  # fmt: skip
    for name, objective in objectives.items():
        assert objective.name == name and objective.title and objective.source
    assert objectives["dpo"] is objectives["direct-preference"]
    assert set(ALIASES.values()) <= set(objectives)


def test_an_unknown_objective_gets_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean orpo"):
        objectives["orpp"]


def test_the_range_of_log_probabilities_is_stated() -> None:
    assert objectives["dpo"].log_prob_range == (LOWEST, HIGHEST)
    low, high = objectives["orpo"].log_prob_range
    assert low == LOWEST and high == pytest.approx(-1e-6)
    cubic = objective_from_text("log(x); log(x) + x**3; x in (0, inf)")
    assert cubic.log_prob_range[0] == LOWEST and 15 < cubic.log_prob_range[1] < 25
    psi, phi_inverse = networks()
    learnt = PreferenceObjective(psi=psi, phi_inverse=phi_inverse)
    assert learnt.log_prob_range[0] == LOWEST and learnt.log_prob_range[1] < 0


def test_text_is_read_slot_by_slot() -> None:
    read = objective_from_text("alpha*log(x); log(x) - log(1-x); -softplus(c - z); alpha=2; c=1/2")
    assert isinstance(read.psi, Drift) and isinstance(read.phi_inverse, Drift)
    assert read.text == "2*log(x); log(x) - log(1 - x); -softplus(0.5 - z)"
    assert set(read.psi.domains) == {"alpha"} and not read.phi_inverse.domains
    assert objective_from_text("none; log(x)").psi is None


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("log(x)", ConfigError, "holds 1 formulas"),
        ("log(x); log(x); -z; x", ConfigError, "holds 4 formulas"),
        ("log(x); log(y)", FormulaError, "unknown name 'y'"),
        ("log(x); log(x); z*x", FormulaError, "'x' is not a variable of this kind"),
        ("log(z); log(x)", FormulaError, "unknown name 'z'"),
        ("__import__('os'); log(x)", FormulaError, "unexpected character"),
    ],
)
def test_what_is_no_objective_is_refused(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        objective_from_text(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weight": 0.0}, "weight=0.0 must be a finite number above 0"),
        ({"beta": float("nan")}, "beta=nan"),
        ({"margin": -1.0}, "margin=-1.0"),
        ({"label_smoothing": 0.5}, "label_smoothing=0.5"),
        ({"reduction": "max"}, "reduction='max' is unknown; use sum or mean"),
        ({"psi": Drift.from_text("r")}, "psi is a drift, where a psi must stand"),
        ({"phi_inverse": 3}, "phi_inverse=3 is int"),
    ],
)
def test_a_setting_that_breaks_a_rule_is_refused(changes: dict[str, object], said: str) -> None:
    fields = {"psi": None, "phi_inverse": Drift.from_text("log(x)", kind="mirror-map"), **changes}
    with pytest.raises(ConfigError, match=said):
        PreferenceObjective(**fields)  # type: ignore[arg-type]


def test_a_saved_objective_is_the_same(tmp_path: Path) -> None:
    for name, written in objectives.items():
        save_objective(tmp_path / f"{name}.json", written)
        read = load_objective(tmp_path / f"{name}.json")
        assert (read.text, read.settings()) == (written.text, written.settings())
        assert read.log_prob_range == written.log_prob_range
        assert read.link_is_log_sigmoid == written.link_is_log_sigmoid


def test_networks_lie_beside_their_objective_and_are_known_again(tmp_path: Path) -> None:
    psi, phi_inverse = networks()
    save_objective(tmp_path / "o.json", PreferenceObjective(psi=psi, phi_inverse=phi_inverse))
    read = load_objective(tmp_path / "o.json")
    assert isinstance(read.psi, MirrorNetwork) and read.psi.content_hash == psi.content_hash
    (tmp_path / "o-psi.npz").write_bytes((tmp_path / "o-phi_inverse.npz").read_bytes())
    with pytest.raises(ConfigError, match="another network"):
        load_objective(tmp_path / "o.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "schema=None is unknown"),
        ('{"schema": "mirrordrift/objective/1"}', "'phi_inverse' is missing"),
        ('{"schema": "mirrordrift/objective/1", "phi_inverse": 3}', "phi_inverse must be null"),
        (
            '{"schema": "mirrordrift/objective/1", "phi_inverse": {"network": "../a.npz"}}',
            "must lie beside",
        ),
        (
            '{"schema": "mirrordrift/objective/1", "phi_inverse": {"formula": "log(x)"}, "beta": "1"}',
            "beta='1' is str",
        ),
        (
            '{"schema": "mirrordrift/objective/1", "phi_inverse": {"formula": "log(x)"}, "beta": 1'
            + "0" * 400
            + "}",
            "beta must be a finite number",
        ),
        ("not json", "o.json"),
    ],
)
def test_a_file_that_is_no_objective_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "o.json").write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_objective(tmp_path / "o.json")


@pytest.mark.parametrize(
    ("link", "wrong"),
    [("z", False), ("-z", True), ("-relu(-z)", False), ("z*(t - 2)", True), ("0*z", False)],
)
def test_a_link_that_prefers_the_rejected_is_known(link: str, wrong: bool) -> None:
    assert objective_from_text(f"none; log(x); {link}").prefers_rejected == wrong


def test_no_published_link_prefers_the_rejected() -> None:
    assert not any(objectives[name].prefers_rejected for name in objectives)


def test_only_psi_may_be_left_out() -> None:
    with pytest.raises(ConfigError, match="has no phi_inverse"):
        objective_from_text("none; none")
