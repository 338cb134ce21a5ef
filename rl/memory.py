"""How much memory a population may take, where nobody says so."""

from __future__ import annotations

import os

import jax

from rl.start import least

_UNKNOWN = 4 * 2**30
_ACCELERATOR_SHARE, _HOST_SHARE = 0.8, 0.5


def budget() -> int:
    """Bytes on all devices of this process: half of a CPU's memory, four fifths of an accelerator's."""
    devices = jax.local_devices()
    limits = [(device.memory_stats() or {}).get("bytes_limit", 0) for device in devices]
    if all(limits):
        return int(_ACCELERATOR_SHARE * sum(limits))
    if hasattr(os, "sysconf"):
        return int(_HOST_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return _UNKNOWN


def agreed(limit: int) -> int:
    """The least of the limits of all processes that share the agents, in whole KiB."""
    return limit if jax.process_count() == 1 else 1024 * least(max(1, limit // 1024))
