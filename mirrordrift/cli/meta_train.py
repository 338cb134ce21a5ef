"""`drift meta-train`: drift networks trained by evolution, in a folder that survives."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import UseAppendAction, arg

from mirrordrift.cli import PROVED
from mirrordrift.cli.options import UNSET, Common, Flag, Texts, check_resumed, fields_asked
from mirrordrift.cli.stalls import ended_if_stalled
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from search.meta.config import MetaConfig
    from search.meta.folder import MetaFolder

EXAMPLES = """
drift meta-train --preset quick --out meta/quick
drift meta-train --preset quick --env Acrobot-v1 --set strategy.sigma=0.1 --out meta/acrobot
drift meta-train --resume meta/quick --generations 100
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Meta-train a drift network by evolution strategies: Learnt Policy Optimisation.

    The folder gets a record of every generation, pictures, and network.npz, which `drift verify
    --network`, `drift train --drift` and `drift plot` take. Presets: quick (two cores, minutes),
    gpu-30min, and lpo-paper, lpo-zero-paper, ta-lpo and lpo-ablation at the size of the papers.

    Exit code: 0 trained, 2 could not run, 130 interrupted (resumable).
    """

    preset: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    """What to train, and how."""
    env: Annotated[
        UseAppendAction[Texts], arg(metavar="NAME", help_behavior_hint="(the preset's; repeatable)")
    ] = ()
    """An environment to train in; several make a mixture."""
    held_out: Annotated[
        UseAppendAction[Texts], arg(metavar="NAME", help_behavior_hint="(the preset's; repeatable)")
    ] = ()
    """An environment to judge the drift in, too, though no agent is trained for it."""
    generations: Annotated[int, arg(metavar="N", help_behavior_hint="(the preset's)")] = UNSET
    """Steps of the strategy; beside --resume, where the run is going to end now."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Everything random follows from it."""
    set: Annotated[
        UseAppendAction[Texts], arg(metavar="FIELD=VALUE", help_behavior_hint="(repeatable)")
    ] = ()
    """Change a field: seeds=4, strategy.sigma=0.1, network.hidden=[64], inner.num_envs=64."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The folder to make."""
    resume: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """Go on with the meta-training of this folder, as if it had not been interrupted."""
    log: Annotated[
        UseAppendAction[Texts], arg(metavar="SINK", help_behavior_hint="(repeatable)")
    ] = ()
    """Log to tensorboard (in the folder) or wandb as well."""
    distributed: Flag = False
    """Share the agents with the other processes of a SLURM or MPI job."""

    def __post_init__(self) -> None:
        if self.resume:
            check_resumed(self, ("preset", "env", "held_out", "seed", "set", "out"))
        elif not (self.preset and self.out):
            raise ConfigError("give --preset NAME and --out DIR, or --resume DIR")


def run(options: Options) -> int:
    """Meta-train, or go on, one after another where the preset is a study of several."""
    from rl.start import leads, start

    start(distributed=options.distributed)
    from mirrordrift.meta import pictures, tables
    from mirrordrift.render import say, show_table

    top = Path(options.resume or options.out)
    begun = _begin(options)
    with ended_if_stalled(f"drift meta-train --resume {top}"):
        for config, folder in begun:
            _train(options, config, folder)
    if not leads():
        return PROVED
    for _, folder in begun:
        drawn = pictures.draw(folder)
        if not options.json:
            header, rows = tables.judgement(folder)
            show_table(header, rows)
            say(f"written: {folder.path}/network.npz, {', '.join(path.name for path in drawn)}")
    if len(begun) > 1 and not options.json:
        show_table(*tables.study([folder for _, folder in begun]))
    return PROVED


def _train(options: Options, config: MetaConfig, folder: MetaFolder) -> None:
    from mirrordrift.progress import meta_progress
    from mirrordrift.runs import versions
    from mirrordrift.sinks import sinks
    from rl.start import leads
    from search.meta.training import meta_train

    with (
        sinks(
            options.log if leads() else (), folder.path, config.record(), axis="generation"
        ) as log,
        meta_progress(config.generations) as show,
    ):

        def progress(record: dict[str, Any]) -> None:
            if options.json and leads():
                print(json.dumps(record), flush=True)
            log([record])
            show(record)

        meta_train(config, folder, versions=versions(), progress=progress)


def _begin(options: Options) -> list[tuple[MetaConfig, MetaFolder]]:
    """What the options ask for, new or going on, checked before anything is written."""
    from mirrordrift.sinks import check_sinks
    from search.meta.folder import MetaFolder
    from search.meta.training import tasks_of

    check_sinks(options.log)
    if options.resume:
        return [_resumed(path, options.generations) for path in _folders(Path(options.resume))]
    configs = _configs(options)
    for config in configs.values():
        tasks_of(config)
    top = Path(options.out)
    return [(config, MetaFolder.create(top / name, config)) for name, config in configs.items()]


def _configs(options: Options) -> dict[str, MetaConfig]:
    """The preset's meta-trainings by folder, with what the options change."""
    from rl.config import TrainerConfig
    from search.meta.config import EVERYWHERE, MetaConfig
    from search.meta.networks import NetworkShape
    from search.meta.presets import preset
    from search.meta.strategy import StrategyConfig

    def asked(prefix: str, config: type) -> dict[str, Any]:
        own = [s for s in options.set if s.strip().startswith(prefix)]
        return fields_asked(config, own, prefix)

    parts = ("strategy.", "network.", "inner.")
    plain = [s for s in options.set if not s.strip().startswith(parts)]
    changes: dict[str, Any] = fields_asked(MetaConfig, plain) | {"seed": options.seed}
    if options.env:
        changes["envs"] = options.env
    if options.held_out:
        changes["held_out_envs"] = options.held_out
    if options.generations != UNSET:
        changes["generations"] = options.generations
    found = {}
    for name, config in preset(options.preset).items():
        everywhere = {**config.inner.get(EVERYWHERE, {}), **asked("inner.", TrainerConfig)}
        found[name] = replace(
            config,
            strategy=replace(config.strategy, **asked("strategy.", StrategyConfig)),
            network=replace(config.network, **asked("network.", NetworkShape)),
            inner={**config.inner, EVERYWHERE: everywhere},
            **changes,
        )
    return found


def _folders(top: Path) -> list[Path]:
    """The folder itself, or those of a study inside it."""
    if (top / "meta.json").exists():
        return [top]
    return sorted(path.parent for path in top.glob("*/meta.json")) or [top]


def _resumed(path: Path, generations: int) -> tuple[MetaConfig, MetaFolder]:
    from search.meta.folder import MetaFolder

    folder, config = MetaFolder.open(path)
    if generations != UNSET and generations != config.generations:
        config = replace(config, generations=generations)
        folder.extend(config)
    return config, folder
