"""`drift check`: replay certificates with the program that shares nothing with the prover."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from mirrordrift.certificates import read_certificates, replay
from mirrordrift.cli import ERROR, PROVED, REFUTED, worst
from mirrordrift.cli.options import Common
from mirrordrift.cli.streams import complain

SCHEMA = "mirrordrift/check/1"
EXAMPLES = """
drift verify kl --certificate kl.json
drift check kl.json
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Replay a certificate, or a file with one a line, and show what it establishes.

    Exit code: 0 replayed, 1 does not replay, 2 unreadable.
    """

    file: Annotated[Positional[str], arg(metavar="FILE")]
    """What `drift verify --certificate` wrote."""


def run(options: Options) -> int:
    """Replay every certificate of the file."""
    codes: list[int] = []
    for data in read_certificates(Path(options.file)):
        if codes and not options.json:
            print()
        codes.append(_check(data, options))
    return worst(codes)


def _check(data: object, options: Options) -> int:
    from mirrordrift.render import kind_of, missing, ranges, show_replay
    from verify.checker import UnreadableCertificate

    try:
        found = replay(data)
    except UnreadableCertificate as error:
        if options.json:
            print(json.dumps({"schema": SCHEMA, "replayed": False, "error": str(error)}))
        complain(f"drift: {options.file}: {error}")
        return ERROR
    if options.json:
        shown = {
            "schema": SCHEMA,
            "replayed": found.ok,
            "formula": found.formula,
            "domains": ranges(kind_of(found), found.domains, found.formula),
            "conditions": dict(found.conditions),
            "missing": missing(found),
            "error": found.error or None,
        }
        print(json.dumps(shown))
    else:
        show_replay(found)
    return PROVED if found.ok else REFUTED
