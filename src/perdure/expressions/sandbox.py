"""A pool of `worker` processes. One evaluates one request at a time; one that dies harms that request only.

`slots` evaluations run at once. An evaluation that is not quick gives its slot back and goes on at lower
priority, so that it delays nobody else; only a bounded number may do so. There is always a spare process.
"""

import asyncio
import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from perdure.codec import encode
from perdure.expressions import worker
from perdure.expressions.contract import EvaluatorUnavailable

QUICK_SECONDS = 0.05
SLOW_MAX = 6
SLOW_NICENESS = 10
REQUEST_BYTES_MAX = 128 * 1024 * 1024

Program: TypeAlias = tuple[str, tuple[str, ...]]
"""The text of an expression, and the variables to bind."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one program. `status` is one of `worker`'s, or `KILLED`; `text` is JSON or a message."""

    status: bytes
    text: bytes


KILLED = b"k"
"""The process reached a limit while it evaluated this program, or before it came to it."""

KILLED_OUTSIDE = b"o"
"""The same, but someone else killed the process. The request is tried once more before this is the answer."""


class Sandbox:
    """Evaluates jq programs that may be hostile. Limits are per request."""

    def __init__(self, *, slots: int, seconds_max: float, memory_bytes_max: int, output_bytes_max: int) -> None:
        self._seconds_max = seconds_max
        self._memory_bytes_max = memory_bytes_max
        self._output_bytes_max = output_bytes_max
        self._slots = asyncio.Semaphore(slots)
        self._processes_max = slots + 1 + SLOW_MAX
        self._slow = 0
        self._idle: deque[_Process] = deque()
        self._busy: set[_Process] = set()
        self._burials: set[asyncio.Task[None]] = set()
        self._left: list[asyncio.Task[_Process]] = []
        self._refill: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> None:
        """Start the first process and see that it works. Raises `EvaluatorUnavailable`."""
        self._stopped = False
        answers = await self.evaluate([("1", ())], b"[null,{}]")
        if answers != [Answer(worker.VALUE, b"1")]:
            raise EvaluatorUnavailable(f"The expression sandbox does not work: it answered {answers}.")

    async def stop(self) -> None:
        self._stopped = True
        if self._refill is not None:
            await self._refill
        left = await asyncio.gather(*self._left, return_exceptions=True)
        processes = [*self._idle, *self._busy, *(start for start in left if isinstance(start, _Process))]
        self._left.clear()
        self._idle.clear()
        await asyncio.gather(*(process.end() for process in processes), *self._burials)

    async def evaluate(self, programs: list[Program], document: bytes) -> list[Answer]:
        """One answer for each program, in order. `document` is the JSON ``[input, {variable: value, …}]``."""
        return await self._request(programs, document, check=False)

    async def check(self, programs: list[Program]) -> list[Answer]:
        """Compile only: `worker.VALUE` without text where that succeeds."""
        return await self._request(programs, b"", check=True)

    async def _request(self, programs: list[Program], document: bytes, *, check: bool) -> list[Answer]:
        header = encode({"check": check, "programs": programs})
        body = len(header).to_bytes(4, "big") + header + document
        if len(body) > REQUEST_BYTES_MAX:
            message = f"its input is longer than {REQUEST_BYTES_MAX} bytes".encode()
            return [Answer(worker.FAILED, message)] * len(programs)
        answers = await self._attempt(body, len(programs))
        if answers and answers[-1].status == KILLED_OUTSIDE:
            answers = await self._attempt(body, len(programs))
        return answers

    async def _attempt(self, body: bytes, count: int) -> list[Answer]:
        slot = await self._acquire()
        try:
            process = await self._take()
            watch = asyncio.get_running_loop().call_later(QUICK_SECONDS, self._slow_down, slot, process)
            try:
                answers = await process.ask(body, count)
            finally:
                watch.cancel()
                self._put_back(process)
        finally:
            slot.release()
        if len(answers) < count:
            if self._stopped:
                raise EvaluatorUnavailable("The expression sandbox has been stopped.")
            answers += [self._epitaph(process)] * (count - len(answers))
        return answers

    def _epitaph(self, process: "_Process") -> Answer:
        code = process.exit_code()
        if code in (-signal.SIGPROF, -signal.SIGALRM):
            limit = f"{self._seconds_max:g} seconds (PERDURE_EXPRESSION_SECONDS_MAX)"
            return Answer(KILLED, f"it took longer than {limit}".encode())
        if code == -signal.SIGKILL:
            return Answer(KILLED_OUTSIDE, b"its process was killed, perhaps because the machine lacks memory")
        limit = f"{self._memory_bytes_max} bytes of memory (PERDURE_EXPRESSION_MEMORY_BYTES_MAX)"
        return Answer(KILLED, f"it needed more than {limit}, or is nested too deep".encode())

    async def _acquire(self) -> "_Slot":
        await self._slots.acquire()
        return _Slot(self._slots.release)

    def _slow_down(self, slot: "_Slot", process: "_Process") -> None:
        if self._slow >= SLOW_MAX:
            return
        self._slow += 1
        process.yield_priority()

        def forget() -> None:
            self._slow -= 1

        slot.release()
        slot.on_release = forget

    async def _take(self) -> "_Process":
        while self._idle:
            process = self._idle.popleft()
            if process.alive():
                break
            await process.end()
        else:
            process = await self._started()
        if self._stopped:
            await process.end()
            raise EvaluatorUnavailable("The expression sandbox has been stopped.")
        self._busy.add(process)
        self._keep_spare()
        return process

    def _put_back(self, process: "_Process") -> None:
        self._busy.discard(process)
        if process.reusable() and not self._stopped:
            self._idle.appendleft(process)
        else:
            self._bury(process)
            self._keep_spare()

    def _bury(self, process: "_Process") -> None:
        task = asyncio.create_task(process.end())
        self._burials.add(task)
        task.add_done_callback(self._burials.discard)

    def _keep_spare(self) -> None:
        """See that a process is at hand for the next request, without making this one wait for it."""
        room = len(self._busy) + len(self._idle) < self._processes_max
        if self._idle or not room or self._stopped or (self._refill is not None and not self._refill.done()):
            return
        self._refill = asyncio.create_task(self._add_spare())

    async def _add_spare(self) -> None:
        with contextlib.suppress(EvaluatorUnavailable):  # the next request will tell
            self._idle.append(await self._start_process())

    async def _started(self) -> "_Process":
        """A new process. A request that is given up meanwhile leaves it to the next."""
        start = self._left.pop() if self._left else asyncio.create_task(self._start_process())
        try:
            return await asyncio.shield(start)
        except asyncio.CancelledError:
            self._left.append(start)
            raise

    async def _start_process(self) -> "_Process":
        try:
            return await _Process.start(
                str(self._seconds_max), str(self._memory_bytes_max), str(self._output_bytes_max)
            )
        except OSError as error:
            raise EvaluatorUnavailable(f"The expression sandbox can't be started: {error}.") from error


