"""The example of a language model on preferences of mixed quality."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mirrordrift.exporting import exported

EXAMPLE = Path(__file__).parents[1] / "examples" / "llm_mixed_quality"
NEEDS_TRL = pytest.mark.skipif(find_spec("trl") is None, reason="trl is not installed")


@pytest.fixture
def mixed_quality(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import mixed_quality

    yield mixed_quality
    for name in ("mixed_quality", "toy"):
        sys.modules.pop(name, None)


def test_half_of_the_responses_are_replaced_and_nothing_else(mixed_quality: Any) -> None:
    rows = [{"prompt": f"p{i}", "chosen": f"c{i}", "rejected": f"r{i}"} for i in range(200)]
    found, told = mixed_quality.mixed(rows, lambda prompts: [f"weak {p}" for p in prompts], 0)
    weak = 0
    for old, new in zip(rows, found):
        assert new["prompt"] == old["prompt"]
        for side in ("chosen", "rejected"):
            assert new[side] in (old[side], f"weak {old['prompt']}")
            weak += new[side] != old[side]
    assert weak == 200 and sum(told.values()) == 200
    assert 30 < told["none"] < 70 and told["none"] == told["both"]
    assert mixed_quality.mixed(rows, lambda prompts: prompts, 1)[1] != told


@pytest.mark.parametrize("name", ["toy.json", "full.json"])
def test_the_objectives_of_every_configuration_are_exported(name: str) -> None:
    config = json.loads((EXAMPLE / name).read_text())
    for spec, *flags in config["objectives"].values():
        changes = {flag[2:]: value for flag, value in zip(flags[::2], flags[1::2])}
        if "weight" in changes:
            changes["weight"] = float(changes["weight"])
        assert "MirrorPreferenceTrainer" in exported(spec, "trl", kind="objective", changes=changes)


def test_the_full_configuration_is_the_papers() -> None:
    config = json.loads((EXAMPLE / "full.json").read_text())
    named = config["model"], config["weaker_model"], config["dataset"]
    assert named == ("google/gemma-7b", "google/gemma-2b", "argilla/dpo-mix-7k")


@pytest.mark.peer
@NEEDS_TRL
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["toy.json", "full.json"])
def test_trl_knows_every_setting(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.orpo import ORPOConfig

    settings = json.loads((EXAMPLE / name).read_text())["trainer"]
    assert set(settings) <= {field.name for field in fields(ORPOConfig)}
    ORPOConfig(output_dir=str(tmp_path), **{**settings, "bf16": False, "use_cpu": True})


@pytest.mark.peer
@NEEDS_TRL
@pytest.mark.filterwarnings("default")
def test_conversations_become_text(mixed_quality: Any) -> None:
    import toy

    tokenizer = toy.tokenizer()
    tokenizer.chat_template = json.loads((EXAMPLE / "full.json").read_text())["chat_template"]
    asked = {"role": "user", "content": "what"}
    row = {side: [asked, {"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
    (found,) = mixed_quality.as_text([{**row, "chosen_rating": 5.0}], tokenizer)
    assert found == {
        "prompt": "user: what\nassistant: ",
        "chosen": "chosen\n",
        "rejected": "rejected\n",
    }
    plain = {"prompt": "a", "chosen": "b", "rejected": "c"}
    assert mixed_quality.as_text([plain], tokenizer) == [plain]


@pytest.mark.peer
@NEEDS_TRL
def test_the_example_runs_and_tells_the_pairs_apart(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            str(EXAMPLE / "run.py"),
            str(EXAMPLE / "toy.json"),
            "--out",
            str(tmp_path),
        ],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TRL_EXPERIMENTAL_SILENCE": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "replaced: none 11, both 11" in done.stdout
    found = json.loads((tmp_path / "result.json").read_text())
    assert list(found["objectives"]) == ["orpo", "closed-form"]
    for told in found["objectives"].values():
        assert told["accuracy"] > max(0.9, told["accuracy_before"])
        assert told["loss"][-1] < told["loss"][0]
