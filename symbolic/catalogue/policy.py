"""Penalties that were published as policy-optimisation objectives."""

from __future__ import annotations

from symbolic.catalogue.entry import Entry
from symbolic.drift import Reference

_CLIPPED = "relu((r - clip(r, 1 - eps, 1 + eps))*A)"
_PPO = Reference("Proximal Policy Optimization Algorithms", 2017, "Schulman et al.")
_TRULY = Reference("Truly Proximal Policy Optimization", 2019, "Wang, He and Tan")
_DPO = Reference("Discovered Policy Optimisation", 2022, "Lu et al.")
_UNIT, _POSITIVE = "(0, 1)", "(0, inf)"

POLICY = (
    Entry(
        name="zero",
        title="No penalty: generalised policy iteration",
        formula="0",
        reference=Reference(
            "Mirror Learning: A Unifying Framework of Policy Optimisation", 2022, "Kuba et al."
        ),
        note="The policy goes wherever the advantage points; only the neighbourhood holds it back.",
    ),
    Entry(
        name="trust-region",
        title="Trust region: C times the KL divergence from the old policy",
        formula="C*(r - 1 - log(r))",
        domains={"C": _POSITIVE},
        defaults={"C": "1"},
        reference=Reference("Trust Region Policy Optimization", 2015, "Schulman et al."),
        note="The penalised form of the paper's bound, KL(old ‖ new) estimated by r - 1 - log r.",
    ),
    Entry(
        name="ppo-penalty",
        title="PPO with a KL penalty",
        formula="beta*(r - 1 - log(r))",
        domains={"beta": _POSITIVE},
        defaults={"beta": "1"},
        reference=_PPO,
        note="The paper adapts beta between updates; within one update it is a constant.",
    ),
    Entry(
        name="ppo",
        title="Proximal Policy Optimisation, clipped",
        formula=_CLIPPED,
        domains={"eps": _UNIT},
        defaults={"eps": "0.2"},
        reference=_PPO,
        note="r·A minus this is min(r·A, clip(r, 1 - eps, 1 + eps)·A), the paper's objective.",
    ),
    Entry(
        name="ppo-asymmetric",
        title="PPO with separate lower and upper clip ('clip-higher')",
        formula="relu((r - clip(r, 1 - eps_low, 1 + eps_high))*A)",
        domains={"eps_low": _UNIT, "eps_high": _POSITIVE},
        defaults={"eps_low": "0.2", "eps_high": "0.28"},
        reference=Reference(
            "DAPO: An Open-Source LLM Reinforcement Learning System at Scale", 2025, "Yu et al."
        ),
    ),
    Entry(
        name="ppo-annealed",
        title="PPO with its clip range annealed to nothing",
        formula="relu((r - clip(r, 1 - eps*(1 - t), 1 + eps*(1 - t)))*A)",
        domains={"eps": _UNIT, "t": "[0, 1)"},
        defaults={"eps": "0.1"},
        reference=_PPO,
        note="The paper's Atari schedule. At t = 1 itself the range is empty, a kink stands at "
        "r = 1 and the penalty is no drift; hence t in [0, 1).",
    ),
    Entry(
        name="ppo-rollback",
        title="PPO with rollback: the slope turns back outside the clip range",
        formula="(1 + alpha)*" + _CLIPPED,
        domains={"alpha": _POSITIVE, "eps": _UNIT},
        defaults={"alpha": "0.3", "eps": "0.2"},
        reference=_TRULY,
        note="The objective is min(r·A, F·A) with F of slope -alpha outside the range; r - F is "
        "(1 + alpha)(r - clip r).",
    ),
    Entry(
        name="ppo-leaky",
        title="Leaky PPO: a small slope stays outside the clip range",
        formula="(1 - alpha)*" + _CLIPPED,
        domains={"alpha": _UNIT, "eps": _UNIT},
        defaults={"alpha": "0.1", "eps": "0.2"},
        reference=Reference(
            "Leaky PPO: A Simple and Efficient RL Algorithm for Autonomous Vehicles", 2024
        ),
        note="As rollback with slope +alpha; written from the idea of a leaky clip.",
    ),
    Entry(
        name="ppo-smooth",
        title="PPO with a smooth rollback by tanh",
        formula="relu((r - clip(r, 1 - eps, 1 + eps)"
        " + alpha*(tanh(r - 1) - tanh(clip(r, 1 - eps, 1 + eps) - 1)))*A)",
        domains={"alpha": _POSITIVE, "eps": _UNIT},
        defaults={"alpha": "0.3", "eps": "0.2"},
        reference=Reference(
            "A Functional Clipping Approach for Policy Optimization Algorithms", 2021
        ),
        note="Outside the range the objective's ratio falls as -alpha·tanh(r - 1), joined "
        "continuously.",
    ),
    Entry(
        name="dual-clip",
        title="Dual-clip PPO",
        formula="where(A >= 0, relu((r - clip(r, 1 - eps, 1 + eps))*A), "
        "r*A - max(min(r*A, clip(r, 1 - eps, 1 + eps)*A), c*A))",
        domains={"eps": _UNIT, "c": "(1, inf)"},
        defaults={"eps": "0.2", "c": "3"},
        reference=Reference(
            "Mastering Complex Control in MOBA Games with Deep Reinforcement Learning",
            2020,
            "Ye et al.",
        ),
        note="No drift: for A < 0 the objective is held at c·A once r > c, where r·A is lower "
        "still, so the penalty is (r - c)·A < 0: a large step towards a bad action is rewarded "
        "compared with r·A. At r = 4, A = -1, c = 3 it is -1.",
        refuted=("nonnegative",),
    ),
    Entry(
        name="p3o",
        title="Sigmoid-preconditioned ('soft-clipped') objective",
        formula="A*(r - 1) - 4/tau*A*(sigmoid(tau*(r - 1)) - 1/2)",
        domains={"tau": _POSITIVE},
        defaults={"tau": "2"},
        reference=Reference(
            "The Sufficiency of Off-Policyness and Soft Clipping: PPO is still Insufficient "
            "according to an Off-Policy Measure",
            2022,
            "Chen et al.",
        ),
        note="No drift: the sigmoid saturates on both sides, so the penalty is odd in r - 1 and "
        "negative where (r - 1)·A < 0; its positive part alone would be one. The paper's further "
        "KL term is left out.",
        refuted=("nonnegative",),
    ),
    Entry(
        name="dpo",
        title="Discovered Policy Optimisation",
        formula="where(A >= 0, relu((r - 1)*A - alpha*tanh((r - 1)*A/alpha)), "
        "relu(log(r)*A - beta*tanh(log(r)*A/beta)))",
        domains={"alpha": _POSITIVE, "beta": _POSITIVE},
        defaults={"alpha": "2", "beta": "0.6"},
        reference=_DPO,
        note="The closed form of a meta-learnt drift network; alpha = 2 and beta = 0.6 there.",
    ),
    Entry(
        name="smooth-dpo",
        title="DPO's dead zone without its relu",
        formula="abs((r - 1)*A) - alpha*tanh(abs((r - 1)*A)/alpha)",
        domains={"alpha": _POSITIVE},
        defaults={"alpha": "2"},
        note="Folklore: DPO's branch for A >= 0, penalising steps in either direction.",
    ),
    Entry(
        name="spo",
        title="Simple Policy Optimisation",
        formula="abs(A)*(r - 1)**2/(2*eps)",
        domains={"eps": _POSITIVE},
        defaults={"eps": "0.2"},
        reference=Reference("Simple Policy Optimization", 2024, "Xie et al."),
        note="For each A the objective peaks exactly at |r - 1| = eps, in A's direction.",
    ),
    Entry(
        name="mdpo",
        title="Mirror Descent Policy Optimisation: KL from the new policy",
        formula="(r*log(r) - r + 1)/eta",
        domains={"eta": _POSITIVE},
        defaults={"eta": "1"},
        reference=Reference("Mirror Descent Policy Optimization", 2020, "Tomar et al."),
        note="KL(new ‖ old) over the step size eta.",
    ),
    Entry(
        name="grpo-kl",
        title="The KL term of GRPO: k3 of the inverse ratio",
        formula="beta*(1/r - 1 + log(r))",
        domains={"beta": _POSITIVE},
        defaults={"beta": "0.04"},
        reference=Reference(
            "DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models",
            2024,
            "Shao et al.",
        ),
        note="With the old policy as reference. The paper's ratio is reference over new, the "
        "inverse of r: k3 there estimates KL(new ‖ reference) under samples of the new policy.",
    ),
    Entry(
        name="weighted-kl",
        title="KL weighted by the size of the advantage",
        formula="abs(A)*(r - 1 - log(r))",
        note="Folklore.",
    ),
)
