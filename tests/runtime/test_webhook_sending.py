"""How many deliveries are under way at once, and what becomes of one that goes wrong: a store and a poster of ours."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from structlog.testing import capture_logs

from perdure.runtime.context import Context
from perdure.sealing import Sealer
from perdure.settings import Settings
from perdure.store.lifecycle import Attempt, LeasedDelivery
from perdure.worker import webhooks
from perdure.worker.webhooks import AT_ONCE_MAX, PER_WEBHOOK_MAX, Webhooks

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SECRET = Sealer(None).seal(b"whsec_" + b"a" * 44, b"")


class World:
    """Store and poster: `due` deliveries by webhook are leased as asked for, and answered once `answer` is set."""

    def __init__(self, due: Mapping[int, int]) -> None:
        self.due = {UUID(int=webhook): number for webhook, number in due.items()}
        self.limits: list[int] = []
        self.posting: set[str] = set()
        self.answer = asyncio.Event()
        self.attempts: list[tuple[UUID, Attempt]] = []
        self.broken_posts: set[str] = set()
        self.broken_records: set[UUID] = set()
        settings = Settings(_env_file=None)  # type: ignore[call-arg]
        context = SimpleNamespace(settings=settings, store=SimpleNamespace(lifecycle=self))
        self.webhooks = Webhooks(cast(Context, context), self)

    async def lease_deliveries(
        self, token: UUID, lease_seconds: float, busy: Sequence[UUID], per_webhook: int, limit: int
    ) -> list[LeasedDelivery]:
        self.limits.append(limit)
        wanted = [webhook for webhook, n in self.due.items() if webhook not in busy for _ in range(min(n, per_webhook))]
        for webhook in wanted[:limit]:
            self.due[webhook] -= 1
        return [
            LeasedDelivery(UUID(int=n), webhook, f"http://{webhook.int}.example", SECRET, b"{}", 1, None, NOW, token)
            for n, webhook in enumerate(wanted[:limit])
        ]

    async def next_delivery(self) -> float | None:
        return 0.0 if any(self.due.values()) else None

    async def finish_attempt(self, leased: LeasedDelivery, attempt: Attempt) -> None:
        if leased.webhook in self.broken_records:
            raise RuntimeError("no such column")
        self.attempts.append((leased.webhook, attempt))

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, Mapping[str, str]]:
        self.posting.add(url)
        if url in self.broken_posts:
            raise RuntimeError("a fault of ours")
        await self.answer.wait()
        return 204, {}

    async def through(self) -> None:
        """All that is under way has ended."""
        self.answer.set()
        async with asyncio.timeout(10):
            while self.webhooks._sending:
                await asyncio.wait(self.webhooks._sending)


async def test_a_webhook_takes_as_much_room_as_it_has_deliveries() -> None:
    world = World(dict.fromkeys(range(1, 8), 1))  # seven receivers that hang, with one delivery each
    await world.webhooks.once()
    world.due[UUID(int=8)] = 1
    await world.webhooks.once()
    assert world.limits == [AT_ONCE_MAX, AT_ONCE_MAX - 7]
    await asyncio.sleep(0)
    assert "http://8.example" in world.posting
    await world.webhooks.stop()


async def test_no_more_at_once_than_there_is_room_for() -> None:
    world = World(dict.fromkeys(range(1, 8), PER_WEBHOOK_MAX + 1))
    await world.webhooks.once()
    await world.webhooks.once()
    assert world.limits == [AT_ONCE_MAX]  # where there is no room nothing is asked for
    assert len(world.webhooks._sending) == AT_ONCE_MAX
    await world.through()
    assert len(world.attempts) == AT_ONCE_MAX
    await world.webhooks.once()
    assert world.limits == [AT_ONCE_MAX, AT_ONCE_MAX]
    await world.webhooks.stop()


async def test_a_fault_of_ours_is_logged_counts_as_an_attempt_and_stops_no_other(monkeypatch: Any) -> None:
    world = World({1: 2, 2: 2})
    world.broken_posts.add("http://1.example")
    logged = await logs_of(world, monkeypatch)
    assert [(entry["event"], entry["webhook"]) for entry in logged] == [
        ("a delivery could not be sent", str(UUID(int=1)))
    ] * 2
    assert all(entry["exc_info"] for entry in logged)
    found = sorted((webhook.int, attempt.status, attempt.error) for webhook, attempt in world.attempts)
    assert found == [(1, "pending", "it could not be sent: RuntimeError")] * 2 + [(2, "delivered", None)] * 2


async def test_what_can_not_be_recorded_is_logged_and_stops_no_other(monkeypatch: Any) -> None:
    world = World({1: 1, 2: 1})
    world.broken_records.add(UUID(int=1))
    (entry,) = await logs_of(world, monkeypatch)
    assert entry["event"] == "a delivery could not be recorded; it comes again"
    assert (entry["webhook"], entry["exc_info"]) == (str(UUID(int=1)), True)
    assert [webhook.int for webhook, _ in world.attempts] == [2]


async def logs_of(world: World, monkeypatch: Any) -> list[Any]:
    """What one round of sending logs."""
    with capture_logs() as logged:
        monkeypatch.setattr(webhooks, "log", webhooks.structlog.get_logger("perdure.webhooks"))
        await world.webhooks.once()
        await world.through()
    return logged
