"""What is shipped: the five packages, typed, and one version everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"symbolic", "verify", "rl", "search", "mirrordrift"}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    """Every name in a freshly built wheel."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_holds_exactly_the_five_packages(wheel_names):
    top = {name.split("/")[0] for name in wheel_names}
    assert {name for name in top if not name.endswith(".dist-info")} == ROOMS


def test_every_package_is_typed(wheel_names):
    assert {f"{room}/py.typed" for room in ROOMS} <= set(wheel_names)


def test_wheel_holds_what_is_used_by_name(wheel_names):
    shipped = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("*/*/*.npz")}
    assert {"rl/reference_agents/hopper-900.npz", "search/pretrained/lpo-cartpole.npz"} <= shipped
    assert shipped - {name for name in shipped if name.startswith("benchmarks/")} <= set(
        wheel_names
    )


def test_wheel_holds_the_licence_and_no_leftovers(wheel_names):
    assert any(name.endswith("licenses/LICENSE") for name in wheel_names)
    assert not [name for name in wheel_names if "__pycache__" in name or name.endswith(".pyc")]


def test_one_version_everywhere(project):
    import mirrordrift

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    assert mirrordrift.__version__ == project["version"] == version("mirrordrift")
    assert re.search(rf"^## \[{re.escape(project['version'])}\]", changelog, re.MULTILINE)
    assert f"\nversion: {project['version']}\n" in citation


def test_all_is_everything_but_what_is_large(project):
    extras = project["optional-dependencies"]
    (everything,) = extras["all"]
    named = set(everything.removeprefix("mirrordrift[").removesuffix("]").split(","))
    assert named == set(extras) - {"all", "export", "bench", "playground", "wandb"}


def test_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert [
        pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", pin)
    ] == []


def test_every_direct_dependency_is_constrained(project):
    pinned = {
        normal(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    }
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {normal(re.match(r"[A-Za-z0-9._-]+", text)[0]) for text in wanted}
    assert names - {"mirrordrift"} <= pinned


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_readme_has_two_set_up_commands():
    """One installs and runs the main job, one installs and runs the tests."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python -m pip install .+$", readme, re.MULTILINE)
    assert len(commands) == 2
    assert "&& drift " in commands[0]
    assert "&& python -m pytest" in commands[1]
