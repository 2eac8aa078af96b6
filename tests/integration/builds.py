"""`perdure` as an earlier commit of this project has it, in an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from integration.programs import EXECUTABLE
from servers import guard

ROOT = Path(__file__).parents[2]
LOCK = "requirements.lock"
SOURCE = "import perdure; print(perdure.__file__)"


@dataclass(frozen=True)
class Build:
    """Its commands are run with `environment` beside what else they need."""

    name: str
    executable: Path
    environment: Mapping[str, str] = field(default_factory=dict)


PRESENT = Build("new", EXECUTABLE)


def older(commit: str) -> Build:
    """Installed in a directory that is gone after the run. Raises `AssertionError` where something else would run."""
    name = _output("git", "rev-parse", "--short", "--verify", "--quiet", f"{commit}^{{commit}}")
    checkout = Path(tempfile.mkdtemp(prefix=f"perdure-{name}-"))
    guard.remove(str(checkout))
    archive = subprocess.run(["git", "archive", name], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", str(checkout)], input=archive, check=True)
    if (checkout / LOCK).read_bytes() == (ROOT / LOCK).read_bytes():
        _borrow(checkout)
    else:
        subprocess.run([str(checkout / "scripts/setup.sh"), str(checkout / ".venv")], check=True)
    build = Build(name, checkout / ".venv/bin/perdure", {"PYTHONPATH": ""})
    _check_source(build, checkout)
    return build


def _borrow(checkout: Path) -> None:
    """An environment with the packages of ours, as they are the same, and the older source before them."""
    folder = checkout / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{checkout / 'src'}\n{sysconfig.get_path('purelib')}\n")
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"]["perdure"].partition(":")
    command = folder / "bin/perdure"
    command.write_text(f"#!{folder / 'bin/python'}\nfrom {module} import {function}\n\n{function}()\n")
    command.chmod(0o755)


def _check_source(build: Build, checkout: Path) -> None:
    """What the command would run is the older source, whatever PYTHONPATH we were started with."""
    command = build.executable.read_text()
    assert command.startswith(f"#!{checkout}"), command[:200]
    source = _output(str(build.executable.with_name("python")), "-c", SOURCE, environment=build.environment)
    assert Path(source).is_relative_to(checkout), f"{build.name} would run {source}"


def _output(*command: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, check=False, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)} failed with {done.returncode}"
    return done.stdout.strip()
