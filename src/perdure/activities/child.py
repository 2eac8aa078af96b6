"""Runs a program in a child process with limits on its time, memory, output and environment."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perdure.activities import child_main
from perdure.activities.contract import CallFailed
from perdure.engine.errors import standard
from perdure.settings import Settings

FILE_BYTES_MAX = 1024 * 1024 * 1024
STOP_SECONDS_MAX = 5.0

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended (DSL reference, "Process Result")."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `environment` is all that it gets beside PATH, HOME, TMPDIR and LANG."""

    words: Sequence[str]
    stdin: bytes = b""
    environment: Mapping[str, str] | None = None


class _TooMuch(Exception):
    """The program wrote more than it may."""


@contextlib.asynccontextmanager
async def directory(purpose: str) -> AsyncIterator[Path]:
    """A directory for one run, gone afterwards: in a thread, since a program may have filled it."""
    made = tempfile.TemporaryDirectory(prefix=f"perdure-{purpose}-", ignore_cleanup_errors=True)
    try:
        yield Path(made.name)
    finally:
        await asyncio.shield(asyncio.to_thread(made.cleanup))


async def run(program: Program, place: Path, settings: Settings) -> Result:
    """Run it to its end in the directory `place`. Cancelling ends the program and all that it has started.

    Raises `CallFailed`: timeout, runtime where it writes too much, configuration where it can't be started.
    """
    seconds, bytes_max = settings.run_seconds_max, settings.run_output_bytes_max
    process = await _start(program, place, settings)
    try:
        async with asyncio.timeout(seconds):
            stdout, stderr = await _communicate(process, program.stdin, bytes_max)
            code = await process.wait()
    except TimeoutError:
        detail = f"{program.words[0]} took longer than {seconds:g} seconds (PERDURE_RUN_SECONDS_MAX)."
        raise CallFailed(standard("timeout", detail)) from None
    except _TooMuch:
        detail = f"{program.words[0]} wrote more than {bytes_max} bytes (PERDURE_RUN_OUTPUT_BYTES_MAX)."
        raise CallFailed(standard("runtime", detail)) from None
    finally:
        await _end(process)
    return Result(code, _text(stdout), _text(stderr))


async def _start(program: Program, place: Path, settings: Settings) -> asyncio.subprocess.Process:
    limits = (str(os.getpid()), str(settings.run_memory_bytes_max), str(FILE_BYTES_MAX))
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", child_main.__file__, *limits, *program.words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=place,
            env=_environment(program, place),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # arguments too long, or with a NUL in them
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CallFailed(standard("configuration", f"{program.words[0]} can't be started: {reason}.")) from None


def _environment(program: Program, place: Path) -> dict[str, str]:
    """Nothing of the worker's own environment, which holds secrets."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place),
        "TMPDIR": str(place),
        "LANG": "C.UTF-8",
        **(program.environment or {}),
    }


async def _communicate(process: asyncio.subprocess.Process, stdin: bytes, bytes_max: int) -> tuple[bytes, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_feed(process.stdin, stdin))
            stdout = group.create_task(_read(process.stdout, bytes_max))
            stderr = group.create_task(_read(process.stderr, bytes_max))
    except* _TooMuch:
        raise _TooMuch from None
    return stdout.result(), stderr.result()


async def _feed(stream: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read all of it
        stream.write(data)
        await stream.drain()
        stream.close()


async def _read(stream: asyncio.StreamReader, bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await stream.read(_READ_BYTES):
        size += len(chunk)
        if size > bytes_max:
            raise _TooMuch
        chunks.append(chunk)
    return b"".join(chunks)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it if it has not ended, and take its pipes to their end, so that they close."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await asyncio.gather(_discard(process.stdout), _discard(process.stderr), process.wait())
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def _discard(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(_READ_BYTES):
        pass


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")
