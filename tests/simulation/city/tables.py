"""The tables of the store in memory, and what several of its operations do with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure.codec import decode, encode
from perdure.engine.refs import key_of
from perdure.engine.step import Waiting, waits_to_begin
from perdure.store import records as r

UNDECIDED = ("open", "claimed")
UNDONE = ("available", "leased", "delayed")


@dataclass
class Process:
    new: r.NewProcess
    created_at: datetime
    waiting: tuple[Waiting, ...]
    status: str = "pending"
    state: bytes | None = None
    output: bytes | None = None
    error: Any = None
    sequence: int = 0
    owed_since: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class Fact:
    process: UUID
    fact: bytes
    recorded_at: datetime
    operator: bool


@dataclass
class Call:
    process: UUID
    tenant: str
    attempt: int
    function: str
    reference: str
    request: bytes
    detached: bool
    secrets: frozenset[str]
    lookup: int
    in_doubt: str
    lease_until: datetime
    lease_token: UUID | None = None
    sent_at: datetime | None = None

    def leased(self, activity: UUID, lost_at: datetime | None) -> r.LeasedCall:
        assert self.lease_token is not None
        assert self.sent_at is not None
        return r.LeasedCall(
            activity=activity,
            process=self.process,
            tenant=self.tenant,
            attempt=self.attempt,
            function=self.function,
            reference=self.reference,
            request=decode(self.request),
            detached=self.detached,
            secrets=self.secrets,
            token=self.lease_token,
            sent_at=self.sent_at,
            lost_at=lost_at,
            lookup=self.lookup,
            in_doubt=self.in_doubt,
        )


@dataclass
class Subscription:
    reference: str
    tenant: str
    type: str | None
    shape: bytes | None
    value: bytes | None
    since: datetime
    look_back_pending: bool


@dataclass
class Event:
    tenant: str
    event: Any
    received_at: datetime
    routed: bool = False
    to_publish: bool = False


@dataclass
class Callback:
    process: UUID
    activity: UUID
    status: str = "open"
    body_digest: bytes | None = None


@dataclass
class Tables:
    definitions: dict[r.DefinitionName, r.DefinitionRecord] = field(default_factory=dict)
    processes: dict[UUID, Process] = field(default_factory=dict)
    inbox: dict[int, Fact] = field(default_factory=dict)
    payloads: dict[tuple[UUID, bytes], bytes] = field(default_factory=dict)
    activities: dict[UUID, dict[UUID, r.ActivityRecord]] = field(default_factory=dict)
    history: dict[UUID, list[r.HistoryRecord]] = field(default_factory=dict)
    timers: dict[tuple[UUID, UUID], tuple[datetime, bytes]] = field(default_factory=dict)
    calls: dict[UUID, Call] = field(default_factory=dict)
    subscriptions: dict[tuple[UUID, UUID], list[Subscription]] = field(default_factory=dict)
    shapes: dict[tuple[str, bytes], tuple[str, ...]] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    event_ids: dict[tuple[str, str, str], int] = field(default_factory=dict)
    offers: set[tuple[UUID, str, int]] = field(default_factory=set)
    human_tasks: dict[UUID, r.HumanTaskRecord] = field(default_factory=dict)
    callbacks: dict[bytes, Callback] = field(default_factory=dict)
    jobs: dict[UUID, r.JobRecord] = field(default_factory=dict)
    idempotency: dict[tuple[str, str], tuple[bytes, UUID]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 40)))

    def add_processes(self, processes: Sequence[r.NewProcess], now: datetime) -> None:
        for new in processes:
            if new.start_at is not None:
                self.timers[new.id, new.id] = (new.start_at, new.fact)
            else:
                self.add_facts([(new.id, new.fact)], now)
            self.processes[new.id] = Process(new, now, (waits_to_begin(new.id, now, new.start_at),))
            if new.payload is not None:
                key = key_of(new.input)
                assert key is not None
                self.payloads[new.id, key] = new.payload

    def add_facts(self, facts: Sequence[tuple[UUID, bytes]], now: datetime, *, operator: bool = False) -> list[int]:
        numbers = []
        for process, fact in facts:
            number = next(self.numbers)
            self.inbox[number] = Fact(process, fact, now, operator)
            numbers.append(number)
        return numbers

    def end_call(self, answer: r.Answer) -> None:
        call = self.calls.get(answer.activity)
        if call is not None and (call.attempt, call.lookup) == (answer.attempt, answer.lookup):
            del self.calls[answer.activity]

    def facts_of(self, process: UUID) -> list[tuple[int, Fact]]:
        return [(number, fact) for number, fact in self.inbox.items() if fact.process == process]

    def add_event(self, tenant: str, event: Any, to_publish: bool, now: datetime) -> int | None:
        name = (tenant, event["source"], event["id"])
        if name in self.event_ids:
            return None
        number = self.event_ids[name] = next(self.numbers)
        self.events[number] = Event(tenant, decode(encode(event)), now, to_publish=to_publish)
        return number
