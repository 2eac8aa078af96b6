"""MCP over the standard streams of a program (Model Context Protocol, "Transports"): one message a line.

The program runs on the worker, so the operator must allow it. It gets an environment of its own, a directory of its
own and a process group of its own, which does not outlive the call.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from types import TracebackType
from typing import Self

from perdure.activities.child import directory
from perdure.activities.contract import Call, CallFailed, trace_of_call
from perdure.activities.http_request import misconfigured
from perdure.activities.json_rpc import METHOD_NOT_FOUND, Message, answers, notification, readable, request
from perdure.codec import Json, decode_shallow, encode, text_of
from perdure.engine.errors import standard
from perdure.settings import Settings

STOP_SECONDS_MAX = 1.0
COMPLAINT_BYTES_MAX = 2000

_INHERITED = ("HOME", "LANG", "PATH")
"""What a program needs to find other programs and its own files; nothing else of the worker's environment."""


class StdioSession:
    """The implementation of `mcp.Session` for a program. Raises `CallFailed` where it may not run."""

    def __init__(self, settings: Settings, transport: dict[str, Json], call: Call) -> None:
        if not settings.run_shell:
            detail = (
                "This MCP server is a program, and this worker runs none. If definitions may run programs on it, "
                "the operator sets PERDURE_RUN_SHELL=true."
            )
            raise CallFailed(standard("authorization", detail))
        self._program = _program(transport)
        self._environment = _environment(transport.get("environment") or {})
        self._bytes_max = settings.response_body_bytes_max
        self._depth_max = settings.payload_depth_max
        self._identity = call.idempotency_key
        self._count = 0
        self._read = 0
        self._complaint = b""
        self._cleanup = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            self._child = await self._start(await stack.enter_async_context(directory("mcp")))
            stack.push_async_callback(self._end)
            complaints = asyncio.create_task(self._listen())
            stack.callback(complaints.cancel)
            self._cleanup = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._cleanup.aclose()

    async def request(self, method: str, parameters: Json, *, acts: bool) -> Json:
        self._count += 1
        identity = f"{self._identity}/{self._count}"
        trace_of_call().sends()
        await self._send(request(identity, method, parameters))
        while True:
            message = await self._receive(method)
            if answers(message, identity):
                return message
            await self._answer(message)

    async def notify(self, method: str) -> None:
        await self._send(notification(method))

    def agree(self, version: str) -> None:
        """Messages do not bear the version."""

    async def _start(self, place: Path) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._program,
                env=self._environment,
                cwd=place,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=self._bytes_max,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise misconfigured(f"The command {self._program[0]!r} can't be started: {reason}.") from None

    async def _send(self, message: Message) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(ConnectionError):  # reading tells more
            self._child.stdin.write(encode(message) + b"\n")
            await self._child.stdin.drain()

    async def _receive(self, method: str) -> Message:
        """The next message. Lines that are none, such as a greeting, are passed over."""
        assert self._child.stdout is not None
        while True:
            try:
                line = await self._child.stdout.readline()
            except ValueError:
                raise self._too_long() from None
            if not line:
                raise await self._ended(method)
            self._read += len(line)
            if self._read > self._bytes_max:
                raise self._too_long()
            try:
                message = decode_shallow(line, self._depth_max)
            except ValueError:
                continue
            if isinstance(message, dict):
                return message

    async def _answer(self, message: Message) -> None:
        """Answer what the server asks: it may ask whether we are there, and for nothing else that we have."""
        if "method" not in message or "id" not in message:
            return
        answer: Message = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] == "ping":
            await self._send({**answer, "result": {}})
        else:
            error = {"code": METHOD_NOT_FOUND, "message": "this client has no such method"}
            await self._send({**answer, "error": error})

    async def _listen(self) -> None:
        """Keep the end of what the program writes to its standard error, and read on so that it never waits."""
        assert self._child.stderr is not None
        while some := await self._child.stderr.read(COMPLAINT_BYTES_MAX):
            self._complaint = (self._complaint + some)[-COMPLAINT_BYTES_MAX:]

    async def _ended(self, method: str) -> CallFailed:
        code: int | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                code = await self._child.wait()
        how = "closed its output" if code is None else f"ended with {code}"
        words = readable(self._complaint.decode(errors="replace"))
        detail = f"{self._program[0]} {how} before it answered {method}"
        return CallFailed(standard("communication", f"{detail}: {words}" if words else f"{detail}."))

    def _too_long(self) -> CallFailed:
        limit = f"{self._bytes_max} bytes (PERDURE_RESPONSE_BODY_BYTES_MAX)"
        return CallFailed(standard("communication", f"{self._program[0]} writes more than {limit}."))

    async def _end(self) -> None:
        """Let the program end by itself, as it does when its input ends, then make it; its group as well."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self._child.wait()
        except TimeoutError:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of a group of zombies
                os.killpg(self._child.pid, signal.SIGKILL)
        await self._child.wait()


def _program(transport: dict[str, Json]) -> list[str]:
    words = [transport.get("command"), *(transport.get("arguments") or [])]
    texts = [word for word in words if isinstance(word, str) and "\0" not in word]
    if len(texts) != len(words) or not texts[0]:
        raise misconfigured("`command` and `arguments` must be strings.")
    return texts


def _environment(given: Json) -> dict[str, str]:
    if not isinstance(given, dict):
        raise misconfigured(f"`environment` must be an object; found {type(given).__name__}.")
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {name: text_of(value) for name, value in given.items()}
