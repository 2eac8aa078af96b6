"""Telling others what happens to processes: the audit trail, line by line, to the broker and to webhooks.

What is to be told is owed by a row that was committed with the step (`store.lifecycle`), so it is told at least
once, in the order of each process. Events that nobody has asked for are neither made nor sent twice over: once the
broker says that nobody is bound to a type, the rest of a batch leaves it out, as it would be dropped just so. Where
nobody asks for anything, a large batch costs the first event of each type.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Self
from uuid import UUID

import structlog

from perdure import clock, telemetry
from perdure.broker.contract import BrokerUnavailable
from perdure.codec import Json, decode, encode
from perdure.runtime import webhook_filter
from perdure.runtime.context import Context
from perdure.runtime.lifecycle_events import Line, cloud_event, lines
from perdure.store.lifecycle import NewDelivery, Owed, TakenLifecycle, Telling, WebhookRecord
from perdure.store.records import HistoryRecord

log = structlog.get_logger("perdure.lifecycle")

ROWS_PER_TURN_MAX = 100
ROWS_UNWANTED_MAX = 2_000
"""In one turn, as long as nobody asks for any of them."""
PROCESSES_AT_ONCE_MAX = 16
OUTPUT_BYTES_MAX = 64 * 1024
"""Longer outputs are left out of events; the API has them."""
EVENT_BYTES_MAX = 256 * 1024
"""What a webhook gets at most; of a longer event it gets all but its data."""


class Publisher:
    """Tells the broker what is owed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._unwanted = False
        """Whether nobody had asked for anything in the last turn."""

    async def publish(self, partition: int) -> int:
        """Answers for how many rows. Raises `BrokerUnavailable`: then they stay owed."""
        try:
            return await self._publish(partition)
        except* BrokerUnavailable as group:
            reason = str(group.exceptions[0])
        raise BrokerUnavailable(reason)

    async def _publish(self, partition: int) -> int:
        limit = ROWS_UNWANTED_MAX if self._unwanted else ROWS_PER_TURN_MAX
        async with self._context.store.lifecycle.take("publish", partition, limit) as taken:
            if taken is None:
                return 0
            rows = taken.owed
            if self._unwanted and await self._is_wanted(taken):
                rows = rows[:ROWS_PER_TURN_MAX]
                self._unwanted = False
            if not self._unwanted:
                self._unwanted = not await self._tell(taken, rows)
            await taken.told([owed.id for owed in rows])
            return len(rows)

    async def _is_wanted(self, taken: TakenLifecycle) -> bool:
        """Offers the broker the first event of each type; whether it has taken one.

        It stops there. All that comes before that event is of types which were offered before: the order is kept
        for who gets it, and once more when the rows are told from their beginning.
        """
        heads = await taken.heads()
        status = next((owed.id for owed in taken.owed if owed.status is not None), None)
        rows = [owed for owed in taken.owed if owed.id in heads or owed.id == status]
        events = await _Events.load(self._context, taken, rows)
        unwanted: set[str] = set()
        for owed, line in events.of(rows):
            if line.type not in unwanted:
                if await self._offer(await events.event(owed, line)):
                    return True
                unwanted.add(line.type)
        return False

    async def _tell(self, taken: TakenLifecycle, rows: Sequence[Owed]) -> bool:
        """Whether the broker has taken any."""
        events = await _Events.load(self._context, taken, rows)
        unwanted: set[str] = set()
        wanted: set[str] = set()
        room = asyncio.Semaphore(PROCESSES_AT_ONCE_MAX)

        async def tell(own: Sequence[Owed]) -> None:
            async with room:
                for owed, line in events.of(own):
                    if line.type not in unwanted:
                        taken_ = await self._offer(await events.event(owed, line))
                        (wanted if taken_ else unwanted).add(line.type)

        async with asyncio.TaskGroup() as group:  # the first failure ends the others: a broker that hangs is slow
            for own in _by_process(rows):
                group.create_task(tell(own))
        return bool(wanted)

    async def _offer(self, event: Json) -> bool:
        telemetry.LIFECYCLE_PUBLISHED.inc()
        return await self._context.broker.publish_event(event)


