"""Deliberate faults: one changed piece of one function each, put in place while a test runs.

A fault is a text in a function's source and what stands there instead. The changed source is
compiled and the function gets the new code object, so that every importer of the function sees
the fault; nothing else of the module is touched or run. A fault whose text is gone is stale, and
its test says so.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest


@dataclass(frozen=True)
class Mutant:
    """A fault of `layer` ("prover", "checker", "falsifier") and the checks that must notice it."""

    layer: str
    fault: str
    target: str
    """module:function, or module:Class.method."""
    old: str
    new: str
    caught_by: tuple[str, ...] = ()
    """Checks of the suite to try first."""
    lies: tuple[str, ...] = ()
    """False formulas that the faulty prover believes it has proved; only the checker stops it."""

    @property
    def id(self) -> str:
        return f"{self.layer}: {self.fault}"

    def apply(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the fault in place until `monkeypatch` is undone."""
        name, _, path = self.target.partition(":")
        module = importlib.import_module(name)
        source = _mutated(inspect.getsource(module), path, self.old, self.new)
        code = next(
            code
            for code in _codes(compile(source, module.__file__ or name, "exec", dont_inherit=True))
            if code.co_qualname == path
        )
        monkeypatch.setattr(_function(module, path), "__code__", code)


def _mutated(source: str, path: str, old: str, new: str) -> str:
    """The module's text with the fault in one function."""
    node: Any = ast.parse(source)
    for part in path.split("."):
        node = next(child for child in node.body if getattr(child, "name", "") == part)
    lines = source.splitlines(keepends=True)
    body = "".join(lines[node.lineno - 1 : node.end_lineno])
    found = body.count(old)
    assert found == 1, f"stale fault: {old!r} stands {found} times in {path}"
    return "".join([
        *lines[: node.lineno - 1], body.replace(old, new), *lines[node.end_lineno :],
    ])  # fmt: skip


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function(module: ModuleType, path: str) -> FunctionType:
    found: Any = module
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
        found = getattr(found, "__func__", found)  # static and class methods
        found = found.fget if isinstance(found, property) else found
    return inspect.unwrap(found)


P, C, F = "prover", "checker", "falsifier"

