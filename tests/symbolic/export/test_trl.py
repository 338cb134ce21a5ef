"""Objectives against TRL's own losses, and exported trainers run end to end on a tiny model."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from exported_objectives import CASES, by_jax, exported, log_probs, module, with_torch

from symbolic.catalogue.objectives import objectives
from symbolic.export.trl import TRL_VERSION, trainer_source
from symbolic.preference.objective import PreferenceObjective

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(find_spec("trl") is None, reason="trl is not installed (extra export)"),
    pytest.mark.filterwarnings("default"),  # transformers' and trl's own affairs
]
EXAMPLE = Path(__file__).parents[3] / "examples" / "llm_mixed_quality"
DEVICE = SimpleNamespace(
    device="cpu", gather=lambda value: value, gather_for_metrics=lambda value: value
)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


# --- TRL's losses on the same log-probabilities ---------------------------------------------------


def slopes_of(losses: Any, *logs: Any) -> tuple[np.ndarray, ...]:
    """Losses of pairs as TRL has them, and their slopes."""
    losses.sum().backward()
    return (losses.detach().numpy(), *(part.grad.numpy() for part in logs))


def asked() -> tuple[np.ndarray, Any, Any, Any, Any]:
    import torch

    logs = log_probs(5)
    given = [torch.tensor(part) for part in logs]
    for part in given[:2]:
        part.requires_grad_()
    return (logs, *given)


def agree(found: tuple[np.ndarray, ...], theirs: tuple[np.ndarray, ...]) -> None:
    for part, wanted in zip(found, theirs):
        np.testing.assert_allclose(part, wanted, rtol=2e-5, atol=1e-6)


def ours(objective: PreferenceObjective, logs: np.ndarray) -> tuple[np.ndarray, ...]:
    return with_torch(exported(objective, "torch"), logs, 0.0)


def test_orpo_is_trls() -> None:
    from trl.experimental.orpo import ORPOTrainer

    logs, chosen, rejected, *_ = asked()
    stub = SimpleNamespace(beta=0.1, accelerator=DEVICE)
    ratio, *_ = ORPOTrainer.odds_ratio_loss(stub, chosen, rejected)
    agree(ours(objectives["orpo"], logs), slopes_of(-chosen - ratio, chosen, rejected))


def cpo(chosen: Any, rejected: Any, **settings: Any) -> Any:
    from trl.experimental.cpo import CPOTrainer

    stub = SimpleNamespace(accelerator=DEVICE, alpha=0.0, label_smoothing=0.0)
    stub.__dict__.update(settings)
    return CPOTrainer.cpo_loss(stub, chosen, rejected)[0]


def test_simpo_is_trls() -> None:
    logs, chosen, rejected, *_ = asked()
    losses = cpo(chosen, rejected, loss_type="simpo", beta=2.0, simpo_gamma=1.0)
    agree(ours(objectives["simpo"], logs), slopes_of(losses, chosen, rejected))


def test_the_conservative_loss_is_trls_of_log_ratios() -> None:
    """DPOTrainer's sigmoid has lost its label smoothing; CPOTrainer has it, without a reference."""
    logs, chosen, rejected, before_chosen, before_rejected = asked()
    ratios = chosen - before_chosen, rejected - before_rejected
    losses = cpo(*ratios, loss_type="sigmoid", beta=0.1, label_smoothing=0.1)
    found = ours(objectives["conservative-direct-preference"], logs)
    agree(found, slopes_of(losses, chosen, rejected))


