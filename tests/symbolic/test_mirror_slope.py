"""The slope of a map's network is the derivative of its value by log x."""

from __future__ import annotations

import numpy as np
import pytest
from distilling_maps import random_networks

from symbolic.mirror_network import mirror_output
from symbolic.mirror_slope import mirror_slope

_STEP = 1e-6


@pytest.mark.parametrize("temporal", [False, True])
@pytest.mark.parametrize("which", [0, 1])
def test_slopes_are_differences(which: int, temporal: bool) -> None:
    net = random_networks(3, temporal=temporal)[which]
    log_x, t = np.linspace(-12, -0.01, 60)[:, None], np.array([0.0, 0.3, 1.0])[None, :]

    def value(at):
        at, progress = np.broadcast_arrays(at, t)
        return mirror_output(np, net.kind, net.layers, net.skip, at, progress)

    by_difference = (value(log_x + _STEP) - value(log_x - _STEP)) / (2 * _STEP)
    np.testing.assert_allclose(mirror_slope(net, log_x, t), by_difference, rtol=1e-6)


def test_beyond_one_log_odds_have_none() -> None:
    _, phi_inverse = random_networks(0)
    assert np.isnan(mirror_slope(phi_inverse, [0.0, 0.5])).all()
