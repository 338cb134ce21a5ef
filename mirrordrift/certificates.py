"""Files of certificates: bounded going in, replayed, and described as their formula or network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.checker import Replay

MAX_CERTIFICATE = 64 * 2**20
"""Bytes of a file of certificates."""


def replay(data: object) -> Replay:
    """What the checker says of a certificate; one that claims nothing does not replay.

    Raises UnreadableCertificate for what is no certificate.
    """
    from verify.checker import check_certificate

    found = check_certificate(data)
    if isinstance(data, Mapping) and data.get("kind") == "network":
        found = replace(found, formula=_network(data.get("network")))
    if isinstance(data, Mapping) and data.get("kind") == "mirror-network":
        found = replace(found, formula=_mirror_network(data.get("network")))
    if not found.ok or found.conditions:
        return found
    return replace(found, ok=False, error="it has no condition, so nothing is proved or refuted")


def _network(network: Any) -> str:
    """The network of a certificate as one line of text, like that of its file."""
    import numpy as np

    from symbolic.network import DriftNetwork
    from symbolic.parser import parse
    from verify.network.structure import describe

    try:
        epsilon = network["ppo_epsilon"]
        layers = [
            np.array([float.fromhex(weight) for weight in weights]).reshape(shape)
            for weights, shape in zip(network["layers"], network["shapes"], strict=True)
        ]
        return describe(
            DriftNetwork(
                layers=tuple(layers),
                features=tuple(map(parse, network["features"])),
                activation=network["activation"],
                xi=Fraction(network["xi"]),
                ppo_epsilon=None if epsilon is None else Fraction(epsilon),
            )
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, ZeroDivisionError):
        return "a network that is not readable"  # the checker says why


def _mirror_network(network: Any) -> str:
    """The network for mirror maps of a certificate as one line of text."""
    try:
        units, features = len(network["weights"]), ("x", "x*t")[: len(network["factors"])]
        skip = float.fromhex(network["skip"])
        rest = "log(x) - log(1 - x)" if network["kind"] == "mirror-map" else "log(x)"
        return f"network[{units} units]({', '.join(features)}) + {skip!r}*({rest})"
    except (KeyError, TypeError, ValueError, OverflowError):
        return "a network that is not readable"


def read_certificates(path: Path) -> list[object]:
    """The certificates of a file: one JSON object, or one a line.

    Raises UnreadableCertificate for a file that cannot be read or is no JSON.
    """
    from verify.checker import UnreadableCertificate

    try:
        with path.open("rb") as file:
            content = file.read(MAX_CERTIFICATE + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UnreadableCertificate(
            f"{path}: cannot be read ({error.strerror}); check the path"
        ) from None
    except ValueError:
        raise UnreadableCertificate(
            f"{path}: no UTF-8 text; write it with `drift verify --certificate`"
        ) from None
    if len(content) > MAX_CERTIFICATE:
        raise UnreadableCertificate(
            f"{path}: more than the {MAX_CERTIFICATE} bytes allowed; split its lines into files"
        )
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise UnreadableCertificate(f"{path}: the file is empty; write one with --certificate")
    try:
        if len(lines) > 1 and all(line.startswith("{") for line in lines):
            return [_strict_json(line) for line in lines]
        return [_strict_json(text)]
    except (ValueError, RecursionError) as error:
        raise UnreadableCertificate(
            f"{path}: not readable as JSON ({error!s:.200}); write it with --certificate"
        ) from None


def _strict_json(text: str) -> object:
    """JSON without NaN and infinities, and without a key that stands twice."""

    def refuse(token: str) -> None:
        raise ValueError(f"{token} is no JSON number")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key occurs twice")
        return found

    return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
