"""Performs MCP calls (DSL reference, "MCP Call"): one session for one request, over HTTP or with a program.

The output is the JSON-RPC result as the server sent it. The protocol's own SDK is not used: it brings an HTTP
client that knows neither the guard nor the limits of outgoing calls, and models that change what they pass on.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from perdure import __version__
from perdure.activities.contract import Call, CallFailed
from perdure.activities.deadlines import deadline
from perdure.activities.http_request import misconfigured
from perdure.activities.json_rpc import readable, result_of
from perdure.activities.mcp_http import HttpSession
from perdure.activities.mcp_stdio import StdioSession
from perdure.activities.outside import Outside
from perdure.codec import Json
from perdure.definition import durations
from perdure.engine.errors import standard

PROTOCOL_VERSION = "2025-06-18"
"""What is asked for where the definition names no version."""

PROTOCOL_VERSIONS = frozenset({"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"})
"""Versions that a server may choose instead; what is used of them is the same."""


class Session(Protocol):
    """A connection to a server."""

    async def request(self, method: str, parameters: Json, *, acts: bool) -> Json:
        """The JSON-RPC response, result or error. `acts`: see `json_rpc.JsonRpc.send`. Raises `CallFailed`."""

    async def notify(self, method: str) -> None: ...

    def agree(self, version: str) -> None:
        """The version of the protocol that the server has chosen."""


class McpPerformer:
    """The implementation of `contract.Performer` for ``mcp``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def start(self) -> None:
        """Sessions last as long as their call."""

    async def stop(self) -> None:
        """Sessions last as long as their call."""

    async def perform(self, call: Call) -> Json:
        arguments = call.request if isinstance(call.request, dict) else {}
        seconds = self._seconds(arguments.get("timeout"))
        method = str(arguments.get("method"))
        try:
            async with deadline(seconds), self._session(arguments, call) as session:
                return await _converse(session, arguments, method)
        except TimeoutError:
            raise CallFailed(standard("timeout", f"{method} was not answered within {seconds:g} seconds.")) from None
        except CallFailed as failure:
            raise self._outside.caller.redacted(failure.error) from None

    def _seconds(self, timeout: Json) -> float:
        """The call's own timeout, within that of all calls."""
        seconds_max = self._outside.settings.call_timeout_seconds
        if timeout is None:
            return seconds_max
        try:
            duration = durations.of(timeout)
        except ValueError as error:
            raise misconfigured(f"`timeout`: {error}.") from None
        return seconds_max if duration.months else min(duration.seconds, seconds_max)

    def _session(self, arguments: dict[str, Json], call: Call) -> AbstractAsyncContextManager[Session]:
        match arguments.get("transport"):
            case {"http": dict(http)}:
                return HttpSession(self._outside, call, http.get("endpoint"), http.get("headers") or {})
            case {"stdio": dict(stdio)}:
                return StdioSession(self._outside.settings, stdio, call)
        raise misconfigured("`transport` must have `http` or `stdio`.")


async def _converse(session: Session, arguments: dict[str, Json], method: str) -> Json:
    """Initialize, as the protocol demands, then the one request."""
    parameters = arguments.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise misconfigured(f"`parameters` must be an object; found {type(parameters).__name__}.")
    asked = str(arguments.get("protocolVersion") or PROTOCOL_VERSION)
    answer = await session.request("initialize", _introduction(arguments, asked), acts=False)
    chosen = result_of("initialize", answer)
    version = chosen.get("protocolVersion") if isinstance(chosen, dict) else None
    if version != asked and version not in PROTOCOL_VERSIONS:
        known = ", ".join(sorted({asked, *PROTOCOL_VERSIONS}))
        raise CallFailed(standard("runtime", f"The server speaks MCP {readable(version)}; expected one of {known}."))
    session.agree(version)
    await session.notify("notifications/initialized")
    result = result_of(method, await session.request(method, parameters or {}, acts=True))
    if isinstance(result, dict) and result.get("isError") is True:
        raise CallFailed(standard("runtime", _complaint(parameters or {}, result), title="Tool error"))
    return result


def _introduction(arguments: dict[str, Json], version: str) -> Json:
    client = arguments.get("client")
    known = client if isinstance(client, dict) else {}
    return {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {
            "name": str(known.get("name") or "perdure"),
            "version": str(known.get("version") or known.get("description") or __version__),
        },
    }


def _complaint(parameters: dict[str, Json], result: dict[str, Json]) -> str:
    """What a tool says about its failure: its text, else all that it returned."""
    content = result.get("content")
    texts = [part["text"] for part in content if _is_text(part)] if isinstance(content, list) else []
    return f"The tool {readable(parameters.get('name'))} failed: {readable(' '.join(texts) or content)}"


def _is_text(part: Json) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)
