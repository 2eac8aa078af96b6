"""What all servers have in common."""

import asyncio
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from servers import guard

PORTS = range(20_000, 32_000)
"""Below those that the system hands out to outgoing connections."""

START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02

_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on and that was not given out before."""
    for _ in range(1000):
        port = random.choice(PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError(f"no free port between {PORTS.start} and {PORTS.stop}")


def unprivileged(*names: str) -> str | None:
    """Whom to run as: None for ourselves, the first of these users where we are root."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (*names, "nobody") if name in users)


class Server(ABC):
    """A server with a directory and a port of its own, which it keeps over restarts."""

    def __init__(self, user: str | None = None) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix=f"perdure-test-{type(self).__name__.lower()}-"))
        guard.remove(str(self.directory))
        self.user = user
        self._process: subprocess.Popen[bytes] | None = None
        if user is not None:
            entry = pwd.getpwnam(user)
            os.chown(self.directory, entry.pw_uid, entry.pw_gid)

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find it."""

    @abstractmethod
    async def start(self) -> None:
        """Start it; returns once it answers."""

    @abstractmethod
    async def _answers(self) -> bool: ...

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def ensure(self) -> None:
        """Start it unless it runs, and thaw it."""
        if self.running:
            self.thaw()
        else:
            await self.start()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop, and wait until it has."""
        if self._process is None:
            return
        self._process.send_signal(number)
        if not await self._ended(STOP_SECONDS_MAX):
            await self.kill()
        self._process = None

    async def kill(self) -> None:
        """End it and all its children without warning."""
        if self._process is None:
            return
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        assert await self._ended(STOP_SECONDS_MAX), f"{type(self).__name__} survived SIGKILL"
        self._process = None

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Stop the clock for it: connections stay, nothing answers."""
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    async def close(self) -> None:
        """Gone without a trace."""
        await self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    async def _launch(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.directory,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        guard.end_group(self._process.pid)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not await self._answers():
            if not self.running or time.monotonic() > deadline:
                await self.kill()
                raise AssertionError(f"{command[0]} did not start:\n{self._said()}")
            await asyncio.sleep(POLL_SECONDS)

    def _said(self) -> str:
        return (self.directory / "output").read_text("utf-8", "replace")[-4000:]

    async def _ended(self, seconds: float) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        guard.spare_group(self._process.pid)
        return True

    def _tree(self) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            return []
        try:
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    async def _port_answers(self, greeting: bytes, answer: bytes) -> bool:
        """Whether whoever listens answers `greeting` with something that contains `answer`."""
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(greeting)
                    return answer in await reader.read(512)
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False


def program(name: str, *directories: str, install: str) -> str:
    """The path of an installed program. A missing one fails the test, saying what to install."""
    for directory in directories:
        candidate = Path(directory) / name
        if candidate.is_file():
            return str(candidate)
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        raise AssertionError(
            f"The tests need {name}, which is not installed. Install {install}, "
            "or run scripts/install-servers.sh as root"
        )
    return found
