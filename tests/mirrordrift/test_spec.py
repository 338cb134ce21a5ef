"""SPEC: file, name, or formula, in this order."""

from __future__ import annotations

import json

import pytest

from mirrordrift.spec import formula, resolve, resolve_together
from symbolic.catalogue import catalogue
from symbolic.errors import ConfigError, FormulaError
from symbolic.network import DriftNetwork


def test_name_before_formula():
    assert resolve(" dpo ") is catalogue["dpo"]
    assert formula("(r-1)**2").name == ""


def test_a_name_is_bound_by_declarations():
    assert str(formula("ppo", ["eps=1/5"]).domain("eps")) == "1/5"


def test_file_before_name(network_file):
    assert isinstance(resolve(str(network_file)), DriftNetwork)
    with pytest.raises(ConfigError, match="is a network"):
        formula(str(network_file))


def test_only_what_is_insisted_on(network_file):
    with pytest.raises(ConfigError, match="no name of the catalogue"):
        resolve("(r-1)**2", only="catalogue")
    with pytest.raises(ConfigError, match="unknown suffix"):
        resolve("dpo", only="network")
    with pytest.raises(FormulaError):
        resolve(str(network_file), only="formula")


def test_drifts_are_not_mirror_maps():
    with pytest.raises(ConfigError, match="is a drift, not a mirror-map"):
        resolve("dpo", kind="mirror-map")
    assert formula("r").kind == "drift"


MEMBER = {"formula": "C*(r-1)**2", "parameters": {"C": "(0, inf)"}}
OTHER = {"formula": "r", "knee": False}


@pytest.mark.parametrize(
    "content",
    [MEMBER, {"members": [MEMBER]}, {"members": [OTHER, {**MEMBER, "knee": True}, OTHER]}],
)
def test_front_members(tmp_path, content):
    path = tmp_path / "front.json"
    path.write_text(json.dumps(content))
    assert formula(str(path)).text == "C*(r - 1)**2"
    assert str(formula(path).domain("C")) == "(0, inf)"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "no object"),
        ("{}", "no member of a front"),
        ('{"formula": 3}', "no member of a front"),
        ('{"formula": "r", "parameters": []}', "no member of a front"),
        ('{"schema": "mirrordrift/certificate/1", "formula": "r"}', "replay it with drift check"),
        ('{"members": []}', "0 members"),
        ('{"members": [3]}', "1 members"),
        (json.dumps({"members": [OTHER, OTHER]}), "0 marked as its knee"),
        ("{" * 100_000, "not readable"),
    ],
)
def test_what_is_no_front(tmp_path, content, says):
    path = tmp_path / "front.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=says):
        resolve(str(path))


def test_several_share_declarations():
    ppo, square = resolve_together(["ppo", "C*(r-1)**2"], ["eps=0.3", "C in (0, 1]"])
    assert str(ppo.domain("eps")) == "3/10"
    assert list(square.domains) == ["C"]
    with pytest.raises(ConfigError, match="no formula has it"):
        resolve_together(["ppo", "r"], ["q=1"])


def test_what_an_entry_declares_holds_for_a_formula_beside_it(tmp_path):
    text = "relu((r - clip(r, 1-eps, 1+eps))*A)"
    for specs in (["ppo", text], [text, catalogue["ppo"]]):
        found = resolve_together(specs)
        assert found[0].domains == found[1].domains == catalogue["ppo"].domains
        assert found[0].defaults == found[1].defaults == catalogue["ppo"].defaults
    assert [str(f.domain("eps")) for f in resolve_together(["ppo", text], ["eps=0.3"])] == 2 * [
        "3/10"
    ]
    path = tmp_path / "front.json"
    path.write_text(json.dumps(MEMBER))
    assert str(resolve_together([str(path), "C*r"])[1].domain("C")) == "(0, inf)"
    narrow, wide = catalogue["ppo"].bind(["eps in (0, 1/2)"]), catalogue["ppo"]
    with pytest.raises(FormulaError, match="unknown name 'eps'"):
        resolve_together([narrow, wide, text])


def test_an_objective_s_file_tells_how_its_maps_are_decided(tmp_path):
    from exported_objectives import network_objective

    from symbolic.catalogue.objectives import objectives
    from symbolic.preference.reading import save_objective

    save_objective(tmp_path / "o.json", objectives["orpo"])
    with pytest.raises(
        ConfigError, match=r'--kind psi "log\(x\)" --param "x in \(0, inf\)", drift v'
    ):
        resolve(str(tmp_path / "o.json"))
    save_objective(tmp_path / "n.json", network_objective(aware=False))
    with pytest.raises(ConfigError, match=r"--kind mirror-map --network .*n-phi_inverse\.npz"):
        resolve(str(tmp_path / "n.json"))
