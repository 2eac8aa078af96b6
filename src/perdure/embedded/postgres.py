"""A PostgreSQL server of the platform's own, kept in its data directory, for `perdure dev` and the demo.

Who is authoritative: the lock file says who owns the directory; the directory says what version it is of; the
operating system says whether a postmaster lives. A postmaster never outlives its owner for long: the kernel
interrupts it (Linux), or the next owner stops it first.
"""

import asyncio
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog

from perdure import clock
from perdure.embedded import cluster, leftover
from perdure.embedded.errors import EmbeddedError
from perdure.embedded.lock import OwnerLock
from perdure.embedded.programs import Programs
from perdure.embedded.sockets import PORT, Sockets

START_SECONDS_MAX: Final = 60.0
"""Includes crash recovery."""
STOP_SECONDS_MAX: Final = 8.0
AGAIN_SECONDS_MAX: Final = 5.0
"""Between two tries to start a postmaster that dies again and again, as one does without room on its disk."""
ROOM_BYTES_MIN: Final = 16 * 1024 * 1024
"""One segment of its log, which it makes as a whole: with less it can't go on."""
LOG_BYTES_MAX: Final = 10 * 1024 * 1024

DATABASE: Final = "postgres"
"""The one that every cluster has: nothing to create, nothing that can be half there."""
_POLL_SECONDS: Final = 0.005
_AGAIN_SECONDS_MIN: Final = 0.25
_STABLE_SECONDS: Final = 60.0
"""Who lived for so long is started again at once."""
_QUIT_SECONDS: Final = 2.0
_QUOTED_BYTES_MAX: Final = 4096

# Auth is by the socket's directory, which only the owner can enter; there is no TCP port.
_SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "io_method": "sync",
    # Shared memory of containers is small, and these queries are short.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    # The log must not hold what the users' data hold.
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """Supervises one postmaster. Start and stop it in the thread that lives as long as the program."""

    def __init__(self, data_dir: Path) -> None:
        self._home = data_dir.absolute() / "postgres"
        self._data = self._home / "data"
        self._lock = OwnerLock(self._home / "owner.lock")
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._sockets = Sockets(self._home / "sockets")
        self._socket_dir = Path()
        self._programs = Programs(Path(), None, Path())

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def full(self) -> bool:
        """Whether its disk has no room for it to go on. A quota that it has met does not show."""
        return shutil.disk_usage(self._data).free < ROOM_BYTES_MIN

    async def start(self) -> str:
        """Start the server, on a new cluster if there is none yet, and return its DSN.

        Raises `EmbeddedError` where the programs are missing, the directory is in use, of another PostgreSQL
        version or unusable, or the server does not come up.
        """
        self._programs = Programs.find(self._home)
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._lock.take()
            await self._start()
        except OSError as error:
            self._lock.drop()
            raise EmbeddedError(
                f"The data directory {self._home.parent} can't be used: {error.strerror or error}. "
                "Mend that, or choose another one with --data-dir"
            ) from error
        self._watch = asyncio.create_task(self._restart_whenever_it_dies())
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql://{cluster.USER}@/{DATABASE}?host={host}&port={PORT}"

    async def stop(self) -> None:
        """Stop the server, cleanly if it lets itself be stopped within `STOP_SECONDS_MAX`."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self._abandon()

    async def _abandon(self) -> None:
        try:
            await self._end_process()
        finally:
            self._sockets.clear()
            self._lock.drop()

    async def _start(self) -> None:
        try:
            await cluster.ensure(self._data, self._programs)
            await leftover.clear(self._data)
            self._socket_dir = self._sockets.make(self._programs)
            await self._launch()
        except BaseException:
            await self._abandon()
            raise

    async def _launch(self) -> None:
        """Start the postmaster and wait until it takes connections."""
        deadline = clock.monotonic() + START_SECONDS_MAX
        while True:
            log_start = self._trim_log()
            await self._spawn()
            failure = await self._until_ready(deadline, log_start)
            if failure is None:
                return
            # Backends of a killed postmaster take a moment to notice; a new one must not start before.
            if "shared memory" not in failure or clock.monotonic() > deadline:
                raise EmbeddedError(f"The embedded PostgreSQL in {self._data} did not start: {failure}")
            await clock.sleep(0.1)

    async def _spawn(self) -> None:
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        settings += ["-c", f"unix_socket_directories={self._socket_dir}"]
        with self._log_path.open("ab") as log:
            self._process = await self._programs.run("postgres", "-D", str(self._data), *settings, output=log)

    async def _until_ready(self, deadline: float, log_start: int) -> str | None:
        """None once the server takes connections, else what it said before it ended."""
        assert self._process is not None
        while clock.monotonic() < deadline:
            if self._process.returncode is not None:
                return self._log_since(log_start) or f"it exited with status {self._process.returncode}"
            running = leftover.read(self._data)
            if running is not None and running.pid == self._process.pid and running.status == "ready":
                return None
            await clock.sleep(_POLL_SECONDS)
        return f"it was not ready within {START_SECONDS_MAX:.0f} s: {self._log_since(log_start)}"

    async def _restart_whenever_it_dies(self) -> None:
        """For ever: what kept it from starting, such as a full disk, may be gone at any time."""
        pause = 0.0
        while True:
            assert self._process is not None
            born = clock.monotonic()
            await self._process.wait()
            if clock.monotonic() - born > _STABLE_SECONDS:
                pause = 0.0
            _log.warning("embedded PostgreSQL died, starting it again", log=str(self._log_path), seconds=pause)
            await clock.sleep(pause)
            pause = min(max(pause * 2, _AGAIN_SECONDS_MIN), AGAIN_SECONDS_MAX)
            try:
                await leftover.clear(self._data)
                await self._launch()
            except (EmbeddedError, OSError) as error:
                _log.error("embedded PostgreSQL can't be started now, trying again", error=str(error))

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for number, seconds in (
            (signal.SIGINT, STOP_SECONDS_MAX),
            (signal.SIGQUIT, _QUIT_SECONDS),
            (signal.SIGKILL, _QUIT_SECONDS),
        ):
            if process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                process.send_signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)

    @property
    def _log_path(self) -> Path:
        return self._home / "log"

    def _trim_log(self) -> int:
        """Start the log anew once it is large. Returns its length."""
        if not self._log_path.exists():
            return 0
        if self._log_path.stat().st_size > LOG_BYTES_MAX:
            self._log_path.replace(self._log_path.with_suffix(".old"))
            return 0
        return self._log_path.stat().st_size

    def _log_since(self, start: int) -> str:
        with self._log_path.open("rb") as log:
            log.seek(start)
            return log.read(_QUOTED_BYTES_MAX).decode("utf-8", "replace").strip()
