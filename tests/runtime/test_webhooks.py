"""Webhooks over a real database and to a real HTTP receiver, which fails and recovers."""

import asyncio
import base64
import contextlib
import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from perdure import clock
from perdure.broker.contract import BrokerUnavailable
from perdure.codec import decode
from perdure.runtime import lifecycle
from perdure.runtime.errors import Conflict, Invalid, NotFound
from perdure.runtime.views import DeliveryView, WebhookFilterView, WebhookRequest, WebhookView
from perdure.sealing import Sealer
from perdure.store.lifecycle import PARTITIONS, NewDelivery, Share
from perdure.store.postgres.lifecycle import LOCK_CLASS, LOCK_PARTITION
from perdure.worker import lifecycle as relaying
from perdure.worker.lifecycle import Relay
from perdure.worker.worker import Worker

from .conftest import DEADLINE_SECONDS, WHO, Platform, open_platform

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
WORKFLOW, TASK = "io.serverlessworkflow.workflow.", "io.serverlessworkflow.task."
SET = [{"say": {"set": {"word": "hello"}}}]


@dataclass
class Receiver:
    """Answers with `statuses` first, then 204. Checks every signature."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None
    secret: str = SECRET

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        id_, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, "sha256")).decode()
        assert request.headers["webhook-signature"] == f"v1,{expected}"
        assert request.content_type == "application/cloudevents+json"
        self.attempts.append(id_)
        if self.hold is not None:
            await self.hold.wait()
        status = self.statuses.pop(0) if self.statuses else 204
        if status < 300:
            self.got.append((id_, decode(body)))
        return web.Response(status=status, headers=self.headers)

    @property
    def events(self) -> list[dict[str, Any]]:
        return sorted((event for _, event in self.got), key=lambda e: (e["subject"], e["sequence"], e["id"]))

    async def until(self, reached: Callable[["Receiver"], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not reached(self):
                await asyncio.sleep(0.01)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    if made.hold is not None:
        made.hold.set()
    await runner.cleanup()


@pytest.fixture
async def platform(database: str) -> AsyncIterator[Platform]:
    async with open_platform(database, webhook_retry_seconds=0.02) as opened:
        yield opened


async def hook(platform: Platform, receiver: Receiver, **fields: Any) -> WebhookView:
    types = fields.pop("types", ("*",))
    filter_ = WebhookFilterView(types=types, **fields.pop("filter", {}))
    request = WebhookRequest(url=receiver.url, secret=SECRET, filter=filter_, **fields)
    return (await platform.service.create_webhook(WHO, request))[0]


async def log_of(platform: Platform, webhook: WebhookView) -> list[DeliveryView]:
    """The oldest first."""
    return (await platform.service.list_deliveries(WHO, webhook.id, None, limit=500, cursor=None)).items[::-1]


async def until_log(
    platform: Platform, webhook: WebhookView, reached: Callable[[list[DeliveryView]], bool]
) -> list[DeliveryView]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not reached(found := await log_of(platform, webhook)):
            await asyncio.sleep(0.02)
    return found


async def test_a_process_is_told_as_the_dsl_has_it(platform: Platform, receiver: Receiver) -> None:
    await hook(platform, receiver, types=("io.serverlessworkflow.*",))
    process = await platform.run("greet", SET, {"n": 1})
    await receiver.until(lambda r: len(r.got) >= 9)
    name = f"greet-{process.id}.test"
    by_id = {event["id"]: event for event in receiver.events}
    assert [(e["type"], e["data"]) for _, e in sorted(by_id.items())] == [
        (
            WORKFLOW + "started.v1",
            {
                "name": name,
                "definition": {"namespace": "test", "name": "greet", "version": "1.0.0"},
                "startedAt": by_id[f"{process.id}/1"]["time"],
            },
        ),
        (TASK + "created.v1", {"workflow": name, "task": "/do/0/say", "createdAt": by_id[f"{process.id}/2"]["time"]}),
        (
            TASK + "status-changed.v1",
            {
                "workflow": name,
                "task": "/do/0/say",
                "updatedAt": by_id[f"{process.id}/2"]["time"],
                "status": "pending",
            },
        ),
        (TASK + "started.v1", {"workflow": name, "task": "/do/0/say", "startedAt": by_id[f"{process.id}/3"]["time"]}),
        (
            TASK + "status-changed.v1",
            {
                "workflow": name,
                "task": "/do/0/say",
                "updatedAt": by_id[f"{process.id}/3"]["time"],
                "status": "running",
            },
        ),
        (
            TASK + "completed.v1",
            {
                "workflow": name,
                "task": "/do/0/say",
                "completedAt": by_id[f"{process.id}/4"]["time"],
                "output": {"word": "hello"},
            },
        ),
        (
            TASK + "status-changed.v1",
            {
                "workflow": name,
                "task": "/do/0/say",
                "updatedAt": by_id[f"{process.id}/4"]["time"],
                "status": "completed",
            },
        ),
        (
            WORKFLOW + "completed.v1",
            {"name": name, "completedAt": by_id[f"{process.id}/5"]["time"], "output": {"word": "hello"}},
        ),
        (
            WORKFLOW + "status-changed.v1",
            {"name": name, "updatedAt": by_id[f"{process.id}/5"]["time"], "status": "completed"},
        ),
    ]
    started = by_id[f"{process.id}/1"]
    assert {k: started[k] for k in ("specversion", "source", "subject", "sequence", "perdureactor")} == {
        "specversion": "1.0",
        "source": f"/v1/processes/{process.id}",
        "subject": str(process.id),
        "sequence": "0000000001",
        "perdureactor": "tester",
    }


async def test_filters(platform: Platform, receiver: Receiver) -> None:
    await hook(platform, receiver, types=(WORKFLOW + "completed.v1",), filter={"name": "two", "tags": {"shop": "n"}})
    await platform.deploy("one", SET)
    await platform.deploy("two", SET)
    await platform.ended(await platform.start("one", tags={"shop": "n"}))
    await platform.ended(await platform.start("two"))
    wanted = await platform.ended(await platform.start("two", tags={"shop": "n", "more": "m"}))
    await receiver.until(lambda r: bool(r.got))
    await nothing_owed(platform)
    assert [event["id"].split("/")[0] for event in receiver.events] == [str(wanted.id)]


async def nothing_owed(platform: Platform) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await sql(platform, "select from lifecycle limit 1"):
            await asyncio.sleep(0.01)


async def sql(platform: Platform, statement: str, *arguments: Any) -> list[Any]:
    async with platform.context.store._pool.acquire() as connection:  # type: ignore[attr-defined]
        return list(await connection.fetch(statement, *arguments))


async def test_nobody_listens_nothing_is_owed(platform: Platform, receiver: Receiver) -> None:
    await platform.worker.stop()  # nobody tells, so what is owed stays
    webhook = await hook(platform, receiver, enabled=False)
    await platform.deploy("quiet", SET)
    first = await platform.start("quiet")
    await step(platform, first.id)
    assert await sql(platform, "select from lifecycle") == []
    await platform.service.change_webhook(WHO, webhook.id, {"enabled": True})
    second = await platform.start("quiet")
    await step(platform, second.id)
    (owed,) = await sql(platform, "select * from lifecycle")  # one row for the step, whatever it did
    assert (owed["process"], owed["first"], owed["last"], owed["status"]) == (second.id, 1, 5, "completed")
    assert (owed["publish"], owed["deliver"]) == (False, True)


async def step(platform: Platform, process: Any) -> None:
    from perdure.runtime.step import Stepper

    await Stepper(platform.context).step_now(process)


async def test_levels(database: str, receiver: Receiver) -> None:
    for level, expected in (("process", 3), ("none", 0)):
        async with open_platform(database, lifecycle_events=level) as platform:
            webhook = await hook(platform, receiver, filter={"name": level})
            await platform.run(level, SET)
            await nothing_owed(platform)
            log = await until_log(platform, webhook, lambda log, least=expected: len(log) >= least)
            assert len(log) == expected
            assert all(delivery.type.startswith(WORKFLOW) for delivery in log)


async def test_a_receiver_that_fails_and_recovers(platform: Platform, receiver: Receiver) -> None:
    receiver.statuses = [500, 503, 302, 404]
    webhook = await hook(platform, receiver, types=(WORKFLOW + "started.v1",))
    await platform.run("greet", SET)
    await receiver.until(lambda r: bool(r.got))
    assert len(receiver.attempts) == 5
    assert len(set(receiver.attempts)) == 1  # the same webhook-id each time
    (delivery,) = await until_log(platform, webhook, lambda log: log[0].status == "delivered")
    assert (delivery.attempts, delivery.response_status, delivery.error) == (5, 204, None)
    assert delivery.next_attempt_at is None
    assert (await platform.service.get_webhook(WHO, webhook.id)).failing_since is None
    again = await platform.service.redeliver(WHO, webhook.id, delivery.id)
    assert again.status == "pending"
    await receiver.until(lambda r: len(r.got) == 2)
    assert receiver.got[0] == receiver.got[1]


async def test_a_receiver_that_is_gone_disables_its_webhook(platform: Platform, receiver: Receiver) -> None:
    receiver.statuses = [410]
    webhook = await hook(platform, receiver, types=(WORKFLOW + "started.v1",))
    await platform.run("greet", SET)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (found := await platform.service.get_webhook(WHO, webhook.id)).enabled:
            await asyncio.sleep(0.01)
    assert found.disabled_reason == "the receiver answered 410 Gone"
    (delivery,) = await log_of(platform, webhook)
    assert (delivery.status, delivery.attempts) == ("failed", 1)
    for refused in (
        platform.service.test_webhook(WHO, webhook.id),
        platform.service.redeliver(WHO, webhook.id, delivery.id),
    ):
        with pytest.raises(Conflict):
            await refused
    enabled = await platform.service.change_webhook(WHO, webhook.id, {"enabled": True})
    assert (enabled.enabled, enabled.disabled_reason, enabled.failing_since) == (True, None, None)
    await platform.service.test_webhook(WHO, webhook.id)
    await receiver.until(lambda r: bool(r.got))
    assert receiver.got[0][1]["type"] == "dev.perdure.webhook.test.v1"


async def test_long_failure_disables(database: str, receiver: Receiver) -> None:
    async with open_platform(database, webhook_retry_seconds=0.02, webhook_disable_seconds=0.2) as platform:
        receiver.statuses = [500] * 100
        webhook = await hook(platform, receiver, types=(WORKFLOW + "started.v1",))
        await platform.run("greet", SET)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (found := await platform.service.get_webhook(WHO, webhook.id)).enabled:
                await asyncio.sleep(0.01)
        assert found.disabled_reason is not None
        assert found.disabled_reason.startswith("nothing could be delivered since 20")
        assert "the receiver answered 500" in found.disabled_reason
        receiver.statuses = []
        await platform.service.change_webhook(WHO, webhook.id, {"enabled": True})
        await receiver.until(lambda r: bool(r.got))  # what waited is sent after all


async def test_a_sender_that_dies_loses_nothing(database: str, receiver: Receiver) -> None:
    """It has leased the delivery, and perhaps sent it, and can't say so: another sends it when the lease ends."""
    async with open_platform(database) as platform:
        await platform.worker.stop()
        webhook = await hook(platform, receiver, types=("*",))
        delivery = await platform.service.test_webhook(WHO, webhook.id)
        store = platform.context.store.lifecycle
        token = delivery.id
        assert len(await store.lease_deliveries(token, 60, [], 10, 10)) == 1
        assert await store.lease_deliveries(token, 60, [], 10, 10) == []
        await sql(platform, "update webhook_delivery set due = clock_timestamp()")
        from perdure.activities.outside import Outside
        from perdure.activities.registry import Registry

        settings = platform.context.settings
        worker = Worker(platform.context, Registry(Outside(settings, platform.context.secrets)))
        await worker.start()
        await receiver.until(lambda r: len(r.got) == 1)
        (found,) = await until_log(platform, webhook, lambda log: log[0].status == "delivered")
        assert found.attempts == 2
        await worker.stop()