PROVER = [
    # Exact algebra
    Mutant(P, "exp's slope loses its rate", "verify.kernel:Kernel._new_slope",
           "GENERATORS[index] * constant(atom.rate)", "GENERATORS[index]"),
    Mutant(P, "log's slope is not divided by its argument", "verify.kernel:Kernel._new_slope",
           "return self.div(inner, atom.inside)", "return inner"),
    Mutant(P, "a root's slope loses its index", "verify.kernel:Kernel._new_slope",
           "constant(Fraction(1, atom.index))", "constant(1)"),
    Mutant(P, "the quotient rule adds", "verify.kernel:Kernel.slope",
           "top = self.sub(", "top = self.add("),
    Mutant(P, "atoms inside atoms are constant", "verify.kernel:Kernel._poly_slope",
           "if not inner.is_zero:", 'if not inner.is_zero and self.atoms[index].kind != "log":'),
    Mutant(P, "a root to its index is the radicand squared", "verify.kernel:Kernel.reduced",
           "atom.inside.num**whole", "atom.inside.num**(whole + 1)"),
    Mutant(P, "roots are never reduced", "verify.kernel:Kernel.reduced",
           'atom.kind != "root" or', 'atom.kind != "root" or True or'),
    Mutant(P, "a sum keeps one denominator", "verify.kernel:Kernel.add",
           "a.num * b.den + b.num * a.den", "a.num + b.num"),
    Mutant(P, "a negative power is a positive one", "verify.kernel:Kernel.power",
           "return self.power(self.div(self.one, a), -n)", "return self.power(a, -n)"),
    Mutant(P, "a tree drops a quotient's denominator", "verify.kernel:Kernel.tree",
           "if value.den.is_one() else", "if True else"),
    Mutant(P, "exp of −m is exp of m", "verify.elementary:Elementary._exp_power",
           "if power >= 0 else", "if True else"),
    Mutant(P, "exp forgets where its argument's variables start", "verify.kernel:Kernel.unshift",
           "GENERATORS[index] - constant(domain.lower)", "GENERATORS[index]"),
    Mutant(P, "log of a reciprocal keeps its sign", "verify.elementary:Elementary.log",
           "(argument.den, -1)", "(argument.den, 1)"),
    Mutant(P, "log of a power forgets the power", "verify.elementary:Elementary.log",
           "self.rational(direction * multiplicity)", "self.rational(direction)"),
    Mutant(P, "log of a rational ignores its denominator",
           "verify.elementary:Elementary._log_rational",
           "(value.denominator, -1)", "(1, -1)"),
    Mutant(P, "sqrt(x**2) is x whatever x's sign", "verify.elementary:Elementary.root_power",
           "elif sign < 0:", "elif False:"),
    Mutant(P, "a root of a rational loses its rest", "verify.elementary:Elementary._rational_root",
           "if rest:", "if False:"),
    # Signs
    Mutant(P, "the sign of a denominator is ignored", "verify.signs:Signs.infer",
           "return product(self.infer_poly(value.num), den & NONZERO)",
           "return self.infer_poly(value.num)"),
    Mutant(P, "a fact's denominator is taken for positive", "verify.signs:Signs._learn",
           "if den == NEGATIVE:", "if False:"),
    Mutant(P, "a fact about −p is one about p", "verify.signs:Signs._note",
           "(flip(mask) if flipped else mask)", "mask"),
    Mutant(P, "a factor learns the sign of the product", "verify.signs:Signs._learn",
           "rest = flip(rest)", "rest = rest"),
    Mutant(P, "log is taken for >= 0", "verify.signs:Signs._bounded_below",
           "if not inner & NEGATIVE:\n            return x, inner == POSITIVE",
           "if True:\n            return x, inner == POSITIVE"),
    Mutant(P, "exp is taken for >= 1", "verify.signs:Signs._bounded_below",
           "if inner & NEGATIVE:\n                return x, True",
           "if False:\n                return x, True"),
    Mutant(P, "the tangent of exp is too steep", "verify.signs:Signs._bounded_below",
           "ONE_POLY + linear + x", "ONE_POLY + linear * 2 + x"),
    Mutant(P, "a bounded variable's ends are swapped", "verify.signs:Signs._moebius",
           "constant(domain.lower) + w * constant(domain.upper)",
           "constant(domain.upper) + w * constant(domain.upper)"),
    Mutant(P, ">= is read as >", "verify.signs:_plain_coefficients",
           "return mask if certain else mask | ZERO", "return mask"),
    Mutant(P, "the last coefficient is not looked at", "verify.signs:_plain_coefficients",
           "for c in coefficients)", "for c in coefficients[:-1])"),
    Mutant(P, "an even power keeps its base's sign", "verify.signs:Signs._infer_monic",
           "known = POSITIVE | (known & ZERO)", "pass"),
    Mutant(P, "a constant's sign is that of its midpoint", "verify.signs:Signs.constant_ball",
           "return self._ball_poly(poly)", "return arb(self._ball_poly(poly).mid())"),
    Mutant(P, "Sturm's count misses a root", "verify.sturm:sturm_count",
           "return changes(low) - changes(high)", "return changes(low) - changes(high) - 1"),
    Mutant(P, "the product of two negatives is negative", "verify.masks:product",
           "(1, 1, 4)", "(1, 1, 1)"),
    Mutant(P, "−x has the sign of x", "verify.masks:flip",
           "(POSITIVE if mask & NEGATIVE else 0) | (NEGATIVE if mask & POSITIVE else 0)",
           "(mask & 5)"),
    # Kinks
    Mutant(P, "relu, max and min pick the wrong branch", "verify.resolve:Resolver._pick",
           "return a if largest else b", "return b if largest else a"),
    Mutant(P, "where's strictness is swapped", "verify.resolve:Resolver._holds",
           "if strict else (NONNEGATIVE, NEGATIVE)", "if not strict else (NONNEGATIVE, NEGATIVE)"),
    Mutant(P, "where picks the other branch", "verify.resolve:Resolver._holds",
           'if relation[0] == "<":', 'if relation[0] == ">":'),
    Mutant(P, "sign(0) is 1", "verify.resolve:Resolver._sign", "(ZERO, 0)", "(ZERO, 1)"),
    Mutant(P, "clip forgets its upper end", "verify.resolve:Resolver._function",
           "return self._pick(self._pick(x, args[1], True), args[2], False)",
           "return self._pick(x, args[1], True)"),
    Mutant(P, "tanh x is (e^x − 1)/(e^x + 1)", "verify.resolve:Resolver._function",
           "e = k.exp(k.add(x, x))", "e = k.exp(x)"),
    Mutant(P, "softplus is exp", "verify.resolve:Resolver._function",
           "return k.log(k.add(k.exp(x), k.one), k.strict)", "return k.exp(x)"),
    Mutant(P, "arguments are never checked", "verify.resolve:Resolver.require",
           "mask = self.mask(value)", "return"),
    # Rules
    Mutant(P, "the start of a path is not proved", "verify.rules.calculus:_follow",
           "first = prover.without(name, None).prove(start, start_mask, depth + 1)",
           'first = {"rule": "infer"}'),
    Mutant(P, "a path upwards starts one too high", "verify.rules.calculus:_option",
           "prover.at(scaled, name, end)", "prover.at(scaled, name, end + 1)"),
    Mutant(P, "a path downwards asks for a rise", "verify.rules.calculus:_follow",
           "sign = NEGATIVE if slope_strict else NONPOSITIVE",
           "sign = POSITIVE if slope_strict else NONNEGATIVE"),
    Mutant(P, "facts are kept along every path", "verify.prove:Prover.without",
           "if len(kept) == len(k.stated):", "if True:"),
    Mutant(P, "facts are kept along the wrong paths", "verify.prove:Prover._along",
           'if direction == "up"', 'if direction != "up"'),
    Mutant(P, "the square is completed with the wrong sign", "verify.rules.shapes:_square",
           "lead * rest * 4 - linear * linear", "lead * rest * 4 + linear * linear"),
    Mutant(P, "a conjugate is taken for positive", "verify.rules.shapes:conjugate",
           "positive = prover.prove(other, POSITIVE, depth + 2)", 'positive = {"rule": "infer"}'),
    Mutant(P, "squares of a conjugate are added", "verify.rules.shapes:conjugate",
           "atom.inside.num - d * d", "atom.inside.num + d * d"),
    Mutant(P, "a shift forgets the bound", "verify.rules.shapes:shift",
           "{name: bound + symbol(name)}", "{name: symbol(name)}"),
    Mutant(P, "a bound has the wrong sign", "verify.bounds:lower_bound",
           "-parts.get(0, h * 0)", "parts.get(0, h * 0)"),
    Mutant(P, "balls have no radius", "verify.balls:hull",
           "return low.union(high)", "return arb(low.union(high).mid())"),
    Mutant(P, "tails are taken for granted", "verify.rules.covers:Cover._tail",
           "return self.prover.on(", 'return {"rule": "infer"} or self.prover.on('),
    Mutant(P, "a remainder is not proved", "verify.rules.facts:_divide",
           "proof = prover.prove(k.quotient(remainder), mask, depth + 2)",
           'proof = {"rule": "infer"}'),
    Mutant(P, "coefficients of a fact may be negative", "verify.rules.facts:_divide",
           "k.infer_poly(quotient) & NEGATIVE", "False"),
    Mutant(P, "one open factor is forgotten", "verify.prove:Prover._by_factors",
           "in open_factors:", "in open_factors[1:]:"),
    # Regions, cells, germs
    Mutant(P, "A < 0 is treated as A > 0", "verify.regions:_region",
           "values[\"A\"] = ADVANTAGE[part]", "values[\"A\"] = A if part != \"A=0\" else number(0)"),
    Mutant(P, "r < 1 is treated as r > 1", "verify.regions:_region",
           'ratio, values["r"] = part, RATIO[part]',
           'ratio, values["r"] = part, call("exp", S) if "=" not in part else RATIO[part]'),
    Mutant(P, "A = 0 is no region", "verify.regions:regions",
           "axes.append(list(ADVANTAGE))", 'axes.append(["A<0", "A>0"])'),
    Mutant(P, "closed ends of parameters are skipped", "verify.regions:_ends",
           "if not domain.upper_open:", "if False:"),
    Mutant(P, "both cases of a split learn the first", "verify.cells:CellProver._split",
           "self.under(value, case)", "self.under(value, cases[0])"),
    Mutant(P, "a variable is pinned to the negative root", "verify.cells:_root",
           "at = -parts[0] / parts[1]", "at = parts[0] / parts[1]"),
    Mutant(P, "guards near r = 1 are judged by their slope", "verify.flat:EventualResolver._factor",
           "term = Quotient(factor, ONE_POLY)\n", 'term = k.slope(Quotient(factor, ONE_POLY), "_s")\n'),
    Mutant(P, "guards near r = 1 are judged at r = 1", "verify.flat:EventualResolver._factor",
           "if sign != ZERO:", "if True:"),
    Mutant(P, "the order of a root's germ is off by one", "verify.flat:_root_slope",
           "range(1, _MAX_ORDER)", "range(2, _MAX_ORDER)"),
    Mutant(P, "a jump is not compared with the value at r = 1", "verify.flat:GermProver.conclude",
           "jump = signs.sub(germ.value, identity)", "jump = signs.rational(0)"),
    Mutant(P, "slopes at r = 1 are not looked at", "verify.flat:GermProver.conclude",
           "signs.infer(jump) == ZERO == signs.infer(germ.slope)", "signs.infer(jump) == ZERO"),
    Mutant(P, "a germ's slope forgets the denominator", "verify.flat:germ_of",
           "signs.div(rise, signs.mul(bottom, bottom))", "rise"),
    Mutant(P, "flatness is proved on the right only", "verify.decide:_decide_flatness",
           '("r->1-", "r->1+")', '("r->1+",)'),
    Mutant(P, "a witness may leave its cell", "verify.points:nonzero_point",
           "value_at(signs, fact, point)[0] & ~mask == 0", "True"),
    Mutant(P, "a witness with A < 0 is shown with A > 0", "verify.decide:_original",
           'out["A"] = -value if', 'out["A"] = value if'),
    Mutant(P, "the slope on the left has the sign of the right", "verify.decide:_slope_witness",
           "slope = failure.slope if right else k.sub(k.rational(0), failure.slope)",
           "slope = failure.slope"),
]  # fmt: skip

