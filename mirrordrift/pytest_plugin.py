"""The pytest plugin: a marker that verifies a drift, and a fixture that gives its report.

    @pytest.mark.drift("relu((r-clip(r, 1-eps, 1+eps))*A)", eps="(0, 1)")
    def test_my_drift(): ...                       # fails, with the witness, unless it is proved

    def test_two_of_them(drift):
        assert drift("my-file.json").verdict == "proved"
        assert drift("(r-1)**2*A")["nonnegative"].witness.A < 0

Loaded by pytest in every environment that has the package: everything else is imported when a
test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from verify.report import Report

_MARKER = (
    "drift(spec, timeout=10.0, **parameters): the test fails unless the drift (a formula, a name "
    "of the catalogue, a Drift) is proved valid; parameters are domains, alpha='(0, inf)'"
)


class VerifyDrift(Protocol):
    """What the `drift` fixture is: `verify` with the parameters as keywords."""

    def __call__(self, spec: object, *, timeout: float = 10.0, **parameters: object) -> Report:
        """The report of a drift; it need not be proved."""
        ...


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known to --strict-markers and --markers."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Verify the drifts of a test's markers before its body runs."""
    for marker in item.iter_markers("drift"):
        _require(marker)


@pytest.fixture(scope="session")
def drift() -> VerifyDrift:
    """`drift(spec, alpha="(0, inf)")` decides a drift and gives its report."""

    def decide(spec: object, *, timeout: float = 10.0, **parameters: object) -> Report:
        from mirrordrift.interface import verify

        return verify(spec, parameters, timeout=timeout)

    return decide


def _require(marker: pytest.Mark) -> None:
    from mirrordrift.testing import assert_valid_drift
    from symbolic.errors import ConfigError, FormulaError

    if len(marker.args) != 1:
        pytest.fail(
            f"the marker is {_MARKER.partition(':')[0]}, not {marker.args!r}", pytrace=False
        )
    options = dict(marker.kwargs)
    timeout = options.pop("timeout", 10.0)
    try:
        assert_valid_drift(marker.args[0], parameters=options, timeout=timeout)
    except (AssertionError, ConfigError, FormulaError) as problem:
        pytest.fail(str(problem), pytrace=False)
