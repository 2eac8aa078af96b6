"""One owner per data directory, for as long as the owner's process lives."""

import fcntl
import os
from pathlib import Path

from perdure.embedded.errors import EmbeddedError


class OwnerLock:
    """A lock file that names its holder. The kernel frees it however the holder ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Raises `EmbeddedError` where another process, or another owner in this one, holds it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise EmbeddedError(
                f"The data directory {self._path.parent} is in use by the process with id {holder}. "
                "Stop that process, or choose another directory with --data-dir"
            ) from None
        self._handle = handle
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode("ascii"))

    def drop(self) -> None:
        """Free it; harmless where it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
