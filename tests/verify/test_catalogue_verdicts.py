"""Every entry of the catalogue is decided as its record says, and its certificate replays."""

from __future__ import annotations

import pytest

from symbolic.catalogue import catalogue, entries, expected_verdicts
from verify.checker import Replay, check_certificate
from verify.decide import decide
from verify.report import Verdict

KNOWN_UNKNOWN: set[tuple[str, str]] = set()
"""(name, condition) not decided today; an entry that is decided must leave this list."""


@pytest.mark.parametrize("name", entries)
def test_verdicts_of_the_catalogue(name):
    report = decide(entries[name], timeout=30)
    found = {condition.id: condition.verdict.value for condition in report.conditions}
    expected = {
        condition: "unknown" if (name, condition) in KNOWN_UNKNOWN else verdict
        for condition, verdict in expected_verdicts(name).items()
    }
    assert found == expected
    replay = check_certificate(report.certificate)
    assert replay.ok, replay.error


def test_nothing_rests_on_a_proof_that_does_not_replay(monkeypatch):
    def refuse(data, *, deadline):
        if "nonnegative" in data["conditions"]:
            return Replay(False, "drift", data["formula"], error="as if the prover had erred")
        return check_certificate(data, deadline=deadline)

    monkeypatch.setattr("verify.certificate.check_certificate", refuse)
    report = decide(catalogue["kl"])
    assert report["nonnegative"].verdict is Verdict.UNKNOWN
    replay = check_certificate(report.certificate)
    assert replay.ok, replay.error
    claims = {c.id for c in report.conditions if c.verdict is Verdict.PROVED}
    assert set(replay.conditions) == claims


@pytest.mark.parametrize("name", ["k1", "kl"])
def test_a_note_names_the_valid_twin_of_an_invalid_penalty(name):
    notes = decide(catalogue[name]).notes
    assert any("same drift" in note for note in notes) == (name == "k1")
