"""MCP over streamable HTTP (Model Context Protocol, "Transports")."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from perdure.activities.contract import Call, CallFailed, beside_the_call
from perdure.activities.http_request import misconfigured
from perdure.activities.json_rpc import JsonRpc, notification, request, response_to
from perdure.activities.outside import Outside
from perdure.codec import Json
from perdure.engine.errors import standard

FAREWELL_SECONDS_MAX = 2.0

_OWN_HEADERS = frozenset({"accept", "content-type", "mcp-session-id", "mcp-protocol-version"})


class HttpSession:
    """The implementation of `mcp.Session` for HTTP. A session that the server has opened is closed at the end."""

    def __init__(self, outside: Outside, call: Call, endpoint: Json, headers: Json) -> None:
        self._rpc = JsonRpc(outside, call, endpoint)
        self._headers = _checked(headers)
        self._count = 0
        self._has_session = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._has_session and kind is not asyncio.CancelledError:
            with beside_the_call(), contextlib.suppress(CallFailed, TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS_MAX):
                    await self._rpc.drop(self._headers)

    async def request(self, method: str, parameters: Json, *, acts: bool) -> Json:
        self._count += 1
        reply = await self._rpc.send(request(self._count, method, parameters), self._headers, acts=acts)
        session = reply.response.headers.get("Mcp-Session-Id")
        if session is not None and not self._has_session:
            self._has_session = True
            self._headers["Mcp-Session-Id"] = session
        answer = response_to(self._count, reply.messages)
        if answer is None:
            found = reply.response.headers.get("Content-Type", "nothing")
            detail = f"{method} was answered with {reply.response.status} and no JSON-RPC response ({found})."
            raise CallFailed(standard("communication", detail))
        return answer

    async def notify(self, method: str) -> None:
        await self._rpc.send(notification(method), self._headers, acts=False, many=True)

    def agree(self, version: str) -> None:
        self._headers["MCP-Protocol-Version"] = version


def _checked(headers: Json) -> dict[str, Json]:
    """The author's headers, apart from those that the protocol gives. Raises `CallFailed` (configuration)."""
    if not isinstance(headers, dict):
        raise misconfigured(f"`headers` must be an object; found {type(headers).__name__}.")
    return {name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS}
