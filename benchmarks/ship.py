"""Make the network of a finished meta-training one that is shipped, and keep what it goes on from.

    python benchmarks/ship.py meta/breakout lpo-breakout "drift meta-train --preset breakout"

Writes search/pretrained/NAME.npz and .json, and copies the folder, without its history, to
benchmarks/meta/NAME: `drift meta-train --resume` goes on there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from search.meta.folder import NETWORK_FILE, MetaFolder
from symbolic.network import load_network, save_network

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("meta.json", "generations.jsonl", "baseline.json", "state.npz")


def main() -> None:
    """Copy and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("command", help="what makes it again, but for --out")
    asked = parser.parse_args()
    folder, _ = MetaFolder.open(asked.folder)
    network = load_network(asked.folder / NETWORK_FILE)
    target = ROOT / "search" / "pretrained" / f"{asked.name}.npz"
    save_network(target, network)
    last = folder.records(sys.maxsize)[-1]
    story = {
        "hash": network.content_hash,
        "command": asked.command,
        "generations": last["generation"],
        "judgement": last["held_out"],
    }
    target.with_suffix(".json").write_text(json.dumps(story, indent=1) + "\n")
    kept = ROOT / "benchmarks" / "meta" / asked.name
    kept.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        shutil.copy(asked.folder / name, kept / name)
    print(f"written: {target}, {kept}")


if __name__ == "__main__":
    main()
