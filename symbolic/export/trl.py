"""A preference objective as a trainer of TRL, which runs as it is.

All objectives extend ORPOTrainer. It has the log-probabilities of both responses in one forward pass,
and methods of their own for them and for the loss; DPOTrainer computes everything in one private method,
which no objective could be put into. What ORPOTrainer lacks is written out: sums over tokens, and a
reference policy.
"""

from __future__ import annotations

from string import Template

from symbolic.export.objective import objective_source, scaled
from symbolic.preference.objective import PreferenceObjective

TRL_VERSION = "1.16"
"""Of the interface that trainers are written for; 1.0 has the same."""

_IMPORTS = """\
import torch
from trl.experimental.orpo import ORPOTrainer
"""

_CLASS = Template('''\
class MirrorPreferenceTrainer(ORPOTrainer):
    """Trains a language model by `loss`, on pairs of responses to one prompt.

    Arguments, configuration (ORPOConfig, whose beta is not looked at) and datasets are ORPOTrainer's of
    trl $version, where it is experimental. progress is the share of the optimiser's steps that are
    done.$reference_doc
    """

    _tag_names = ["trl", "mirror-preference-optimisation"]  # a model's card is not to say ORPO
    _name, _paper = "mirror preference optimisation", {}
$init
    @staticmethod
    def get_batch_logps(logits, labels, average_log_prob=True, is_encoder_decoder=False):
        """Log-probabilities of responses, $reduced."""
        found = ORPOTrainer.get_batch_logps(logits, labels, $mean, is_encoder_decoder)
        return found.float()

    def get_batch_loss_metrics(self, model, batch, train_eval="train"):
        """The loss of a batch, and what is logged of it."""
        forward = self.concatenated_forward(model, batch)
        chosen, rejected, chosen_logits, rejected_logits, nll, *auxiliary = forward
        progress = self.state.global_step / max(self.state.max_steps, 1)
$before
        value = loss(chosen, rejected, *before, progress=progress).mean()
        with torch.no_grad():
            t = torch.as_tensor(progress, dtype=chosen.dtype, device=chosen.device)
$rewards
            asked = torch.stack([chosen, rejected, *before])
            told = {
                "rewards/chosen": rewards[0],
                "rewards/rejected": rewards[1],
                "rewards/accuracies": (rewards[0] > rewards[1]).float(),
                "rewards/margins": rewards[0] - rewards[1],
                "logps/chosen": chosen,
                "logps/rejected": rejected,
                "logits/chosen": chosen_logits.mean(),
                "logits/rejected": rejected_logits.mean(),
                "nll_loss": nll,
                "outside_range": ~((asked >= LOWEST) & (asked <= HIGHEST)).all(dim=0),
            }
            prefix = "eval_" if train_eval == "eval" else ""
            metrics = {
                prefix + name: self.accelerator.gather_for_metrics(found).float().mean().item()
                for name, found in told.items()
            }
        if self.aux_loss_enabled:
            value = value + self.aux_loss_coef * auxiliary[0]
        return value, metrics
''')

_INIT = """
    def __init__(self, *args, ref_model=None, **kwargs):
        super().__init__(*args, **kwargs)
        ref_model = copy.deepcopy(self.model) if ref_model is None else ref_model
        ref_model.requires_grad_(False).eval()
        self.ref_model = self.accelerator.prepare_model(ref_model, evaluation_mode=True)
"""
_BEFORE = """\
        with torch.no_grad():
            before = self.concatenated_forward(self.ref_model, batch)[:2]"""
_REFERENCE_DOC = " ref_model is the reference policy: the model as it starts, where none is given."


def trainer_source(objective: PreferenceObjective, title: str) -> str:
    """The text of a module that defines `loss` and `MirrorPreferenceTrainer`.

    Raises ConfigError for a Python function in a slot or a parameter without a number.
    """
    low, high = objective.log_prob_range
    rewards = ["phi_inverse(chosen, t)", "phi_inverse(rejected, t)"]
    if objective.reference:
        rewards = [f"({at} - phi_inverse(before[{i}], t))" for i, at in enumerate(rewards)]
    mean = objective.reduction == "mean"
    trainer = _CLASS.substitute(
        version=TRL_VERSION,
        reference_doc=_REFERENCE_DOC if objective.reference else "",
        init=_INIT if objective.reference else "",
        reduced="means over their tokens" if mean else "sums over their tokens",
        mean=mean,
        before=_BEFORE if objective.reference else "        before = ()",
        rewards="\n".join(
            f"            {line}"
            for line in _assigned("rewards", [scaled(objective.beta, at) for at in rewards])
        ),
    )
    functions = objective_source(objective, "torch", title).replace(
        "import torch\n", ("import copy\n\n" if objective.reference else "") + _IMPORTS, 1
    )
    limits = (
        f"LOWEST, HIGHEST = {low!r}, {high!r}  # of log-probabilities, for which `loss` is meant\n"
    )
    return f"{functions}\n\n{limits}\n\n{trainer}"


def _assigned(name: str, values: list[str]) -> list[str]:
    return [f"{name} = (", *(f"    {value}," for value in values), ")"]
