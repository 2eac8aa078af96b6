"""The gRPC client: arguments to messages, one call, messages to output. Needs the extra ``grpc``.

The output is the response in the JSON form of protocol buffers (ProtoJSON), an array of them where the method
streams responses. A method that streams requests gets one, as the DSL has one map of arguments.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf import json_format

from perdure.activities.contract import Call, CallFailed, trace_of_call
from perdure.activities.credentials import Credentials, redacted
from perdure.activities.egress import Network, Refused, bracketed
from perdure.activities.grpc_channels import TLS_PORT, Channel, Channels
from perdure.activities.grpc_proto import Method, Protos
from perdure.activities.grpc_status import failure_of
from perdure.activities.http_request import misconfigured, platform_headers
from perdure.activities.outside import Outside
from perdure.codec import Json, decode_shallow, encode
from perdure.engine.errors import standard

CONVERTED_HERE_BYTES_MAX = 64 * 1024

_CARRIED = frozenset({"idempotency-key", "traceparent"})
"""What every call of this platform carries, as metadata."""


_UNANSWERED = frozenset({grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE})
"""Codes that gRPC gives by itself where no answer came, and that don't tell whether one did."""


class _Unauthenticated(CallFailed):
    """The server does not know who calls."""


class GrpcClient:
    """One per worker."""

    def __init__(self, outside: Outside, plaintext: Sequence[Network]) -> None:
        self._settings = outside.settings
        self._secrets = outside.secrets
        self._authenticator = outside.authenticator
        self._limiter = outside.limiter
        self._protos = Protos(outside.resources, outside.settings.resource_bytes_max)
        self._channels = Channels(outside.http.guard, plaintext, outside.settings.response_body_bytes_max)

    async def close(self) -> None:
        await self._channels.close()

    async def perform(self, call: Call) -> Json:
        """See `contract.Performer.perform`."""
        proof = Credentials()
        try:
            arguments = _object(call.request, "the arguments of a gRPC call")
            service = _object(arguments.get("service"), "`service`")
            host, port = _place(service)
            proof = _usable(await self._authenticator.credentials(service.get("authentication"), call))
            method = await self._method(arguments, service, call)
            request = _message(method, arguments.get("arguments") or {}, self._settings.payload_depth_max)

            async def ask(shown: Credentials) -> list[Any]:
                return await self._exchange(host, port, method, request, _metadata(call, shown))

            responses, proof = await self._let_in(ask, proof)
            output = await self._outputs(method, responses)
        except CallFailed as failure:
            raise redacted(failure.error, self._secrets, proof) from None
        return proof.redact(output if method.server_streaming else output[0])

    async def _let_in(
        self, ask: Callable[[Credentials], Awaitable[list[Any]]], proof: Credentials
    ) -> tuple[list[Any], Credentials]:
        """The responses and what they were given for: another token, once, where one that had been kept is refused."""
        try:
            return await ask(proof), proof
        except _Unauthenticated:
            others = await proof.instead()
            if others is None:
                raise
        try:
            return await ask(others), others
        except CallFailed as failure:
            raise redacted(failure.error, self._secrets, others) from None

    async def _method(self, arguments: dict[str, Json], service: dict[str, Json], call: Call) -> Method:
        descriptors = await self._protos.descriptors(arguments.get("proto"), call)
        return descriptors.method(str(service.get("name")), str(arguments.get("method")))

    async def _exchange(
        self, host: str, port: int, method: Method, request: Any, metadata: Sequence[tuple[str, str]]
    ) -> list[Any]:
        """The responses. Raises `CallFailed` for each status but OK."""
        what = f"{method.path[1:]} at {host}:{port}"
        try:
            async with self._limiter.permit(host, port), self._channels.lease(host, port) as channel:
                try:
                    trace_of_call().sends()
                    responses = await self._responses(channel, method, request, metadata)
                    _answered(host, port, grpc.StatusCode.OK)
                    return responses
                except grpc.aio.AioRpcError as error:
                    _answered(host, port, error.code())
                    channel.gone = error.code() is grpc.StatusCode.UNAVAILABLE
                    raise self._failure(what, error, channel) from None
        except Refused as error:
            raise CallFailed(standard("authorization", f"{what} is not allowed: {error}")) from None
        except OSError as error:
            reason = f"the name {host} can't be resolved ({error.strerror or error})"
            raise CallFailed(standard("communication", f"{what} failed: {reason}.")) from None

    async def _responses(
        self, channel: Channel, method: Method, request: Any, metadata: Sequence[tuple[str, str]]
    ) -> list[Any]:
        kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
        prepared = getattr(channel.rpc, kind)(
            method.path, request_serializer=_serialized, response_deserializer=method.response.FromString
        )
        sent = iter([request]) if method.client_streaming else request
        rpc = prepared(sent, timeout=self._settings.call_timeout_seconds, metadata=metadata)
        if not method.server_streaming:
            return [await rpc]
        found: list[Any] = []
        size = 0
        async for response in rpc:
            size += response.ByteSize() + 1
            if size > self._settings.response_body_bytes_max:
                rpc.cancel()
                raise self._too_long()
            found.append(response)
        return found

    def _failure(self, what: str, error: grpc.aio.AioRpcError, channel: Channel) -> CallFailed:
        words = error.details() or ""
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "eceived message larger than max" in words:
            return self._too_long()
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            seconds = f"{self._settings.call_timeout_seconds:g} seconds (PERDURE_CALL_TIMEOUT_SECONDS)"
            words = f"no answer within {seconds}"
        elif error.code() is grpc.StatusCode.UNAVAILABLE and channel.secure:
            words += " (over TLS, with a certificate that must be trusted; see PERDURE_GRPC_PLAINTEXT)"
        failure = failure_of(what, error.code(), words)
        return _Unauthenticated(failure.error) if error.code() is grpc.StatusCode.UNAUTHENTICATED else failure

    def _too_long(self) -> CallFailed:
        limit = f"{self._settings.response_body_bytes_max} bytes (PERDURE_RESPONSE_BODY_BYTES_MAX)"
        return CallFailed(standard("communication", f"The response is longer than {limit}."))

    async def _outputs(self, method: Method, responses: Sequence[Any]) -> list[Json]:
        """The responses as JSON. Long ones take a while, which is no time for everybody else to wait."""
        if sum(response.ByteSize() for response in responses) < CONVERTED_HERE_BYTES_MAX:
            return [self._output(method, response) for response in responses]
        return await asyncio.to_thread(lambda: [self._output(method, response) for response in responses])

    def _output(self, method: Method, response: Any) -> Json:
        """The response as JSON. Fields without presence are there also with their default."""
        try:
            value = json_format.MessageToDict(
                response, always_print_fields_with_no_presence=True, descriptor_pool=method.pool
            )
            return decode_shallow(encode(value), self._settings.payload_depth_max)
        except (json_format.Error, TypeError, ValueError) as error:
            detail = f"The response of {method.path[1:]} can't be written as JSON: {error}."
            raise CallFailed(standard("communication", detail)) from None


