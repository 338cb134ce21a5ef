"""`drift distill` as a person or a program meets it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from distilling import TRUTHS, samples_of

from mirrordrift import distill, load_samples, save_samples
from mirrordrift.fronts import files
from symbolic.errors import ConfigError

CORPUS = Path(__file__).parents[1] / "corpus" / "pysr"
QUICK = ("--engine", "templates", "--effort", "0.25", "--points", "200")


def test_a_distillation_end_to_end(drift, tmp_path: Path) -> None:
    out = tmp_path / "kl"
    done = drift("distill", "kl", *QUICK, "--out", out, "--json")
    assert done.code == 0
    found = done.json
    assert (
        found["schema"] == "mirrordrift/front/1" and found == files.read(out / "front.json") | found
    )
    assert found["engine"]["name"] == "templates" and found["engine"]["why"] == "asked for"
    (knee,) = (member for member in found["members"] if member["knee"])
    assert knee["formula"] == "r - 1 - log(r)" and knee["verdict"] == "proved"
    assert knee["box"] == {"r": [0.25, 2.0], "A": [-3.0, 3.0]} and knee["sup_distance"][1] < 0.01
    assert load_samples(out / "samples.npz").content_hash == found["samples"]
    assert (out / "hall_of_fame.csv").read_text().startswith("Complexity,Loss,Equation")
    assert r"\begin{tabular}" in (out / "front.tex").read_text()
    for name in ("front.png", "drifts.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
    assert drift("check", out / "certificates.jsonl").code == 0
    # The front is a SPEC: its knee.
    assert drift("verify", out / "front.json").code == 0
    again = drift("distill", "kl", *QUICK, "--out", out)
    assert again.code == 2 and "holds a front already" in again.err


def test_samples_are_distilled_without_a_reference(drift, tmp_path: Path) -> None:
    save_samples(tmp_path / "s.npz", samples_of(TRUTHS["spo"], noise=0.02))
    done = drift("distill", tmp_path / "s.npz", *QUICK, "--out", tmp_path / "out")
    assert done.code == 0 and "2.5*(abs(A)*(r - 1)**2)" in done.out
    assert "Engine: templates 0.1.0 (asked for)." in done.out
    assert all(
        m["sup_distance"] is None for m in files.read(tmp_path / "out" / "front.json")["members"]
    )


def test_a_hall_of_fame_is_taken_in_place_of_an_engine(drift, tmp_path: Path) -> None:
    rows = ["Complexity,Loss,Equation", '3,0.1,"u * u"', '9,0.01,"u - tanh(u)"', '2,1,"cos(u)"']
    (tmp_path / "f.csv").write_text("\n".join(rows))
    done = drift(
        "distill", "dpo", "--front", tmp_path / "f.csv", "--points", "200", "--out", tmp_path / "o"
    )
    assert done.code == 0 and "line 4, 'cos(u)': left out: unknown operation 'cos'" in done.err
    assert "Engine: file" in done.out and "(r - 1)*A*((r - 1)*A)" in done.out
    real = CORPUS / "hall_of_fame_rdpg.csv"
    inputs = [part for i in range(1, 40) for part in ("--input", f"x{i} = r")]
    done = drift(
        "distill", "kl", "--front", real, *inputs, "--points", "200", "--out", tmp_path / "p"
    )
    assert done.code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("0",), "nothing to distil"),
        (("kl", "--engine", "eureqa"), "unknown; use auto"),
        (("kl", "--points", "3"), "from 64 to 100000"),
        (("kl", "--effort", "-1"), "--effort -1.0"),
        (("kl", "--seed", "-1"), "seed=-1"),
        (("kl", "--front", "f.csv", "--engine", "operon"), "takes the place of an engine"),
        (("kl", "--density", "nowhere"), "nowhere: no such run"),
        (("kl", "--input", "x1=r"), "give that file, too"),
        (("kl", "--front", "missing.csv"), "no such file"),
        (("kl", "--timeout", "0"), "--timeout 0"),
        (("kl", "--install"), "--install is for --engine pysr"),
        (("nonsense(",), "column"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_written(
    drift, arguments, said: str, tmp_path: Path
) -> None:
    done = drift("distill", *arguments, "--out", tmp_path / "out")
    assert done.code == 2 and said in done.err
    assert not (tmp_path / "out" / "front.json").exists()


def test_an_interrupt_keeps_the_front_so_far(drift, tmp_path: Path, monkeypatch) -> None:
    engine = type(
        "Cut",
        (),
        {
            "name": "templates",
            "default_generations": 1,
            "missing": lambda s: "",
            "version": lambda s: "1",
        },
    )()

    def search(samples, effort):
        from symbolic.distill.engine import Found
        from symbolic.parser import parse

        yield Found(1, (parse("(r - 1)**2"),))
        raise KeyboardInterrupt

    engine.search = search
    monkeypatch.setattr("search.distill.engines.all_engines", lambda: (engine,))
    done = drift(
        "distill", "kl", "--engine", "templates", "--points", "200", "--out", tmp_path / "out"
    )
    assert done.code == 130 and "interrupted" in done.err
    assert files.read(tmp_path / "out" / "front.json")["members"]


def test_a_full_disk_is_one_message(drift, tmp_path: Path, monkeypatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("symbolic.arrays.os.fsync", full)
    done = drift("distill", "kl", *QUICK, "--out", tmp_path / "out")
    assert done.code == 2 and "cannot be written (No space left on device)" in done.err


def test_a_folder_that_cannot_be_written_is_told(drift, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = drift("distill", "kl", *QUICK, "--out", tmp_path / "file")
    assert done.code == 2 and "is a file" in done.err


def test_python_distils_functions_and_samples() -> None:
    import jax.numpy as jnp

    front = distill(lambda l, A: jnp.expm1(l) - l, "templates", effort=0.25, points=200)
    assert str(front.knee.formula) == "r - 1 - log(r)" and front.knee.sup_distance is None
    with pytest.raises(ConfigError, match="timeout"):
        distill("kl", timeout=-1)
    with pytest.raises(ConfigError, match="points"):
        distill("kl", points=1)
    with pytest.raises(ConfigError, match="a constant is no drift"):
        distill(lambda l, A: 0 * l + 1.0, "templates", points=200)
