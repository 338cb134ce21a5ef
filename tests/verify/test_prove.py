"""The proof rules: what each is there for, nothing false, and every proof replays."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.laws import on_kernel, tree_of
from mutation.rules import LAWS, RULES, nodes, prover_on, replays
from mutation.smooth import POINTS, SMOOTH, at, on_region

from verify.algebra.masks import NONNEGATIVE
from verify.algebra.resolve import Resolver
from verify.checker.algebra import OverBudget, Unproved
from verify.proof.prove import Budget, Prover
from verify.proof.rules import RULES as ALL
from verify.proof.scatter import Scatter


@pytest.mark.parametrize(
    ("claim", "rule", "facts"), RULES, ids=[f"{r.__name__} {c}" for c, r, _ in RULES]
)
def test_rules_prove_and_their_proofs_replay(claim, rule, facts):
    def proved(signs, value):
        found = next(nodes(rule, prover_on(signs, facts), value.num), None)
        assert found is not None
        replays(claim, facts, found)

    on_kernel(claim, proved)


def test_every_rule_has_an_example():
    assert {rule for _, rule, _ in RULES} == set(ALL)


def test_misleading_samples_prove_nothing():
    LAWS["misleading samples"]()


@settings(max_examples=35)
@given(SMOOTH, POINTS)
def test_what_is_proved_is_true(tree, points):
    """Also with samples that like every claim: then only the rules stand in the way."""

    class Kind(Scatter):
        def seen(self, kernel, value):
            return 4

    def true(resolver, value):
        signs = resolver.signs
        for scatter in (Scatter.over(signs.domains), Kind.over(signs.domains)):
            if Prover(signs, scatter, Budget(60)).prove(value, NONNEGATIVE) is not None:
                for point in points:
                    assert not at(tree, point) < 0, (str(tree), point)

    on_region(tree, true)


@settings(max_examples=60)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 40))
def test_quadratic_forms_are_proved_exactly_if_they_are_not_negative(a, c, b):
    """a·x² − b·xy/4 + c·y² >= 0 on x, y > 0 if and only if b² <= 64·a·c."""
    claim = f"{a}*x**2-{b}*x*y/4+{c}*y**2"

    def decided(signs, value):
        proof = prover_on(signs, ()).prove(value, NONNEGATIVE)
        assert (proof is not None) == (b * b <= 64 * a * c), claim
        if proof is not None:
            replays(claim, (), proof)

    on_kernel(claim, decided)


def test_a_replay_is_more_than_a_shrug():
    """The replay used here refuses a proof that shows nothing."""
    with pytest.raises((Unproved, OverBudget)):
        replays("x-1", (), {"rule": "infer"})


def test_budgets_are_steps():
    """The same search with fewer steps gives up, with the same steps it gives the same proof."""
    claim = "x*exp(x)-exp(x)+1"

    def searched(signs, value):
        def search(steps):
            return Prover(signs.fork(), Scatter.over(signs.domains), Budget(steps)).prove(
                value, NONNEGATIVE
            )

        assert search(0) is None
        assert search(200) == search(200) is not None

    on_kernel(claim, searched)


@pytest.mark.parametrize(("claim", "name", "end", "value"), [
    ("exp(x)-1-x", "x", 0, "0"), ("log(1+x)*y", "x", 0, "0"), ("sqrt(1+3*x)", "x", 1, "2"), ("z**2-z", "z", 2, "2"),
    ("exp(x*y)+x", "x", 0, "1"), ("(1+y)/(2+x)", "x", 0, "(1+y)/2"),
])  # fmt: skip
def test_values_at_the_ends_of_a_range(claim, name, end, value):
    def at_end(signs, quotient):
        found = prover_on(signs, ()).at(quotient, name, Fraction(end))
        assert signs.sub(found, Resolver(signs).resolve(tree_of(value))).is_zero

    on_kernel(claim, at_end)
