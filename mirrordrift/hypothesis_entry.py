"""What Hypothesis calls when it starts, so that `st.from_type(Drift)` works.

Hypothesis imports this in every test process of an environment that has the package:
strategies are named here and built when an example is first drawn.
"""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Register how to make an Expression (any tree) and a Drift (a valid one).

    A mistaken environment must not keep Hypothesis from starting: where a folder of the user
    hides this project's rooms, nothing is registered, and `drift doctor` says why.
    """
    from hypothesis import strategies as st

    try:
        from symbolic.drift import Drift
        from symbolic.expression import Expression
    except ImportError:
        return

    def expressions(_: type) -> st.SearchStrategy[Any]:
        from verify.strategies import drift_expressions

        return drift_expressions(valid=False)

    def drifts(_: type) -> st.SearchStrategy[Any]:
        from verify.strategies import drift_expressions

        return st.builds(lambda formula: Drift(formula=formula), drift_expressions(valid=True))

    st.register_type_strategy(Expression, expressions)
    st.register_type_strategy(Drift, drifts)
