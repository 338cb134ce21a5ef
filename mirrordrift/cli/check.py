"""`drift check`: replay certificates with the program that shares nothing with the prover."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from mirrordrift.cli import ERROR, PROVED, REFUTED, worst
from mirrordrift.cli.options import Common
from mirrordrift.interface import read_certificates

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
    return worst([_check(data, options) for data in read_certificates(Path(options.file))])


def _check(data: object, options: Options) -> int:
    from verify.checker import UnreadableCertificate, check_certificate

    try:
        replay = check_certificate(data)
    except UnreadableCertificate as error:
        if options.json:
            print(json.dumps({"schema": SCHEMA, "replayed": False, "error": str(error)}))
        print(f"drift: {options.file}: {error}", file=sys.stderr)
        return ERROR
    if options.json:
        found = {
            "schema": SCHEMA,
            "replayed": replay.ok,
            "formula": replay.formula,
            "domains": dict(replay.domains),
            "conditions": dict(replay.conditions),
            "error": replay.error or None,
        }
        print(json.dumps(found))
    else:
        from mirrordrift.render import show_replay

        show_replay(replay)
    return PROVED if replay.ok else REFUTED
