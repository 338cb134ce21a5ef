"""Preferences of mixed quality: half of the responses, at random, are a weaker model's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

Row = dict[str, str]
"""`prompt`, `chosen` and `rejected`, as text."""
SIDES = ("chosen", "rejected")


def as_text(rows: Iterable[dict[str, Any]], tokenizer: Any) -> list[Row]:
    """Rows of any preference dataset of TRL's, conversations by the tokenizer's chat template."""
    from trl.data_utils import maybe_apply_chat_template, maybe_extract_prompt

    found = []
    for row in rows:
        kept = {name: row[name] for name in ("prompt", *SIDES) if row.get(name) is not None}
        text = maybe_apply_chat_template(maybe_extract_prompt(kept), tokenizer)
        found.append({name: text[name] for name in ("prompt", *SIDES)})
    return found


def replaced_half(count: int, seed: int) -> np.ndarray:
    """Which responses of so many rows are to be replaced: bool `[rows, 2]`, half of them True."""
    order = np.random.default_rng(seed).permutation(2 * count)
    return (order < count).reshape(count, 2)


def mixed(
    rows: Sequence[Row], respond: Callable[[list[str]], list[str]], seed: int
) -> tuple[list[Row], dict[str, int]]:
    """The rows with half of their responses by `respond`, and how many rows have which replaced.

    Rankings stay as they are, as in the paper: where a chosen response is replaced, the label may
    have become wrong. That is what makes the data hard.
    """
    chosen = replaced_half(len(rows), seed)
    asked = [(i, side) for i, both in enumerate(chosen) for side, it in zip(SIDES, both) if it]
    answers = respond([rows[i]["prompt"] for i, _ in asked])
    found = [dict(row) for row in rows]
    for (i, side), answer in zip(asked, answers, strict=True):
        found[i][side] = answer
    per_row = chosen.sum(axis=1)
    told = {"none": int((per_row == 0).sum()), "both": int((per_row == 2).sum())}
    for number, side in enumerate(SIDES):
        told[f"{side} alone"] = int((chosen[:, number] & (per_row == 1)).sum())
    return found, told


def responder(
    model: Any, tokenizer: Any, *, new_tokens: int, batch: int, seed: int
) -> Callable[[list[str]], list[str]]:
    """Sampled responses of a model to prompts, in batches."""
    import torch

    def respond(prompts: list[str]) -> list[str]:
        torch.manual_seed(seed)
        answers: list[str] = []
        for start in range(0, len(prompts), batch):
            asked = tokenizer(
                prompts[start : start + batch],
                return_tensors="pt",
                padding=True,
                padding_side="left",
                return_token_type_ids=False,
            ).to(model.device)
            with torch.no_grad():
                found = model.generate(
                    **asked,
                    do_sample=True,
                    max_new_tokens=new_tokens,
                    pad_token_id=tokenizer.pad_token_id,
                )
            new = found[:, asked["input_ids"].shape[1] :]
            answers += [
                " " + text for text in tokenizer.batch_decode(new, skip_special_tokens=True)
            ]
        return answers

    return respond
