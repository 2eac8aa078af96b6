"""The server's socket: in a private directory with a short path, since about 100 bytes are all it may have."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from perdure.embedded.errors import EmbeddedError
from perdure.embedded.programs import Programs

PORT: Final = 5432
_PREFIX: Final = "perdure-"
_PATH_BYTES_MAX: Final = 103
"""macOS; Linux allows four more."""


class Sockets:
    """The directory, remembered in a file, so that one left by a killed owner is found and removed."""

    def __init__(self, note: Path) -> None:
        self._note = note

    def make(self, programs: Programs) -> Path:
        """A new directory that only the server's user, and root, can enter. Raises `EmbeddedError`."""
        self.clear()
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_parent()))
        self._note.write_text(str(made), "utf-8")
        programs.give(made)
        return made

    def clear(self) -> None:
        """Remove the last one, if it is still there."""
        try:
            last = Path(self._note.read_text("utf-8"))
        except FileNotFoundError:
            return
        if last.name.startswith(_PREFIX) and last.is_dir() and not last.is_symlink():
            shutil.rmtree(last, ignore_errors=True)
        self._note.unlink()


def _parent() -> str:
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108
        longest = os.path.join(parent, f"{_PREFIX}12345678", f".s.PGSQL.{PORT}")  # noqa: PTH118
        if len(os.fsencode(longest)) <= _PATH_BYTES_MAX:
            return parent
    raise EmbeddedError(f"No directory for the server's socket: {tempfile.gettempdir()} is too long. Set TMPDIR")