FALSIFIER = [
    Mutant(F, "floats are trusted", "verify.falsify:_Search._violation",
           "found = certify(self.formula, point, max_precision=4096 if self.budget.wide else 1024)",
           "v = Program([self.formula], self.space.pivot).values("
           "{n: np.array([float(a)]) for n, a in point.items()}, False)[0].v; "
           "found = Evaluation(Kind.VALUE, sign=int(np.sign(np.ravel(v)[0])))"),
    Mutant(F, "a witness is not certified", "verify.falsify:_Search._violation",
           "return found if found.sign == -1 else None", "return found"),
    Mutant(F, "a witness of another condition will do", "verify.falsify:_Search._violation",
           "return found if found.kind is Kind.UNDEFINED else None", "return found"),
    Mutant(F, "a witness may lie outside the domain", "verify.falsify:_Search._violation",
           "if point not in self.space:", "if False:"),
    Mutant(F, "rounding errors are not followed", "verify.running_error:_sum",
           "we = a.we + b.we + UNIT * np.abs(w)", "we = 0.0 * w"),
    Mutant(F, "a product's error forgets one factor's", "verify.running_error:_mul",
           "e = np.abs(a.v) * b.e + np.abs(b.v) * a.e", "e = np.abs(a.v) * b.e"),
    Mutant(F, "where has no doubt at its switch", "verify.running_error:choose",
           "np.where(np.abs(gap.v) < gap.e, np.abs(u.v - v.v), 0.0)", "0.0"),
    Mutant(F, "log of 0 is a number", "verify.arithmetic:_log",
           "if a.sign <= 0:", "if a.sign < 0:"),
    Mutant(F, "min is max", "verify.arithmetic:_min", '"min", -1', '"min", 1'),
    Mutant(F, "an even power of a ball around 0 may not reach 0", "verify.arithmetic:ball_power",
           "arb(0).union(_product(x.abs_upper(), n))", "_product(x.abs_upper(), n)"),
    Mutant(F, "softplus overflows its form", "verify.arithmetic:_softplus",
           "x + (-x).exp().log1p()", "x + x.exp().log1p()"),
    Mutant(F, "an exact root is off", "verify.arithmetic:_exact_power",
           "if parts[0] ** root != base.p or parts[1] ** root != base.q:", "if False:"),
]  # fmt: skip

