"""`drift export`, and the changes by which others' PPO takes a drift."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from exported_objectives import network_objective

from symbolic.export.patches import IMPORT, PATCHES
from symbolic.preference.reading import save_objective

SB3 = find_spec("stable_baselines3") is not None


def test_source_is_printed_or_written(drift, tmp_path: Path) -> None:
    done = drift("export", "dpo", "--to", "jax")
    assert done.code == 0 and "def drift(log_ratio, advantage):" in done.out
    written = drift("export", "dpo", "--to", "jax", "-o", tmp_path / "d.py")
    assert (
        written.out.strip() == str(tmp_path / "d.py")
        and (tmp_path / "d.py").read_text() == done.out
    )
    assert drift("export", "kl", "--to", "latex").out == r"r - 1 - \log\left(r\right)" + "\n"
    assert "0.1" in drift("export", "ppo", "--to", "latex", "--param", "eps=0.1").out
    found = drift("export", "spo", "--to", "numpy", "--param", "eps=0.1", "--json").json
    assert found["schema"] == "mirrordrift/export/1" and "0.2" in found["source"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dpo", "--to", "matlab"), "use one of numpy, jax, torch, latex, cleanrl, sb3"),
        (("dpo", "--to", "trl"), "preference objectives"),
        (("lpo-cartpole", "--to", "latex"), "distil it first"),
        (("c*(r-1)**2", "--to", "jax", "--param", "c in (0, inf)"), "bind it"),
        (("dpo", "--to", "jax", "-o", "/nowhere/x.py"), "cannot be written"),
        (("t*(r-1)**2", "--to", "cleanrl"), "progress t"),
        (("dpo", "--to", "trl"), "did you mean direct-preference?"),
        (("kl", "--to", "trl"), "name one of direct-preference"),
        (("orpo", "--to", "sb3"), "--to trl"),
        (("orpo", "--to", "matlab"), "use one of numpy, jax, torch, latex, trl"),
        (("orpo", "--to", "jax", "--kind", "drift"), "orpo is a preference objective"),
        (("orpo", "--to", "jax", "--kind", "map"), "use drift or objective"),
        (("orpp", "--to", "jax", "--kind", "objective"), "did you mean orpo?"),
        (("dpo", "--to", "jax", "--label-smoothing", "0.1"), "--kind objective"),
        (("ipo", "--to", "jax", "--param", "eps=0.1"), "'eps' is declared, but no formula has it"),
        (("log(x); b*log(x)", "--to", "jax", "--param", "b in (0, inf)"), "bind it"),
        (("log(x); log(x); -z; z", "--to", "jax"), "holds 4 formulas"),
        (("orpo", "--to", "jax", "--beta", "-1"), "beta=-1"),
    ],
)
def test_what_cannot_be_exported_says_why(drift, arguments, said: str) -> None:
    done = drift("export", *arguments)
    assert done.code == 2 and said in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dpo",), "def drift("),
        (("dpo", "--kind", "objective"), "objective direct-preference"),
        (("direct-preference",), "def loss("),
        (("discopop",), "objective log-ratio-modulated"),
        (("log(x); log(x) - log(1 - x)",), "objective log(x); log(x) - log(1 - x)."),
        (("none; b*log(x); -softplus(c - z); b=2; c=1/2",), "x1 = _softplus"),
        (("(r-1)**2", "--kind", "drift"), "def drift("),
        (("lpo-cartpole",), "def drift("),
    ],
)
def test_what_is_given_is_a_drift_or_an_objective(drift, arguments, said: str) -> None:
    done = drift("export", *arguments, "--to", "numpy")
    assert done.code == 0 and said in done.out, done.err
    compile(done.out, "exported", "exec")


def test_objectives_are_changed_and_bound(drift) -> None:
    text = drift("export", "ipo", "--to", "jax", "--param", "tau=1/4", "--reduction", "mean").out
    assert "z - 2.0" in text and "means over their tokens" in text and "(reduction=mean)" in text
    asked = ("--weight", "0.5", "--beta", "3", "--margin", "1", "--label-smoothing", "0.2")
    text = drift("export", "orpo", "--to", "jax", *asked, "--reference").out
    assert "z = 3.0 * difference - 1.0" in text and "+ 0.5 * preference" in text
    assert "0.8 * link(z, progress) + 0.2 * link(-z, progress)" in text
    assert "reference policy's log-probabilities" in text


def test_an_objective_s_file_is_known_by_its_schema(drift, tmp_path: Path) -> None:
    save_objective(tmp_path / "mine.json", network_objective(aware=True))
    done = drift("export", tmp_path / "mine.json", "--to", "trl", "-o", tmp_path / "mine.py")
    assert done.code == 0, done.err
    text = (tmp_path / "mine.py").read_text()
    compile(text, "mine", "exec")
    assert "class MirrorPreferenceTrainer(ORPOTrainer):" in text and "PSI_CHANGE = " in text
    assert "objective mine: network sha256:" in text
    assert "is no formula" in drift("export", tmp_path / "mine.json", "--to", "latex").err
    (tmp_path / "front.json").write_text('{"formula": "(r-1)**2"}')
    assert "def drift(" in drift("export", tmp_path / "front.json", "--to", "jax").out
    assert drift("export", tmp_path / "gone.json", "--to", "jax").code == 2


@pytest.mark.parametrize("to", sorted(PATCHES))
def test_a_patch_names_the_lines_and_is_python(drift, to: str) -> None:
    text = drift("export", "dpo", "--to", to).out
    compile(text, "my_drift", "exec")
    for line in (*PATCHES[to].replaced, PATCHES[to].by, IMPORT):
        assert f"#     {line}\n" in text


def patched(source: str, to: str) -> str:
    """A file with the change made, each line found exactly once."""
    patch = PATCHES[to]
    lines = source.splitlines()
    places = [i for i, line in enumerate(lines) if line.strip() in patch.replaced]
    assert len(places) == len(patch.replaced), "the lines are not those of this version"
    indent = lines[places[0]][: len(lines[places[0]]) - len(lines[places[0]].lstrip())]
    kept = [line for i, line in enumerate(lines) if i not in places]
    kept.insert(places[0], indent + patch.by)
    future = max(
        (i for i, line in enumerate(kept) if line.startswith("from __future__")), default=-1
    )
    kept.insert(future + 1, IMPORT)
    return "\n".join(kept)


@pytest.mark.peer
@pytest.mark.skipif(not SB3, reason="Stable-Baselines3 is not installed (extra export)")
def test_stable_baselines_trains_with_it(drift, tmp_path: Path, monkeypatch) -> None:
    import stable_baselines3.ppo.ppo as theirs

    assert drift("export", "dpo", "--to", "sb3", "-o", tmp_path / "my_drift.py").code == 0
    (tmp_path / "their_ppo.py").write_text(patched(Path(theirs.__file__).read_text(), "sb3"))
    monkeypatch.syspath_prepend(str(tmp_path))
    import their_ppo

    model = their_ppo.PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, n_epochs=2, seed=0)
    model.learn(128)
    assert all(p.isfinite().all() for p in model.policy.parameters())


CLEANRL = """
newlogprob, logratio, ratio = logprob, logprob - old, (logprob - old).exp()
if True:
            # Policy loss
            pg_loss1 = -mb_advantages * ratio
            pg_loss2 = -mb_advantages * torch.clamp(ratio, 1 - args.clip_coef, 1 + args.clip_coef)
            pg_loss = torch.max(pg_loss1, pg_loss2).mean()
