"""JSON-RPC 2.0 over HTTP, as MCP (streamable HTTP) and A2A speak it: a POST, answered with JSON or with a stream.

The stream is server-sent events (WHATWG HTML, "Server-sent events"), one message each. Goes through the platform's
own HTTP client, so that the guard, the limits and the authentication of all outgoing calls hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_client import Until
from perdure.activities.http_request import Request, request_of
from perdure.activities.http_response import Response, failure_of, printable
from perdure.activities.outside import Outside
from perdure.codec import Json, decode_shallow, text_of
from perdure.engine.errors import Error, standard

METHOD_NOT_FOUND = -32601

WORDS_CHARACTERS_MAX = 500

Message: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a POST was answered with. `request` is the one that was answered, after redirections."""

    request: Request
    response: Response
    messages: list[Message]


class RpcFailed(CallFailed):
    """The other side answered with a JSON-RPC error."""

    def __init__(self, error: Error, code: int) -> None:
        super().__init__(error)
        self.code = code


class JsonRpc:
    """Sends messages to one endpoint, on behalf of one call."""

    def __init__(self, outside: Outside, call: Call, endpoint: Json) -> None:
        self._outside = outside
        self._call = call
        self._endpoint = endpoint if isinstance(endpoint, dict) else {"uri": endpoint}

    async def send(
        self, message: Message, headers: Mapping[str, Json], *, acts: bool = True, many: bool = False
    ) -> Reply:
        """POST the message; read until its response has come, with `many` to the end. Raises `CallFailed`.

        `acts` says whether this is the message that the activity is about: only that bears its idempotency key,
        which says that two requests are the same.
        """
        events = EventStream(self._outside.settings.payload_depth_max)
        identity = message.get("id")

        def until(chunk: bytes) -> bool:
            return any(answers(found, identity) for found in events.feed(chunk))

        request = self._request("POST", headers, message, acts=acts)
        request, response = await self._exchange(request, None if many else until)
        try:
            return self._reply(request, response, identity)
        except CallFailed as failure:
            raise self._outside.caller.redacted(failure.error, request.credentials) from None

    async def drop(self, headers: Mapping[str, Json]) -> None:
        """Tell the other side that a session has ended (DELETE). Raises `CallFailed`."""
        await self._exchange(self._request("DELETE", headers, None, acts=False))

    async def _exchange(self, request: Request, until: Until | None = None) -> tuple[Request, Response]:
        policy = self._endpoint.get("authentication")
        return await self._outside.caller.exchange(request, policy, self._call, until=until)

    def _request(self, method: str, headers: Mapping[str, Json], body: Json, *, acts: bool) -> Request:
        accepted = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json", **headers}
        arguments = {
            "method": method,
            "uri": self._endpoint.get("uri"),
            "headers": accepted,
            "body": body,
            "redirect": True,
        }
        try:
            request = request_of(replace(self._call, request=arguments))
        except CallFailed as failure:
            raise self._outside.caller.redacted(failure.error) from None
        if not acts:
            request.headers.popall("Idempotency-Key", None)
        return request

    def _reply(self, request: Request, response: Response, identity: Json) -> Reply:
        """The messages of a response. An error status may bear a JSON-RPC error, which says more."""
        messages = self._messages(response)
        if not 200 <= response.status < 300 and not any("error" in message for message in messages):
            raise failure_of(request, response)
        cleaned = [request.credentials.redact(message) for message in messages]
        return Reply(request, response, cleaned)

    def _messages(self, response: Response) -> list[Message]:
        depth_max = self._outside.settings.payload_depth_max
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        try:
            if media_type == "text/event-stream":
                return EventStream(depth_max).feed(response.body, end=True)
            if media_type == "application/json" and response.body:
                return _messages_in(decode_shallow(response.body, depth_max))
        except ValueError as error:
            if 200 <= response.status < 300:
                raise CallFailed(standard("communication", f"The answer can't be decoded: {error}.")) from None
        return []


class EventStream:
    """Server-sent events, as they come in pieces: the JSON messages in them."""

    def __init__(self, depth_max: int) -> None:
        self._depth_max = depth_max
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes, *, end: bool = False) -> list[Message]:
        """The messages that are complete with this piece. Raises `ValueError` for one that can't be decoded."""
        *lines, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        if end:
            lines += [self._rest, b""]
        found: list[Message] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line.strip() and self._data:
                text, self._data = b"\n".join(self._data), []
                found += _messages_in(decode_shallow(text, self._depth_max) if text.strip() else None)
        return found


def request(identity: Json, method: str, parameters: Json) -> Message:
    """A request message. Parameters that are None are left out."""
    message = {"jsonrpc": "2.0", "id": identity, "method": method}
    return message if parameters is None else {**message, "params": parameters}


def notification(method: str) -> Message:
    return {"jsonrpc": "2.0", "method": method}


def result_of(what: str, message: Message) -> Json:
    """The result that a response bears. Raises `RpcFailed` (runtime) for an error; `what` says who was asked what."""
    error = message.get("error")
    if error is None:
        return message.get("result")
    error = error if isinstance(error, dict) else {"message": error}
    code = error["code"] if isinstance(error.get("code"), int) else 0
    words = f"{what} was answered with the error {code}: {readable(error.get('message'))}"
    if error.get("data") is not None:
        words += f" ({readable(error['data'])})"
    raise RpcFailed(standard("runtime", words, title=f"JSON-RPC error {code}"), code)


def response_to(identity: Json, messages: list[Message]) -> Message | None:
    """The message that answers the request, also where an error has lost its id."""
    return next((message for message in messages if answers(message, identity)), None) or next(
        (message for message in messages if "error" in message and message.get("id") is None), None
    )


def readable(value: Json) -> str:
    """A value in few words, for people."""
    return printable(text_of(value), WORDS_CHARACTERS_MAX)


def answers(message: Message, identity: Json) -> bool:
    """Whether it is the response to a request. Some servers leave a null result out, so it need not bear one."""
    return message.get("id") == identity and "method" not in message


def _messages_in(value: Json) -> list[Message]:
    """One message, or those of a batch."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
