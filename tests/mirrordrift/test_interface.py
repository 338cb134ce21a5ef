"""What Python users import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mirrordrift
from mirrordrift import (
    ConfigError,
    Drift,
    FormulaError,
    UnreadableCertificate,
    Verdict,
    check,
    equal,
    load_network,
    parse,
    verify,
)

PUBLIC = {
    "distill", "Samples", "load_samples", "save_samples",
    "__version__", "Condition", "ConfigError", "Drift", "DriftNetwork", "Expression", "FormulaError",
    "Interval", "Reference", "Replay", "Report", "UnreadableCertificate", "Verdict", "Witness", "evaluate",
    "catalogue", "check", "equal", "from_sympy", "load_network", "parse", "save_network", "to_sympy",
    "verify", "train", "load_agent", "Agent", "Score", "official_network", "PreferenceData",
    "PreferenceObjective", "align", "objectives", "load_objective", "save_objective",
}  # fmt: skip
"""Names that other people's code relies on: removing one is a change for the changelog."""


def test_public_names_are_these():
    assert set(mirrordrift.__all__) == PUBLIC
    assert len(mirrordrift.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there(name):
    assert getattr(mirrordrift, name) is not None
    assert name in dir(mirrordrift)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'banana'"):
        mirrordrift.banana  # noqa: B018


def test_verify_gives_a_report():
    report = verify("(r-1)**2 - 0.1*abs(A)")
    assert report.verdict is Verdict.REFUTED
    assert report["nonnegative"].witness.r > 0
    assert report.to_json()["verdict"] == "refuted"
    with pytest.raises(TypeError, match="three outcomes"):
        bool(report)


def test_verify_takes_whatever_means_a_drift(network_file):
    import sympy

    r, a = sympy.symbols("r alpha")
    drift = Drift.from_text("alpha*(r-1)**2", ["alpha in (0, inf)"])
    tree = parse("alpha*(r-1)**2", names=["r", "alpha"])
    positive = {"alpha": "(0, inf)"}
    for spec, parameters in [
        ("kl", None),
        ("alpha*(r-1)**2", ["alpha in (0, inf)"]),
        ("alpha*(r-1)**2", positive),
        (drift, None),
        (drift, {"alpha": 2}),
        (tree, positive),
        (a * (r - 1) ** 2, positive),
        (network_file, None),
        (str(network_file), None),
        (load_network(network_file), None),
    ]:
        assert verify(spec, parameters).verdict is Verdict.PROVED


def test_verify_refuses_with_the_text_of_the_command_line(drift):
    for arguments, options in [
        (("(r-1",), []),
        (("q*r",), []),
        (("ppo", ["q=1"]), ["--param", "q=1"]),
    ]:
        with pytest.raises((FormulaError, ConfigError)) as caught:
            verify(*arguments)
        assert str(caught.value) in drift("verify", arguments[0], *options).err
    for wrong in (3, None, ["r"]):
        with pytest.raises(ConfigError, match="is no drift"):
            verify(wrong)
    for timeout in (0, -1, float("nan"), float("inf"), "10"):
        with pytest.raises(ConfigError, match="timeout"):
            verify("kl", timeout=timeout)
    with pytest.raises(ConfigError, match="choose one of"):
        verify("log(x)", kind="banana")


def test_a_witness_reads_as_a_sentence():
    witness = verify("(r-1)*A")["nonnegative"].witness
    assert str(witness) == f"r = {witness.r}, A = {witness.A}: value {witness.text}"
    with pytest.raises(AttributeError, match="the witness has no 'q'; it has r, A"):
        witness.q  # noqa: B018
    slope = verify("abs(r-1)")["flat_at_identity"].witness
    assert " from the " in str(slope)


def test_check_replays_a_report_its_certificate_and_a_file(tmp_path, drift):
    report = verify("kl")
    path = tmp_path / "kl.json"
    drift("verify", "kl", "--certificate", path)
    for certificate in (report, report.certificate, path, str(path)):
        assert check(certificate).ok
    with pytest.raises(UnreadableCertificate):
        check(tmp_path / "absent.json")
    with pytest.raises(UnreadableCertificate):
        check({})


def test_equal_gives_a_condition():
    assert equal("kl", "k3").verdict is Verdict.PROVED
    different = equal("kl", "k2")
    assert different.verdict is Verdict.REFUTED
    assert different.witness is not None
    same = equal("C*(r-1)**2", "(r-1)**2*C", ["C in (0, inf)"])
    assert same.verdict is Verdict.PROVED


def test_a_shadowed_room_is_named(tmp_path):
    (tmp_path / "verify").mkdir()
    (tmp_path / "verify" / "__init__.py").touch()
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(Path(__file__).parents[2])!r}]\n"
    code += "from mirrordrift import Report"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1
    assert f"'verify' is taken from {(tmp_path / 'verify').resolve()}" in done.stderr
