"""What the commands that search have in common: their flags, and what these change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from tyro.conf import UseAppendAction, arg

from mirrordrift.cli.options import UNSET, Common, Flag, Texts, check_resumed, fields_asked
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from search.folder import SearchFolder
    from search.settings import SearchSettings

S = TypeVar("S", bound="SearchSettings")
F = TypeVar("F", bound="SearchFolder[Any]")


_FLAGS = ("seed", "envs", "held_out_envs", "generations", "inner")
"""Fields that --set does not reach: they have flags, or a prefix."""


@dataclass(frozen=True, kw_only=True)
class SearchOptions(Common):
    """Flags of a search."""

    preset: Annotated[str, arg(metavar="NAME", help_behavior_hint="")] = ""
    """What to search, where, and how."""
    env: Annotated[
        UseAppendAction[Texts], arg(metavar="NAME", help_behavior_hint="(the preset's; repeatable)")
    ] = ()
    """An environment to train in; several weigh the same."""
    held_out: Annotated[
        UseAppendAction[Texts], arg(metavar="NAME", help_behavior_hint="(the preset's; repeatable)")
    ] = ()
    """An environment to judge in, too, though nothing is trained for it."""
    generations: Annotated[int, arg(metavar="N", help_behavior_hint="(the preset's)")] = UNSET
    """Steps of the search; beside --resume, where it is going to end now."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Everything random follows from it."""
    set: Annotated[
        UseAppendAction[Texts], arg(metavar="FIELD=VALUE", help_behavior_hint="(repeatable)")
    ] = ()
    """Change a field, seeds=4; one of the trainings, inner.num_envs=64. The reference has all."""
    out: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """The folder to make."""
    resume: Annotated[str, arg(metavar="DIR", help_behavior_hint="")] = ""
    """Go on with the search of this folder, as if it had not been interrupted."""
    distributed: Flag = False
    """Share the agents with the other processes of a SLURM or MPI job."""

    def __post_init__(self) -> None:
        if self.resume:
            check_resumed(self, ("preset", "env", "held_out", "seed", "set", "out"))
        elif not (self.preset and self.out):
            raise ConfigError("give --preset NAME and --out DIR, or --resume DIR")


def changed(options: SearchOptions, config: S, parts: Mapping[str, str] | None = None) -> S:
    """A preset with what the options change; `parts` are fields that have settings of their own.

    By prefix: "strategy." changes the fields of config.strategy. Raises ConfigError.
    """
    from rl.config import TrainerConfig
    from search.settings import EVERYWHERE

    names = parts or {}
    settings = [setting.strip() for setting in options.set]
    plain = [s for s in settings if not s.startswith(("inner.", *names))]
    for prefix, name in names.items():
        part = getattr(config, name)
        for setting in plain:
            if setting.partition("=")[0].strip() in {field.name for field in fields(part)}:
                raise ConfigError(f"--set {setting:.60}: write --set {prefix}{setting:.60}")
    changes: dict[str, Any] = fields_asked(
        type(config), plain, without=(*_FLAGS, *names.values())
    ) | {"seed": options.seed}
    for prefix, name in names.items():
        part = getattr(config, name)
        own = [s for s in settings if s.startswith(prefix)]
        changes[name] = replace(part, **fields_asked(type(part), own, prefix))
    inner = [s for s in settings if s.startswith("inner.")]
    asked = fields_asked(TrainerConfig, inner, "inner.", without=("num_evaluations",))
    everywhere = {**config.inner.get(EVERYWHERE, {}), **asked}
    changes["inner"] = {**config.inner, EVERYWHERE: everywhere}
    if options.env:
        changes["envs"] = options.env
    if options.held_out:
        changes["held_out_envs"] = options.held_out
    if options.generations != UNSET:
        changes["generations"] = options.generations
    return replace(config, **changes)


def resumed(options: SearchOptions, kind: type[F], path: Path) -> tuple[Any, F]:
    """The search of a folder, made longer if that is asked for."""
    folder, config = kind.open(path)
    if options.generations not in (UNSET, config.generations):
        config = replace(config, generations=options.generations)
        folder.extend(config)
    return config, folder
