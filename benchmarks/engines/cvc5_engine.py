"""cvc5 with its transcendental exp, or in plain real arithmetic where no exp is needed."""

from __future__ import annotations

from fractions import Fraction

from engines.question import Answer
from engines.smtlib import question
from symbolic.drift import Drift


def version() -> str:
    """Version of the installed cvc5."""
    import cvc5

    return f"cvc5 {cvc5.__version__}"


def decide(drift: Drift, timeout: float) -> Answer:
    """`unsat` is valid, `sat` is invalid at cvc5's model."""
    import cvc5

    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("tlimit-per", str(int(timeout * 1000)))
    solver.setOption("produce-models", "true")
    parser = cvc5.InputParser(solver)
    asked = question(drift, native_log=False)
    logic = "QF_NRAT" if "(exp " in asked else "QF_NRA"
    text = f"(set-logic {logic})\n{asked}\n"
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "drift")
    symbols = parser.getSymbolManager()
    while not (command := parser.nextCommand()).isNull():
        said = command.invoke(solver, symbols)
        if "error" in said:
            return Answer("unknown", detail=said.strip()[:200])
    outcome = solver.checkSat()
    if outcome.isUnsat():
        return Answer("valid")
    if not outcome.isSat():
        return Answer("unknown", detail=str(outcome.getUnknownExplanation()))
    witness = {}
    for term in symbols.getDeclaredTerms():
        name = term.getSymbol()
        value = solver.getValue(term)
        if name in drift.formula.symbols and value.isRealValue():
            witness[name] = Fraction(value.getRealValue())
    return Answer("invalid", witness)
