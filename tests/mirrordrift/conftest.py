"""What the tests of the face share: the command line in this process, and a network file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mirrordrift.cli import main
from symbolic.network import DriftNetwork, save_network
from symbolic.parser import parse


@dataclass(frozen=True)
class Done:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The objects on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def drift(capsys, monkeypatch):
    """`drift("verify", "dpo")` in this process, with settled width and no colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: object) -> Done:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Done(code, out, err)

    return run


@pytest.fixture
def network_file(tmp_path):
    """A small network that is a drift by its structure."""
    weights = np.random.default_rng(0).normal(size=(2, 4)), np.ones((4, 1))
    features = (parse("1-r"), parse("log(r)*A"))
    path = tmp_path / "small.npz"
    save_network(path, DriftNetwork(layers=weights, features=features, xi=Fraction(1, 10**6)))
    return path
