"""Random maps: nothing that 60-digit sampling contradicts, and certificates that replay."""

from __future__ import annotations

import json
import random

import pytest
from map_judge import against, random_map

from verify.checker import check_certificate
from verify.decide import decide
from verify.report import Verdict


def _examine(seed: int, count: int, timeout: float) -> tuple[list[str], int]:
    wrong: list[str] = []
    unknown = 0
    for i in range(count):
        rng = random.Random(100_000 * seed + i)
        drift = random_map(rng)
        report = decide(drift, timeout=timeout)
        wrong += against(drift, report, rng)
        opens = [c for c in report.conditions if c.verdict is Verdict.UNKNOWN]
        unknown += len(opens)
        wrong += [f"{drift.text}: {c.id}: {c.detail}" for c in opens if "bug" in c.detail]
        replay = check_certificate(json.loads(json.dumps(report.certificate)))
        decided = {c.id: c.verdict.value for c in report.conditions if c not in opens}
        if not replay.ok or replay.conditions != decided:
            wrong.append(f"{drift.text}: the certificate shows {replay.conditions}, {replay.error}")
    return wrong, unknown


@pytest.mark.parametrize("seed", range(2))
def test_random_maps(seed):
    wrong, _ = _examine(seed, 5, timeout=1.0)
    assert not wrong, wrong


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 14))
def test_many_random_maps(seed):
    wrong, unknown = _examine(seed, 60, timeout=15.0)
    assert not wrong, wrong
    assert unknown <= 30