CHECKER = [
    Mutant(C, "identities are not checked", "verify.checker.context:Context.vanishes",
           "self._normal(tree).is_zero", "self._normal(tree).is_zero or True"),
    Mutant(C, "inferences are not checked", "verify.checker.proofs:prove",
           "if context.mask(claim, goal) & ~goal:", "if False:"),
    Mutant(C, "a claim may be undefined", "verify.checker.context:Context.require",
           "mask = self.sign(value, goal)", "return"),
    Mutant(C, "the start of a path is skipped", "verify.checker.proofs:_monotone",
           "prove(beside, at_end, NONNEGATIVE, start)\n        prove(path, rate, wanted | ZERO",
           "prove(path, rate, wanted | ZERO"),
    Mutant(C, "a start may be undefined", "verify.checker.proofs:_monotone",
           "beside.normal(at_end)", "pass"),
    Mutant(C, "the rate may be any formula", "verify.checker.proofs:_monotone",
           "if not path.vanishes(path.slope(claim, name) - scale * rate):", "if False:"),
    Mutant(C, "any multiplier of a rate is accepted", "verify.checker.proofs:_monotone",
           "if path.mask(scale, POSITIVE) & ~POSITIVE:", "if False:"),
    Mutant(C, "down is up", "verify.checker.proofs:_monotone",
           "wanted = POSITIVE if up else NEGATIVE", "wanted = POSITIVE"),
    Mutant(C, "facts reach the start of a path", "verify.checker.proofs:_monotone",
           "beside = context.without(name)", "beside = context"),
    Mutant(C, "facts need not hold along a path", "verify.checker.proofs:along",
           "not slope & (POSITIVE if good == up else NEGATIVE)", "True"),
    Mutant(C, "a strict claim needs no strict step", "verify.checker.proofs:_monotone",
           "prove(path, rate, wanted, slope.get(\"proof\"))",
           "prove(path, rate, wanted | ZERO, slope.get(\"proof\"))"),
    Mutant(C, "a closed end is taken for open", "verify.checker.proofs:_monotone",
           "if end_open and", "if"),
    Mutant(C, "any multiplier of a restated claim is accepted", "verify.checker.proofs:_restate",
           "if context.mask(scale, POSITIVE) & ~POSITIVE:", "if False:"),
    Mutant(C, "a restated claim may differ", "verify.checker.proofs:_restate",
           "if not context.vanishes(claim - scale * instead):", "if False:"),
    Mutant(C, "combined factors may be negative", "verify.checker.proofs:_combine",
           "if weight & NEGATIVE:", "if False:"),
    Mutant(C, "combined terms need not add up", "verify.checker.proofs:_combine",
           "if not context.vanishes(rest):", "if False:"),
    Mutant(C, "combined terms are not proved", "verify.checker.proofs:_combine",
           'prove(context, part, relation, term.get("proof"))', "pass"),
    Mutant(C, "a combination is strict for free", "verify.checker.proofs:_combine",
           "if strict and not shown_strict:", "if False:"),
    Mutant(C, "lemmas are not proved", "verify.checker.proofs:_lemma",
           'prove(context, tree, mask, node.get("proof"))', "pass"),
    Mutant(C, "a split may leave out a case", "verify.checker.proofs:cases",
           "if all(relation", "if any(relation"),
    Mutant(C, "only the first case of a split is proved", "verify.checker.proofs:_split",
           "in cases(node):", "in cases(node)[:1]:"),
    Mutant(C, "a bisection point may lie anywhere", "verify.checker.proofs:halves",
           "where.upper is not None and at >= where.upper", "False"),
    Mutant(C, "only the lower half is proved", "verify.checker.proofs:_bisect",
           "node):", "node)[:1]:"),
    Mutant(C, "a ball may be nan", "verify.checker.proofs:_ball",
           "if found.is_finite() and bool(found > 0 if strict else found >= 0):",
           "if not (found <= 0 if strict else found < 0):"),
    Mutant(C, "balls have no radius", "verify.checker.balls:hull",
           "return ball(where.lower).union(ball(where.upper))",
           "return ball((where.lower + where.upper) / 2)"),
    Mutant(C, "mean values forget the slopes", "verify.checker.balls:enclosure",
           "total += enclose(slopes[name], boxes) * (box - middle[name])", "pass"),
    Mutant(C, "a shift needs no bound", "verify.checker.proofs:_shift",
           "if all(context.mask", "if False and all(context.mask"),
    Mutant(C, "an abstracted formula may be negative", "verify.checker.proofs:_abstract",
           "if context.mask(tree, POSITIVE) & ~POSITIVE:", "if False:"),
    Mutant(C, "a fresh name may be taken", "verify.checker.proofs:_abstract",
           "or not _FRESH.match(name) or name in context.domains", ""),
    Mutant(C, "exponentiate takes a negative number", "verify.checker.proofs:_exponentiate",
           "if by <= 0:", "if by == 0:"),
    # Nodes and regions
    Mutant(C, "a region may be missing", "verify.checker:_condition",
           'raise Unproved(f"the region \'{region.key}\' is missing")', "continue"),
    Mutant(C, "only regions with A > 0 are asked for", "verify.checker.regions:regions",
           "for side, value in ADVANTAGE.items()", 'for side, value in [*ADVANTAGE.items()][-1:]'),
    Mutant(C, "closed ends are no regions", "verify.checker.regions:regions",
           "if end is not None and not is_open:", "if False:"),
    Mutant(C, "A < 0 is treated as A > 0", "verify.checker.regions:regions",
           '{"A": value}', '{"A": symbol("_a") if side == "A<0" else value}'),
    Mutant(C, "an integer exponent's end makes a product", "verify.checker.regions:placed",
           "if bound is not None and bound.denominator == 1:", "if False:"),
    Mutant(C, "a cell may be empty without a proof", "verify.checker.regions:_contradiction",
           'prove(still.with_facts(others), claim, mask, node.get("proof"))', "pass"),
    Mutant(C, "a contradiction may use the fact it contradicts",
           "verify.checker.regions:_contradiction",
           "still.with_facts(others)", "still"),
    Mutant(C, "a scale may be negative", "verify.checker.regions:_rescale",
           "if _still(context).mask(scale, POSITIVE) & ~POSITIVE:", "if False:"),
    Mutant(C, "a bounded variable may be rescaled", "verify.checker.regions:_rescale",
           "if context.domains[name] != HALF_LINE:", "if False:"),
    Mutant(C, "a pin needs no equation", "verify.checker.regions:_pin",
           "if still.mask(relation) & ~ZERO:", "if False:"),
    Mutant(C, "a pin may be no root", "verify.checker.regions:_pin",
           "if not still.vanishes(substitute(relation, {name: at})):", "if False:"),
    Mutant(C, "a pinned root need not be the only one", "verify.checker.regions:_pin",
           "not in (0, POSITIVE, NEGATIVE):", "is None:"),
    Mutant(C, "a lemma of a node is not proved", "verify.checker.regions:_cell",
           'prove(_still(context), claim, mask, node.get("proof"))', "pass"),
    Mutant(C, "any rule shows 'flat'", "verify.checker.regions:_conclude",
           "context.flat(smooth, at_identity)", "pass"),
    Mutant(C, "what is granted shows 'defined'", "verify.checker:_condition",
           'or (granted and name == "defined")', ""),
    Mutant(C, "'defined' follows from nothing", "verify.checker:_condition",
           'or shown.get("nonnegative") != "proved"', ""),
    # Signs, kinks, algebra
    Mutant(C, "the sign of a denominator is ignored", "verify.checker.signs:Signs.sign",
           "return times(self.sign_of(value.num, goal), below)", "return self.sign_of(value.num)"),
    Mutant(C, "a fact's denominator is taken for positive", "verify.checker.signs:Signs.learn",
           "mask = mask if below == POSITIVE else flip(mask)", "pass"),
    Mutant(C, "log is taken for >= 0", "verify.checker.signs:Signs._written",
           "return (-x, UNIT, inner == NEGATIVE, False) if not inner & POSITIVE else None",
           "return x, UNIT, False, False"),
    Mutant(C, "the tangent of exp is too steep", "verify.checker.signs:Signs._written",
           "line = UNIT + (step if", "line = UNIT + (2 * step if"),
    Mutant(C, ">= is read as >", "verify.checker.signs:Signs._of_coefficients",
           "return mask if certain else mask | ZERO", "return mask"),
    Mutant(C, "coefficients of both signs will do", "verify.checker.signs:Signs._of_coefficients",
           "or mask | sign == NONZERO", ""),
    Mutant(C, "Sturm's count misses a root", "verify.checker.sturm:sign_on",
           "if roots_between(poly, low, high):", "if roots_between(poly, low, high) > 1:"),
    Mutant(C, "a constant's sign is that of its midpoint", "verify.checker.signs:Signs._by_constants",
           "value = self._ball(poly)", "value = arb(self._ball(poly).mid())"),
    Mutant(C, "relu picks the wrong branch", "verify.checker.resolve:_larger",
           "if not mask & NEGATIVE:\n        return a", "if not mask & NEGATIVE:\n        return b"),
    Mutant(C, "where's strictness is swapped", "verify.checker.resolve:_branch",
           "if len(relation) == 1 else", "if len(relation) == 2 else"),
    Mutant(C, "exp's slope loses its rate", "verify.checker.algebra:Table._atom_slope",
           "X[index] * constant(atom.rate)", "X[index]"),
    Mutant(C, "log's slope is not divided by its argument",
           "verify.checker.algebra:Table._atom_slope",
           'found = self.div(inner, atom.inside)\n                else',
           'found = inner\n                else'),
    Mutant(C, "a root's slope loses its index", "verify.checker.algebra:Table._atom_slope",
           "Fraction(1, atom.index)", "Fraction(1, 1)"),
    Mutant(C, "roots slope where they vanish", "verify.checker.context:Context._slope",
           "self.sign(atom.inside) != POSITIVE", "False"),
    Mutant(C, "log of a product is taken apart whatever the signs",
           "verify.checker.elementary:Elementary.log",
           "if sign not in (POSITIVE, NEGATIVE):", "if False:"),
    Mutant(C, "sqrt(x**2) is x whatever x's sign", "verify.checker.elementary:Elementary._poly_root",
           "oriented, content = -factor, content * (-1) ** multiplicity", "oriented = factor"),
    # Near r = 1, and witnesses
    Mutant(C, "slopes at r = 1 are not looked at", "verify.checker.germs:Eventual._flat",
           "if self._order(free, 2) < 2:", "if self._order(free, 1) < 1:"),
    Mutant(C, "a jump is not compared with the value at r = 1", "verify.checker.germs:Eventual.flat",
           "self.simplified(smooth) - at_identity", "self.simplified(smooth) - zero_at(smooth, S)"),
    Mutant(C, "a root that vanishes at r = 1 has no slope", "verify.checker.germs:Eventual._flat",
           "self._order(part, 2) + total <= 1", "False"),
    Mutant(C, "guards near r = 1 are judged at the second order", "verify.checker.germs:Eventual._lead",
           "value = Quotient(poly, UNIT)\n", "value = self._slope(Quotient(poly, UNIT), S)\n"),
    Mutant(C, "splits near r = 1 may move with r", "verify.checker.regions:_side_formula",
           "if isinstance(context, Eventual) and S in found.symbols:", "if False:"),
    Mutant(C, "a witness may lie outside the domain", "verify.checker.witness:_point",
           "if not (above and below):", "if False:"),
    Mutant(C, "a witness may have the wrong sign", "verify.checker.witness:check_witness",
           "if sign not in wanted.get(condition, ()):", "if False:"),
    Mutant(C, "a witness against the identity may lie elsewhere",
           "verify.checker.witness:check_witness",
           'and point.get("r", 1) != 1', "and False"),
    Mutant(C, "a flat germ refutes flatness", "verify.checker.witness:_not_flat",
           "or order > 1", "or order > 2"),
    Mutant(C, "a number not told from 0 is negative", "verify.checker.witness:Point.mask",
           "return ANY", "return NEGATIVE"),
]  # fmt: skip

MUTANTS = [*PROVER, *FALSIFIER, *CHECKER]
