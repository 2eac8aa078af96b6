"""Brings the peers here: into a directory of their own, as nothing of ours depends on them."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PLACE = HERE.parent / ".peers"
PINNED = (HERE / "requirements.txt", HERE / "package.json")
PYTHON = PLACE / "venv" / "bin" / "python"
SECONDS_MAX = 600


def install() -> None:
    """Make the environment unless it is there with the versions that are pinned now."""
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in PINNED)).hexdigest()
    made = PLACE / "made"
    if made.exists() and made.read_text("utf-8") == wanted:
        return
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    _run(sys.executable, "-m", "venv", str(PLACE / "venv"))
    _run(str(PYTHON), "-m", "pip", "install", "--quiet", "--requirement", str(PINNED[0]))
    shutil.copy(PINNED[1], PLACE)
    # Without scripts: the program comes in the package, and a script of another would tell its maker of us.
    _run("npm", "install", "--prefix", str(PLACE), "--ignore-scripts", "--no-audit", "--no-fund")
    restate_server()
    made.write_text(wanted, "utf-8")


def restate_server() -> Path:
    """The program itself; the package of its name is a script that starts it."""
    found = sorted((PLACE / "node_modules" / "@restatedev").glob("restate-server-*/bin/restate-server"))
    if not found:
        raise RuntimeError("there is no Restate server for this machine on npm: it has them for Linux and macOS")
    return found[0]


def _run(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or ""
        raise RuntimeError(
            "The peers can't be installed. Install Node.js with npm, and Python with venv and pip, have pip and npm "
            "reach their registries, and try again; or leave the workload `peer` out. "
            f"{error}: {said[-2000:]}"
        ) from error
