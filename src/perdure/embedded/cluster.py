"""The data directory: made once, checked at every start."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

from perdure.embedded.errors import EmbeddedError
from perdure.embedded.programs import VERSION, Programs

USER: Final = "perdure"
_INITDB: Final = (
    f"--username={USER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)


async def ensure(data: Path, programs: Programs) -> None:
    """See that `data` is a cluster of our version and of the right user. Raises `EmbeddedError`."""
    if not (data / "PG_VERSION").exists():
        await _make(data, programs)
    found = (data / "PG_VERSION").read_text("ascii").strip()
    if found != VERSION:
        raise EmbeddedError(
            f"The data in {data} are of PostgreSQL {found}, but PostgreSQL {VERSION} is installed. "
            "Go back to the release of Perdure that made them, or choose another directory with --data-dir"
        )
    _check_owner(data, programs)


async def _make(data: Path, programs: Programs) -> None:
    """Make it beside, then move it into place, so that an interrupted start leaves nothing half done."""
    fresh = _fresh(data, programs)
    making = await programs.run("initdb", *_INITDB, f"--pgdata={fresh}", output=asyncio.subprocess.PIPE)
    output, _ = await making.communicate()
    if making.returncode != 0:
        said = output.decode("utf-8", "replace").strip()
        raise EmbeddedError(f"A PostgreSQL data directory can't be made in {fresh}: {said}")
    fresh.replace(data)


def _fresh(data: Path, programs: Programs) -> Path:
    if data.exists() and any(data.iterdir()):
        raise EmbeddedError(
            f"{data} is neither empty nor a PostgreSQL data directory. Choose another one with --data-dir"
        )
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    programs.give(fresh)
    return fresh


def _check_owner(data: Path, programs: Programs) -> None:
    """Where another user started it before (root, then not, or the other way), mend it or say so."""
    owner = data.stat().st_uid
    if programs.account is None:
        if owner != os.geteuid():
            raise EmbeddedError(
                f"{data} belongs to the user with id {owner}. Start as that user (as root, if root "
                "started it first), or choose another directory with --data-dir"
            )
    elif owner != programs.account.user:
        for path in (data, *data.rglob("*")):
            programs.give(path)