async def deliver(context: Context, partition: int) -> int:
    """Put what is owed to webhooks into their queues; answers how many rows."""
    async with context.store.lifecycle.take("deliver", partition, ROWS_PER_TURN_MAX) as taken:
        if taken is None:
            return 0
        webhooks = await context.store.lifecycle.recipients(list({owed.tenant for owed in taken.owed}))
        events = await _Events.load(context, taken, taken.owed)
        new: list[NewDelivery] = []
        for owed, line in events.of(taken.owed):
            wanting = [w for w in webhooks if _wants(w, owed, line)]
            if wanting:
                body = _body(await events.event(owed, line))
                new += [
                    NewDelivery(clock.uuid7(), owed.tenant, webhook.id, line.id, line.type, body) for webhook in wanting
                ]
        await taken.told([owed.id for owed in taken.owed], new)
        return len(taken.owed)


class _Events:
    """Makes the events of the rows at hand, with the outputs that some of them bear."""

    def __init__(
        self,
        context: Context,
        taken: TakenLifecycle,
        rows: Sequence[Owed],
        entries: Mapping[int, list[HistoryRecord]],
    ) -> None:
        self._context = context
        self._taken = taken
        self._rows = rows
        self._entries = entries
        self._telling = Telling(context.settings.lifecycle_events)
        self._outputs: dict[UUID, Mapping[UUID, tuple[int, bytes]]] = {}
        self._connection = asyncio.Lock()

    @classmethod
    async def load(cls, context: Context, taken: TakenLifecycle, rows: Sequence[Owed]) -> Self:
        return cls(context, taken, rows, await taken.entries(rows))

    def of(self, rows: Sequence[Owed]) -> list[tuple[Owed, Line]]:
        return [(owed, line) for owed in rows for line in lines(owed, self._entries[owed.id], self._telling)]

    async def event(self, owed: Owed, line: Line) -> dict[str, Json]:
        output, known = await self._output(owed, line) if line.wants_output else (None, False)
        event = cloud_event(owed, line, output, has_output=known)
        for name in ("data", "perdureactor"):
            event[name] = self._context.secrets.redact(event[name])
        return event

    async def _output(self, owed: Owed, line: Line) -> tuple[Json, bool]:
        """The output that an entry tells the completion of, unless a later attempt has replaced it."""
        async with self._connection:
            if owed.process not in self._outputs:
                self._outputs[owed.process] = await self._load(owed.process)
        entry = line.entry
        found = self._outputs[owed.process].get(owed.process if entry.activity is None else entry.activity)
        attempt = 0 if entry.activity is None else entry.data.get("attempt", 1)
        return (None, False) if found is None or found[0] != attempt else (decode(found[1]), True)

    async def _load(self, process: UUID) -> Mapping[UUID, tuple[int, bytes]]:
        ended = {
            line.entry.activity
            for owed, line in self.of([owed for owed in self._rows if owed.process == process])
            if line.wants_output and line.entry.activity is not None
        }
        return await self._taken.outputs(process, list(ended), OUTPUT_BYTES_MAX)


def _by_process(rows: Sequence[Owed]) -> list[list[Owed]]:
    ordered = sorted(rows, key=lambda owed: (owed.process, owed.id))
    return [list(group) for _, group in groupby(ordered, key=lambda owed: owed.process)]


def _wants(webhook: WebhookRecord, owed: Owed, line: Line) -> bool:
    return webhook_filter.wants_process(webhook, owed) and webhook_filter.wants_type(webhook.types, line.type)


def _body(event: dict[str, Json]) -> bytes:
    body = encode(event)
    if len(body) > EVENT_BYTES_MAX:
        body = encode({name: value for name, value in event.items() if name != "data"})
    return body
