"""`drift verify --explain`: the derivation, and what becomes of a verdict that SymPy denies."""

from __future__ import annotations

import json

from verify.report import Condition, Report, Verdict


def test_explain(drift):
    done = drift("verify", "dpo", "--explain")
    assert done.code == 0
    assert "tanh" in done.out
    explanation = drift("verify", "kl", "--explain", "--json").json["explanation"]
    assert set(explanation) == {"text", "latex"}
    for formula in ("(r-1)**2", "log(A)*(r-1)**2"):  # without and with sentences below the table
        assert "\n\n\n" not in drift("verify", formula, "--explain").out


def test_a_network_has_no_derivation(drift, network_file, monkeypatch):
    monkeypatch.setattr("mirrordrift.cli.verify.decide_target", None)  # not decided in vain
    done = drift("verify", network_file, "--explain")
    assert done.code == 2
    assert "this is a network; leave it out" in done.err


def test_what_sympy_denies_is_unknown_and_a_bug(drift, monkeypatch):
    import verify.explain.document

    denial = verify.explain.document.Explanation("text", "latex", {"nonnegative": "f(2, 1) = -1"})
    monkeypatch.setattr(verify.explain.document, "explain", lambda *_: denial)
    done = drift("verify", "kl", "--explain")
    assert done.code == 3
    assert "f(2, 1) = -1" in done.out
    assert "bug" in done.out


def test_a_certificate_claims_nothing_that_sympy_denies(drift, tmp_path, monkeypatch):
    import verify.explain.document

    path = tmp_path / "kl.json"
    denial = verify.explain.document.Explanation("text", "latex", {"nonnegative": "f(2, 1) = -1"})
    monkeypatch.setattr(verify.explain.document, "explain", lambda *_: denial)
    done = drift("verify", "kl", "--explain", "--json", "--certificate", path)
    verdicts = {c["id"]: c["verdict"] for c in done.json["conditions"]}
    assert verdicts["nonnegative"] == "unknown"
    assert "nonnegative" not in json.loads(path.read_text())["conditions"]
    replayed = drift("check", path, "--json").json["conditions"]
    assert replayed == {name: word for name, word in verdicts.items() if word == "proved"}


def test_what_rests_on_a_denied_proof_is_unknown_too():
    from verify.explain.document import Explanation, apply_disagreements

    claims = {
        "defined": {"verdict": "proved", "by": "nonnegative"},
        "nonnegative": {"verdict": "proved", "regions": {}},
        "flat_at_identity": {"verdict": "proved", "regions": {}},
    }
    believed = Report(
        "f",
        "drift",
        {},
        tuple(Condition(name, Verdict.PROVED, "proof") for name in claims),
        certificate={"schema": "s", "conditions": claims},
    )
    settled = apply_disagreements(believed, Explanation("", "", {"nonnegative": "f(2, 1) = -1"}))
    assert settled["defined"].verdict is settled["nonnegative"].verdict is Verdict.UNKNOWN
    assert "its proof is that of nonnegative" in settled["defined"].detail
    assert settled["flat_at_identity"].verdict is Verdict.PROVED
    assert settled.certificate["conditions"] == {"flat_at_identity": claims["flat_at_identity"]}
    assert settled.certificate["schema"] == "s"
