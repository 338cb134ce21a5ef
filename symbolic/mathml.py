"""Tree → MathML, which browsers show without any library: for the report page."""

from __future__ import annotations

from html import escape

from symbolic.expression import Expression, Number, Symbol, fold
from symbolic.operations import OPERATIONS
from symbolic.text import decimal

_ATOM, _CALL, _FRACTION = 100, 35, 32
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε", "eta": "η",
    "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ",
}  # fmt: skip
_SIGNS = {"add": "+", "sub": "−", "neg": "−"}
_CELL = 'style="text-align: left; padding: 0.15em 0.8em 0.15em 0"'
_BRACE = 'style="border-left: 0.1em solid; border-radius: 0.4em; padding-left: 0.5em"'
_RELATIONS = {"<": "&lt;", "<=": "≤", ">": "&gt;", ">=": "≥"}


def to_mathml(root: Expression) -> str:
    """The formula as a `math` element."""
    return f'<math display="block">{fold(root, _print)[0]}</math>'


def _print(node: Expression, args: tuple[tuple[str, int], ...]) -> tuple[str, int]:
    """(MathML, how tightly it binds)."""
    if isinstance(node, Number):
        return f"<mn>{decimal(node.value)}</mn>", _ATOM
    if isinstance(node, Symbol):
        return f"<mi>{escape(_GREEK.get(node.name, node.name))}</mi>", _ATOM
    texts = [text for text, _ in args]
    op, own = node.op, OPERATIONS[node.op].precedence
    if op.startswith("where"):
        return _cases(_RELATIONS[op[5:]], texts), 0
    if op in ("div", "inv"):
        top, bottom = texts if op == "div" else ("<mn>1</mn>", texts[0])
        return f"<mfrac>{_row(top)}{_row(bottom)}</mfrac>", _FRACTION
    if op == "sqrt":
        return f"<msqrt>{texts[0]}</msqrt>", _ATOM
    if op == "abs":
        return _row(f"<mo>|</mo>{texts[0]}<mo>|</mo>"), _ATOM
    if op in ("pow", "square"):
        exponent = texts[1] if op == "pow" else "<mn>2</mn>"
        base = _bracket(args[0], OPERATIONS["pow"].precedence + 1)
        return f"<msup>{_row(base)}{_row(exponent)}</msup>", OPERATIONS["pow"].precedence
    if op == "exp":
        return f"<msup><mi>e</mi>{_row(texts[0])}</msup>", OPERATIONS["pow"].precedence
    if op == "neg":
        return f"<mo>−</mo>{_bracket(args[0], own)}", own
    if op in ("add", "sub", "mul"):
        sign = f"<mo>{_SIGNS[op]}</mo>" if op in _SIGNS else "<mo>&#x2062;</mo>"
        if op == "mul" and isinstance(node.args[1], Number):
            sign = "<mo>·</mo>"
        return f"{_bracket(args[0], own)}{sign}{_bracket(args[1], own + 1)}", own
    listed = "<mo>,</mo>".join(texts)
    return f"<mi>{op}</mi><mo>&#x2061;</mo>{_row(f'<mo>(</mo>{listed}<mo>)</mo>')}", _CALL


def _cases(relation: str, texts: list[str]) -> str:
    """Two lines behind a stroke."""
    a, b, then, other = texts
    when = f"<mtext>if&#xA0;</mtext>{_row(f'{a}<mo>{relation}</mo>{b}')}"
    lines = ((then, when), (other, "<mtext>else</mtext>"))
    # A brace would need a font of mathematics to be as high as its lines.
    rows = "".join(
        f"<mtr><mtd {_CELL}>{_row(value)}</mtd><mtd {_CELL}>{when}</mtd></mtr>"
        for value, when in lines
    )
    return f"<mtable {_BRACE}>{rows}</mtable>"


def _row(text: str) -> str:
    return f"<mrow>{text}</mrow>"


def _bracket(printed: tuple[str, int], least: int) -> str:
    text, binds = printed
    return text if binds >= least else _row(f"<mo>(</mo>{text}<mo>)</mo>")
