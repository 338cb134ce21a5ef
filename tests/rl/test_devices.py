"""Results do not depend on how many devices share the agents, nor on how many processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

WORKER = """
import json, sys
from rl.start import start
devices, distributed, agents = int(sys.argv[1]), sys.argv[2] == "True", int(sys.argv[3])
start(devices=devices, distributed=distributed)
import jax
import numpy as np
from probe_envs import right_action
from rl.config import TrainerConfig
from rl.drifts import of_formulas
from rl.memory import agreed
from rl.population import Population
from symbolic.catalogue import catalogue

config = TrainerConfig(
    total_env_steps=2_560, num_envs=32, unroll_length=8, num_minibatches=4, update_epochs=2,
    learning_rate=5e-3, policy_hidden=(16,), value_hidden=(16,), activation="tanh",
)
assert distributed or len(jax.devices()) == devices
names = ["ppo", "dpo", "kl", "spo", "k3", "mdpo", "chi-square", "zero"][:agents]
population = Population.alone(
    right_action(), config, of_formulas([catalogue[name] for name in names]), [0]
)
assert len(population.programs.cut.device_set) == min(agents, len(jax.devices()))
if distributed:
    limit = 2**30 + 2**20 * jax.process_index()
    assert agreed(limit) == 2**30, "all processes have to choose the same width"
state, metrics = population.run(population.init(), config.num_updates)
weights = population.programs.gather(state.parameters)
flat = [np.asarray(leaf)[:agents].reshape(agents, -1) for leaf in jax.tree.leaves(weights)]
if jax.process_index() == 0:
    found = {"weights": np.concatenate(flat, axis=1).tolist(), "entropy": metrics["entropy"].tolist()}
    print(json.dumps(found))
"""


def start(
    devices: int, agents: int, cluster: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    tests = Path(__file__).parents[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "OMPI"))}
    environment |= {"PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}", **(cluster or {})}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(devices), str(cluster is not None), str(agents)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> np.ndarray:
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err[-2000:]
    return np.array(json.loads(out.splitlines()[-1])["weights"])


@pytest.fixture(scope="module")
def alone() -> np.ndarray:
    return answer(start(devices=1, agents=8))


def test_four_devices(alone: np.ndarray) -> None:
    """Ten updates of eight agents, two a device, against all on one."""
    np.testing.assert_allclose(answer(start(devices=4, agents=8)), alone, rtol=1e-5, atol=1e-7)


def test_equal_local_batches_are_equal_bit_for_bit() -> None:
    """Two agents on one device are what the first two of eight on four devices are."""
    np.testing.assert_array_equal(
        answer(start(devices=1, agents=2)), answer(start(devices=4, agents=8))[:2]
    )


def test_two_processes(alone: np.ndarray) -> None:
    """As Open MPI starts them: the first process has the whole answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        start(
            devices=1,
            agents=8,
            cluster={
                "OMPI_MCA_orte_hnp_uri": "1.0;tcp://127.0.0.1:1",
                "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
                "OMPI_COMM_WORLD_SIZE": "2",
                "OMPI_COMM_WORLD_RANK": str(rank),
                "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
            },
        )
        for rank in (0, 1)
    ]
    np.testing.assert_allclose(answer(processes[0]), alone, rtol=1e-5, atol=1e-7)
    processes[1].communicate(timeout=60)
    assert processes[1].returncode == 0