def dpo(loss_type: str, sums: Any, lengths: np.ndarray, **settings: Any) -> Any:
    """DPOTrainer's loss of pairs one by one, from log-probabilities of responses, `[4, pairs]`.

    The model is one that gives every token of a response an equal part of them.
    """
    import torch
    from trl import DPOTrainer

    stub = SimpleNamespace(
        accelerator=DEVICE,
        model=SimpleNamespace(training=True),
        args=SimpleNamespace(discopop_tau=0.05),
        aux_loss_enabled=False,
        precompute_ref_logps=True,
        ld_alpha=None,
        f_divergence_type="reverse_kl",
        loss_types=[loss_type],
        loss_weights=[1.0],
        beta=0.1,
        label_smoothing=0.0,
        use_weighting=False,
        _metrics={"train": defaultdict(list)},
        _total_train_tokens=0,
        _tp_size=1,
    )
    stub.__dict__.update(settings)
    losses = []
    for i, pair in enumerate(lengths):
        mask = torch.zeros(2, int(pair.max()) + 1, dtype=torch.long)  # one token of a prompt
        for row, length in enumerate(pair):
            mask[row, 1 : length + 1] = 1
        spread = mask[:, 1:] / mask[:, 1:].sum(1, keepdim=True)
        tokens = torch.stack([sums[0][i], sums[1][i]])[:, None] * spread
        zeros = torch.zeros_like(spread)
        outputs = SimpleNamespace(
            log_probs=tokens, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool()
        )
        inputs = {
            "input_ids": torch.ones_like(mask),
            "attention_mask": torch.ones_like(mask),
            "completion_mask": mask,
            "ref_chosen_logps": sums[2][i : i + 1],
            "ref_rejected_logps": sums[3][i : i + 1],
        }
        model = lambda outputs=outputs, **_: outputs  # noqa: E731
        losses.append(DPOTrainer._compute_loss(stub, model, inputs, False))
    return torch.stack(losses)


LENGTHS = np.random.default_rng(1).integers(1, 9, (48, 2))


@pytest.mark.parametrize(
    ("name", "loss_type", "settings"),
    [
        ("direct-preference", "sigmoid", {}),
        ("log-ratio-modulated", "discopop", {}),
        # Sorting a batch of one pair changes nothing: this is the conservative loss.
        ("conservative-direct-preference", "aot", {"label_smoothing": 0.1}),
    ],
)
def test_losses_with_a_reference_are_those_of_trls_dpo(
    name: str, loss_type: str, settings: dict[str, float]
) -> None:
    logs, *sums = asked()
    losses = dpo(loss_type, sums, LENGTHS, **settings)
    agree(ours(objectives[name], logs), slopes_of(losses, *sums[:2]))


def test_ipo_is_trls_where_log_probabilities_are_means() -> None:
    """The paper's equation (17) is about probabilities of whole responses, and so is ours; TRL
    divides by their lengths, as it says the authors' experiments did."""
    logs, *sums = asked()
    losses = dpo("ipo", sums, LENGTHS)
    theirs = losses.detach().numpy()
    means = (logs / np.stack([*LENGTHS.T, *LENGTHS.T])).astype(np.float32)
    loss, *slopes = ours(replace(objectives["ipo"], reduction="mean"), means)
    agree((loss,), (theirs,))
    _, *their_slopes = slopes_of(losses, *sums[:2])
    agree(tuple(slope / length for slope, length in zip(slopes, LENGTHS.T)), tuple(their_slopes))
    summed, *_ = ours(objectives["ipo"], logs)
    assert np.abs(summed - theirs)[(LENGTHS > 1).any(axis=1)].min() > 1e-3


# --- Trainers, end to end -------------------------------------------------------------------------


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import toy

    yield toy
    sys.modules.pop("toy", None)


def trainer_of(kind: Any, toy: Any, folder: Path, **changes: Any) -> Any:
    from datasets import Dataset
    from trl.experimental.orpo import ORPOConfig

    rows = Dataset.from_list(toy.rows(12, 0))
    settings = {"max_steps": 12, "learning_rate": 1e-2, **changes}
    config = ORPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=6,
        per_device_eval_batch_size=12,
        max_length=32,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        save_strategy="no",
        logging_steps=4,
        report_to="none",
        disable_tqdm=True,
        **settings,
    )
    return kind(
        model=toy.model(0),
        args=config,
        train_dataset=rows,
        eval_dataset=rows,
        processing_class=toy.tokenizer(),
    )


def batch_of(trainer: Any) -> Any:
    return trainer._prepare_inputs(next(iter(trainer.get_eval_dataloader())))


TRAINED = {
    "orpo": objectives["orpo"],
    "direct-preference": objectives["direct-preference"],
    "ipo-mean": replace(objectives["ipo"], reduction="mean"),
    "simpo": objectives["simpo"],
    "timed": replace(CASES["timed"], reduction="mean"),
    "timed-network": replace(CASES["timed-network"], reduction="mean", reference=True),
}


