"""A drift: a formula with its name, its parameters' domains, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbolic.domains import VARIABLES, Interval, parse_declarations
from symbolic.errors import ConfigError, FormulaError
from symbolic.expression import Expression, number, substitute
from symbolic.parser import BY_PARAM, check_exponents, parse


def check_kind(kind: object) -> None:
    """Raise ConfigError for what is no kind of formula."""
    if not (isinstance(kind, str) and kind in VARIABLES):
        raise ConfigError(f"kind={kind!r:.40} is unknown; choose one of {', '.join(VARIABLES)}")


@dataclass(frozen=True)
class Reference:
    """Where a formula was published."""

    paper: str
    year: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A formula f(r, A[, t]) (or a mirror map in x) with the domains of its symbols.

    `domains` holds every declared parameter and every variable declared narrower than its
    default; a bound parameter is a one-point interval.
    """

    formula: Expression
    kind: str = "drift"
    domains: Mapping[str, Interval] = field(default_factory=dict)
    name: str = ""
    title: str = ""
    reference: Reference | None = None
    note: str = ""
    defaults: Mapping[str, Fraction] = field(default_factory=dict)
    """Values to draw or train with where a parameter is a range; each lies in its domain."""

    def __post_init__(self) -> None:
        if not isinstance(self.formula, Expression):
            raise FormulaError(
                f"{self.formula!r:.60} is {type(self.formula).__name__}, not a tree",
                remedy="read text with Drift.from_text or parse, a SymPy expression with from_sympy",
            )
        check_kind(self.kind)
        object.__setattr__(self, "domains", parse_declarations(self.domains, self.kind))
        unknown = self.formula.symbols - set(VARIABLES[self.kind]) - set(self.domains)
        if unknown:
            name = min(unknown)
            raise FormulaError(
                f"the domain of '{name}' is missing",
                remedy=f'declare it: parameters=["{name} in (0, inf)"], or domains= of a Drift',
            )

    @classmethod
    def from_text(
        cls,
        text: str,
        parameters: Iterable[str] | Mapping[str, object] = (),
        *,
        kind: str = "drift",
        name: str = "",
        title: str = "",
        reference: Reference | None = None,
        note: str = "",
    ) -> Drift:
        """Read a formula and its declarations (`"alpha in (0, inf)"`, or a mapping).

        Raises FormulaError.
        """
        check_kind(kind)
        domains = parse_declarations(parameters, kind)
        formula = parse(text, names=[*VARIABLES[kind], *domains], declare=BY_PARAM)
        return cls(
            formula=formula,
            kind=kind,
            domains=domains,
            name=name,
            title=title,
            reference=reference,
            note=note,
        )

    @property
    def text(self) -> str:
        """The formula as text."""
        return str(self.formula)

    @property
    def parameters(self) -> dict[str, Interval]:
        """Declared parameters (variables left out), in the order of declaration."""
        return {k: v for k, v in self.domains.items() if k not in VARIABLES[self.kind]}

    def domain(self, name: str) -> Interval:
        """Where a variable or parameter ranges."""
        return self.domains[name] if name in self.domains else VARIABLES[self.kind][name]

    def bind(self, declarations: Iterable[str] | Mapping[str, object]) -> Drift:
        """The same drift with parameters bound or narrowed; unknown names are refused."""
        new = parse_declarations(declarations, self.kind)
        extra = set(new) - set(self.domains) - set(VARIABLES[self.kind])
        if extra:
            known = ", ".join(self.parameters) or "none"
            raise FormulaError(
                f"'{min(extra)}' is no parameter of {self.name or self.text}",
                remedy=f"its parameters: {known}",
                source="parameter",
            )
        return replace(self, domains={**self.domains, **new})

    def bound_formula(self) -> Expression:
        """The formula with every one-point symbol replaced by its value; raises FormulaError for an
        exponent that this makes too large.
        """
        values: dict[str, Fraction] = {
            k: v.value for k, v in self.domains.items() if v.value is not None
        }
        bound = substitute(self.formula, {k: number(v) for k, v in values.items()})
        check_exponents(bound)
        return bound

    def closed_formula(self) -> Expression:
        """The formula with every parameter at its bound value or its default, as it is trained with.

        Raises ConfigError for a parameter that has neither.
        """
        values: dict[str, Expression] = {}
        for name, domain in self.parameters.items():
            value = domain.value if domain.value is not None else self.defaults.get(name)
            if value is None and name in self.formula.symbols:
                raise ConfigError(
                    f"parameter '{name}' of {self.name or self.text:.80} is a range where a number is "
                    f"needed; bind it, for example {name}=0.5"
                )
            if value is not None:
                values[name] = number(value)
        return substitute(self.formula, values)
