"""`drift verify`: exit codes, JSON, files of formulas, certificates, bad input."""

from __future__ import annotations

import io
import json

import pytest

import verify.decide
from verify.report import Condition, Report, Verdict

PROVED, REFUTED, NEGATIVE_POWER = "(r-1)**2", "(r-1)*A", "abs(r-1)"


def report(verdict, formula="f", ids=("defined",)):
    conditions = tuple(Condition(name, verdict, "test") for name in ids)
    return Report(formula, "drift", {}, conditions)


@pytest.fixture
def undecided(monkeypatch):
    """A verifier that decides nothing whose formula holds exp."""
    real = verify.decide.decide

    def decide(drift, *, timeout):
        return (
            report(Verdict.UNKNOWN, drift.text)
            if "exp" in drift.text
            else real(drift, timeout=timeout)
        )

    monkeypatch.setattr(verify.decide, "decide", decide)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([PROVED], 0),
        (["dpo"], 0),
        (["--name", "dpo"], 0),
        (["-log(r) + r - 1"], 0),
        (["--", "-log(r) + r - 1"], 0),
        (["--timeout", "5", "--", "--(r - 1)**2"], 0),
        (["C*(r-1)**2", "--param", "C in (0, inf)"], 0),
        (["C*(r-1)**2", "--param", "C=3/5", "--timeout", "5"], 0),
        (["ppo", "--param", "eps=0.2"], 0),
        ([REFUTED], 1),
        (["k1"], 1),
        (["C*(r-1)**2", "--param", "C in (-1, inf)"], 1),
        (["exp(r)"], 3),
    ],
)
def test_exit_codes(drift, undecided, arguments, code):
    assert drift("verify", *arguments).code == code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "drift: nothing to decide"),
        ([""], "drift: nothing to decide"),
        (["dpo", "--name", "dpo"], "2 things to decide"),
        (["(r-1)**"], "column 8"),
        (["q*(r-1)**2"], '--param "q in (0, inf)"'),
        (["dp0"], "did you mean 'dpo'"),
        (["--name", "dp0"], "did you mean dpo"),
        (["--name", PROVED], "no name of the catalogue"),
        (["absent.npz"], "no such file"),
        (["absent.json"], "no such file"),
        (["--network", "ppo"], "unknown suffix"),
        (["--network", "member.json"], "unknown suffix"),
        (["ppo", "--param", "beta=2"], "no parameter of ppo"),
        (["q*(r-1)**2", "--param", "q is positive"], "cannot read this declaration"),
        (["q*(r-1)**2", "--param", "q=1", "--param", "q=2"], "declared twice"),
        (["r", "--param", "r in (0, 2)"], "parameter: 'r' is the ratio"),
        (["dpo", "--timeout", "0"], "positive number of seconds"),
        (["dpo", "--timeout", "nan"], "positive number of seconds"),
        (["dpo", "--timeout", "soon"], "could not convert"),
        (["--file", "absent.txt"], "cannot be read"),
        (["--file", "."], "cannot be read"),
        (["--file", "."], "Is a directory"),
        (["."], "this is a folder; name a file in it"),
        (
            ["dpo", "kl"],
            "Unrecognized options: kl; one argument too many (a formula with spaces or brackets is one, in quotes); see drift verify --help",
        ),
        (["dpo", "--certificate", "absent/folder/c.json"], "cannot be written"),
        (["log(r)", "--kind", "mirror-map"], "'r' is not a variable of this kind"),
        (["r*log(x)", "--kind", "psi", "--param", "r in (0, 1)"], "'r' is a variable of drifts"),
        (["log(x)", "--kind", "mirror-map", "--param", "x in (0, 1/2)"], "does not hold (0, 1)"),
        (["log(x)", "--kind", "psi", "--param", "x = 1/2"], "x = 1/2 is one point"),
        (["kl", "--kind", "mirror-map"], "kl is a drift, not a mirror-map; say --kind drift"),
        (["dpo", "--kind", "banana"], "banana"),
        (["dpo", "--nosuchflag"], "Unrecognized"),
        (["dpo", "--explian"], "did you mean --explain?"),
        (["   "], "the formula is empty"),
        (["--", "-r +"], "column 5: the formula ends"),
        (["C*r", "--param", "C in (0, 0)"], "the interval (0, 0) is empty"),
        (["__import__('os').system('echo')"], "column 1"),
        (["(" * 100_000], "more than the"),
        (["9**9**9**9"], "exponent beyond"),
        (["r\x00"], "unexpected character"),
        (["г"], "not ASCII"),
    ],
)
def test_bad_input_is_one_message_and_code_2(drift, arguments, says):
    done = drift("verify", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert says in " ".join(done.err.replace("│", " ").split())


def test_json_of_a_verdict(drift):
    done = drift("verify", REFUTED, "--json")
    found = done.json
    assert done.err == ""
    assert found["schema"] == "mirrordrift/verdict/1"
    assert found["formula"] == "(r - 1)*A"
    assert found["kind"] == "drift"
    assert found["parameters"] == {}
    assert found["verdict"] == "refuted"
    assert [c["id"] for c in found["conditions"]] == [
        "defined",
        "nonnegative",
        "zero_at_identity",
        "flat_at_identity",
    ]
    for condition in found["conditions"]:
        assert set(condition) == {"id", "verdict", "method", "witness", "detail"}
        assert condition["verdict"] in ("proved", "refuted", "unknown")
        assert (condition["witness"] is not None) == (condition["verdict"] == "refuted")
    witness = found["conditions"][1]["witness"]
    assert {"r", "A", "value"} <= set(witness)
    assert isinstance(found["notes"], list)
    assert isinstance(found["seconds"], float)


def test_json_shows_parameters(drift):
    found = drift(
        "verify", "a*b*(r-1)**2", "--param", "a in (0, inf)", "--param", "b=0.2", "--json"
    )
    assert found.json["parameters"] == {"a": "(0, inf)", "b": "1/5"}


def test_json_of_a_formula_that_does_not_parse(drift):
    done = drift("verify", "(r-1", "--json")
    assert done.code == 2
    assert set(done.json) == {"schema", "formula", "verdict", "error"}
    assert done.json["schema"] == "mirrordrift/verdict/1"
    assert (done.json["formula"], done.json["verdict"]) == ("(r-1", "error")
    assert "close 1 open bracket" in done.json["error"]
    assert done.json["error"] in done.err


def test_table_names_conditions_witness_and_time(drift):
    done = drift("verify", REFUTED)
    assert done.code == 1
    for text in (
        "formula",
        "for all",
        "r in (0, inf)",
        "condition",
        "nonnegative",
        "witness",
        "r = ",
    ):
        assert text in done.out
    assert done.out.splitlines()[-1].startswith("refuted in ")


FILE = """\
# penalties to look at
(r-1)**2          # the square

C*(r-1)**2 ; C in (0, inf)
(r-1)*A
c*(r-1)**2 ; c = 0.2 ;
"""


def test_file_in_order_one_object_a_line(drift, tmp_path):
    path = tmp_path / "formulas.txt"
    path.write_text(FILE)
    done = drift("verify", "--file", path, "--json")
    assert [line["formula"] for line in done.lines] == [
        "(r - 1)**2",
        "C*(r - 1)**2",
        "(r - 1)*A",
        "c*(r - 1)**2",
    ]
    assert [line["verdict"] for line in done.lines] == ["proved", "proved", "refuted", "proved"]
    assert done.lines[3]["parameters"] == {"c": "1/5"}
    assert done.code == 1
    assert done.err == ""


def test_file_goes_on_after_a_line_that_does_not_parse(drift, tmp_path):
    path = tmp_path / "formulas.txt"
    path.write_text("(r-1)*A\nr +* 1\nq*r ; q in banana\n(r-1)**2\n")
    done = drift("verify", "--file", path, "--json")
    assert done.code == 2
    assert [line["verdict"] for line in done.lines] == ["refuted", "error", "error", "proved"]
    assert done.lines[1]["formula"] == "r +* 1"
    assert f"{path}, line 2: formula, column 4" in done.err


def test_file_says_which_line_each_answer_is_about(drift, tmp_path):
    path = tmp_path / "formulas.txt"
    path.write_text("# nine lines\n(r-1)**2\n\nr +* 1\n\n\n\n\n(r-1)*A\n(r-1)**4\n")
    done = drift("verify", "--file", path)
    assert [line.split("   [")[0] for line in done.out.splitlines()[:4]] == [
        "line  2  proved    (r - 1)**2",
        "line  4  error     r +* 1",
        "line  9  refuted   (r - 1)*A",
        "line 10  proved    (r - 1)**4",
    ]
    assert done.err.startswith(f"{path}, line 4: formula, column 4")


def test_file_goes_on_after_an_internal_error(drift, tmp_path, monkeypatch):
    def decide(found, *, timeout):
        if "exp" in found.text:
            raise ZeroDivisionError("a fault of the prover")
        return report(Verdict.PROVED, found.text)

    monkeypatch.setattr(verify.decide, "decide", decide)
    path = tmp_path / "formulas.txt"
    path.write_text("exp(r)\n(r-1)**2\n")
    done = drift("verify", "--file", path, "--json")
    assert done.code == 2
    assert [line["verdict"] for line in done.lines] == ["error", "proved"]
    assert "internal error" in done.lines[0]["error"]
    assert "report it" in done.lines[0]["error"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([PROVED, PROVED], 0),
        ([PROVED, "exp(r)"], 3),
        ([REFUTED, "exp(r)"], 1),
        ([REFUTED, "exp(r)", "r +* 1"], 2),
        (["exp(r)", "r +* 1"], 2),
    ],
)
def test_the_worst_line_gives_the_exit_code(drift, undecided, tmp_path, lines, code):
    path = tmp_path / "formulas.txt"
    path.write_text("\n".join(lines))
    done = drift("verify", "--file", path)
    assert done.code == code
    assert f"{len(lines)} formulas in " in done.out