@pytest.mark.parametrize("name", TRAINED)
def test_a_trainer_runs_as_it_is(name: str, toy: Any, tmp_path: Path) -> None:
    import torch

    objective = TRAINED[name]
    source = trainer_source(objective, name)
    assert f"trl {TRL_VERSION}" in source
    trainer = trainer_of(module(source)["MirrorPreferenceTrainer"], toy, tmp_path)
    model, batch = trainer.model, batch_of(trainer)

    if objective.reference:  # another than the policy, for z not to be 0
        trainer.ref_model = toy.model(1).requires_grad_(False)
    loss, metrics = trainer.get_batch_loss_metrics(model, batch)
    loss.backward()
    gradient = [p.grad.clone() for p in model.parameters()]

    # The same by JAX: its loss of these log-probabilities, and its slopes through the model.
    policy = trainer.concatenated_forward(model, batch)[:2]
    before = trainer.concatenated_forward(toy.model(1), batch)[:2]
    logs = np.stack([part.detach().numpy() for part in (*policy, *before)])
    losses, *slopes = by_jax(objective, logs, 0.0)
    assert loss.item() == pytest.approx(losses.mean(), rel=1e-5)
    model.zero_grad()
    sum((torch.tensor(s) * at).mean() for s, at in zip(slopes, policy)).backward()
    for found, p in zip(gradient, model.parameters()):
        torch.testing.assert_close(found, p.grad, rtol=1e-4, atol=1e-6)
    assert metrics["logps/chosen"] == pytest.approx(logs[0].mean(), rel=1e-5)
    assert metrics["outside_range"] == 0.0

    model.zero_grad()
    start = trainer.evaluate()
    trainer.train()
    trained = trainer.evaluate()
    assert trainer.state.log_history[0]["rewards/margins"] is not None
    assert trained["eval_rewards/margins"] > start["eval_rewards/margins"]
    if name not in ("timed", "timed-network"):  # their loss is another one at the end
        assert trained["eval_loss"] < start["eval_loss"]
    # At the end of training progress is 1.
    logs = np.stack(
        [
            part.detach().numpy()
            for who in (trainer.model, getattr(trainer, "ref_model", toy.model(1)))
            for part in trainer.concatenated_forward(who, batch)[:2]
        ]
    )
    ended = by_jax(objective, logs, 1.0)[0].mean()
    assert trained["eval_loss"] == pytest.approx(ended, rel=1e-4)


def test_what_is_imitated_is_the_response_where_trl_takes_the_prompt_too(
    toy: Any, tmp_path: Path
) -> None:
    """TRL's ORPO adds the likelihood of all tokens, the prompt's among them; equation (6) of the
    mirror-map paper, and so ours, that of the response. The preference term is the same."""
    from trl.experimental.orpo import ORPOTrainer

    kind = module(trainer_source(objectives["orpo"], "orpo"))["MirrorPreferenceTrainer"]
    found = []
    for each in (kind, ORPOTrainer):
        trainer = trainer_of(each, toy, tmp_path)
        loss, metrics = trainer.get_batch_loss_metrics(trainer.model, batch_of(trainer))
        found.append((loss.item(), metrics))
    (own, metrics), (theirs, their_metrics) = found
    assert metrics["nll_loss"] == pytest.approx(their_metrics["nll_loss"])
    assert own + metrics["logps/chosen"] == pytest.approx(theirs - metrics["nll_loss"], abs=1e-6)
    assert metrics["nll_loss"] != pytest.approx(-metrics["logps/chosen"], abs=1e-3)
    shared = set(metrics) & set(their_metrics)
    assert set(their_metrics) - shared == {"log_odds_ratio", "log_odds_chosen"}


def test_a_reference_policy_stays_and_is_the_model_at_the_start(toy: Any, tmp_path: Path) -> None:
    import torch

    source = trainer_source(objectives["direct-preference"], "")
    trainer = trainer_of(module(source)["MirrorPreferenceTrainer"], toy, tmp_path, max_steps=3)
    start = [p.clone() for p in toy.model(0).parameters()]
    loss, _ = trainer.get_batch_loss_metrics(trainer.model, batch_of(trainer))
    assert loss.item() == pytest.approx(np.log(2), rel=1e-6)
    trainer.train()
    trainer.create_model_card(model_name="toy")
    card = (tmp_path / "README.md").read_text()
    assert "mirror preference optimisation" in card and "ORPO" not in card
    assert all(map(torch.equal, trainer.ref_model.parameters(), start))
    assert not all(map(torch.equal, trainer.model.parameters(), start))
