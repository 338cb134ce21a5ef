"""The proof rules, cheapest first.

A rule takes (prover, polynomial, strict, depth) and yields certificate nodes that prove the
polynomial >= 0 (> 0 if strict) on the prover's region, or None for an attempt that failed.
"""

from verify.proof.rules.calculus import monotone
from verify.proof.rules.enclosing import numeric
from verify.proof.rules.facts import by_fact, grouped
from verify.proof.rules.shapes import conjugate, exponentiate, quadratic, shift

__all__ = ["RULES", "by_fact"]

RULES = (grouped, by_fact, numeric, quadratic, conjugate, exponentiate, monotone, shift)
