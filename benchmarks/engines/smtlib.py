"""A drift as SMT-LIB text: is there a point of the domain where f is defined and f < 0?

Every engine gets what it understands best. z3 has log and tanh; for cvc5, which has exp alone,
log x is a fresh y with exp y = x, and tanh x = 1 − 2/(1 + exp 2x). Roots are fresh non-negative
variables. Where an operation is partial, its domain is asserted (under the guards of the
branches it stands in), so a point outside is no counterexample.
"""

from __future__ import annotations

from fractions import Fraction

from symbolic.drift import Drift
from symbolic.expression import Expression, Number, Symbol, constant_value, integer_exponent

MAX_ROOT = 12
_ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}


class UntranslatableError(ValueError):
    """The formula has no faithful form in this dialect."""


def question(drift: Drift, *, native_log: bool) -> str:
    """Declarations and assertions, satisfiable exactly if f is negative somewhere it is defined."""
    return _Printer(drift, native_log).text()


def rational(value: Fraction) -> str:
    """An SMT-LIB real literal."""
    text = f"{abs(value.numerator)}.0"
    if value.denominator != 1:
        text = f"(/ {text} {value.denominator}.0)"
    return f"(- {text})" if value < 0 else text


class _Printer:
    def __init__(self, drift: Drift, native_log: bool) -> None:
        self.drift = drift
        self.native_log = native_log
        self.lines: list[str] = []
        self.fresh = 0
        self.known: dict[tuple[Expression, tuple[str, ...]], str] = {}

    def text(self) -> str:
        for name in sorted(self.drift.formula.symbols):
            self.lines.append(f"(declare-const {name} Real)")
            domain = self.drift.domain(name)
            if domain.lower is not None:
                sign = ">" if domain.lower_open else ">="
                self.lines.append(f"(assert ({sign} {name} {rational(domain.lower)}))")
            if domain.upper is not None:
                sign = "<" if domain.upper_open else "<="
                self.lines.append(f"(assert ({sign} {name} {rational(domain.upper)}))")
        value = self.term(self.drift.formula, ())
        self.lines.append(f"(assert (< {value} 0.0))")
        return "\n".join(self.lines)

    def require(self, fact: str, path: tuple[str, ...]) -> None:
        for guard in reversed(path):
            fact = f"(=> {guard} {fact})"
        self.lines.append(f"(assert {fact})")

    def variable(self) -> str:
        self.fresh += 1
        name = f"y!{self.fresh}"
        self.lines.append(f"(declare-const {name} Real)")
        return name

    def define(self, term: str) -> str:
        """A name for a term that is used more than once, so that the text stays linear."""
        self.fresh += 1
        name = f"d!{self.fresh}"
        self.lines.append(f"(define-fun {name} () Real {term})")
        return name

    def term(self, node: Expression, path: tuple[str, ...]) -> str:
        key = (node, path)
        if key not in self.known:
            self.known[key] = self.build(node, path)
        return self.known[key]

    def build(self, node: Expression, path: tuple[str, ...]) -> str:
        if isinstance(node, Number):
            return rational(node.value)
        if isinstance(node, Symbol):
            return node.name
        if node.op.startswith("where"):
            left, right = (self.term(arg, path) for arg in node.args[:2])
            guard = f"({node.op[5:]} {left} {right})"
            chosen = self.term(node.args[2], (*path, guard))
            other = self.term(node.args[3], (*path, f"(not {guard})"))
            return self.define(f"(ite {guard} {chosen} {other})")
        if node.op == "pow":
            return self.power(node, path)
        return self.apply(node.op, [self.term(arg, path) for arg in node.args], path)

    def apply(self, op: str, args: list[str], path: tuple[str, ...]) -> str:
        first = args[0]
        if op in _ARITHMETIC:
            return f"({_ARITHMETIC[op]} {first} {args[1]})"
        if op == "neg":
            return f"(- {first})"
        if op == "div":
            self.require(f"(not (= {args[1]} 0.0))", path)
            return f"(/ {first} {args[1]})"
        if op == "inv":
            return self.apply("div", ["1.0", first], path)
        if op == "exp":
            return f"(exp {first})"
        if op == "log":
            return self.log(first, path)
        if op == "sqrt":
            return self.root(first, 2, path)
        x = first if " " not in first else self.define(first)
        if op in ("min", "max"):
            sign = "<=" if op == "min" else ">="
            for other in args[1:]:
                y = other if " " not in other else self.define(other)
                x = self.define(f"(ite ({sign} {x} {y}) {x} {y})")
            return x
        if op == "clip":
            return self.apply("min", [self.apply("max", [x, args[1]], path), args[2]], path)
        if op == "tanh":
            return (
                f"(tanh {x})" if self.native_log else f"(- 1.0 (/ 2.0 (+ 1.0 (exp (* 2.0 {x})))))"
            )
        simple = {
            "abs": f"(ite (>= {x} 0.0) {x} (- {x}))",
            "relu": f"(ite (>= {x} 0.0) {x} 0.0)",
            "sign": f"(ite (> {x} 0.0) 1.0 (ite (< {x} 0.0) (- 1.0) 0.0))",
            "square": f"(* {x} {x})",
            "sigmoid": f"(/ 1.0 (+ 1.0 (exp (- {x}))))",
        }
        if op in simple:
            return simple[op]
        if op == "softplus":
            return self.log(f"(+ 1.0 (exp {x}))", path)
        raise UntranslatableError(f"no form for '{op}'")

    def log(self, x: str, path: tuple[str, ...]) -> str:
        self.require(f"(> {x} 0.0)", path)
        if self.native_log:
            return f"(log {x})"
        y = self.variable()
        self.require(f"(= (exp {y}) {x})", path)
        return y

    def root(self, x: str, degree: int, path: tuple[str, ...]) -> str:
        y = self.variable()
        self.require(f"(>= {y} 0.0)", path)
        self.require(f"(= {_product(y, degree)} {x})", path)
        return y

    def power(self, node: Expression, path: tuple[str, ...]) -> str:
        base = self.term(node.args[0], path)
        exponent = constant_value(node.args[1])
        n = integer_exponent(node)
        if n is not None:
            x = base if " " not in base else self.define(base)
            if n >= 0:
                return _product(x, n)
            return self.apply("div", ["1.0", _product(x, -n)], path)
        if exponent is not None and exponent.denominator <= MAX_ROOT:
            if exponent < 0:
                self.require(f"(> {base} 0.0)", path)
            y = self.root(base, exponent.denominator, path)
            top = _product(y, abs(exponent.numerator))
            return top if exponent > 0 else f"(/ 1.0 {top})"
        # Loses only base = 0 with a positive exponent, which no engine finds by search.
        return f"(exp (* {self.term(node.args[1], path)} {self.log(base, path)}))"


def _product(x: str, n: int) -> str:
    return "1.0" if n == 0 else x if n == 1 else f"(* {' '.join([x] * n)})"
