"""`perdure` run as its users run it: a program, its two outputs, its exit code."""

import asyncio
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from dataclasses import dataclass

from integration.programs import EXECUTABLE, _clean_environment

SECONDS_MAX = 60
POLL_SECONDS = 0.1
RUN_AGAIN_SECONDS = 0.5
"""A command costs most of a second of CPU time: not to be run more often than it helps."""


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Commands:
    """Commands against one server, with a directory of their own."""

    def __init__(self, url, directory, **environment):
        self.directory = directory
        self.environment = {**_clean_environment(), "PERDURE_API_URL": url, **environment}

    async def __call__(self, *arguments, stdin=b""):
        process = await self.begin(*arguments, stdin=subprocess.PIPE)
        async with asyncio.timeout(SECONDS_MAX):
            out, err = await process.communicate(stdin)
        return Result(process.returncode, out.decode(), err.decode())

    async def begin(self, *arguments, stdin=subprocess.DEVNULL, **streams):
        """The command, still running."""
        return await asyncio.create_subprocess_exec(
            str(EXECUTABLE),
            *arguments,
            stdin=stdin,
            stdout=streams.get("stdout", subprocess.PIPE),
            stderr=streams.get("stderr", subprocess.PIPE),
            cwd=self.directory,
            env={**self.environment, **streams.get("environment", {})},
        )

    async def until(self, found, *arguments):
        """The result of the command as soon as it is as wanted: what it looks at changes by itself."""
        async with asyncio.timeout(SECONDS_MAX):
            while not found(result := await self(*arguments)):
                await asyncio.sleep(RUN_AGAIN_SECONDS)
        return result

    def file(self, name, text):
        (self.directory / name).write_text(text)
        return name


class Terminal:
    """A command on a terminal: what it shows, and keys for it."""

    def __init__(self, process, descriptor):
        self.process = process
        self._descriptor = descriptor
        self.shown = ""

    @classmethod
    async def begin(cls, commands, *arguments, columns=120, lines=40):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.set_blocking(ours, False)
        process = await commands.begin(
            *arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            environment={"TERM": "xterm", "LANG": "C.UTF-8"},
        )
        os.close(theirs)
        return cls(process, ours)

    async def until_shown(self, *texts):
        """Read until each of the texts has been shown."""
        async with asyncio.timeout(SECONDS_MAX):
            while not all(text in self.shown for text in texts):
                ended = self.process.returncode is not None
                if not self._read() and ended:
                    raise AssertionError(f"ended with {self.process.returncode} before {texts}:\n{self.shown}")
                await asyncio.sleep(POLL_SECONDS)

    async def ended(self):
        async with asyncio.timeout(SECONDS_MAX):
            while self.process.returncode is None:
                self._read()
                await asyncio.sleep(POLL_SECONDS)
        while self._read():
            pass
        os.close(self._descriptor)
        return self.process.returncode

    def press(self, keys):
        os.write(self._descriptor, keys.encode())

    def _read(self):
        try:
            data = os.read(self._descriptor, 65536)
        except (BlockingIOError, OSError):  # nothing at hand; or nobody writes any more
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)
