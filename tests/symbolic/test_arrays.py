"""Files of arrays: what their bytes may look like, and what is said where none can be written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from symbolic.network import DriftNetwork, load_network, save_network
from symbolic.parser import parse


def test_a_folder_that_is_missing_is_named_with_the_file(tmp_path: Path) -> None:
    made = DriftNetwork(layers=(np.ones((1, 1)),), features=(parse("1-r"),), xi=Fraction(0))
    with pytest.raises(OSError) as caught:
        save_network(tmp_path / "no" / "n.npz", made)
    assert caught.value.filename == str((tmp_path / "no" / "n.npz").resolve())


def test_weights_may_look_like_the_end_of_a_header(tmp_path: Path) -> None:
    (weight,) = np.frombuffer(b" \n\t\n \n \n")
    made = DriftNetwork(
        layers=(np.full((1, 2), weight), np.ones((2, 1))), features=(parse("1-r"),), xi=Fraction(0)
    )
    save_network(tmp_path / "n.npz", made)
    assert load_network(tmp_path / "n.npz").content_hash == made.content_hash
