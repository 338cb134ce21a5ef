"""The sections of a derivation: pieces, the value and the slopes at r = 1, signs."""

from __future__ import annotations

from collections.abc import Mapping

from symbolic.drift import Drift
from symbolic.expression import Expression, number, substitute, symbol
from symbolic.latex import to_latex
from verify.explain.crosscheck import Clock, OutOfReach
from verify.explain.derivation import Setting, shown, shown_sympy
from verify.explain.pieces import Guard, Piece, smooth_pieces
from verify.explain.prose import Prose, Row, Shown, compared, escaped, joined, relation
from verify.explain.reasons import reason
from verify.report import Report, Verdict

MAX_PIECES = 12
_SIDES = {"r->1-": -1, "r->1+": 1}
_ZERO = number(0)


class Derivation:
    """Writes the derivation of one formula, section by section."""

    def __init__(self, drift: Drift, report: Report, clock: Clock, prose: Prose) -> None:
        self.drift = drift
        self.report = report
        self.prose = prose
        formula = drift.bound_formula()
        self.advantages = ("A>0", "A<0", "A=0") if "A" in formula.symbols else ("",)
        self.settings = [Setting(drift, sign, clock) for sign in self.advantages]
        self.ratios = ("r<1", "r>1") if "r" in formula.symbols else ("",)
        self.names: dict[Expression, Shown] = {}
        self.found: list[tuple[Setting, str, Piece]] = []
        self.left_out: list[str] = []

    def opening(self) -> None:
        """The formula and where its symbols range."""
        drift = self.drift
        self.prose.say("The drift")
        self.prose.equations([(Shown("f", "f"), shown(drift.bound_formula()), ())])
        names = [Shown("r > 0", "r > 0"), Shown("A in (-inf, inf)", r"A \in \mathbb{R}")]
        for name in sorted(drift.bound_formula().symbols - {"r", "A"}):
            domain = str(drift.domain(name))
            latex = rf"{to_latex(symbol(name))} \in " + domain.replace("inf", r"\infty")
            names.append(Shown(f"{name} in {domain}", latex))
        self.prose.say("is considered for", joined(names))
        if self.report["defined"].verdict is not Verdict.PROVED:
            self._verdict("defined", [])
            self.prose.say("What follows is said where f is defined, and only there.")

    # 1 ------------------------------------------------------------------------------

    def pieces(self) -> None:
        """The smooth pieces with their guards."""
        for setting in list(self.settings):
            try:
                self.found += [found for ratio in self.ratios for found in self._on(setting, ratio)]
            except OutOfReach as error:
                self.settings.remove(setting)
                where = f" for {relation(setting.advantage).text}" if setting.advantage else ""
                self.left_out.append(f"Nothing is written out{where}: {error}.")
        for _, _, piece in self.found:
            if piece.tree is not _ZERO and piece.tree not in self.names:
                i = len(self.names) + 1
                self.names[piece.tree] = Shown(f"f{i}", f"f_{{{i}}}")
        self.prose.heading(
            "Smooth pieces", "Settling every kink by the sign of its argument leaves"
        )
        rows = []
        for tree in [*self.names, _ZERO]:
            places = self._places(tree)
            if places:
                own = self.names.get(tree)
                left = own or Shown("0", "0")
                rows.append((left, shown(tree) if own else None, places))
        self.prose.pieces(rows)

    def _on(self, setting: Setting, ratio: str) -> list[tuple[Setting, str, Piece]]:
        pieces = [
            Piece(piece.guards, setting.tidied(piece.tree))
            for piece in smooth_pieces(setting.formula, setting.sign_on(ratio or "r=1"), MAX_PIECES)
        ]
        if all(piece.tree is _ZERO for piece in pieces):
            pieces = [Piece((), _ZERO)]
        return [(setting, ratio, piece) for piece in pieces]

    def _places(self, tree: Expression) -> list[Shown]:
        """Where f is this piece; regions with the same guards are told together."""
        by_guards: dict[tuple[Guard, ...], dict[str, list[str]]] = {}
        for setting, ratio, piece in self.found:
            if piece.tree is tree:
                signs = by_guards.setdefault(piece.guards, {})
                signs.setdefault(setting.advantage, []).append(ratio)
        return [
            self._place(advantages, list(ratios), guards)
            for guards, signs in by_guards.items()
            for ratios, advantages in _inverse(signs).items()
        ]

    def _place(
        self, advantages: list[str], ratios: list[str], guards: tuple[Guard, ...] = ()
    ) -> Shown:
        """Signs of A, sides of r = 1 and guards as mathematics; empty if that is everywhere."""
        everywhere = set(advantages) >= set(self.advantages)
        parts = [] if everywhere else _signs_of_advantage(advantages)
        if len(set(ratios)) == 1 and ratios[0]:
            parts.append(relation(ratios[0]))
        parts += [compared(self.names.get(tree) or shown(tree), text) for tree, text in guards]
        return joined(parts)

    # 2 ------------------------------------------------------------------------------

    def identity(self) -> None:
        """The value at r = 1."""
        self.prose.heading("Zero at r = 1", "Setting r = 1 (so r - 1 = 0 and log(r) = 0) gives")
        places: dict[tuple[Shown, tuple[Guard, ...]], list[str]] = {}
        for setting in self.settings:
            formula = substitute(setting.formula, {"r": number(1)})
            for piece in smooth_pieces(formula, setting.sign_on("r=1"), MAX_PIECES):
                value = self._value(setting, piece.tree)
                places.setdefault((value, piece.guards), []).append(setting.advantage)
        at_one = Shown("f(1, A)", "f(1, A)")
        self.prose.equations([
            (at_one, value, [self._place(signs, [], guards)])
            for (value, guards), signs in places.items()
        ])  # fmt: skip
        self._verdict("zero_at_identity", [value for value, _ in places])

    def _value(self, setting: Setting, tree: Expression) -> Shown:
        try:
            return shown_sympy(setting.identity(tree))
        except OutOfReach as error:
            return _silent(error)

    # 3 ------------------------------------------------------------------------------

    def slopes(self) -> None:
        """The derivatives of the pieces, and the one-sided ones at r = 1."""
        if self.ratios == ("",):
            self.prose.heading("Flat at r = 1", "The formula does not depend on r.")
            self._verdict("flat_at_identity", [])
            return
        lead = "The pieces have the derivatives" if self.names else "Every piece is 0."
        self.prose.heading("Flat at r = 1", lead)
        rows: list[Row] = []
        for tree, name in self.names.items():
            setting = next(s for s, _, piece in self.found if piece.tree is tree)
            try:
                slope = shown_sympy(setting.slope(tree))
            except OutOfReach as error:
                slope = _silent(error)
            left = Shown(f"d{name.text}/dr", rf"\frac{{\partial {name.latex}}}{{\partial r}}")
            rows.append((left, slope, ()))
        self.prose.equations(rows)
        self.prose.say("At r = 1 itself, on each side, with the pieces that reach r = 1 there:")
        germs = self._germs()
        rows = []
        for (name, slope), signs in germs.items():
            for sides, advantages in _inverse(signs).items():
                near = Shown(f"f = {name.text} near 1", rf"f = {name.latex}\text{{ near }}1")
                place = self._place(advantages, list(sides))
                left = Shown("df/dr(1, A)", r"\frac{\partial f}{\partial r}(1, A)")
                rows.append((left, slope, [joined([p for p in (place, near) if p.text])]))
        self.prose.equations(rows)
        self._verdict("flat_at_identity", [slope for _, slope in germs])

    def _germs(self) -> dict[tuple[Shown, Shown], dict[str, list[str]]]:
        """(piece near r = 1, its slope there) → sign of A → sides."""
        told: dict[tuple[Shown, Shown], dict[str, list[str]]] = {}
        for setting in self.settings:
            for way, side in _SIDES.items():
                for piece in smooth_pieces(
                    setting.formula, setting.eventual_sign(side), MAX_PIECES
                ):
                    tree = setting.tidied(piece.tree)
                    name = self.names.get(tree) or shown(tree)
                    try:
                        slope = shown_sympy(setting.slope_at_identity(tree, side))
                    except OutOfReach as error:
                        slope = _silent(error)
                    ways = told.setdefault((name, slope), {}).setdefault(setting.advantage, [])
                    if way not in ways:
                        ways.append(way)
        return told

    # 4 ------------------------------------------------------------------------------

    def signs(self) -> None:
        """Why each piece is non-negative."""
        self.prose.heading("Non-negative", "Each piece is non-negative where f equals it:")
        condition = self.report["nonnegative"]
        if condition.verdict is not Verdict.PROVED:
            self.prose.say("this is not proved, so what follows covers only the pieces named.")
        reasons: dict[Expression, dict[str, list[Shown]]] = {}
        for setting, ratio, piece in self.found:
            why = reason(setting, ratio, piece, self.report)
            places = reasons.setdefault(piece.tree, {}).setdefault(why, [])
            place = self._place([setting.advantage], [ratio])
            if place not in places:
                places.append(place)
        for tree in [*self.names, _ZERO]:
            for why, places in reasons.get(tree, {}).items():
                where = places if len(reasons[tree]) > 1 else []
                self.prose.item(self.names.get(tree) or Shown("0", "0"), where, why)
        self._verdict("nonnegative", [])

    # ----------------------------------------------------------------------------------

    def _verdict(self, name: str, derived: list[Shown]) -> None:
        """The kernel's verdict, and whether what SymPy derived says the same."""
        condition = self.report[name]
        words = f"{name}: {condition.verdict.value}"
        if condition.witness is not None:
            point = ", ".join(f"{k} = {v}" for k, v in condition.witness.point.items())
            side = f" from the {condition.witness.side}" if condition.witness.side else ""
            words += f" at {point}: {condition.witness.evidence}{side} {condition.witness.text}"
        elif condition.verdict is Verdict.PROVED:
            words += f" by the kernel, {condition.method}"
            words += f", {condition.detail}" if condition.detail else ""
        else:
            words += f" ({condition.detail})"
        if derived and condition.verdict is Verdict.PROVED:
            same = all(value.text == "0" for value in derived)
            words += (
                "; SymPy derives the same" if same else "; SymPy does not reduce every line to 0"
            )
        self.prose.say(words + ".")

    def closing(self, found: Mapping[str, str]) -> None:
        """What was left out, and whether SymPy contradicts the kernel."""
        for sentence in self.left_out:
            self.prose.say(sentence)
        if not found:
            self.prose.say(
                "Evaluated by SymPy at a few exact points, f contradicts none of the verdicts."
            )
        for name, said in found.items():
            self.prose.say(
                f"DISAGREEMENT on {name}: SymPy finds {said}. This is a bug in the kernel or in SymPy."
            )


def _inverse(signs: Mapping[str, list[str]]) -> dict[tuple[str, ...], list[str]]:
    """Ratios or sides → the signs of A that have exactly these."""
    out: dict[tuple[str, ...], list[str]] = {}
    for advantage, ways in signs.items():
        out.setdefault(tuple(dict.fromkeys(ways)), []).append(advantage)
    return out


def _signs_of_advantage(advantages: list[str]) -> list[Shown]:
    both: dict[tuple[str, ...], Shown] = {
        ("A<0", "A>0"): Shown("A != 0", r"A \ne 0"),
        ("A=0", "A>0"): Shown("A >= 0", r"A \ge 0"),
        ("A<0", "A=0"): Shown("A <= 0", r"A \le 0"),
    }
    found = both.get(tuple(sorted(set(advantages))))
    return [found] if found else [relation(sign) for sign in dict.fromkeys(advantages) if sign]


def _silent(error: OutOfReach) -> Shown:
    """In the place of what SymPy does not give."""
    return Shown(f"({error})", rf"\text{{({escaped(str(error))})}}")
