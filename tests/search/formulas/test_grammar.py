"""The grammar of drifts: all that it makes are drifts, and equals have one canonical form."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirrordrift import Drift, equal, verify
from search.formulas.grammar import EVEN, ONE_SIDED, RULES, Node, canonical, from_record
from search.formulas.variation import CONSTANTS, crossed, mutated, offspring, random_expression
from symbolic.errors import ConfigError
from symbolic.numeric import evaluate

RANDOM = np.random.default_rng(1)
RATIO = np.concatenate([[1.0], np.exp(RANDOM.normal(scale=0.6, size=300))])
ADVANTAGE = np.concatenate([[0.7], RANDOM.normal(size=300)])


def values(node: Node) -> np.ndarray:
    return evaluate(node.formula(), {"r": RATIO, "A": ADVANTAGE}) + 0 * RATIO


seeds = st.integers(0, 2**32 - 1)


def some(seed: int) -> Node:
    return random_expression(np.random.default_rng(seed))


@pytest.mark.parametrize("name", [n for n, rule in RULES.items() if rule.sort == "penalty"])
@pytest.mark.parametrize("given_input", ["step", "log-step", "gain", "log-gain"])
def test_every_rule_keeps_the_conditions(name: str, given_input: str) -> None:
    rule = RULES[name]
    children = {
        "input": Node(given_input),
        "penalty": Node("square", (Node(given_input),), Fraction(2)),
    }
    constant = Fraction("0.3") if rule.has_constant else None
    node = Node(name, tuple(children[sort] for sort in rule.children), constant)
    assert verify(Drift(formula=node.formula())).verdict == "proved"


@pytest.mark.slow
@given(seeds)
@settings(max_examples=200)
def test_whatever_the_grammar_makes_is_never_refuted(seed: int) -> None:
    assert verify(Drift(formula=some(seed).formula())).verdict != "refuted"


def test_most_of_what_the_grammar_makes_is_proved() -> None:
    found = [verify(Drift(formula=some(seed).formula()), timeout=2.0).verdict for seed in range(40)]
    assert found.count("refuted") == 0
    assert found.count("proved") >= 36


@given(seeds)
def test_canonical_forms_are_equal_and_final(seed: int) -> None:
    node = some(seed)
    found = canonical(node)
    if found is None:  # 0 at least for one sign of A
        zero = values(node) == 0
        assert zero[ADVANTAGE >= 0].all() or zero[ADVANTAGE < 0].all()
        return
    np.testing.assert_allclose(values(found), values(node), rtol=1e-9, atol=1e-12)
    assert canonical(found) == found
    assert found.size <= node.size + 1


def square(child: Node, weight: str = "1") -> Node:
    return Node("square", (child,), Fraction(weight))


def drift(*penalties: Node) -> Node:
    *first, last = penalties
    whole = Node("one", (last,))
    for penalty in reversed(first):
        whole = Node("more", (penalty, whole))
    return whole


STEP, GAIN = Node("step"), Node("gain")
HINGE = Node("hinge", (GAIN,), Fraction("0.2"))
EQUALS = {
    "order": (drift(square(STEP), HINGE), drift(HINGE, square(STEP))),
    "sum of weights": (drift(square(STEP, "3")), drift(square(STEP), square(STEP, "2"))),
    "product of weights": (
        drift(square(STEP, "6")),
        drift(Node("weighed", (square(STEP, "2"),), Fraction(3))),
    ),
    "weight outside": (
        drift(Node("by-advantage", (square(STEP, "2"),))),
        drift(Node("weighed", (Node("by-advantage", (square(STEP),)),), Fraction(2))),
    ),
    "sign of an even penalty": (drift(square(STEP)), drift(square(Node("minus", (STEP,))))),
    "twice minus": (
        drift(HINGE),
        drift(Node("hinge", (Node("minus", (Node("minus", (GAIN,)),)),), Fraction("0.2"))),
    ),
    "rise of one side": (
        drift(HINGE),
        drift(Node("hinge", (Node("rise", (GAIN,)),), Fraction("0.2"))),
    ),
    "branches alike": (
        drift(HINGE),
        Node("by-sign", (drift(HINGE), drift(HINGE))),
    ),
    "branch in a branch": (
        Node("by-sign", (drift(HINGE), drift(square(STEP)))),
        Node("by-sign", (Node("by-sign", (drift(HINGE), drift(STEP_SQUARED := square(STEP, "9")))),
                         drift(square(STEP)))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUALS)
def test_equals_have_one_canonical_form(name: str) -> None:
    one, other = EQUALS[name]
    assert canonical(one) == canonical(other)
    assert equal(Drift(formula=one.formula()), Drift(formula=other.formula())).verdict != "refuted"


def test_nothing_is_no_drift() -> None:
    never = Node("rise", (Node("minus", (Node("rise", (GAIN,)),)),))
    assert canonical(drift(square(never))) is None
    assert canonical(drift(square(never), HINGE)) == canonical(drift(HINGE))
    falling = Node("minus", (Node("rise", (STEP,)),))
    assert canonical(drift(Node("hinge", (falling,), Fraction(1)))) is None
    assert canonical(Node("by-sign", (drift(square(never)), drift(HINGE)))) is None


def test_rules_that_are_called_even_or_one_sided_are() -> None:
    x = np.linspace(-3, 3, 101)
    for name in EVEN | ONE_SIDED:
        at = {"c": 0.7, "x": x}
        mirrored = {"c": 0.7, "x": -x if name in EVEN else np.maximum(x, 0)}
        formula = RULES[name].formula
        np.testing.assert_allclose(evaluate(formula, at), evaluate(formula, mirrored), atol=1e-12)


@given(seeds)
def test_records_are_read_again(seed: int) -> None:
    assert from_record(some(seed).record()) == some(seed)


@pytest.mark.parametrize(
    "record", [[], "one", ["one", None], ["none", None], ["square", "0", ["step", None]],
               ["square", "x", ["step", None]], ["step", "1"], ["one", None, ["step", None]]],
)  # fmt: skip
def test_what_is_no_expression_is_refused(record: object) -> None:
    with pytest.raises(ConfigError, match="no expression of the grammar"):
        from_record(record)


@given(seeds)
def test_variation_stays_in_the_grammar(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random_expression(random), random_expression(random)
    for child in (mutated(random, one), crossed(random, one, other)):
        assert child.sort == "drift"
        assert from_record(child.record()) == child
    child = offspring(random, [one, other], largest=40)
    assert child is None or (child.formula().nodes <= 40 and canonical(child) == child)


def test_a_mutation_often_changes_a_constant_alone() -> None:
    random = np.random.default_rng(0)
    parent = drift(HINGE)
    children = [mutated(random, parent) for _ in range(100)]
    near = [
        c for c in children if c.children[0].rule == "hinge" and c.children[0].children == (GAIN,)
    ]
    constants = {child.children[0].constant for child in near}
    assert len(constants) > 3 and constants <= {*CONSTANTS, Fraction("0.2")}
