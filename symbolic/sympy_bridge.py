"""Formulas to SymPy and back: the reader's algebra, never the store.

SymPy simplifies what it builds (exp(log r) becomes r, a wider domain), so what is proved
and trained is always the tree of the language. SymPy is imported when first used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NoReturn

from symbolic.domains import VARIABLES, Interval
from symbolic.errors import FormulaError
from symbolic.expression import Expression, Number, Symbol, call, fold, number, symbol
from symbolic.operations import FUNCTIONS, OPERATIONS, SYNONYMS
from symbolic.parser import parse
from symbolic.text import to_text

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_MAX_NODES = 10_000
_MAX_BITS = 4_000
_WORDS = "Add Mul Pow exp log tanh sinh cosh sqrt Abs sign Max Min Piecewise"
_SINGLE = {
    "exp": lambda x: call("exp", x),
    "tanh": lambda x: call("tanh", x),
    "Abs": lambda x: call("abs", x),
    "sign": lambda x: call("sign", x),
    "sinh": lambda x: (call("exp", x) - call("exp", -x)) / 2,
    "cosh": lambda x: (call("exp", x) + call("exp", -x)) / 2,
}
_RELATIONS = {
    "StrictLessThan": "<",
    "LessThan": "<=",
    "StrictGreaterThan": ">",
    "GreaterThan": ">=",
}
_REFUSED = {
    "Pi": "pi has no exact literal; write a rational near it, or declare a parameter for it",
    "Heaviside": "its value at 0 is a convention; write Piecewise((0, x < 0), (1, True))",
    "NaN": "the expression is undefined",
    "ComplexInfinity": "the expression divides by zero",
    "Infinity": "infinity is no number of the language",
    "NegativeInfinity": "infinity is no number of the language",
    "ImaginaryUnit": "formulas are real; the expression leaves the real numbers",
}


def is_sympy(value: object) -> bool:
    """Whether `value` is a SymPy object; imports nothing."""
    return any((base.__module__ or "").split(".")[0] == "sympy" for base in type(value).__mro__)


def to_sympy(root: Expression, domains: Mapping[str, Interval] | None = None) -> Any:
    """The formula as a SymPy expression over real symbols.

    Symbols carry the signs that their `domains` (of parameters; variables have theirs) imply.
    Raises FormulaError where SymPy finds no real expression (1/0, log of a negative number).
    """
    import sympy

    if not isinstance(root, Expression):
        raise FormulaError(
            f"{root!r:.60} is {type(root).__name__}, not a tree", remedy="read text with parse"
        )
    known = VARIABLES["drift"] | VARIABLES["mirror-map"] | dict(domains or {})

    def visit(node: Expression, args: tuple[Any, ...]) -> Any:
        if isinstance(node, Number):
            return sympy.Rational(node.value.numerator, node.value.denominator)
        if isinstance(node, Symbol):
            return sympy.Symbol(node.name, **_assumptions(known.get(node.name, Interval())))
        return OPERATIONS[node.op].sympy(sympy, *args)

    try:
        built = fold(root, visit)
    except (TypeError, ValueError) as error:  # comparing what SymPy knows to be no real number
        raise FormulaError(f"SymPy cannot express this formula: {error}") from error
    if built.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        raise FormulaError(f"a part of this formula is undefined: SymPy reads it as {built}")
    return built


def _assumptions(interval: Interval) -> dict[str, bool]:
    if interval.lower is not None and interval.lower >= 0:
        return {"positive": True} if Fraction(0) not in interval else {"nonnegative": True}
    if interval.upper is not None and interval.upper <= 0:
        return {"negative": True} if Fraction(0) not in interval else {"nonpositive": True}
    return {"real": True}


def from_sympy(source: Any) -> Expression:
    """The formula that a SymPy expression denotes; symbols go by name, whatever they assume.

    Floats become the shortest decimal that rounds to them. Raises FormulaError naming what
    is not in the language.
    """
    import sympy

    values: dict[int, Expression] = {}
    keep: list[Any] = []  # so that the ids stay taken
    stack: list[tuple[Any, bool]] = [(source, False)]
    while stack:
        node, ready = stack.pop()
        if id(node) in values:
            continue
        if not isinstance(node, sympy.Basic):
            _refuse(node, "it is no SymPy expression")
        children = _children(node, sympy)
        if not ready and children:
            stack.append((node, True))
            stack.extend((child, False) for child in children)
            continue
        if len(keep) >= _MAX_NODES:
            raise FormulaError(f"more than {_MAX_NODES} nodes", remedy="simplify the expression")
        values[id(node)] = _convert(node, lambda child: values[id(child)], sympy)
        keep.append((node, children))
    return _within_limits(values[id(source)])


def _children(node: Any, sympy: Any) -> tuple[Any, ...]:
    """What must be converted first; nothing of what will be refused.

    Of a Piecewise these are its values and the sides of its comparisons.
    """
    if isinstance(node, sympy.Piecewise):
        return tuple(child for pair in node.args for child in _conditional(pair, sympy))
    known = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Max, sympy.Min, sympy.log)
    return tuple(node.args) if isinstance(node, known) or _is_single(node, sympy) else ()


def _is_single(node: Any, sympy: Any) -> bool:
    name = type(node).__name__
    return name in _SINGLE and type(node) is getattr(sympy, name)


def _conditional(pair: Any, sympy: Any) -> list[Any]:
    found, conditions = [pair.args[0]], [pair.args[1]]
    while conditions:
        condition = conditions.pop()
        if isinstance(condition, (sympy.And, sympy.Or, sympy.Not, sympy.ITE)):
            conditions.extend(condition.args)
        elif isinstance(condition, sympy.core.relational.Relational):
            found.extend(condition.args)
    return found


def _convert(node: Any, of: Callable[[Any], Expression], sympy: Any) -> Expression:
    if isinstance(node, sympy.Symbol):
        return _name(node)
    if isinstance(node, sympy.Rational):
        return _rational(Fraction(int(node.p), int(node.q)), node)
    if isinstance(node, sympy.Float):
        return _float(node)
    if node is sympy.E:
        return call("exp", number(1))
    if isinstance(node, sympy.Add):
        return _sum(node, of)
    if isinstance(node, sympy.Mul):
        return _product(node, of, sympy)
    if isinstance(node, sympy.Pow):
        return _power(node, of, sympy)
    if isinstance(node, sympy.Piecewise):
        return _piecewise(node, of, sympy)
    name = type(node).__name__
    if _is_single(node, sympy):
        return _SINGLE[name](of(node.args[0]))
    if isinstance(node, (sympy.Max, sympy.Min)):
        args = [of(arg) for arg in node.args]
        return call(name.lower(), *args) if len(args) > 1 else args[0]
    if isinstance(node, sympy.log):
        return call("log", of(node.args[0]))
    return _refuse(node, _REFUSED.get(name, ""))


def _refuse(node: Any, reason: str) -> NoReturn:
    head = getattr(getattr(node, "func", None), "__name__", type(node).__name__)
    raise FormulaError(
        f"SymPy's {head} is not in the language" + (f": {reason}" if reason else ""),
        remedy=f"known: symbols, numbers, {_WORDS}",
    )


def _name(node: Any) -> Expression:
    name = str(node.name)
    if not _NAME.fullmatch(name) or "__" in name:
        _refuse(node, f"the name {name[:40]!r} is no letter followed by letters, digits and '_'")
    if name in FUNCTIONS or name in SYNONYMS or name == "where":
        _refuse(node, f"the name {name!r} is an operation")
    return symbol(name)


def _rational(value: Fraction, node: Any) -> Expression:
    if value.numerator.bit_length() + value.denominator.bit_length() > _MAX_BITS:
        _refuse(node, "the number has too many digits")
    return number(value)


def _float(node: Any) -> Expression:
    # 53 bits are a Python float, whose repr is the shortest decimal; others print their digits.
    text = repr(float(node)) if node._prec == 53 else str(node)
    try:
        return _rational(Fraction(text), node)
    except ValueError:
        _refuse(node, f"the number {text[:40]} is not finite")


def _sum(node: Any, of: Callable[[Any], Expression]) -> Expression:
    """Terms as SymPy orders them, but with plain numbers and negative terms after the first."""
    terms = sorted(node.args, key=lambda term: (_negative(of(term)), term.is_Number))
    total = of(terms[0])
    for term in terms[1:]:
        value = of(term)
        total = total - value.args[0] if _negative(value) else total + value
    return total


def _negative(value: Expression) -> bool:
    return value.op == "neg"


def _product(node: Any, of: Callable[[Any], Expression], sympy: Any) -> Expression:
    """coefficient · factors / (factors with negative exponents)."""
    sign = False
    above: list[Expression] = []
    below: list[Expression] = []
    for factor in node.args:
        if isinstance(factor, sympy.Rational):
            p, q = abs(int(factor.p)), int(factor.q)
            sign ^= bool(factor < 0)
            if p != 1:
                above.append(_rational(Fraction(p), factor))
            if q != 1:
                below.append(_rational(Fraction(q), factor))
        elif (value := of(factor)).op == "div" and value.args[0] is number(1):
            below.append(value.args[1])
        else:
            above.append(value)
    top = _times(above)
    product = top / _times(below) if below else top
    return -product if sign else product


def _times(factors: list[Expression]) -> Expression:
    product = factors[0] if factors else number(1)
    for factor in factors[1:]:
        product = product * factor
    return product


def _power(node: Any, of: Callable[[Any], Expression], sympy: Any) -> Expression:
    base, exponent = node.args
    if isinstance(exponent, sympy.Rational) and exponent < 0:
        # 1/x**n is defined exactly where x**(-n) is.
        return number(1) / _raised(of(base), Fraction(-int(exponent.p), int(exponent.q)))
    if isinstance(exponent, sympy.Rational):
        return _raised(of(base), Fraction(int(exponent.p), int(exponent.q)))
    return of(base) ** of(exponent)


def _raised(base: Expression, exponent: Fraction) -> Expression:
    if exponent == 1:
        return base
    return call("sqrt", base) if exponent == Fraction(1, 2) else base ** number(exponent)


def _piecewise(node: Any, of: Callable[[Any], Expression], sympy: Any) -> Expression:
    if node.args[-1].args[1] != sympy.true:
        _refuse(node, "it is undefined where no condition holds; end it with (value, True)")
    chosen = of(node.args[-1].args[0])
    for pair in reversed(node.args[:-1]):
        chosen = _branch(pair.args[1], of(pair.args[0]), chosen, of, sympy)
    return chosen


def _branch(
    condition: Any, then: Expression, other: Expression, of: Callable[[Any], Expression], sympy: Any
) -> Expression:
    """`then` where the condition holds, else `other`, by nested comparisons."""
    if condition == sympy.true:
        return then
    if condition == sympy.false:
        return other
    if isinstance(condition, sympy.Not):
        return _branch(condition.args[0], other, then, of, sympy)
    if isinstance(condition, sympy.And):
        for part in reversed(condition.args):
            then = _branch(part, then, other, of, sympy)
        return then
    if isinstance(condition, sympy.Or):
        for part in reversed(condition.args):
            other = _branch(part, then, other, of, sympy)
        return other
    if isinstance(condition, sympy.ITE):
        test, yes, no = condition.args
        yes, no = (_branch(part, then, other, of, sympy) for part in (yes, no))
        return _branch(test, yes, no, of, sympy)
    name = type(condition).__name__
    if name in _RELATIONS:
        left, right = condition.args
        return call("where" + _RELATIONS[name], of(left), of(right), then, other)
    if name in ("Equality", "Unequality"):
        left, right = map(of, condition.args)
        if name == "Unequality":
            then, other = other, then
        return call("where<=", left, right, call("where>=", left, right, then, other), other)
    return _refuse(condition, "conditions are comparisons, And, Or and Not of them")


def _within_limits(tree: Expression) -> Expression:
    """The tree, if its text can be read back: the limits of formulas hold for SymPy's too."""
    if tree.nodes > _MAX_NODES:
        raise FormulaError(f"more than {_MAX_NODES} nodes", remedy="simplify the expression")
    return parse(to_text(tree), names=tree.symbols)
