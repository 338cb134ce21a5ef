"""Models and preferences so small that a laptop trains them in seconds: nothing is downloaded."""

from __future__ import annotations

import random
from typing import Any

COLOURS = {
    "sky": "blue", "grass": "green", "snow": "white", "night": "black", "sun": "yellow", "sea": "blue"
}  # fmt: skip
WORDS = [
    "what", "is", "the", "colour", "of", "it", "very", "so", "green", *COLOURS, *COLOURS.values()
]  # fmt: skip


def tokenizer() -> Any:
    """One token a word."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<s>", "</s>", "<unk>"]
    words = {word: number for number, word in enumerate([*special, *dict.fromkeys(WORDS)])}
    found = Tokenizer(WordLevel(words, unk_token="<unk>"))
    found.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=found,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
    )


def model(seed: int) -> Any:
    """A causal language model with random weights, a few thousand."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer()),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=64,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
    )


def rows(count: int, seed: int) -> list[dict[str, str]]:
    """Questions about colours; the chosen answer is right, the rejected one wrong and wordy."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        thing, colour = draw.choice(sorted(COLOURS.items()))
        wrong = draw.choice([other for other in COLOURS.values() if other != colour])
        found.append(
            {
                "prompt": f"what is the colour of the {thing}",
                "chosen": f" it is {colour}",
                "rejected": f" the {thing} is {draw.choice(['very', 'so'])} {wrong}",
            }
        )
    return found
