"""Performs external calls: leases them, works on many at once, and records their results in batches.

A call that was decided here is leased in the transaction that decides it, as long as there is room, and its result is
recorded in that of the step that takes it in: a call costs one commit. Others come through the broker.

A lease is extended while its call is under way, so that it can be short: a worker that dies is replaced soon. The
repeat bears the same idempotency key.

A call that waits for a host with a limit has no place among those under way, but its lease is extended too. Where too
many wait, a call is put off: nobody has it until its lease ends, then the sweep finds it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import structlog

from perdure import clock
from perdure.activities.contract import GIVEN_UP, PLACE, Call, Performer, Postponed, Unwanted
from perdure.engine.effects import PerformCall
from perdure.runtime.context import Context
from perdure.runtime.step import Stepper
from perdure.store.contract import StoreUnavailable
from perdure.store.records import Answer, Lease, LeasedCall
from perdure.worker.handover import Handover, is_subscription
from perdure.worker.results import RECORD_AGAIN_SECONDS, record_doubt, result_of
from perdure.worker.room import Place, Room

log = structlog.get_logger("perdure.calls")


T = TypeVar("T")


class Calls:
    """The calls that this worker performs."""

    _stepper: Stepper

    def __init__(self, context: Context, performer: Performer) -> None:
        self._context = context
        self._performer = performer
        self._room = Room(context.settings.calls_concurrency_max, context.settings.calls_waiting_max)
        self._running: dict[asyncio.Task[None], LeasedCall] = {}
        self._subscriptions: set[asyncio.Task[None]] = set()
        """Those of the running calls that last until they are cancelled; they take no room."""
        self._places: dict[asyncio.Task[None], Place] = {}
        self._tokens: dict[UUID, UUID] = {}
        self._reserved: dict[UUID, list[Place]] = {}
        """By the token of the lease."""
        self._returning: set[asyncio.Task[None]] = set()
        self._finishing: set[asyncio.Task[None]] = set()
        """Results that are being recorded, whatever becomes of the lease: the first answer to an attempt counts."""
        self._extending: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self, stepper: Stepper) -> None:
        """From now on results are recorded, and their processes stepped."""
        self._stepper = stepper
        self._extending = asyncio.create_task(self._extend())

    async def stop(self, seconds: float) -> None:
        """Let calls under way end, up to `seconds`; hand the rest back, subscriptions at once."""
        self._stopping = True
        for task in tuple(self._subscriptions):
            task.cancel()
        unsent = {self._running[task].activity for task, place in self._places.items() if place.waits}
        for task, place in self._places.items():
            if place.waits:
                task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        try:
            async with asyncio.timeout(2):
                await asyncio.gather(*self._finishing)
                left = dict(self._tokens)
                for sent in (True, False):
                    some = {activity: token for activity, token in left.items() if (activity not in unsent) == sent}
                    if some:
                        await self._context.store.release_calls(some, sent=sent)
                await asyncio.gather(*self._returning)
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("calls could not be handed back; their leases will end", reason=str(error))
        for task in tuple(self._finishing):
            task.cancel()
        if self._extending is not None:
            self._extending.cancel()
            await asyncio.gather(self._extending, return_exceptions=True)

    @property
    def room(self) -> int:
        """How many more calls can begin at once."""
        return max(0, self._context.settings.calls_concurrency_max - self._room.taken)

    async def reserve(self, calls: Sequence[PerformCall]) -> Lease | None:
        """See `runtime.calling.Caller`. Subscriptions go through the broker, to workers that have room for them."""
        wanted = [call.activity for call in calls if not is_subscription(call.request)]
        places = [] if self._stopping else await self._room.spare(len(wanted))
        if not places:
            return None
        lease = Lease(tuple(wanted[: len(places)]), clock.uuid7(), self._context.settings.call_lease_seconds)
        self._reserved[lease.token] = places
        return lease

    def begin(self, lease: Lease, calls: Sequence[LeasedCall]) -> None:
        """See `runtime.calling.Caller`."""
        if self._stopping:
            self.give_back(lease)
            return
        places = self._reserved.pop(lease.token)
        for call in calls:
            self._start(call, places.pop())
        for place in places:
            place.close()

    def give_back(self, lease: Lease) -> None:
        """See `runtime.calling.Caller`."""
        for place in self._reserved.pop(lease.token):
            place.close()
        task = asyncio.create_task(self._return(lease))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _return(self, lease: Lease) -> None:
        """For the case that it was committed: else its calls would have to wait for its end, and be in doubt."""
        tokens = dict.fromkeys(lease.activities, lease.token)
        until = clock.monotonic() + lease.seconds
        while clock.monotonic() < until:
            try:
                return await self._context.store.release_calls(tokens, sent=False)
            except StoreUnavailable:
                await clock.sleep(RECORD_AGAIN_SECONDS)
            except Exception:
                log.exception("calls could not be handed back; their leases will end")
                return None
        return None

    async def take(self, ids: Sequence[UUID]) -> None:
        """Perform those of the calls that nobody else performs; returns when all have begun."""
        left = list(dict.fromkeys(ids))
        while left:
            places = await self._room.take(len(left))
            now, left = left[: len(places)], left[len(places) :]
            try:
                await self._begin(now, places)
            finally:
                for place in places:  # those that no call has got
                    place.close()

    async def _begin(self, ids: Sequence[UUID], places: list[Place]) -> None:
        """Lease and start; each call that there is takes one of the places."""
        lease = self._context.settings.call_lease_seconds
        subscriptions_max = self._context.settings.subscriptions_max
        refused = {}
        for call in await self._context.store.lease_calls(ids, lease, clock.uuid7()):
            if not is_subscription(call.request):
                self._start(call, places.pop())
            elif len(self._subscriptions) < subscriptions_max:
                self._start(call, None)
            else:
                refused[call.activity] = call.token
        if refused:
            log.warning("subscriptions are left to other workers: this one has PERDURE_SUBSCRIPTIONS_MAX of them")
            await self._context.store.release_calls(refused, sent=False)

    def _start(self, call: LeasedCall, place: Place | None) -> None:
        """A subscription takes up no place."""
        if call.activity in self._tokens:
            self._give_up(call.activity)
        self._tokens[call.activity] = call.token
        task = asyncio.create_task(self._perform(call, place))
        self._running[task] = call
        if place is None:
            self._subscriptions.add(task)
        else:
            self._places[task] = place
        task.add_done_callback(self._ended)

    def _give_up(self, activity: UUID) -> None:
        """The call has been leased anew, as this worker was stopped for longer than its lease. It is made once here."""
        for task, call in tuple(self._running.items()):
            if call.activity == activity:
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._subscriptions.discard(task)
        place = self._places.pop(task, None)
        if place is not None:
            place.close()

    async def _perform(self, leased: LeasedCall, place: Place | None) -> None:
        PLACE.set(place)
        if leased.lost_at is not None and not is_subscription(leased.request) and not await self._in_doubt(leased):
            self._forget(leased)
            return
        try:
            fact = await result_of(self._performer, self._call(leased), leased)
        except Unwanted:
            self._forget(leased)
        except Postponed:
            await self._put_off(leased)
        else:
            finishing = asyncio.create_task(self._finish(leased, fact))
            self._finishing.add(finishing)
            finishing.add_done_callback(self._finishing.discard)

    async def _finish(self, leased: LeasedCall, fact: bytes) -> None:
        answer = Answer(leased.process, leased.activity, leased.attempt, leased.lookup, fact)
        try:
            await self._record(answer)
        except Exception:
            log.exception("a result could not be recorded; its lease will end, the call is repeated")
        self._forget(leased)

    def _call(self, leased: LeasedCall) -> Call:
        key = f"{leased.process}/{leased.activity}"
        return Call(
            process=leased.process,
            activity=leased.activity,
            attempt=leased.attempt,
            function=leased.function,
            reference=leased.reference,
            request=leased.request,
            tenant=leased.tenant,
            idempotency_key=f"{key}/lookup" if leased.lookup else key,
            secrets=leased.secrets,
            deliver=Handover(self._context, self._stepper, leased) if is_subscription(leased.request) else None,
        )

    async def _in_doubt(self, leased: LeasedCall) -> bool:
        """Tell the process that the call is in doubt; whether it is to be made again now."""
        told = await record_doubt(self._context.store, leased)
        if told:
            await self._step([leased.process])
        return told and leased.in_doubt == "retry"

    async def _put_off(self, leased: LeasedCall) -> None:
        """Leave the call alone for about the time of a lease."""
        self._forget(leased)
        seconds = clock.jittered(self._context.settings.call_lease_seconds)
        try:
            await self._context.store.release_calls({leased.activity: leased.token}, sent=False, after_seconds=seconds)
        except StoreUnavailable as error:
            log.warning("a call could not be put off; its lease will end", reason=str(error))

    async def _record(self, answer: Answer) -> None:
        """Take in what the call led to, and step its process."""
        apart = await self._surely(lambda: self._stepper.answer([answer]))
        if apart:
            await self._surely(lambda: self._context.store.finish_calls(apart))
            await self._step([answer.process])

    async def _surely(self, record: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await record()
            except StoreUnavailable as error:
                log.warning("results could not be recorded; trying again", reason=str(error))
                await clock.sleep(RECORD_AGAIN_SECONDS)

    async def _step(self, processes: Sequence[UUID]) -> None:
        try:
            await self._stepper.step(processes)
        except StoreUnavailable as error:
            log.warning("processes could not be stepped; the sweep will", reason=str(error))
        except Exception:
            log.exception("processes could not be stepped; the sweep will")

    async def _extend(self) -> None:
        lease = self._context.settings.call_lease_seconds
        while True:
            await clock.sleep(lease / 3)
            if not self._tokens:
                continue
            asked = dict(self._tokens)
            try:
                lost = await self._context.store.extend_calls(asked, lease)
            except StoreUnavailable as error:
                log.warning("leases could not be extended", reason=str(error))
            except Exception:
                log.exception("extending leases failed; it goes on")
            else:
                self._drop(asked, lost)

    def _drop(self, asked: Mapping[UUID, UUID], lost: Mapping[UUID, int | None]) -> None:
        """End calls that were cancelled, or that another worker has taken over."""
        for task, call in tuple(self._running.items()):
            if call.activity in lost and asked[call.activity] == call.token:
                cancelled = lost[call.activity] != call.attempt
                task.cancel(GIVEN_UP if cancelled else None)
                self._forget(call)

    def _forget(self, call: LeasedCall) -> None:
        if self._tokens.get(call.activity) == call.token:
            del self._tokens[call.activity]
