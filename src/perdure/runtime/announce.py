"""What a commit must make known to the workers. Losing it costs time, not facts: the sweep finds all of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final
from uuid import UUID

import structlog

from perdure import telemetry
from perdure.broker.contract import CALLS, EVENTS, IDS_PER_MESSAGE_MAX, STEPS, Broker, BrokerUnavailable

log = structlog.get_logger("perdure.announce")

EVENT = "event"
SUBSCRIPTION = "subscription"


TIMERS: Final = UUID(int=0)
"""Among processes to step: the worker is to look at the timers, as one is due in less than `LOOK_SECONDS`. From who
fires none.
"""
LOOK_SECONDS: Final = 1.0
"""How late workers notice at most what somebody else has left to do."""


@dataclass(slots=True)
class Announcement:
    """Processes to step, calls to perform, events to publish and route, subscriptions that look back, jobs (by
    tenant and type) to be had, and processes that have ended."""

    steps: list[UUID] = field(default_factory=list)
    calls: list[UUID] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    look_backs: list[tuple[UUID, UUID]] = field(default_factory=list)
    jobs: set[tuple[str, str]] = field(default_factory=set)
    ended: list[UUID] = field(default_factory=list)
    timer_seconds: float = math.inf
    """Until the earliest timer that was set is due."""


def event_id(event: int) -> str:
    """How the events queue names an event."""
    return f"{EVENT}:{event}"


def subscription_id(process: UUID, activity: UUID) -> str:
    """How the events queue names a subscription that looks back."""
    return f"{SUBSCRIPTION}:{process}:{activity}"


def job_topic(tenant: str, type_: str) -> str:
    """How a signal names jobs of a type."""
    return "job:" + blake2b(f"{tenant}\0{type_}".encode(), digest_size=16).hexdigest()


ENDED = "ended"
ENDED_NAMED_MAX = 4


def ended_topics(processes: Sequence[UUID]) -> list[str]:
    """How a signal says that processes have ended: it names a few, and does not name many."""
    if len(processes) > ENDED_NAMED_MAX:
        return [ENDED]
    return [f"{ENDED}:{process}" for process in processes]


def ended_process(topic: str) -> UUID | None:
    """The process that a topic says has ended."""
    kind, _, process = topic.partition(":")
    try:
        return UUID(process) if kind == ENDED else None
    except ValueError:
        return None


def parse_ids(ids: Sequence[str]) -> tuple[list[int], list[tuple[UUID, UUID]]]:
    """The events and subscriptions that a message of the events queue names; what is neither is left out."""
    events: list[int] = []
    subscriptions: list[tuple[UUID, UUID]] = []
    for text in ids:
        match text.split(":"):
            case [kind, number] if kind == EVENT and number.isascii() and number.isdigit():
                events.append(int(number))
            case [kind, process, activity] if kind == SUBSCRIPTION:
                try:
                    subscriptions.append((UUID(process), UUID(activity)))
                except ValueError:
                    continue
            case _:
                continue
    return events, subscriptions


async def announce(broker: Broker, announcement: Announcement) -> bool:
    """Send the wake-ups, as few messages as possible. Answers whether the broker took them all."""
    events = [event_id(event) for event in announcement.events]
    events += [subscription_id(*subscription) for subscription in announcement.look_backs]
    try:
        await _publish(broker, STEPS, [str(process) for process in announcement.steps])
        await _publish(broker, CALLS, [str(activity) for activity in announcement.calls])
        await _publish(broker, EVENTS, events)
        topics = ended_topics(announcement.ended) + [job_topic(*kind) for kind in sorted(announcement.jobs)]
        if topics:
            await broker.signal(topics)
    except BrokerUnavailable as error:
        log.warning("wake-ups could not be sent; the sweep will", reason=str(error))
        return False
    return True


async def _publish(broker: Broker, queue: str, ids: Sequence[str]) -> None:
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), IDS_PER_MESSAGE_MAX):
        try:
            await broker.publish(queue, unique[start : start + IDS_PER_MESSAGE_MAX])
        except BrokerUnavailable:
            telemetry.record_publish(queue, confirmed=False)
            raise
        telemetry.record_publish(queue, confirmed=True)
