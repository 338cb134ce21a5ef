"""The axis of agents, cut into equal parts, one for each device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "agents"


class AgentAxis:
    """How `width` agents lie on the devices of all processes; the width is rounded up to fill them."""

    def __init__(self, width: int) -> None:
        devices = jax.devices() if jax.process_count() > 1 else jax.devices()[:width]
        self.width = -(-width // len(devices)) * len(devices)
        mesh = Mesh(np.array(devices), (AXIS,))
        self.cut = NamedSharding(mesh, PartitionSpec(AXIS))
        self.whole = NamedSharding(mesh, PartitionSpec())
        """Shardings of what agents differ in, and of what all devices have."""

    def sharded(self, function: Callable[..., Any], cut: int, whole: int) -> Callable[..., Any]:
        """`function` with its first `cut` arguments along the axis, one part a device, and then
        `whole` arguments that all devices have.
        """
        return jax.shard_map(
            function,
            mesh=self.cut.mesh,
            in_specs=(self.cut.spec,) * cut + (self.whole.spec,) * whole,
            out_specs=self.cut.spec,
            check_vma=False,
        )