async def test_two_workers_send_each_event_once(database: str, receiver: Receiver) -> None:
    async with open_platform(database) as platform, open_platform(database) as _:
        await hook(platform, receiver, types=("*",))
        await platform.deploy("many", [{"a": {"set": {"n": 1}}}, {"b": {"set": {"n": 2}}}])
        started = await asyncio.gather(*(platform.start("many") for _ in range(20)))
        for process in started:
            await platform.ended(process)
        await nothing_owed(platform)
        total = (await sql(platform, "select count(*) from webhook_delivery"))[0]["count"]
        await receiver.until(lambda r: len(r.got) >= total)
        assert len(receiver.attempts) == len(set(receiver.attempts)) == total
        # 2 + 2 * 3 lines, as many changes of status of tasks as lines of tasks, one of the process
        assert total == 20 * (8 + 6 + 1)


async def test_a_slow_receiver_delays_no_other(platform: Platform, receiver: Receiver) -> None:
    slow = Receiver(hold=asyncio.Event())
    app = web.Application()
    app.router.add_post("/hook", slow.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slow.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        await hook(platform, slow)
        await hook(platform, receiver)
        for name in ("one", "two", "three"):
            await platform.run(name, SET)
        await receiver.until(lambda r: len(r.got) >= 27)
        assert slow.got == []
        assert len(slow.attempts) <= 10
    finally:
        slow.hold.set()  # type: ignore[union-attr]
        await runner.cleanup()


async def test_outgoing_calls_are_guarded(database: str, receiver: Receiver) -> None:
    async with open_platform(database, egress_allow="", webhook_retry_seconds=0.02) as platform:
        with pytest.raises(Invalid) as refused:
            await hook(platform, receiver)
        assert refused.value.problems[0].pointer == "/url"
        receiver.url = receiver.url.replace("127.0.0.1", "localhost")
        webhook = await hook(platform, receiver)
        await platform.service.test_webhook(WHO, webhook.id)
        (delivery,) = await until_log(platform, webhook, lambda log: log[0].error is not None)
        assert "not a public address" in (delivery.error or "")
        assert receiver.attempts == []


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"url": "ftp://example.com"}, "/url"),
        ({"url": "https://user:word@example.com"}, "/url"),
        ({"url": "https://"}, "/url"),
        ({"secret": "whsec_???"}, "/secret"),
        ({"secret": "short"}, "/secret"),
        ({"filter": WebhookFilterView(types=("a b",))}, "/filter/types/0"),
        ({"filter": WebhookFilterView(types=())}, "/filter/types"),
    ],
)
async def test_webhooks_that_are_refused(platform: Platform, fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        await platform.service.create_webhook(WHO, WebhookRequest(**{"url": "https://example.com", **fields}))
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


async def test_secrets_are_sealed_where_there_is_a_key(database: str, receiver: Receiver) -> None:
    key = base64.b64encode(b"s" * 32).decode()
    async with open_platform(database, encryption_key=key) as platform:
        request = WebhookRequest(url=receiver.url)
        webhook, secret = await platform.service.create_webhook(WHO, request)
        assert secret.startswith("whsec_")
        (row,) = await sql(platform, "select secret from webhook")
        assert secret.encode() not in row["secret"]
        assert Sealer(key).open(row["secret"], webhook.id.bytes).decode() == secret
        receiver.secret = secret
        await platform.service.test_webhook(WHO, webhook.id)
        await receiver.until(lambda r: bool(r.got))
    async with open_platform(database, webhook_retry_seconds=0.02) as keyless:
        await keyless.service.test_webhook(WHO, webhook.id)
        log = await until_log(keyless, webhook, lambda log: log[-1].error is not None)
        assert "PERDURE_ENCRYPTION_KEY" in (log[-1].error or "")


async def test_removing(platform: Platform, receiver: Receiver) -> None:
    webhook = await hook(platform, receiver)
    await platform.service.test_webhook(WHO, webhook.id)
    await receiver.until(lambda r: bool(r.got))
    await platform.service.remove_webhook(WHO, webhook.id)
    with pytest.raises(NotFound):
        await platform.service.get_webhook(WHO, webhook.id)
    with pytest.raises(NotFound):
        await platform.service.remove_webhook(WHO, webhook.id)
    assert await sql(platform, "select from webhook_delivery") == []


async def test_the_log_is_bounded(platform: Platform, receiver: Receiver) -> None:
    receiver.hold = asyncio.Event()
    webhook = await hook(platform, receiver)
    for _ in range(6):
        await platform.service.test_webhook(WHO, webhook.id)
    store = platform.context.store.lifecycle
    await store.trim_deliveries(3600, 100, 5)
    disabled = await platform.service.get_webhook(WHO, webhook.id)
    assert (disabled.enabled, disabled.disabled_reason) == (False, "more than 5 events wait for delivery")
    receiver.hold.set()
    await platform.service.change_webhook(WHO, webhook.id, {"enabled": True})
    await until_log(platform, webhook, lambda log: all(d.status == "delivered" for d in log))
    await store.trim_deliveries(3600, 4, 5)
    assert len(await log_of(platform, webhook)) == 4
    await store.trim_deliveries(0, 4, 5)
    assert await log_of(platform, webhook) == []


async def test_a_delivery_made_while_its_webhook_is_removed_goes(platform: Platform, receiver: Receiver) -> None:
    webhook = await hook(platform, receiver)
    await platform.service.remove_webhook(WHO, webhook.id)
    store = platform.context.store.lifecycle
    await store.add_delivery(NewDelivery(clock.uuid7(), "default", webhook.id, "1", "t", b"{}"))
    await store.trim_deliveries(3600, 100, 5)
    assert await sql(platform, "select from webhook_delivery") == []


async def test_a_kept_row_outlives_a_telling_that_breaks_off(database: str, receiver: Receiver) -> None:
    """Deliveries and the end of what is owed commit together."""

    class Died(Exception):
        pass

    async with open_platform(database) as platform:
        await platform.worker.stop()
        webhook = await hook(platform, receiver)
        await platform.deploy("greet", SET)
        process = await platform.start("greet")
        await step(platform, process.id)
        partition = process.id.bytes[15] % 4
        with contextlib.suppress(Died):
            async with platform.context.store.lifecycle.take("deliver", partition, 10) as taken:
                assert taken is not None
                await taken.told([row.id for row in taken.owed])
                raise Died
        assert await lifecycle.deliver(platform.context, partition) == 1
        assert await lifecycle.deliver(platform.context, partition) == 0
        assert len(await log_of(platform, webhook)) == 9


async def test_one_partition_is_told_by_one_at_a_time(database: str, platform: Platform) -> None:
    await platform.worker.stop()
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            assert await connection.fetchval(LOCK_PARTITION, LOCK_CLASS, 2)
            async with platform.context.store.lifecycle.take("publish", 2, 10) as taken:
                assert taken is None
    finally:
        await connection.close()


async def test_one_partition_that_fails_stops_no_other(
    platform: Platform, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await platform.worker.stop()
    await hook(platform, receiver)
    await platform.deploy("greet", SET)
    for process in [await platform.start("greet") for _ in range(12)]:
        await step(platform, process.id)
    store = platform.context.store.lifecycle
    deliver = lifecycle.deliver

    async def fails_for_one(context: Any, partition: int) -> int:
        if partition == 0:
            raise RuntimeError("a fault that nobody has thought of")
        return await deliver(context, partition)

    monkeypatch.setattr(lifecycle, "deliver", fails_for_one)
    heard = []
    # Some of another partition's lines, so that every partition has some, wherever the processes' ids have put them.
    await sql(platform, "update lifecycle set partition = id % $1, deliver = true", PARTITIONS)
    assert {share.partition for share in await store.owed()} == set(range(PARTITIONS))
    relay = Relay(platform.context, lambda: heard.append(True))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await relay.once()
    assert await store.owed() == [Share("deliver", 0)]
    assert len(heard) >= PARTITIONS - 1


async def test_an_absent_broker_does_not_hold_up_webhooks(
    platform: Platform, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await platform.worker.stop()
    await hook(platform, receiver)
    await platform.deploy("greet", SET)
    for process in [await platform.start("greet") for _ in range(12)]:
        await step(platform, process.id)
    await sql(platform, "update lifecycle set publish = true")
    asked = 0

    async def away(publisher: Any, partition: int) -> int:
        nonlocal asked
        asked += 1
        raise BrokerUnavailable("away")

    monkeypatch.setattr(lifecycle.Publisher, "publish", away)
    monkeypatch.setattr(relaying, "PAUSE_SECONDS", 1000.0)
    relay = Relay(platform.context, lambda: None)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await relay.once()
        await relay.once()
    assert {share.purpose for share in await platform.context.store.lifecycle.owed()} == {"publish"}
    assert asked == 1
