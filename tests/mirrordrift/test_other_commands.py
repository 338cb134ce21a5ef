"""`drift check`, `equal`, `catalogue`, `plot`, `doctor`, and what all commands have in common."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

import verify.equality
from mirrordrift import check
from mirrordrift.cli import COMMANDS, worst
from symbolic.catalogue import entries, expected_verdicts
from verify.report import Condition, Verdict

ROOT = Path(__file__).parents[2]
COMMAND_NAMES = (
    "verify", "check", "equal", "catalogue", "plot", "train", "bench", "meta-train", "search",
    "distill", "discover", "preference-data", "align", "export", "doctor",
)  # fmt: skip


def test_commands_are_these():
    assert tuple(COMMANDS) == COMMAND_NAMES


@pytest.mark.parametrize("command", COMMAND_NAMES)
def test_help_has_an_example(drift, command):
    done = drift(command, "--help")
    assert done.code == 0
    assert f"examples:\n  drift {command}" in done.out.replace(
        "drift verify kl --cert", f"drift {command}"
    )
    assert "--json" in done.out


@pytest.mark.parametrize("command", COMMAND_NAMES)
def test_help_fits_the_terminal(drift, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    what = drift(command, "--help").out.partition("examples:")[0].partition("\n\n")[2]
    assert what
    assert max(map(len, what.splitlines())) <= 80


def test_overview(drift):
    done = drift("--help")
    assert done.code == 0
    assert all(f"  {name} " in done.out for name in COMMAND_NAMES)
    assert drift("help").out == done.out
    assert drift().code == 2
    wrong = drift("verfy")
    assert wrong.code == 2
    assert "did you mean `drift verify`" in wrong.err


def test_version(drift):
    import mirrordrift

    assert drift("--version").out == f"mirrordrift {mirrordrift.__version__}\n"


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((0, 3, 1, 2, 130), 130),
        ((0, 3, 1, 2), 2),
        ((0, 3, 1), 1),
        ((0, 3), 3),
        ((0, 0), 0),
        ((), 0),
    ],
)
def test_precedence_of_exit_codes(codes, code):
    assert worst(codes) == worst(codes[::-1]) == code


@pytest.fixture
def certificate(drift, tmp_path):
    path = tmp_path / "certificate.json"
    assert drift("verify", "kl", "--certificate", path).code == 0
    return path


def test_check_prints_formula_and_conditions(drift, certificate):
    done = drift("check", certificate)
    assert done.code == 0
    assert "r - 1 - log(r)" in done.out
    assert "flat_at_identity  proved" in done.out
    found = drift("check", certificate, "--json").json
    assert found["schema"] == "mirrordrift/check/1"
    assert found["replayed"] is True
    assert found["conditions"] == dict.fromkeys(expected_verdicts("kl"), "proved")


def test_check_says_what_follows(drift, certificate, tmp_path):
    done = drift("check", certificate)
    assert "for all  r in (0, inf), A in (-inf, inf)\n" in done.out
    assert done.out.endswith("\nreplayed: every condition is proved\n")
    data = json.loads(certificate.read_text())
    del data["conditions"]["flat_at_identity"]
    certificate.write_text(json.dumps(data))
    done = drift("check", certificate)
    assert done.code == 0
    assert "replayed; nothing is shown of flat_at_identity, so this does not prove" in done.out
    found = drift("check", certificate, "--json").json
    assert found["missing"] == ["flat_at_identity"]
    assert found["domains"] == {"r": "(0, inf)", "A": "(-inf, inf)"}
    drift("verify", "k1", "--certificate", certificate)
    assert (
        "replayed: the formula is refuted, by nonnegative, flat_at_identity"
        in drift("check", certificate).out
    )
    formulas = tmp_path / "formulas.txt"
    formulas.write_text("t*(r-1)**2\n(r-1)**2\n")
    drift("verify", "--file", formulas, "--certificate", certificate)
    out = drift("check", certificate).out
    assert "A in (-inf, inf), t in [0, 1]\n" in out
    assert "proved\n\nformula" in out


def test_check_describes_a_network(drift, network_file, tmp_path):
    path = tmp_path / "certificate.json"
    shown = drift("verify", network_file, "--certificate", path, "--json").json["formula"]
    done = drift("check", path)
    assert f"formula  {shown}\n" in done.out
    assert drift("check", path, "--json").json["formula"] == shown == check(path).formula
    data = json.loads(path.read_text())
    del data["network"]["xi"]
    path.write_text(json.dumps(data))
    done = drift("check", path)
    assert done.code == 1
    assert "a network that is not readable" in done.out


def test_check_shows_the_value_of_a_bound_parameter(drift, tmp_path):
    path = tmp_path / "certificate.json"
    drift("verify", "C*(r-1)**2", "--param", "C=1/5", "--certificate", path)
    assert "C = 1/5" in drift("check", path).out


def test_check_refuses_a_certificate_moved_to_another_formula(drift, certificate):
    data = json.loads(certificate.read_text())
    certificate.write_text(json.dumps({**data, "formula": "-log(r)"}))
    done = drift("check", certificate)
    assert done.code == 1
    assert "does not replay" in done.out
    assert drift("check", certificate, "--json").json["replayed"] is False


def test_check_replays_no_certificate_without_conditions(drift, certificate):
    data = json.loads(certificate.read_text())
    certificate.write_text(json.dumps({**data, "conditions": {}}))
    done = drift("check", certificate)
    assert done.code == 1
    assert "does not replay: it has no condition" in done.out
    found = drift("check", certificate, "--json")
    assert found.code == 1
    assert found.json["replayed"] is False
    assert "nothing is proved" in found.json["error"]
    assert not check(certificate).ok


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not JSON",
        "[]",
        "3",
        "null",
        "{}",
        '{"schema": "another/1"}',
        "[" * 100_000,
        '{"a": ' * 100_000,
        '{"schema": NaN}',
        f'{{"schema": {"9" * 10_000}}}',
        '{"schema": 1, "schema": 2}',
        "\x00",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_check_cannot_read(drift, tmp_path, content):
    path = tmp_path / "certificate.json"
    path.write_text(content)
    done = drift("check", path)
    assert done.code == 2
    assert str(path) in done.err
    assert len(done.err) < 2000


def test_check_reads_what_an_editor_of_windows_wrote(drift, certificate):
    text = certificate.read_text()
    certificate.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert drift("check", certificate).code == 0


def test_check_without_a_file(drift, tmp_path):
    assert drift("check", tmp_path / "absent.json").code == 2
    assert drift("check", tmp_path).code == 2
    assert drift("check").code == 2


def test_equal(drift):
    assert drift("equal", "abs(r-1)", "max(r-1, 1-r)").code == 0
    assert drift("equal", "kl", "k3").code == 0
    different = drift("equal", "kl", "reverse-kl", "--json")
    assert different.code == 1
    assert different.json["schema"] == "mirrordrift/equal/1"
    assert different.json["verdict"] == "refuted"
    assert set(different.json["witness"]) >= {"r", "A"}
    assert "different" in drift("equal", "kl", "reverse-kl").out


def test_equal_shares_declarations(drift):
    clipped = "relu((r - clip(r, 1-eps, 1+eps))*A)"
    assert drift("equal", "ppo", clipped, "--param", "eps in (0, 1)").code == 0
    assert drift("equal", "kl", "C*(r-1-log(r))/C", "--param", "C in (0, inf)").code == 0


def test_equal_unknown_and_errors(drift, monkeypatch, network_file):
    unknown = Condition("equal", Verdict.UNKNOWN, "none", detail="raise --timeout")
    monkeypatch.setattr(verify.equality, "decide_equal", lambda f, g, *, timeout: unknown)
    done = drift("equal", "r", "r")
    assert done.code == 3
    assert "raise --timeout" in done.out
    assert drift("equal", "r", "r +").code == 2
    assert drift("equal", "r").code == 2
    assert drift("equal", "r", "A", "--param", "q=1").code == 2
    assert "only formulas are compared" in drift("equal", "r", network_file).err
    assert "error" in drift("equal", "r", "r +", "--json").json


def test_catalogue_lists_everything(drift):
    done = drift("catalogue")
    assert done.code == 0
    assert all(name in done.out for name in entries)
    lines = drift("catalogue", "--json").lines
    assert [line["name"] for line in lines] == list(entries)
    assert all(line["schema"] == "mirrordrift/catalogue/1" for line in lines)


def test_catalogue_shows_one(drift):
    done = drift("catalogue", "dpo")
    for text in ("Discovered Policy Optimisation", "2022", r"\tanh", "alpha in (0, inf)", "proved"):
        assert text in done.out
    found = drift("catalogue", "dual-clip", "--json").json
    assert found["verdict"] == "refuted"
    assert found["paper"]
    assert found["year"] > 2000
    wrong = drift("catalogue", "dp0")
    assert wrong.code == 2
    assert "did you mean dpo" in wrong.err


def test_catalogue_verify_agrees(drift):
    done = drift("catalogue", "--verify", "kl")
    assert done.code == 0
    assert "as on record" in done.out
    found = drift("catalogue", "--verify", "k1", "--json").json
    assert found["as_recorded"] is True
    assert found["report"]["verdict"] == "refuted"


def test_catalogue_verify_notices_another_verdict(drift, monkeypatch):
    import symbolic.catalogue

    wrong = dict.fromkeys(expected_verdicts("kl"), "refuted")
    monkeypatch.setattr(symbolic.catalogue, "expected_verdicts", lambda name: wrong)
    done = drift("catalogue", "--verify", "kl")
    assert done.code == 1
    assert "not as on record" in done.out


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_plot(drift, tmp_path, suffix):
    path = tmp_path / f"picture{suffix}"
    done = drift("plot", "kl", "a*(r-1)**2", "--param", "a=2", "-o", path, "--json")
    assert done.code == 0
    assert path.stat().st_size > 1000
    assert done.json["schema"] == "mirrordrift/plot/1"
    assert [entry["formula"] for entry in done.json["drawn"]] == ["r - 1 - log(r)", "a*(r - 1)**2"]


@pytest.mark.parametrize(
    "arguments", [["kl"], ["kl", "-o", "x.bmp"], ["-o", "x.png"], ["r+", "-o", "x.png"]]
)
def test_plot_cannot(drift, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert drift("plot", *arguments).code == 2
    assert list(tmp_path.iterdir()) == []


def test_plot_takes_networks(drift, tmp_path, network_file):
    arguments = [network_file, "a*(r-1)**2", "--param", "a=2", "-o", tmp_path / "p.png", "--json"]
    drawn = drift("plot", *arguments).json["drawn"]
    assert [entry["formula"][:12] for entry in drawn] == ["relu(network", "a*(r - 1)**2"]
    refused = drift("plot", network_file, "-o", tmp_path / "q.png", "--param", "a=2")
    assert refused.code == 2
    assert "no formula has it" in refused.err


def test_doctor(drift):
    found = drift("doctor", "--json").json
    assert found["schema"] == "mirrordrift/doctor/1"
    if found["jax"] and found["brax"]:
        assert {"ant", "CartPole-v1"} <= set(found["environments"]["names"])
    assert found["packages"]["core"]["numpy"]
    assert set(found["rooms"]) == {"symbolic", "verify", "rl", "search"}
    done = drift("doctor")
    for text in ("python", "core", "jax", "julia", "symbolic"):
        assert text in done.out


def test_doctor_reports_what_ails(drift, monkeypatch, tmp_path):
    import mirrordrift.doctor

    (tmp_path / "rl").mkdir()
    (tmp_path / "rl" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    assert "this folder has its own rl" in drift("doctor").out
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(mirrordrift.doctor.GROUPS, "core", ("no-such-distribution",))
    done = drift("doctor")
    assert done.code == 2
    assert "'rl' is taken from" in done.out
    assert "missing: no-such-distribution; install again, in " in done.out


def test_doctor_names_a_command_that_works(drift, monkeypatch):
    """The README's way to install, with those extras that lack something, and no others."""
    import mirrordrift.doctor

    missing = []
    monkeypatch.setattr(mirrordrift.doctor, "_ask", lambda *_: {"error": "not asked"})
    monkeypatch.setattr(mirrordrift.doctor, "_version", lambda n: None if n in missing else "1.0")
    assert drift("doctor", "--json").json["install"] == ""
    assert "pip install" not in drift("doctor").out
    missing += ["trl", "cvc5"]
    command = drift("doctor", "--json").json["install"]
    assert shlex.split(command)[-1] == ".[export,bench]"
    readme = (ROOT / "README.md").read_text()
    assert "python -m pip install -c constraints.txt " in readme
    assert command.startswith("python -m pip install -c constraints.txt ")
    assert f"{mirrordrift.doctor.CHECKOUT}:\n  {command}\n" in drift("doctor").out


def test_doctor_knows_the_extras():
    from mirrordrift.doctor import GROUPS, PURPOSES

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    brought = {"core": project["dependencies"], **project["optional-dependencies"]}
    assert set(GROUPS) == set(PURPOSES) == set(brought) - {"all", "docs", "test"}
    for group, names in GROUPS.items():
        declared = {re.split(r"[<>=!~;\[ ]", line)[0] for line in brought[group]}
        assert set(names) - {"jaxlib"} <= declared


def test_doctor_survives_broken_engines(monkeypatch):
    from mirrordrift import doctor

    assert "boom" in doctor._ask("raise SystemError('boom')", "devices")["error"]
    assert "code" in doctor._ask("import os; os._exit(7)", "devices")["error"]
    assert doctor._ask("print('noise'); print('[\"cpu:0\"]')", "devices") == {"devices": ["cpu:0"]}
    monkeypatch.setattr(doctor, "_ASK_SECONDS", 0.2)
    assert "no answer" in doctor._ask("import time; time.sleep(30)", "devices")["error"]
