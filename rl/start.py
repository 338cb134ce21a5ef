"""How JAX starts: the one place that settles it, to be called before anything computes.

jaxlib 0.10 can stop for ever in long runs on two CPU cores, with every thread of its pool waiting;
the version range of the distribution keeps to a jaxlib that does not. What is set here: one CPU
device for each core, so that agents run side by side, and a cache of compiled programs on disk, so
that a second start is quick.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from symbolic.cores import usable_cores
from symbolic.errors import ConfigError


def start(*, devices: int | None = None, distributed: bool = False) -> None:
    """Set JAX up; a platform or flags that the environment already chose are left alone.

    `devices` is the number of CPU devices, by default one for each core this process may use.
    `distributed` joins the other processes of a cluster's job, which JAX finds by what SLURM, Open
    MPI or Kubernetes put into the environment. Raises ConfigError if it finds none.
    """
    import jax

    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        # Where JAX computed something already, its devices are what they are.
        with suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", devices or usable_cores())
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(_cache_folder()))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    if distributed:
        try:
            jax.distributed.initialize()
        except ValueError as error:
            raise ConfigError(
                f"no other processes found ({error}); start this as a SLURM or MPI job, "
                "or leave out --distributed"
            ) from None


def leads() -> bool:
    """Whether this process speaks and writes for all that share the agents."""
    import jax

    return bool(jax.process_index() == 0)


def least(number: int) -> int:
    """The least that any of the processes that share the agents has; all of them have to ask."""
    import jax

    if jax.process_count() == 1:
        return number
    import numpy as np
    from jax.experimental import multihost_utils

    return int(multihost_utils.process_allgather(np.int32(number)).min())


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mirrordrift" / "jax"
