"""SPEC: what a person may write wherever a drift is asked for.

An existing file with a known suffix is a network or a member of a front; else an exact name of
the catalogue or of a network that is shipped; else a formula.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from symbolic.domains import VARIABLES, Interval, parse_declarations
from symbolic.drift import Drift, check_kind
from symbolic.errors import ConfigError, FormulaError
from symbolic.expression import Expression, number

if TYPE_CHECKING:
    from symbolic.mirror_network import MirrorNetwork
    from symbolic.network import DriftNetwork

NETWORK_SUFFIXES = (".npz", ".safetensors")
FRONT_SUFFIX = ".json"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

Parameters = Iterable[str] | Mapping[str, object] | None
Target = Union[Drift, "DriftNetwork"]
Decidable = Union[Target, "MirrorNetwork"]


def resolve(
    spec: object,
    parameters: Parameters = None,
    *,
    kind: str = "drift",
    only: Literal["catalogue", "network", "formula", None] = None,
) -> Target:
    """The drift or the network that `spec` means.

    `spec` is a SPEC, a path, a Drift, a network, an expression of ours or of SymPy; `parameters`
    declare or bind. `only` insists on the catalogue, on a network file, or refuses files.
    Raises FormulaError or ConfigError with the remedy.
    """
    check_kind(kind)
    declared = parse_declarations(() if parameters is None else parameters, kind)
    if isinstance(spec, str):
        found = _from_text(spec.strip(), declared, kind, only)
    else:
        found = _from_object(spec, declared, kind)
    actual = found.kind
    if actual != kind:
        label = getattr(found, "name", "") or "this"
        raise ConfigError(f"{label} is a {actual}, not a {kind}; say --kind {actual}")
    return found


def resolve_decidable(
    spec: object,
    parameters: Parameters = None,
    *,
    kind: str = "drift",
    only: Literal["catalogue", "network", "formula", None] = None,
) -> Decidable:
    """As `resolve`, of all that is decided: what brings a kind of its own keeps it, an entry of the
    catalogue say, and with the kinds of maps a file is a network for mirror maps.
    """
    check_kind(kind)
    if type(spec).__name__ == "MirrorNetwork" or (
        _is_file(spec, only) and (kind != "drift" or _holds_a_map(str(spec).strip()))
    ):
        return _mirror_network(spec, parameters, kind)
    return resolve(spec, parameters, kind=_own_kind(spec) if kind == "drift" else kind, only=only)


def _holds_a_map(path: str) -> bool:
    """Whether a network's file says that it is a mirror map's; no for what is no file."""
    from symbolic.mirror_network import KINDS

    try:
        return Path(path).is_file() and file_kind(path) in KINDS
    except ConfigError:
        return False  # the reader of networks says what is wrong


def file_kind(path: str) -> str | None:
    """What a `.json`, `.npz` or `.safetensors` file says it holds: `objective`, `drift`, `mirror-map` or
    `psi`; None for one that says nothing.

    Raises ConfigError for a file that cannot be read.
    """
    from symbolic.arrays import read_arrays, read_bounded, read_json
    from symbolic.mirror_network import KINDS
    from symbolic.preference.reading import SCHEMA as OBJECTIVE_SCHEMA

    names: set[str] = set()
    if path.endswith(FRONT_SUFFIX):
        card = read_json(read_bounded(Path(path)), path)
    else:
        arrays, texts = read_arrays(path)
        names, about = set(arrays), texts.get("card", texts.get("about", ""))
        card = read_json(about, f"{path}: card") if about else {}
    if card.get("schema") == OBJECTIVE_SCHEMA:
        return "objective"
    if card.get("kind") in ("drift", *KINDS):
        return str(card["kind"])
    return "drift" if {"layer_0", "f"} & names else None


def _is_file(spec: object, only: str | None) -> bool:
    """Whether a spec is the path of a network."""
    named = isinstance(spec, (str, Path)) and str(spec).strip().endswith(NETWORK_SUFFIXES)
    return only == "network" or (named and only is None)


def _mirror_network(spec: object, parameters: Parameters, kind: str) -> MirrorNetwork:
    from symbolic.mirror_network import MirrorNetwork, load_mirror_network

    found = spec if isinstance(spec, MirrorNetwork) else load_mirror_network(str(spec).strip())
    if parse_declarations(() if parameters is None else parameters, found.kind):
        raise ConfigError("a parameter is declared, but a network has none; leave it out")
    if kind not in ("drift", found.kind):
        raise ConfigError(f"this network is a {found.kind}, not a {kind}; say --kind {found.kind}")
    return found


def _own_kind(spec: object) -> str:
    """The kind of a Drift or of an entry of the catalogue."""
    from symbolic.catalogue import entries

    entry = entries.get(spec.strip()) if isinstance(spec, str) else spec
    return entry.kind if isinstance(entry, Drift) else "drift"


def split_line(line: str) -> tuple[str, list[str]]:
    """(SPEC, declarations) of a line such as `ppo; eps=0.3`."""
    head, *declarations = (part.strip() for part in line.split(";"))
    return head, declarations


def resolve_line(spec: object) -> Target:
    """As `resolve`, where text may declare parameters after semicolons, as lines of files do."""
    if not isinstance(spec, str):
        return resolve(spec)
    return resolve(*split_line(spec))


def formula(
    spec: object,
    parameters: Parameters = None,
    *,
    kind: str = "drift",
    only: Literal["catalogue", None] = None,
) -> Drift:
    """As `resolve`, where only a formula will do; raises ConfigError for a network."""
    return _formula_alone(spec, resolve(spec, parameters, kind=kind, only=only))


def _formula_alone(spec: object, found: Target) -> Drift:
    if isinstance(found, Drift):
        return found
    label = str(spec) if isinstance(spec, (str, Path)) else "this"
    raise ConfigError(
        f"{label:.200} is a network, and only formulas are compared; give a formula or a name"
    )


def resolve_together(
    specs: Sequence[object], parameters: Parameters = None, kind: str = "drift"
) -> list[Drift]:
    """As `resolve_all`, where only formulas will do; raises ConfigError for a network."""
    return [
        _formula_alone(spec, found)
        for spec, found in zip(specs, resolve_all(specs, parameters, kind))
    ]


def resolve_all(
    specs: Sequence[object], parameters: Parameters = None, kind: str = "drift"
) -> list[Target]:
    """Several formulas under one set of declarations, each of which concerns one at least.

    An entry of the catalogue refuses a parameter that it does not have; among several another
    may be the one that has it. What an entry or a Drift declares holds for the others, too, unless
    `parameters` say otherwise. Raises FormulaError or ConfigError.
    """
    check_kind(kind)
    declared = parse_declarations(() if parameters is None else parameters, kind)
    known = [_known(spec) for spec in specs]
    lent = _agreed((drift for drift in known if drift is not None), kind)
    found: list[Target] = []
    for spec, drift in zip(specs, known):
        if drift is not None:
            found.append(_bound(drift, _of(drift, declared)))
        else:
            found.append(resolve(spec) if _is_network(spec) else _written(spec, declared, lent))
    symbols = set(VARIABLES[kind]).union(
        *(drift.formula.symbols for drift in found if isinstance(drift, Drift))
    )
    if extra := set(declared) - symbols:
        raise ConfigError(f"'{min(extra)}' is declared, but no formula has it; leave it out")
    return found


def _is_network(spec: object) -> bool:
    """Whether a spec names a network or is one: it has no parameters."""
    if isinstance(spec, (str, Path)):
        return str(spec).strip().endswith(NETWORK_SUFFIXES) or _is_shipped(str(spec).strip())
    return type(spec).__name__ == "DriftNetwork"


def _is_shipped(text: str) -> bool:
    from search import pretrained

    return text in pretrained.names()


def _known(spec: object) -> Drift | None:
    """The drift behind a spec that brings domains of its own."""
    from symbolic.catalogue import catalogue

    if isinstance(spec, Drift):
        return spec
    if isinstance(spec, (str, Path)) and str(spec).strip().endswith(FRONT_SUFFIX):
        return formula(spec)
    return catalogue.get(spec.strip()) if isinstance(spec, str) else None


def _agreed(drifts: Iterable[Drift], kind: str) -> Drift:
    """What these declare without contradiction, as the domains and defaults of a drift."""
    domains: dict[str, Interval] = {}
    defaults: dict[str, Fraction] = {}
    disputed = set()
    for drift in drifts:
        disputed |= {k for k, v in drift.domains.items() if domains.setdefault(k, v) != v}
        defaults |= drift.defaults
    agreed = {name: domain for name, domain in domains.items() if name not in disputed}
    return Drift(formula=number(0), kind=kind, domains=agreed, defaults=defaults)


def _written(spec: object, declared: Mapping[str, Interval], lent: Drift) -> Drift:
    """A formula as the user wrote it, with the domains that concern it."""
    drift = formula(spec, {**lent.domains, **declared}, kind=lent.kind)
    own = {k: v for k, v in drift.domains.items() if k not in {**lent.domains, **declared}}
    domains = own | _of(drift, {**lent.domains, **declared})
    defaults = {k: v for k, v in lent.defaults.items() if k in domains and k not in declared}
    return replace(drift, domains=domains, defaults=drift.defaults or defaults)


def _of(drift: Drift, domains: Mapping[str, Interval]) -> dict[str, Interval]:
    """The domains of symbols that occur in a formula."""
    return {name: domain for name, domain in domains.items() if name in drift.formula.symbols}


def _from_text(text: str, declared: Mapping[str, Interval], kind: str, only: str | None) -> Target:
    suffix = next((s for s in (*NETWORK_SUFFIXES, FRONT_SUFFIX) if text.endswith(s)), "")
    if only == "network":
        return _network(text, declared)
    if suffix and only is None:
        return _from_file(text, suffix, declared, kind)
    from symbolic.catalogue import entries, suggest

    if text in entries or only == "catalogue":
        return _bound(entries[text], declared)
    if only is None and _is_shipped(text):
        return _network(text, declared)
    try:
        return Drift.from_text(text, declared, kind=kind)
    except FormulaError as error:
        if only is None and _is_path(text):
            raise ConfigError(_no_spec(text)) from None
        from mirrordrift.deciding_maps import of_text

        if maps := of_text(text):
            raise ConfigError(
                f"{text} is a preference objective, and its maps are decided one by one: {maps}"
            ) from None
        near = suggest(text) if _NAME.fullmatch(text) else []
        from search import pretrained

        near += difflib.get_close_matches(text, pretrained.names(), 1, 0.8)
        if not near:
            raise
        raise FormulaError(
            error.message,
            text=text,
            column=error.column,
            width=len(text),
            remedy=f"did you mean '{near[0]}'? as a parameter, {error.remedy}",
        ) from None


def _is_path(text: str) -> bool:
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):  # too long, or with a zero byte: a formula at most
        return False


def _no_spec(path: str) -> str:
    """What to do with an existing path that is no SPEC."""
    if Path(path).is_dir():
        return f"{path}: this is a folder; name a file in it, or write a formula"
    return (
        f"{path}: a file that ends in none of {' '.join((*NETWORK_SUFFIXES, FRONT_SUFFIX))}; "
        f"if it holds formulas, one a line: drift verify --file {path}"
    )


def _bound(drift: Drift, declared: Mapping[str, Interval]) -> Drift:
    return drift.bind(declared) if declared else drift


def _from_file(text: str, suffix: str, declared: Mapping[str, Interval], kind: str) -> Target:
    if suffix == FRONT_SUFFIX:
        return _front_member(Path(text), declared, kind)
    return _network(text, declared)


def _network(path: str, declared: Mapping[str, Interval]) -> DriftNetwork:
    from search import pretrained

    network = pretrained.named_or_read(path)
    if declared:
        raise ConfigError(
            f"'{min(declared)}' is declared, but the network {path} has no parameters; leave it out"
        )
    return network


def _front_member(path: Path, declared: Mapping[str, Interval], kind: str) -> Drift:
    """A JSON object with `formula` and perhaps `parameters`, or a front, whose knee is taken."""
    from mirrordrift.deciding_maps import of_file
    from symbolic.arrays import read_bounded, read_json
    from symbolic.preference.reading import SCHEMA as OBJECTIVE_SCHEMA

    found = read_json(read_bounded(path), str(path))
    own_kind = found.get("kind")
    if isinstance(own_kind, str) and own_kind in VARIABLES:
        kind = own_kind
    if str(found.get("schema")).startswith("mirrordrift/certificate/"):
        raise ConfigError(f"{path}: a certificate; replay it with drift check {path}")
    if found.get("schema") == OBJECTIVE_SCHEMA:
        raise ConfigError(
            f"{path} is a preference objective, and its maps are decided one by one: {of_file(path)}"
        )
    if isinstance(members := found.get("members"), list):
        chosen = [m for m in members if isinstance(m, dict) and m.get("knee") is True]
        chosen = chosen or (members if len(members) == 1 else [])
        if len(chosen) != 1 or not isinstance(chosen[0], dict):
            raise ConfigError(
                f"{path}: a front of {len(members)} members with {len(chosen)} marked as its knee; "
                "save the one member that you mean as an object of its own"
            )
        found = chosen[0]
    text, parameters = found.get("formula"), found.get("parameters", {})
    if not isinstance(text, str) or not isinstance(parameters, dict):
        raise ConfigError(
            f'{path}: no member of a front; it needs {{"formula": "...", "parameters": {{...}}}}'
        )
    own: dict[str, Any] = {k: v for k, v in parameters.items() if k not in declared}
    return Drift.from_text(text, {**own, **declared}, kind=kind)


def _from_object(spec: object, declared: Mapping[str, Interval], kind: str) -> Target:
    if isinstance(spec, Drift):
        return _bound(spec, declared)
    if isinstance(spec, Expression):
        return Drift(formula=spec, kind=kind, domains=declared)
    if isinstance(spec, Path):
        return _from_file(str(spec), spec.suffix, declared, kind)
    from symbolic.sympy_bridge import from_sympy, is_sympy

    if is_sympy(spec):
        return Drift(formula=from_sympy(spec), kind=kind, domains=declared)
    from symbolic.network import DriftNetwork

    if isinstance(spec, DriftNetwork):
        if declared:
            raise ConfigError(f"'{min(declared)}' is declared, but a network has no parameters")
        return spec
    raise ConfigError(
        f"{type(spec).__name__} is no drift; give text, a Drift, a SymPy expression or a network"
    )
