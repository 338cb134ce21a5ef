"""Design, prove and train the drift penalties of Mirror Learning.

    from mirrordrift import verify
    report = verify("(r-1)**2 - 0.1*abs(A)")
    report.verdict                  # Verdict.REFUTED
    report["nonnegative"].witness   # an exact point where f < 0

Everything public is imported from here, and from `mirrordrift.testing` for tests. Names are
resolved when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; `typing` would take most of the import's time
if TYPE_CHECKING:
    from typing import Any

    from mirrordrift.aligning.running import align
    from mirrordrift.distilling import distill
    from mirrordrift.interface import check, equal, verify
    from mirrordrift.training import evaluate, load_agent, train
    from rl.agent import Agent
    from rl.preference.data import PreferenceData
    from rl.score import Score
    from search.meta.networks import official_network
    from symbolic.catalogue import catalogue
    from symbolic.catalogue.objectives import objectives
    from symbolic.distill.samples import Samples, load_samples, save_samples
    from symbolic.domains import Interval
    from symbolic.drift import Drift, Reference
    from symbolic.errors import ConfigError, FormulaError
    from symbolic.expression import Expression
    from symbolic.network import DriftNetwork, load_network, save_network
    from symbolic.parser import parse
    from symbolic.preference.objective import PreferenceObjective
    from symbolic.preference.reading import load_objective, save_objective
    from symbolic.sympy_bridge import from_sympy, to_sympy
    from verify.checker import Replay, UnreadableCertificate
    from verify.report import Condition, Report, Verdict, Witness

    __version__: str

_HOME = {
    "verify": "mirrordrift.interface",
    "train": "mirrordrift.training",
    "evaluate": "mirrordrift.training",
    "load_agent": "mirrordrift.training",
    "Agent": "rl.agent",
    "Score": "rl.score",
    "PreferenceData": "rl.preference.data",
    "align": "mirrordrift.aligning.running",
    "PreferenceObjective": "symbolic.preference.objective",
    "objectives": "symbolic.catalogue.objectives",
    "load_objective": "symbolic.preference.reading",
    "save_objective": "symbolic.preference.reading",
    "check": "mirrordrift.interface",
    "distill": "mirrordrift.distilling",
    "Samples": "symbolic.distill.samples",
    "load_samples": "symbolic.distill.samples",
    "save_samples": "symbolic.distill.samples",
    "equal": "mirrordrift.interface",
    "parse": "symbolic.parser",
    "Drift": "symbolic.drift",
    "Reference": "symbolic.drift",
    "Interval": "symbolic.domains",
    "Expression": "symbolic.expression",
    "catalogue": "symbolic.catalogue",
    "DriftNetwork": "symbolic.network",
    "load_network": "symbolic.network",
    "save_network": "symbolic.network",
    "official_network": "search.meta.networks",
    "to_sympy": "symbolic.sympy_bridge",
    "from_sympy": "symbolic.sympy_bridge",
    "Report": "verify.report",
    "Condition": "verify.report",
    "Verdict": "verify.report",
    "Witness": "verify.report",
    "Replay": "verify.checker",
    "FormulaError": "symbolic.errors",
    "ConfigError": "symbolic.errors",
    "UnreadableCertificate": "verify.checker",
}

__all__ = [
    # deciding
    "verify",
    "check",
    "equal",
    # training
    "train",
    "evaluate",
    "load_agent",
    "Agent",
    "Score",
    # preferences
    "PreferenceData",
    "PreferenceObjective",
    "align",
    "objectives",
    "load_objective",
    "save_objective",
    # distilling
    "distill",
    "Samples",
    "load_samples",
    "save_samples",
    # formulas
    "parse",
    "Drift",
    "Reference",
    "Interval",
    "Expression",
    "catalogue",
    "to_sympy",
    "from_sympy",
    # networks
    "DriftNetwork",
    "load_network",
    "save_network",
    "official_network",
    # answers
    "Report",
    "Condition",
    "Verdict",
    "Witness",
    "Replay",
    # what can go wrong
    "FormulaError",
    "ConfigError",
    "UnreadableCertificate",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _HOME:
        from importlib import import_module

        try:
            value = getattr(import_module(_HOME[name]), name)
        except (ImportError, AttributeError) as error:
            from mirrordrift.rooms import shadow_message

            message = shadow_message()
            if not message:
                raise
            raise ImportError(message) from error
    else:
        raise AttributeError(f"module 'mirrordrift' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """The version that was installed: pyproject.toml is the one place where it is written."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mirrordrift")
    except PackageNotFoundError:  # run from a copy of the source
        return "0+uninstalled"
