"""`perdure` commands as processes of their own, to be stopped, killed and started again."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from servers import guard
from servers.server import free_port

EXECUTABLE = Path(sys.executable).parent / "perdure"
READY_LINE = "Perdure is ready at "
START_SECONDS_MAX = 60.0
STARTS_MAX = 5
START_AGAIN_SECONDS = 1.0
STOP_SECONDS_MAX = 20.0
POLL_SECONDS = 0.02


class Program:
    """A long-running command. It keeps its port and its directory over restarts.

    `launcher` is a command that becomes it. `executable` is another `perdure` than ours.
    """

    def __init__(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        launcher: Sequence[str] = (),
        executable: Path = EXECUTABLE,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory = Path(tempfile.mkdtemp(prefix="perdure-test-program-"))
        self.arguments = (*arguments, "--port", str(self.port))
        guard.remove(str(self.directory))
        self._command = (*launcher, str(executable), *self.arguments)
        self._environment = {**_clean_environment(), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def said(self) -> str:
        """All that it has written so far."""
        return self._output.read_text("utf-8", "replace")

    async def start(self) -> None:
        """Start it; returns once it says that it is ready."""
        await self.begin()
        await self.ready()

    async def ready(self) -> None:
        """Returns once it says, since it was last started, that it is ready."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while READY_LINE not in self.said[self._said_before :]:
            if not self.running or time.monotonic() > deadline:
                await self.kill()
                raise AssertionError(f"perdure {' '.join(self.arguments)} did not start:\n{self.said[-4000:]}")
            await asyncio.sleep(POLL_SECONDS)

    async def up(self) -> None:
        """As a service manager keeps it: one that could not start, as the database was away, is started again."""
        for _ in range(STARTS_MAX):
            if not self.running:
                await self.begin()
            try:
                await self.ready()
            except AssertionError:
                await asyncio.sleep(START_AGAIN_SECONDS)
            else:
                return
        raise AssertionError(f"perdure {' '.join(self.arguments)} could not be started:\n{self.said[-4000:]}")

    async def begin(self) -> None:
        """Start it without waiting for it to be ready."""
        assert not self.running
        self._said_before = len(self.said) if self._output.exists() else 0
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.directory,
                env=self._environment,
                start_new_session=True,
            )
        guard.end_group(self._process.pid)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to stop; answers how many seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(number)
        await self._ended()
        return time.monotonic() - began

    async def kill(self) -> None:
        """End it without warning: it, not its children, as an out-of-memory killer would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._ended()

    async def close(self) -> None:
        await self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def cpu_seconds(self) -> float:
        """CPU time that it and its children have used."""
        total = 0.0
        root = psutil.Process(self.pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    @property
    def _output(self) -> Path:
        return self.directory / "output"

    async def _ended(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                os.killpg(self._process.pid, signal.SIGKILL)
                raise AssertionError(f"{self.arguments[0]} did not end in time:\n{self.said[-4000:]}")
            await asyncio.sleep(POLL_SECONDS)
        guard.spare_group(self._process.pid)


async def run(*arguments: str, environment: Mapping[str, str] | None = None, executable: Path = EXECUTABLE) -> str:
    """A command that ends by itself; what it writes to standard output."""
    with tempfile.TemporaryDirectory(prefix="perdure-test-command-") as directory:
        process = await asyncio.create_subprocess_exec(
            str(executable),
            *arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env={**_clean_environment(), **(environment or {})},
        )
        out, err = await process.communicate()
    assert process.returncode == 0, f"perdure {' '.join(arguments)}: {process.returncode}\n{out!r}\n{err!r}"
    return out.decode()


def _clean_environment() -> dict[str, str]:
    """Nothing of whoever runs the tests decides what they show."""
    ours = ("PERDURE_", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PERDURE_LOG_FORMAT": "json", "NO_COLOR": "1", "TERM": "dumb"}
