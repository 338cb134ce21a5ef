"""`python -m mirrordrift`: the command line without its script.

`-m` puts the current folder first on the path, where a folder called `rl/` or `search/` would be
taken for one of ours; unless the package itself lives there, the entry is dropped.
"""

import os.path
import sys

# Without pathlib: before `main` runs, an interrupt shows a traceback.
_FIRST = os.path.realpath(sys.path[0]) if sys.path else ""
if os.path.realpath(os.curdir) == _FIRST and not os.path.samefile(  # noqa: PTH121
    _FIRST,
    os.path.join(os.path.dirname(__file__), os.pardir),  # noqa: PTH118, PTH120
):
    del sys.path[0]

from mirrordrift.cli import entry  # noqa: E402

if __name__ == "__main__":
    sys.exit(entry())
