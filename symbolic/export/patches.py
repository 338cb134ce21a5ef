"""PyTorch source with the lines by which CleanRL's and Stable-Baselines3's PPO take a drift.

Both compute PPO's clipped loss in three lines; one line with the drift takes their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Patch:
    """What to change in somebody else's file."""

    file: str
    replaced: tuple[str, ...]
    """The lines of PPO's loss, as they stand there, without indentation."""
    by: str
    """The line in their place."""


PATCHES: Mapping[str, Patch] = {
    "cleanrl": Patch(
        file="cleanrl/ppo.py or cleanrl/ppo_continuous_action.py",
        replaced=(
            "pg_loss1 = -mb_advantages * ratio",
            "pg_loss2 = -mb_advantages * torch.clamp(ratio, 1 - args.clip_coef, 1 + args.clip_coef)",
            "pg_loss = torch.max(pg_loss1, pg_loss2).mean()",
        ),
        by="pg_loss = (drift(logratio, mb_advantages) - ratio * mb_advantages).mean()",
    ),
    "sb3": Patch(
        file="stable_baselines3/ppo/ppo.py",
        replaced=(
            "policy_loss_1 = advantages * ratio",
            "policy_loss_2 = advantages * th.clamp(ratio, 1 - clip_range, 1 + clip_range)",
            "policy_loss = -th.min(policy_loss_1, policy_loss_2).mean()",
        ),
        by="policy_loss = (drift(log_prob - rollout_data.old_log_prob, advantages)"
        " - ratio * advantages).mean()",
    ),
}
"""By target of `drift export`."""

IMPORT = "from my_drift import drift"


def instructions(patch: Patch) -> str:
    """The comment that goes before the function."""
    return "\n".join(
        [
            "# Save this file as my_drift.py beside the script, and change two places of",
            f"# {patch.file}: add, below its imports,",
            "#",
            f"#     {IMPORT}",
            "#",
            "# and write, in the place of the lines",
            "#",
            *(f"#     {line}" for line in patch.replaced),
            "#",
            "# this one:",
            "#",
            f"#     {patch.by}",
            "",
        ]
    )