def _answered(host: str, port: int, code: grpc.StatusCode) -> None:
    if code not in _UNANSWERED:
        trace = trace_of_call()
        trace.by, trace.status = f"{bracketed(host)}:{port}", code.value[0]


def _place(service: dict[str, Json]) -> tuple[str, int]:
    host, port = service.get("host"), service.get("port", TLS_PORT)
    if not isinstance(host, str) or not host:
        raise misconfigured("`service.host` must be the name or address of a host.")
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65_536:
        raise misconfigured("`service.port` must be a number from 1 to 65535.")
    return host, port


def _message(method: Method, arguments: Json, depth_max: int) -> Any:
    """The request. Raises `CallFailed` (configuration) where the arguments do not fit it, naming what does not."""
    message = method.request()
    try:
        json_format.ParseDict(
            _object(arguments, "`arguments`"), message, descriptor_pool=method.pool, max_recursion_depth=depth_max
        )
    except (json_format.Error, TypeError, ValueError) as error:
        raise misconfigured(f"`arguments` do not fit {message.DESCRIPTOR.full_name}: {error}") from None
    missing = message.FindInitializationErrors()
    if missing:
        raise misconfigured(f"`arguments` lack what {message.DESCRIPTOR.full_name} requires: {', '.join(missing)}.")
    return message


def _serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _usable(proof: Credentials) -> Credentials:
    """The credentials, as far as metadata can bear them. Raises `CallFailed` (configuration) where it can't."""
    if proof.authenticate and proof.authorization is None:
        scheme = "digest" if proof.tls is None else "certificate"
        raise misconfigured(f"gRPC calls can't use {scheme} authentication; use basic, bearer, oauth2 or oidc.")
    return proof


def _metadata(call: Call, proof: Credentials) -> list[tuple[str, str]]:
    found = [(name.lower(), value) for name, value in platform_headers(call) if name.lower() in _CARRIED]
    if proof.authorization is not None:
        found.append(("authorization", proof.authorization))
    return found


def _object(value: Json, what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise misconfigured(f"Expected {what} to be an object; found {type(value).__name__}.")
    return value
