"""What goes to PySR and what comes back; the search itself needs Julia."""

from __future__ import annotations

import numpy as np
import pytest
from distilling import TRUTHS, samples_of

from symbolic.distill import julia
from symbolic.distill.engine import Effort
from symbolic.distill.hall_of_fame import _formula
from symbolic.distill.inputs import INPUTS
from symbolic.distill.loss import Objective
from symbolic.distill.pysr import PySR, template
from symbolic.distill.pysr_worker import guesses, table
from symbolic.errors import ConfigError
from symbolic.parser import parse


def test_the_table_holds_what_the_template_asks_for() -> None:
    samples = samples_of(TRUTHS["dpo"], size=50)
    columns, names = table(samples)
    assert columns.shape == (50, len(names))
    words = set(template().replace("(", " ").replace(")", " ").replace(",", " ").split())
    assert {w for w in words if w.isidentifier()} <= {
        *names,
        "above",
        "below",
        "D",
        "value",
        "slope",
    }


def test_the_template_is_the_objective() -> None:
    """The rows' losses, with the truth in the place of the halves, add up to ours."""
    samples = samples_of(TRUTHS["dpo"], size=80)
    columns, names = table(samples)
    column = dict(zip(names, columns.T))
    # ∂/∂r by the chain rule over the inputs, of a half that is not the truth: f = u², slope 2u·du.
    value, slope = column["u"] ** 2, 2 * column["u"] * column["du"]
    rows = column["wf"] * (value - column["f"]) ** 2 + column["ws"] * (slope - column["dfdr"]) ** 2
    expected = Objective(samples).errors(parse("((r - 1)*A)**2")).loss
    assert rows.mean() == pytest.approx(expected)
    assert set(np.unique(column["p"])) == {0.0, 1.0}


def test_guesses_are_what_the_reader_reads() -> None:
    (guess,) = guesses([parse(TRUTHS["dpo"]), parse("r - 1")])
    text = "; ".join(f"{half} = {part}" for half, part in guess.items())
    known = {name: text for name, text in INPUTS.items() if name != "A"}
    assert str(_formula(text, known)) == TRUTHS["dpo"]


def test_guesses_hold_what_the_search_has_and_nothing_else() -> None:
    formulas = [
        parse(f"where(A >= 0, {part}, 0)")
        for part in ("r*log(r)", "((r - 1)*A)**2", "t*(r - 1)", "log(r)**3")
    ]
    assert guesses(formulas) == [{"above": "square(#1)", "below": "0"}]


def test_without_julia_the_engine_says_what_would_help() -> None:
    if not (reason := julia.missing()):
        pytest.skip("Julia is ready here")
    with pytest.raises(ConfigError) as error:
        next(PySR().search(samples_of(TRUTHS["kl"]), Effort(generations=1)))
    assert reason in str(error.value) and ("pip install" in reason or "--install" in reason)


@pytest.mark.pysr
@pytest.mark.parametrize("name", ["kl", "dpo"])
def test_pysr_finds_known_drifts(name: str) -> None:
    if reason := julia.missing():
        pytest.skip(reason)
    samples = samples_of(TRUTHS[name], size=300)
    *_, found = PySR().search(samples, Effort(generations=20))
    objective = Objective(samples)
    assert min(objective.errors(c).loss for c in found.candidates) < 1e-3
