"""What the stages of a discovery do, from a network to a front; each leaves files in the folder.

network.npz    the drift network that everything follows from
meta/          its meta-training, where it was not shipped
density/KEY/   trainings with the network, which record where a drift is asked
samples.npz    its values and slopes there
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rl import environments, scoring
from rl.records import writing_into
from search import pretrained
from search.distill.sampling import DENSITY_FILE, points, sampled
from search.meta.folder import MetaFolder
from search.meta.presets import PRESETS as META
from search.meta.training import meta_train
from search.pipeline.config import DiscoverConfig
from symbolic.distill.samples import save_samples
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, load_network, save_network

NETWORK, SAMPLES, DENSITY, META_FOLDER = "network.npz", "samples.npz", "density", "meta"
_FIRST_DENSITY_SEED = 2**30
"""Seeds of the trainings that record densities: none that a comparison is likely to use itself."""

Progress = Callable[[str, int], Callable[..., None]]
"""(title, updates or generations) -> what hears of them."""


def begin_with(config: DiscoverConfig) -> DriftNetwork | None:
    """The network that is given; None where it is to be meta-trained. Raises ConfigError."""
    return pretrained.named_or_read(config.network) if config.network else None


def network_hash(config: DiscoverConfig, folder: Path) -> str | None:
    """The hash of the network that is given, or, if that is gone, of the copy in the folder."""
    try:
        given = begin_with(config)
    except ConfigError:
        if not (folder / NETWORK).exists():
            raise
        given = load_network(folder / NETWORK)
    return None if given is None else given.content_hash


def make_network(
    config: DiscoverConfig,
    folder: Path,
    versions: Mapping[str, str | None],
    progress: Callable[[dict[str, Any]], None] | None,
) -> None:
    """network.npz: given, or meta-trained; a meta-training goes on where it was."""
    network = begin_with(config)
    if network is None:
        asked = replace(META[config.meta_preset], seed=config.seed)
        place = folder / META_FOLDER
        meta = (
            MetaFolder.open(place)[0]
            if (place / MetaFolder.NAME).exists()
            else MetaFolder.create(place, asked)
        )
        network = meta_train(asked, meta, versions=versions, progress=progress)
    with writing_into(folder):
        save_network(folder / NETWORK, network)


def make_density(config: DiscoverConfig, network: Path, place: Path, begin: Progress) -> None:
    """Trainings with the network in every environment; what is there is not trained again."""
    drift = load_network(network)
    first = _FIRST_DENSITY_SEED + config.seed % _FIRST_DENSITY_SEED
    seeds = range(first, first + config.density_seeds)
    for env in config.envs:
        trainer = config.trainer(env)
        scoring.evaluate(
            [drift],
            environments.task_of(env, trainer),
            trainer,
            seeds,
            folder=place / env,
            progress=begin(f"{env}, with the network", trainer.num_updates),
        )


def densities(config: DiscoverConfig, place: Path) -> list[Path]:
    """The recorded densities, by environment in their order."""
    return [path for env in config.envs for path in sorted((place / env).rglob(DENSITY_FILE))]


def make_samples(config: DiscoverConfig, folder: Path, place: Path) -> None:
    """samples.npz: the network where its trainings asked it."""
    at = points(config.points, config.seed, densities(config, place))
    samples = sampled(load_network(folder / NETWORK), at)
    with writing_into(folder):
        save_samples(folder / SAMPLES, samples)
