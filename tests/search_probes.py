"""What the tests of searches share: a task that takes no time, and writes that are cut off."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from probe_envs import TINY, right_action

from search import settings
from search.arena import Arena

INNER = {
    "*": {
        **TINY, "total_env_steps": 256, "update_epochs": 4, "learning_rate": 0.01,
        "num_eval_envs": 64,
    }
}  # fmt: skip
"""Trainings in which drifts make a difference, though a small one."""


class Killed(BaseException):
    """What nothing in the program expects."""


@contextmanager
def tiny_task(*modules: ModuleType) -> Iterator[None]:
    """Any environment is a tiny task, and the arenas of `modules` are compiled once."""
    task = right_action()
    made: dict[Any, Arena] = {}

    def arena(task: Any, config: Any, like: Any, seeds: int) -> Arena:
        key = (task, config, like.form, like.count, seeds)
        if key not in made:
            made[key] = Arena(task, config, like, seeds)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings.environments, "task_of", lambda name, config: task)
        for module in modules:
            patch.setattr(module, "Arena", arena)
        yield


@contextmanager
def killed_at(write: int) -> Iterator[None]:
    """The process dies when the file of that number is about to be put in place."""
    left = write
    replace_file: Callable[..., None] = os.replace

    def dying(*args: Any, **kwargs: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        replace_file(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", dying)
        with pytest.raises(Killed):
            yield
