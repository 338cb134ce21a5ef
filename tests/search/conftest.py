"""The tests of the search need the extra `train`; where it is missing they are not collected."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("jax") and find_spec("brax") else ["test_*.py"]
