"""A small volume that can be full: a file system in memory, in a namespace of its own.

Nobody else sees it, it needs no rights (an ordinary user has them in a namespace of their own), and it is gone when this
program is, however that ends.
"""

import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from servers import guard
from servers.server import program

CHUNK_BYTES = 1024 * 1024
PAGE_BYTES = 4096
_INSTALL = "util-linux"


class Volume:
    """`size` bytes at `path`, for programs that are started with `entering` before their command."""

    def __init__(self, size: int) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="perdure-test-volume-"))
        guard.remove(str(self.path))
        self._keeper = self._keep(size)
        guard.end_group(self._keeper.pid)
        self.inside = Path(f"/proc/{self._keeper.pid}/root{self.path}")
        """Where this program, which is outside, finds it."""

    @property
    def entering(self) -> list[str]:
        target = ["--target", str(self._keeper.pid), "--mount"]
        nsenter = program("nsenter", install=_INSTALL)
        if os.geteuid() == 0:
            return [nsenter, *target]
        # In the namespace of the volume they are root, in one within it themselves again.
        ids = [f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
        within = [program("unshare", install=_INSTALL), "--user", *ids]
        return [nsenter, "--user", "--preserve-credentials", *target, "--", *within]

    @property
    def free(self) -> int:
        """Bytes."""
        return shutil.disk_usage(self.inside).free

    def fill(self) -> None:
        """Until not one more page fits. What is freed meanwhile is taken too."""
        with (self.inside / "ballast").open("ab", buffering=0) as ballast:
            chunk = bytes(CHUNK_BYTES)
            while chunk:
                try:
                    ballast.write(chunk)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    chunk = chunk[: len(chunk) // 2] if len(chunk) > PAGE_BYTES else b""

    def give_back(self) -> None:
        (self.inside / "ballast").unlink()

    def close(self) -> None:
        """Gone, once the programs that have entered it are."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()
        guard.spare_group(self._keeper.pid)
        self.path.rmdir()

    def _keep(self, size: int) -> "subprocess.Popen[bytes]":
        """The process that holds the namespace, until its input ends."""
        mount = f'mount -t tmpfs -o size={size},mode=755 tmpfs "$0" && echo mounted && exec cat'
        options = ["--mount"] if os.geteuid() == 0 else ["--mount", "--user", "--map-root-user"]
        keeper = subprocess.Popen(
            [program("unshare", install=_INSTALL), *options, "sh", "-c", mount, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert keeper.stdout is not None
        with keeper.stdout as output:
            assert output.readline() == b"mounted\n", "no volume: unshare or mount failed, see its errors above"
        return keeper
