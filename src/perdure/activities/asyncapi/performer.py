"""Performs calls by AsyncAPI documents (DSL reference, "AsyncAPI Call").

A message is published once the other side has confirmed it. A subscription is a call that goes on: it hands each
message to the process and acknowledges it once the process has taken it, until the process wants no more. It finds
its way back to a broker that was away; a worker that dies is followed by another, whose subscription goes on where
this one was, as far as the protocol allows.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace

import structlog

from perdure import clock
from perdure.activities.asyncapi.login import login_of
from perdure.activities.asyncapi.model import Outgoing, Target
from perdure.activities.asyncapi.payloads import outgoing
from perdure.activities.asyncapi.protocols.contract import BATCH_MAX, Access, Broken, Denied, MessageProtocol, Source
from perdure.activities.asyncapi.protocols.table import protocol_of
from perdure.activities.asyncapi.targets import target_of
from perdure.activities.authentication.header import basic
from perdure.activities.contract import GIVEN_UP, Call, CallFailed, Unwanted, trace_of_call
from perdure.activities.credentials import Credentials
from perdure.activities.deadlines import deadline
from perdure.activities.egress import Refused
from perdure.activities.outside import Outside
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
            target = await target_of(call, self._outside.documents)
            protocol = protocol_of(target.protocol)
            credentials = await self._credentials(target, call)
            access = Access(self._outside, target, login_of(credentials, target), credentials, call)
            if "message" in call.request:
                return await self._publish(protocol, access)
            return await self._subscribe(protocol, access)
        except CallFailed as failure:
            raise self._redacted(failure.error, credentials) from None

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
            async with deadline(access.seconds):
                try:
                    await _published(protocol, access, sent)
                except Denied as refusal:
                    access = await _with_others(access, refusal)
                    await _published(protocol, access, sent)
        except TimeoutError:
            detail = f"Publishing to {target.shown} was not confirmed within {access.seconds:g} seconds"
            raise CallFailed(standard("timeout", f"{detail} (PERDURE_CALL_TIMEOUT_SECONDS).")) from None
        except (Broken, OSError) as error:
            raise self._redacted(_failed("Publishing to", target, error).error, access.credentials) from None
        output = {"payload": message.get("payload"), "headers": message.get("headers") or {}}
        return output if sent.correlation_id is None else {**output, "correlationId": sent.correlation_id}

    async def _subscribe(self, protocol: MessageProtocol, access: Access) -> Json:
        said = access.call.request["subscription"]
        access = replace(access, batch=BATCH_MAX if said.get("batch", True) else 1, resume=said.get("resume"))
        away: float | None = None
        again = AGAIN_SECONDS_MIN
        opened = False
        while True:
            try:
                async with protocol.subscribe(access) as source:
                    opened, away, again = True, None, AGAIN_SECONDS_MIN
                    try:
                        if await self._consume(source, access):
                            return None
                    finally:
                        access = replace(access, resume=source.resume)
            except (Broken, OSError, TimeoutError) as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():  # the end of a connection must not swallow that
                    raise asyncio.CancelledError from None
                now = clock.monotonic()
                away = now if away is None else away
                others = await access.credentials.instead() if isinstance(error, Denied) else None
                lost = not opened and others is None
                if lost or isinstance(error, Refused) or now - away > AWAY_SECONDS_MAX:
                    failure = _failed("The subscription to", access.target, error)
                    raise self._redacted(failure.error, access.credentials) from None
                log.warning("a subscription broke off; opening it again", seconds=again)
            await clock.sleep(again)
            again = min(again * 2, AGAIN_SECONDS_MAX)
            # A token may have ended meanwhile.
            access = _with(access, others or await self._credentials(access.target, access.call))

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
        return self._outside.caller.redacted(error, credentials)


async def _published(protocol: MessageProtocol, access: Access, message: Outgoing) -> None:
    """Returns once the other side has the message; the trace of the call tells who confirmed or refused it."""
    trace = trace_of_call()
    trace.sends()
    try:
        await protocol.publish(access, message)
    except Denied:
        trace.by = access.place
        raise
    trace.by = access.place


async def _with_others(access: Access, refusal: Denied) -> Access:
    """With another token, where one that had been kept was refused. Raises the refusal where there is none."""
    credentials = await access.credentials.instead()
    if credentials is None:
        raise refusal
    return _with(access, credentials)


def _with(access: Access, credentials: Credentials) -> Access:
    return replace(access, credentials=credentials, login=login_of(credentials, access.target))


def _failed(what: str, target: Target, error: Exception) -> CallFailed:
    if isinstance(error, Refused):
        return CallFailed(standard("authorization", f"{what} {target.shown} is not allowed: {error}"))
    if isinstance(error, TimeoutError):
        return CallFailed(standard("timeout", f"{what} {target.shown} failed: it did not answer in time."))
    words = str(error).rstrip(".") or type(error).__name__
    name = "authentication" if isinstance(error, Denied) else "communication"
    return CallFailed(standard(name, f"{what} {target.shown} failed: {words}."))
