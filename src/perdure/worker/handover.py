"""Hands messages of a subscription to its process, and tells which of them it has taken.

A message is recorded as a fact under the call's lease; it may be acknowledged to its broker once the process has
taken it. So a worker that dies loses nothing: what it had not acknowledged is delivered again, to the next.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from perdure import clock
from perdure.activities.contract import Message, Verdict
from perdure.codec import Json, encode
from perdure.engine.facts import MessageReceived
from perdure.engine.receipts import receipt_key
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable
from perdure.store.facts import encode_fact
from perdure.store.records import LeasedCall

log = structlog.get_logger("perdure.messages")

T = TypeVar("T")

AGAIN_SECONDS = 0.5
LOOK_SECONDS_MIN = 0.02
LOOK_SECONDS_MAX = 5.0
LOOK_SHARE = 0.2
"""How much longer than it has waited so far one may wait for a look at what the process has done."""


def is_subscription(request: Json) -> bool:
    """Whether the call stays open and hands over messages until it is cancelled."""
    return isinstance(request, dict) and "subscription" in request


class Handover:
    """The implementation of `activities.contract.Deliver` for one lease of one call."""

    def __init__(self, context: Context, stepper: Stepper, call: LeasedCall) -> None:
        self._context = context
        self._stepper = stepper
        self._call = call

    async def __call__(self, messages: Sequence[Message], resume: Json = None) -> Verdict:
        facts = [self._fact(message) for message in messages]
        encoded = [encode_fact(fact) for fact in facts]
        request = None if resume is None else encode(self._resuming(resume))
        recorded = await self._surely(lambda: self._context.store.record_of_call(self._call, encoded, request))
        if recorded is None:
            return Verdict(0, wanted=False)
        await self._step()
        await self._until(lambda: self._taken_in(recorded))
        if await self._held():
            return Verdict(len(facts), wanted=True)
        return Verdict(await self._taken(facts), wanted=False)

    async def wanted(self) -> None:
        process, activity = self._call.process, self._call.activity
        await self._until(lambda: self._context.store.awaits_event(process, activity))

    def _fact(self, message: Message) -> MessageReceived:
        value = {"payload": message.payload, "headers": message.headers}
        if message.correlation_id is not None:
            value["correlationId"] = message.correlation_id
        receipt = clock.uuid7()
        return MessageReceived(self._call.activity, self._call.attempt, receipt, value, message.identity)

    def _resuming(self, resume: Json) -> Json:
        request = self._call.request
        return {**request, "subscription": {**request["subscription"], "resume": resume}}

    async def _step(self) -> None:
        try:
            await self._stepper.step([self._call.process])
        except StoreUnavailable as error:
            log.warning("a process could not be stepped; the sweep will", reason=str(error))

    async def _taken_in(self, facts: Sequence[int]) -> bool:
        return not await self._context.store.facts_left(facts)

    async def _held(self) -> bool:
        """Whether the call still goes on; its lease is prolonged by the way."""
        lease = self._context.settings.call_lease_seconds
        asked = {self._call.activity: self._call.token}
        return not await self._surely(lambda: self._context.store.extend_calls(asked, lease))

    async def _taken(self, facts: Sequence[MessageReceived]) -> int:
        """How many a subscription that is over has taken: as many as come up to the last receipt."""
        keys = [(self._call.process, receipt_key(fact.activity, fact.receipt)) for fact in facts]
        kept = await self._surely(lambda: self._context.store.payloads(keys))
        return max((number for number, key in enumerate(keys, 1) if key in kept), default=0)

    async def _until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Look again and again, more and more seldom."""
        began = clock.monotonic()
        while not await self._surely(holds):
            waited = clock.monotonic() - began
            await clock.sleep(min(max(waited * LOOK_SHARE, LOOK_SECONDS_MIN), LOOK_SECONDS_MAX))

    async def _surely(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except StoreUnavailable as error:
                log.warning("messages could not be recorded; trying again", reason=str(error))
                await clock.sleep(AGAIN_SECONDS)
