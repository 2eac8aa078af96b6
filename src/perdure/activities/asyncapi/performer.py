"""Performs calls by AsyncAPI documents (DSL reference, "AsyncAPI Call").

A message is published once the other side has confirmed it. A subscription is a call that goes on: it hands each
message to the process and acknowledges it once the process has taken it, until the process wants no more. It finds
its way back to a broker that was away; a worker that dies is followed by another, whose subscription goes on where
this one was, as far as the protocol allows.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import structlog
from yarl import URL

from perdure import clock
from perdure.activities.asyncapi import version2, version3
from perdure.activities.asyncapi.addresses import address_of
from perdure.activities.asyncapi.documents import binding, servers_of
from perdure.activities.asyncapi.login import login_of
from perdure.activities.asyncapi.model import Bindings, Operation, Server, Target
from perdure.activities.asyncapi.payloads import outgoing
from perdure.activities.asyncapi.protocols.contract import BATCH_MAX, Access, Broken, MessageProtocol, Source
from perdure.activities.asyncapi.protocols.table import ENTRIES, missing, protocol_of
from perdure.activities.asyncapi.servers import chosen, uri_of
from perdure.activities.authentication.header import basic
from perdure.activities.contract import GIVEN_UP, Call, CallFailed, Unwanted
from perdure.activities.credentials import Credentials
from perdure.activities.egress import Refused
from perdure.activities.http_request import misconfigured
from perdure.activities.outside import Outside
from perdure.activities.references import Node, References
from perdure.codec import Json
from perdure.engine.errors import Error, standard

log = structlog.get_logger("perdure.asyncapi")

AWAY_SECONDS_MAX = 600.0
"""How long a subscription that was open once tries to be so again before the task faults."""
AGAIN_SECONDS_MIN = 0.5
AGAIN_SECONDS_MAX = 30.0
FORGET_SECONDS_MAX = 5.0


class AsyncApiPerformer:
    """The implementation of `contract.Performer` for ``asyncapi``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def start(self) -> None:
        """There is nothing to start: connections are made for each call."""

    async def stop(self) -> None:
        """There is nothing to stop: connections end with their calls."""

    async def perform(self, call: Call) -> Json:
        credentials = Credentials()
        try:
            target, subscribes = await self._target(call)
            protocol = protocol_of(target.protocol)
            credentials = await self._credentials(target, call)
            access = Access(self._outside, target, login_of(credentials, target), credentials, call)
            if subscribes:
                return await self._subscribe(protocol, access)
            return await self._publish(protocol, access)
        except CallFailed as failure:
            raise self._redacted(failure.error, credentials) from None

    async def _target(self, call: Call) -> tuple[Target, bool]:
        """Where to, and whether the call subscribes."""
        arguments = _arguments(call)
        publishes = "message" in arguments
        references = References(self._outside.documents, arguments["document"].get("endpoint"), call)
        root = await references.root()
        version = version2 if _version(root) == 2 else version3
        operation = await version.operation_of(
            root,
            references,
            channel=arguments.get("channel"),
            operation=arguments.get("operation"),
            publishes=publishes,
        )
        spoken = [name for name in ENTRIES if missing(name) is None]
        given = arguments.get("server")
        server = chosen(await servers_of(root, references), operation, given, arguments.get("protocol"), spoken)
        if arguments.get("protocol") == "mqtt5" and given is None and server.protocol == "mqtt":
            server = replace(server, protocol="mqtt5")
        return _target_of(operation, server, arguments, publishes), not publishes

    async def _credentials(self, target: Target, call: Call) -> Credentials:
        """Those in the server's address count where there is no policy."""
        policy = call.request.get("authentication")
        if policy is None and target.userinfo is not None:
            return basic(*target.userinfo)
        return await self._outside.authenticator.credentials(policy, call)

    async def _publish(self, protocol: MessageProtocol, access: Access) -> Json:
        message, target = access.call.request["message"], access.target
        sent = outgoing(message, target.content_type, target.correlation, access.call)
        try:
            async with asyncio.timeout(access.seconds):
                await protocol.publish(access, sent)
        except TimeoutError:
            detail = f"Publishing to {target.shown} was not confirmed within {access.seconds:g} seconds"
            raise CallFailed(standard("timeout", f"{detail} (PERDURE_CALL_TIMEOUT_SECONDS).")) from None
        except (Broken, OSError) as error:
            raise _failed("Publishing to", target, error) from None
        output = {"payload": message.get("payload"), "headers": message.get("headers") or {}}
        return output if sent.correlation_id is None else {**output, "correlationId": sent.correlation_id}

    async def _subscribe(self, protocol: MessageProtocol, access: Access) -> Json:
        said = access.call.request["subscription"]
        access = replace(access, batch=BATCH_MAX if said.get("batch", True) else 1, resume=said.get("resume"))
        opened, again = 0.0, AGAIN_SECONDS_MIN
        while True:
            try:
                async with protocol.subscribe(access) as source:
                    opened, again = clock.monotonic(), AGAIN_SECONDS_MIN
                    if await self._consume(source, access):
                        return None
            except (Broken, OSError, TimeoutError) as error:
                if not opened or isinstance(error, Refused) or clock.monotonic() - opened > AWAY_SECONDS_MAX:
                    raise _failed("The subscription to", access.target, error) from None
                log.warning("a subscription broke off; opening it again", seconds=again)
            await clock.sleep(again)
            again = min(again * 2, AGAIN_SECONDS_MAX)

    async def _consume(self, source: Source, access: Access) -> bool:
        """Hand over messages. Answers True where no more will come; raises `Unwanted` where no more are wanted."""
        deliver = access.call.deliver
        assert deliver is not None, "a subscription has somewhere for its messages to go"
        try:
            while True:
                if access.batch == 1:
                    await deliver.wanted()
                deliveries = await source.receive()
                if not deliveries:
                    return True
                verdict = await deliver([delivery.message for delivery in deliveries], source.resume)
                if not verdict.wanted:
                    with suppress(Broken, OSError, TimeoutError):  # what it keeps for us goes by itself some day
                        async with asyncio.timeout(FORGET_SECONDS_MAX):
                            await source.settle(deliveries, verdict.taken)
                            await source.forget()
                    raise Unwanted
                await source.settle(deliveries, verdict.taken)
        except asyncio.CancelledError as cancelled:
            if cancelled.args == (GIVEN_UP,):
                with suppress(Broken, OSError, TimeoutError):
                    async with asyncio.timeout(FORGET_SECONDS_MAX):
                        await source.forget()
            raise

    def _redacted(self, error: Error, credentials: Credentials) -> CallFailed:
        return self._outside.redacted(CallFailed(credentials.redact_error(error)))


