"""The paper's features are seen in DPO and not in PPO, as the paper has it."""

from __future__ import annotations

from functools import partial

from mirrordrift.slope import objective_slope
from mirrordrift.spec import resolve
from search.distill.features import features


def of(spec: str) -> dict[str, bool]:
    return {f.name: f.present for f in features(partial(objective_slope, resolve(spec)))}


def test_dpo_has_what_it_was_made_for() -> None:
    found = of("dpo")
    assert (
        found["rollback"]
        and found["cautious optimism"]
        and found["asymmetry"]
        and found["crossing slices"]
    )
    assert not found["spikes near r = 1"]


def test_ppo_has_none_of_it() -> None:
    assert not any(of("ppo").values())


def test_spikes_are_seen() -> None:
    assert of("0.05*log(1 + ((r - 1)*A/0.02)**2)")["spikes near r = 1"]