def test_a_file_of_formulas_is_no_spec(drift, tmp_path):
    path = tmp_path / "formulas.txt"
    path.write_bytes(b"(r-1)**2")
    done = drift("verify", path)
    assert done.code == 2
    assert f"drift verify --file {path}" in done.err
    path.write_bytes(b"\xff\xfe\x00")
    assert f"{path}: no UTF-8 text" in drift("verify", "--file", path).err
    assert f"{path}: no UTF-8 text" in drift("check", path).err


@pytest.mark.parametrize("arguments", [[], ["dpo", "--nosuchflag"], ["dpo", "--timeout", "soon"]])
def test_wrong_usage_is_one_line_and_one_object(drift, arguments, run_drift):
    done = drift("verify", *arguments, "--json")
    assert done.code == 2
    assert done.err == f"drift: {done.json['error']}\n"
    assert (done.json["schema"], done.json["verdict"]) == ("mirrordrift/verdict/1", "error")
    for encoding in ("utf-8", "ascii"):
        process = run_drift("verify", *arguments, "--json", env={"PYTHONIOENCODING": encoding})
        assert process.stderr == done.err
    assert done.err.endswith("; see drift verify --help\n")
    assert "Options" not in done.err
    assert not set("│╭─") & set(done.err)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only this\n", b"\xff\xfe\x00"])