class _Slot:
    """One of the evaluations that may run at once. Released at most once, then calls `on_release`."""

    def __init__(self, release: Callable[[], None]) -> None:
        self.on_release: Callable[[], None] | None = release

    def release(self) -> None:
        if self.on_release is not None:
            on_release, self.on_release = self.on_release, None
            on_release()


class _Process:
    """One running `worker`. It is used by one request at a time."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._in_step = True
        self._slowed = False

    @classmethod
    async def start(cls, *limits: str) -> "_Process":
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.to_thread(_spawned, theirs, limits)
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(process, reader, writer)

    async def ask(self, body: bytes, count: int) -> list[Answer]:
        """The answers; fewer than `count` where the process ended before it had given all."""
        self._in_step = False
        answers: list[Answer] = []
        try:
            self._writer.writelines((len(body).to_bytes(4, "big"), body))
            await self._writer.drain()
            for _ in range(count):
                head = await self._reader.readexactly(5)
                text = await self._reader.readexactly(int.from_bytes(head[1:], "big"))
                answers.append(Answer(head[:1], text))
            self._in_step = True
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.end()
        return answers

    def alive(self) -> bool:
        return self._process.poll() is None

    def reusable(self) -> bool:
        """Whether the last request was answered to the end, at normal priority (which can't be had back)."""
        return self._in_step and not self._slowed

    def yield_priority(self) -> None:
        self._slowed = True
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, SLOW_NICENESS)

    async def end(self) -> None:
        """Kill the process, unless it has ended, and wait until it is gone."""
        self._writer.close()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def exit_code(self) -> int | None:
        """Minus the signal that ended the process; None while it runs."""
        return self._process.returncode


def _spawned(channel: socket.socket, limits: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    """Closes the channel: were it closed outside, its number could be another's before the thread comes to use it."""
    with channel:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", worker.__file__, _jq_directory(), *limits],
            stdin=channel.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )


def _jq_directory() -> str:
    spec = importlib.util.find_spec("jq")
    if spec is None or spec.origin is None:
        raise OSError("the package 'jq' is not installed")
    return str(Path(spec.origin).parent)
