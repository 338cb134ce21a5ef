"""The search for counterexamples: floating point finds them, exact arithmetic certifies them."""

from verify.falsify.search import Findings, falsify

__all__ = ["Findings", "falsify"]
