"""`drift discover` as a person or a program meets it: from a network to a page."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from probe_envs import TINY_SETTINGS

from mirrordrift.cli import main

SETTINGS = (
    *(f"inner.{s}" for s in TINY_SETTINGS), "inner.total_env_steps=256", "points=200", "effort=0.25",
    "engine=templates", "seeds=2", "retrained=1", "density_seeds=2",
)  # fmt: skip


def arguments(out: Path, *more: str) -> list[str]:
    changes = [part for setting in SETTINGS for part in ("--set", setting)]
    return ["discover", "--preset", "quick", "--out", str(out), *changes, *more]


def _full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("discover") / "tiny"
    assert main(arguments(out)) == 0
    return out


def test_the_loop_ends_in_a_report(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (found / "report.html").read_text()
    assert page.count("data:image/png") == 4 and "lpo-cartpole" in page
    assert "drift discover --preset quick" in page
    text = (found / "report.md").read_text()
    for title in (
        "Verdicts",
        "The front",
        "Where it pushes",
        "Agents retrained",
        "In code",
        "How to reproduce it",
    ):
        assert f"## {title}" in text
    summary = json.loads((found / "summary.json").read_bytes())
    drifts = [row["drift"] for row in summary["table"]]
    assert drifts[:3] == ["ppo eps=0.2", "dpo", "network"] and drifts[3].startswith("formula, ")
    assert len((found / "scores.jsonl").read_text().splitlines()) == 2 * len(drifts)

    # One test, as the folder is dear: what is done is skipped, and what is missing is made again.
    capsys.readouterr()
    before = (found / "report.html").stat().st_mtime_ns
    assert main(["discover", "--resume", str(found)]) == 0
    said = capsys.readouterr().out
    assert said.count("done before") == 6 and "written:" in said
    assert (found / "report.html").stat().st_mtime_ns == before
    (found / "report.md").unlink()
    assert main(["discover", "--resume", str(found), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "mirrordrift/discovery/1" and answer["front"]["members"]
    assert (found / "report.md").exists()
    assert main(arguments(found)) == 2
    assert "go on with --resume" in capsys.readouterr().err
    with pytest.MonkeyPatch.context() as full:
        full.setattr("symbolic.arrays.os.fsync", _full)
        (found / "report.md").unlink()
        assert main(["discover", "--resume", str(found)]) == 2
    assert "cannot be written (No space left on device)" in capsys.readouterr().err
    assert main(["discover", "--resume", str(found)]) == 0 and (found / "report.md").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--network", "missing.npz"), "no such file"),
        (("--env", "CartPole"), "CartPole-v1"),
        (("--set", "engine=eureqa"), "unknown; use auto"),
        (("--set", "seeds=0"), "at least 1"),
        (("--set", "effrot=1"), "did you mean effort?"),
        (("--set", "points=10"), "from 64 to"),
        (("--set", "inner.num_minibatches=7"), "does not divide"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tmp_path / "out", *more)) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_an_interrupt_in_the_middle_is_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where a training had just begun its folder."""
    from search.pipeline import steps

    out, reached = tmp_path / "cut", []

    def cut(config, network, place, begin) -> None:
        (place / "CartPole-v1" / "00").mkdir(parents=True, exist_ok=True)
        reached.append(place)
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "make_density", cut)
    assert main(arguments(out)) == 130
    assert main(["discover", "--resume", str(out)]) == 130
    said = capsys.readouterr()
    assert len(reached) == 2 and f"go on with drift discover --resume {out}" in said.err


def test_the_command_in_the_report_is_the_one_that_was_given() -> None:
    from mirrordrift.cli.discover import Options, _asked
    from mirrordrift.report.loop import _command

    given = Options(
        preset="quick", network="lpo-breakout", env=("Breakout-MinAtar",), seed=3, out="x",
        set=("inner.num_envs=32", "seeds=5", "engine=templates"),
    )  # fmt: skip
    words = shlex.split(_command(_asked(given)))
    assert words[:4] == ["drift", "discover", "--preset", "quick"] and words[-2:] == [
        "--out",
        "DIR",
    ]
    pairs = list(itertools.pairwise(words))
    for pair in (("--network", "lpo-breakout"), ("--env", "Breakout-MinAtar"), ("--seed", "3"),
                 ("--set", "inner.num_envs=32"), ("--set", "seeds=5"), ("--set", "engine=templates")):  # fmt: skip
        assert pair in pairs


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_every_figure(found: Path, width: int, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not installed")
    probe = (
        "<script>addEventListener('load',()=>{const seen=[...document.images].map(i=>{const b="
        "i.getBoundingClientRect();return i.complete&&i.naturalWidth>100&&b.width>200&&b.right<=innerWidth+1});"
        "document.title=JSON.stringify([seen,document.documentElement.scrollWidth<=innerWidth,"
        "document.querySelector('math').getBoundingClientRect().height>10])})</script></body>"
    )
    page = (found / "report.html").read_text()
    # A copy with an eye in it: the page itself runs nothing, and forbids it.
    eyed = page.replace("</body>", probe).replace(
        "default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';"
    )
    (tmp_path / "eyed.html").write_text(eyed)
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000",
         f"--window-size={width},900", "--dump-dom", f"file://{tmp_path / 'eyed.html'}"],
        capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)}, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    title = done.stdout.partition("<title>")[2].partition("</title>")[0]
    images, fits, mathematics = json.loads(title)
    assert len(images) == 4 and all(images) and fits and mathematics
