"""`python -m mirrordrift`: the command line without its script.

`-m` puts the current folder first on the path, where a folder called `rl/` or `search/` would be
taken for one of ours; unless the package itself lives there, the entry is dropped.
"""

import sys
from pathlib import Path

if sys.path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
    if Path(sys.path[0]).resolve() == Path.cwd():
        del sys.path[0]

from mirrordrift.cli import entry

if __name__ == "__main__":
    sys.exit(entry())