def _arguments(call: Call) -> dict[str, Json]:
    match call.request:
        case {"document": dict()}:
            arguments = dict(call.request)
            for one, other in (("channel", "operation"), ("message", "subscription")):
                if (arguments.get(one) is None) == (arguments.get(other) is None):
                    raise misconfigured(f"An AsyncAPI call needs `{one}` or `{other}`, and not both.")
            if "message" in arguments and not isinstance(arguments["message"], dict):
                raise misconfigured("`message` must be an object with payload and headers.")
            return arguments
    raise misconfigured("An AsyncAPI call needs a document with an endpoint.")


def _version(root: Node) -> int:
    said = root.object.get("asyncapi")
    text = str(said)
    if text.startswith("2."):
        return 2
    if text.startswith("3."):
        return 3
    found = "" if said is None else f"; it says {text[:20]}"
    raise misconfigured(f"{root.document.uri} is no document of AsyncAPI 2.x or 3.0{found}.")


def _target_of(operation: Operation, server: Server, arguments: dict[str, Json], publishes: bool) -> Target:
    given = arguments.get("server")
    variables = (given.get("variables") if isinstance(given, dict) else None) or {}
    address = address_of(operation, server, variables, arguments["message"] if publishes else None)
    uri = uri_of(server, variables)
    try:
        url = URL(uri)
        host, port = url.host, url.port
    except ValueError:
        host = port = None
    if not host:
        raise misconfigured(f"The address of the server {server.name} is no valid URI.")
    return Target(
        protocol=server.protocol,
        host=host,
        port=port,
        path=url.raw_path_qs if server.protocol == "http" else url.path,
        tls=server.tls,
        address=address,
        bindings=Bindings(
            server.bindings,
            *(binding(bindings, server.protocol) for bindings in _bindings(operation)),
        ),
        content_type=operation.content_type,
        correlation=operation.correlation,
        userinfo=None if url.user is None and url.password is None else (url.user or "", url.password or ""),
    )


def _bindings(operation: Operation) -> Sequence[dict[str, Json]]:
    return [dict(operation.channel_bindings), dict(operation.operation_bindings), dict(operation.message_bindings)]


def _failed(what: str, target: Target, error: Exception) -> CallFailed:
    if isinstance(error, Refused):
        return CallFailed(standard("authorization", f"{what} {target.shown} is not allowed: {error}"))
    if isinstance(error, TimeoutError):
        return CallFailed(standard("timeout", f"{what} {target.shown} failed: it did not answer in time."))
    words = str(error).rstrip(".") or type(error).__name__
    return CallFailed(standard("communication", f"{what} {target.shown} failed: {words}."))
