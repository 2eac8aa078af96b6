"""Performs A2A calls (DSL reference, "A2A Call"): one JSON-RPC request to an agent.

The output is the JSON-RPC result as the agent sent it, an array of them for the methods that stream. The protocol's
own SDK is not used: it takes messages of its own and not the methods and parameters that the DSL passes on, and it
brings an HTTP client that knows neither the guard nor the limits of outgoing calls.
"""

from collections.abc import Mapping, Sequence

from perdure.activities.a2a_card import V0, V1, Interface, interfaces_of
from perdure.activities.a2a_dialect import METHODS_V1, parameters_v1
from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_request import misconfigured
from perdure.activities.json_rpc import (
    METHOD_NOT_FOUND,
    JsonRpc,
    RpcFailed,
    answers,
    request,
    response_to,
    result_of,
)
from perdure.activities.outside import Outside
from perdure.codec import Json
from perdure.engine.errors import standard

VERSION_NOT_SUPPORTED = -32009

STREAMS = frozenset({"message/stream", "tasks/resubscribe"})
SENDS = frozenset({"message/send", "message/stream"})

_HEADERS: Mapping[str, Mapping[str, str]] = {V0: {}, V1: {"A2A-Version": "1.0"}}
"""What tells the version; without it an agent takes 0.3."""


class A2aPerformer:
    """The implementation of `contract.Performer` for ``a2a``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def start(self) -> None:
        """Nothing is kept between calls."""

    async def stop(self) -> None:
        """Nothing is kept between calls."""

    async def perform(self, call: Call) -> Json:
        try:
            arguments = call.request if isinstance(call.request, dict) else {}
            method = str(arguments.get("method"))
            if method not in METHODS_V1:
                raise misconfigured(f"`method` must be one of {', '.join(METHODS_V1)}; found {method!r}.")
            parameters = _parameters(arguments.get("parameters"), method, call)
            return await self._ask(await self._interfaces(arguments, call), method, parameters, call)
        except CallFailed as failure:
            raise self._outside.caller.redacted(failure.error) from None

    async def _interfaces(self, arguments: dict[str, Json], call: Call) -> Sequence[Interface]:
        """Where the agent is: what its card says, else the server, whose version is not known beforehand."""
        card = arguments.get("agentCard")
        if card is not None:
            return await interfaces_of(card, self._outside.resources, call)
        server = arguments.get("server")
        if server is None:
            raise misconfigured("An A2A call needs `agentCard` or `server`.")
        return (Interface(server, V0), Interface(server, V1))

    async def _ask(self, interfaces: Sequence[Interface], method: str, parameters: Json, call: Call) -> Json:
        """The result, from the first interface that knows the method. Raises `CallFailed`."""
        first: RpcFailed | None = None
        for interface in interfaces:
            try:
                return await self._request(interface, method, parameters, call)
            except RpcFailed as failure:
                if failure.code not in (METHOD_NOT_FOUND, VERSION_NOT_SUPPORTED):
                    raise
                first = first or failure
        assert first is not None
        raise first

    async def _request(self, interface: Interface, method: str, parameters: Json, call: Call) -> Json:
        rpc = JsonRpc(self._outside, call, interface.endpoint)
        identity = call.idempotency_key
        if interface.version == V0:
            message = request(identity, method, parameters)
        else:
            message = request(identity, METHODS_V1[method], parameters_v1(method, parameters))
        streams = method in STREAMS
        reply = await rpc.send(message, _HEADERS[interface.version], many=streams)
        what = f"{message['method']} at {reply.request.url}"
        if streams:
            return [result_of(what, each) for each in reply.messages if answers(each, identity) or "error" in each]
        answer = response_to(identity, reply.messages)
        if answer is None:
            detail = f"{what} was answered with {reply.response.status} and no JSON-RPC response."
            raise CallFailed(standard("communication", detail))
        return result_of(what, answer)


def _parameters(value: Json, method: str, call: Call) -> Json:
    """The parameters, with what runtimes must add to a message. The same for each attempt of the activity."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise misconfigured(f"`parameters` must be an object; found {type(value).__name__}.")
    message = value.get("message")
    if method not in SENDS or not isinstance(message, dict):
        return value
    defaults = {"messageId": str(call.activity), "role": "user", "kind": "message"}
    return {**value, "message": {**defaults, **message}}