"""


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed (extra export)")
def test_with_ppo_s_own_drift_cleanrl_s_loss_is_what_it_was(
    drift, tmp_path: Path, monkeypatch
) -> None:
    import torch

    assert drift("export", "ppo", "--to", "cleanrl", "-o", tmp_path / "my_drift.py").code == 0
    monkeypatch.syspath_prepend(str(tmp_path))
    torch.manual_seed(0)
    start = {"torch": torch, "mb_advantages": torch.randn(200), "old": torch.zeros(200)}
    start["args"] = type("Args", (), {"clip_coef": 0.2})
    gradients = []
    for source in (CLEANRL, patched(CLEANRL, "cleanrl")):
        torch.manual_seed(1)
        space = dict(start) | {"logprob": (0.4 * torch.randn(200)).requires_grad_()}
        exec(source, space)
        space["pg_loss"].backward()
        gradients.append((space["pg_loss"].item(), space["logprob"].grad))
    assert gradients[0][0] == pytest.approx(gradients[1][0], abs=1e-6)
    assert torch.allclose(gradients[0][1], gradients[1][1], atol=1e-7)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("log(x); 2*x", "phi_inverse is no mirror-map: lower_limit is refuted at x = 0"),
        ("-log(x); log(x)", "psi is no psi"),
        ("log(x); log(x); -z", "favours what is rejected"),
        ("(r-1)**2 - 0.1*abs(A)", "is no drift: nonnegative is refuted at r = 1"),
    ],
)
def test_what_is_refuted_is_exported_with_a_note(drift, spec: str, said: str) -> None:
    done = drift("export", spec, "--to", "numpy")
    assert done.code == 0 and said in done.err and "def " in done.out


def test_what_is_proved_is_exported_without_a_word(drift) -> None:
    for spec in ("dpo", "orpo", "log-ratio-modulated"):
        assert not drift("export", spec, "--to", "numpy").err