def test_a_file_without_formulas_cannot_run(drift, tmp_path, content):
    path = tmp_path / "formulas.txt"
    path.write_bytes(content)
    done = drift("verify", "--file", path, "--json")
    assert done.code == 2
    assert str(path) in done.json["error"]


def test_parameters_of_the_command_hold_for_every_line_unless_it_has_its_own(drift, tmp_path):
    path = tmp_path / "formulas.txt"
    path.write_text("C*(r-1)**2\nC*(r-1)**2 ; C = 2\n")
    done = drift("verify", "--file", path, "--param", "C in (0, inf)", "--json")
    assert [line["parameters"] for line in done.lines] == [{"C": "(0, inf)"}, {"C": "2"}]


def test_a_line_of_a_file_opens_no_other_file(drift, tmp_path, network_file):
    path = tmp_path / "formulas.txt"
    path.write_text(f"{network_file}\n")
    assert drift("verify", "--file", path).code == 2


def test_network(drift, network_file):
    for arguments in ([network_file], ["--network", network_file]):
        done = drift("verify", *arguments, "--json")
        assert (done.code, done.json["verdict"]) == (0, "proved")
    refused = drift("verify", network_file, "--param", "q=1")
    assert refused.code == 2
    assert "no parameters" in refused.err


def test_front_member(drift, tmp_path):
    path = tmp_path / "member.json"
    path.write_text(json.dumps({"formula": "C*(r-1)**2", "parameters": {"C": "(0, inf)"}}))
    assert drift("verify", path, "--json").json["parameters"] == {"C": "(0, inf)"}
    assert drift("verify", path, "--param", "C=2", "--json").json["parameters"] == {"C": "2"}


def test_formulas_from_standard_input(drift, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"(r-1)**2\nr +* 1\n")))
    done = drift("verify", "--file", "-", "--json")
    assert done.code == 2
    assert [line["verdict"] for line in done.lines] == ["proved", "error"]
    assert done.err.startswith("standard input, line 2: formula")
    monkeypatch.setattr("sys.stdin", None)
    assert "standard input: no formula" in drift("verify", "--file", "-").err


@pytest.mark.parametrize("name", ["value", "derivative", "limit", "side", "root", "interval"])
def test_no_parameter_takes_the_name_of_a_witness_field(drift, name):
    done = drift("verify", f"-{name}*(r-1)**2", "--param", f"{name} in (0, 1)", "--json")
    assert done.code == 2
    assert f"'{name}' cannot be a parameter: a witness has a field of that name" in done.err
    assert f"rename it, for example {name}0" in done.err
    renamed = drift("verify", f"-{name}0*(r-1)**2", "--param", f"{name}0 in (0, 1)", "--json")
    witness = renamed.json["conditions"][1]["witness"]
    assert set(witness) == {"r", "A", f"{name}0", "value"}


@pytest.mark.parametrize(
    ("formula", "tilted"),
    [
        ("-log(r)", "(-log(r) + (r - 1))"),
        ("2*(r-1) - log(r)", "(2*(r - 1) - log(r) - (r - 1))"),
        ("-2*log(r)", "(-2*log(r) + 2*(r - 1))"),
    ],
)
def test_a_note_is_written_as_by_hand(drift, formula, tilted):
    assert tilted in drift("verify", formula).out


def test_debug_shows_the_traceback(capsys, monkeypatch):
    from mirrordrift.cli import main

    def decide(found, *, timeout):
        raise ZeroDivisionError("a fault of the prover")

    monkeypatch.setattr(verify.decide, "decide", decide)
    assert main(["verify", "dpo", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err
