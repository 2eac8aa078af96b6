"""The project is whole: one version, migrations without gaps, every module importable, locks up to date."""

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import perdure

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MIGRATIONS = ROOT / "src/perdure/store/postgres/migrations"
CHILD_PROGRAMS: frozenset[str] = frozenset()
"""Modules that are programs of their own: importing them would run them."""
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(perdure.__path__, "perdure.")
    if not module.name.endswith("__main__") and module.name not in CHILD_PROGRAMS
)


def locked(name: str) -> dict[str, str]:
    """Package name to pinned version, as the lock file says."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


def test_one_version() -> None:
    assert PROJECT["project"]["version"] == perdure.__version__


def test_migrations_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in MIGRATIONS.glob("*.sql"))
    assert names
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name) for name in names), names
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


@pytest.mark.parametrize("name", MODULES)
def test_module_can_be_imported(name: str) -> None:
    importlib.import_module(name)


def test_locks_hold_what_the_project_asks_for() -> None:
    project = PROJECT["project"]
    runtime = [Requirement(text) for text in project["dependencies"]]
    everything = runtime + [
        Requirement(text)
        for text in [*project["optional-dependencies"]["embedded"], *PROJECT["dependency-groups"]["dev"]]
    ]
    for name, requirements in (("requirements-runtime.lock", runtime), ("requirements.lock", everything)):
        versions = locked(name)
        for requirement in requirements:
            pinned = versions.get(canonicalize_name(requirement.name))
            assert pinned is not None, f"{name} lacks {requirement.name}: run `make lock`"
            assert pinned in requirement.specifier, f"{name} has {requirement} at {pinned}: run `make lock`"


def test_locks_agree() -> None:
    everything = locked("requirements.lock")
    for name, version in locked("requirements-runtime.lock").items():
        assert everything.get(name) == version


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-runtime.lock"])
def test_locks_name_no_index(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
