"""ORPO and another objective on preferences of mixed quality: which tells the test's pairs apart?

    python run.py toy.json --out runs/toy

Section 4.2 of "Learning Loss Landscapes in Preference Optimization". `toy.json` takes a minute and
downloads nothing; `full.json` is the paper's models and dataset. See README.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import toy
from mixed_quality import Row, as_text, mixed, responder


def tokenizer_of(config: dict[str, Any]) -> Any:
    if config["model"].startswith("toy"):
        return toy.tokenizer()
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(config["model"])
    if found.chat_template is None:
        found.chat_template = config["chat_template"]
    return found


def model_of(name: str) -> Any:
    """A model by name, or `toy:SEED`."""
    if name.startswith("toy:"):
        return toy.model(int(name.removeprefix("toy:")))
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(name, dtype="auto", device_map="auto")


def splits(config: dict[str, Any], tokenizer: Any) -> tuple[list[Row], list[Row]]:
    """(training, test) rows as text."""
    if config["dataset"] == "toy":
        return toy.rows(config["rows"], 0), toy.rows(config["test_rows"], 1)
    from datasets import load_dataset

    data = load_dataset(config["dataset"])
    return as_text(data["train"], tokenizer), as_text(data["test"], tokenizer)


def trainer_class(arguments: list[str], path: Path) -> Any:
    """What `drift export … --to trl` writes, imported."""
    from mirrordrift.cli import main as drift

    command = ["export", *arguments, "--kind", "objective", "--to", "trl", "-o", str(path)]
    if drift(command):
        raise SystemExit(2)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MirrorPreferenceTrainer


def accuracy(model: Any, tokenizer: Any, test: Any, settings: Any) -> float:
    """The share of pairs whose chosen response is likelier per token: one measure for all objectives."""
    import torch
    from trl.experimental.orpo import ORPOTrainer

    judge = ORPOTrainer(
        model=model,
        args=settings,
        train_dataset=test,
        eval_dataset=test,
        processing_class=tokenizer,
    )
    right = 0
    model.eval()
    with torch.no_grad():
        for batch in judge.get_eval_dataloader():
            chosen, rejected, *_ = judge.concatenated_forward(model, batch)
            right += int((chosen > rejected).sum())
    return right / len(test)


def main(config: dict[str, Any], out: Path) -> dict[str, Any]:
    """Make the data, train every objective, and judge each by the test's pairs."""
    from datasets import Dataset
    from trl.experimental.orpo import ORPOConfig

    out.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_of(config)
    train, test_rows = splits(config, tokenizer)
    weaker = responder(model_of(config["weaker_model"]), tokenizer, **config["generation"])
    rows, replaced = mixed(train, weaker, config["seed"])
    del weaker  # and with it a model
    (out / "mixed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    test = Dataset.from_list(test_rows)  # type: ignore[arg-type]
    found: dict[str, Any] = {"rows": len(rows), "replaced": replaced, "objectives": {}}
    for label, arguments in config["objectives"].items():
        kind = trainer_class(arguments, out / f"{label.replace('-', '_')}.py")
        settings = ORPOConfig(output_dir=str(out / label), seed=config["seed"], **config["trainer"])
        model = model_of(config["model"])
        start = accuracy(model, tokenizer, test, settings)
        trainer = kind(
            model=model,
            args=settings,
            train_dataset=Dataset.from_list(rows),  # type: ignore[arg-type]
            processing_class=tokenizer,
        )
        trainer.train()
        found["objectives"][label] = {
            "accuracy_before": start,
            "accuracy": accuracy(trainer.model, tokenizer, test, settings),
            "loss": [line["loss"] for line in trainer.state.log_history if "loss" in line],
        }
    (out / "result.json").write_text(json.dumps(found, indent=1) + "\n")
    return found


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("config", type=Path)
    asked.add_argument("--out", type=Path, required=True)
    options = asked.parse_args()
    result = main(json.loads(options.config.read_text()), options.out)
    print("replaced:", ", ".join(f"{k} {v}" for k, v in result["replaced"].items()))
    for name, figures in result["objectives"].items():
        print(f"{name}: {figures['accuracy_before']:.3f} -> {figures['accuracy']:.3f}")
