"""One suite over both brokers, on real servers that are killed, frozen and restarted under it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from brokers import (
    QUICK,
    RABBIT_SETTLE_SECONDS,
    Inbox,
    PostgresWorld,
    RabbitWorld,
    World,
    consuming,
    eventually,
    publish_stubbornly,
)

from perdure.broker.contract import IDS_PER_MESSAGE_MAX, BrokerUnavailable
from perdure.broker.dispatch import Redelivery
from servers import Fleet, PostgresServer, RabbitServer


@pytest.fixture(params=["postgres", "rabbit"])
async def world(request: pytest.FixtureRequest, fleet: Fleet) -> AsyncIterator[World]:
    server = await fleet.get(request.param)
    async with AsyncExitStack() as stack:
        if isinstance(server, PostgresServer):
            dsn = await stack.enter_async_context(server.fresh_database())
            yield PostgresWorld(server, dsn, stack)
        else:
            assert isinstance(server, RabbitServer)
            yield RabbitWorld(server, stack)


async def test_what_is_published_arrives_once_in_its_queue(world: World) -> None:
    broker = await world.broker()
    steps, calls = Inbox(), Inbox()
    async with consuming(broker, "steps", steps), consuming(broker, "calls", calls):
        await broker.publish("steps", ["a", "b"])
        await broker.publish("calls", ["c"])
        await broker.publish("steps", [])
        await steps.until_ids("a", "b")
        await calls.until_ids("c")
    assert steps.ids == {"a": 1, "b": 1}
    assert calls.ids == {"c": 1}
    assert await broker.ready() == "ok"


async def test_messages_wait_for_a_consumer(world: World) -> None:
    await (await world.broker()).publish("steps", ["a"])
    inbox = Inbox()
    async with consuming(await world.broker(), "steps", inbox):
        await inbox.until_ids("a")


async def test_another_process_is_woken_promptly(world: World) -> None:
    publisher, consumer = await world.broker(), await world.broker()
    inbox = Inbox()
    took = []
    async with consuming(consumer, "steps", inbox):
        for number in range(20):
            start = time.perf_counter()
            await publisher.publish("steps", [str(number)])
            await inbox.until_ids(str(number))
            took.append(time.perf_counter() - start)
    assert sorted(took)[len(took) // 2] < 0.25, f"seconds from publish to handler: {took}"


async def test_many_ids_travel_in_bounded_batches(world: World) -> None:
    broker = await world.broker()
    inbox = Inbox()
    ids = [str(number) for number in range(3 * IDS_PER_MESSAGE_MAX + 17)]
    await broker.publish("steps", ids)
    async with consuming(broker, "steps", inbox, batch_max=IDS_PER_MESSAGE_MAX):
        await inbox.until_ids(*ids)
    assert inbox.ids == Counter(ids)
    assert max(len(batch) for batch in inbox.batches) <= IDS_PER_MESSAGE_MAX


async def test_messages_at_hand_are_handled_together_each_id_once(world: World) -> None:
    broker = await world.broker()
    gate = asyncio.Event()
    inbox = Inbox(lambda _: gate.wait())
    async with consuming(broker, "steps", inbox, batch_max=100):
        await broker.publish("steps", ["first"])
        await inbox.until_ids("first")
        for number in range(10):
            await broker.publish("steps", [str(number), "same"])
        await asyncio.sleep(0.3)  # let them arrive, so that they are at hand when the gate opens
        gate.set()
        await inbox.until_ids(*map(str, range(10)))
    assert max(map(len, inbox.batches)) >= 5, inbox.batches
    assert all(len(batch) == len(set(batch)) for batch in inbox.batches)


async def test_concurrency_and_prefetch_are_kept(world: World) -> None:
    broker = await world.broker()
    running, most = 0, 0
    gate = asyncio.Event()

    async def count(_: list[str]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1

    first, second = Inbox(count), Inbox()
    for number in range(10):
        await broker.publish("calls", [str(number)])
    other = await world.broker()
    async with consuming(broker, "calls", first, prefetch=4, batch_max=1, concurrency=3):
        await first.until(lambda inbox: len(inbox.batches) == 3)
        async with consuming(other, "calls", second, prefetch=4):
            await second.until(lambda inbox: len(inbox.ids) == 6)  # all but the four that the first holds
            gate.set()
            await first.until(lambda inbox: len(inbox.ids) == 4)
    assert most == 3
    assert first.ids + second.ids == Counter(map(str, range(10)))


async def test_unfinished_work_of_a_vanished_process_comes_again(world: World) -> None:
    """What a handler has not returned from was never acknowledged."""
    broker, vanishing = await world.broker(), await world.broker()
    stuck = Inbox(lambda _: asyncio.Event().wait())  # type: ignore[arg-type]
    lost = vanishing.consume("calls", stuck, prefetch=5, batch_max=1)
    await lost.start()
    await broker.publish("calls", ["a"])
    await stuck.until_ids("a")
    inbox = Inbox()
    async with consuming(broker, "calls", inbox):
        await asyncio.sleep(0.3)
        assert not inbox.batches, "it was handed out twice while the first had it"
        await vanishing.stop()  # the connection is gone, as after a kill
        await inbox.until_ids("a")
    await lost.stop(0)


async def test_stopping_waits_for_handlers_and_hands_back_the_rest(world: World) -> None:
    broker = await world.broker()
    gate = asyncio.Event()
    inbox = Inbox(lambda _: gate.wait())
    consumer = broker.consume("calls", inbox, prefetch=10, batch_max=1, concurrency=1)
    await consumer.start()
    await broker.publish("calls", ["a"])
    await broker.publish("calls", ["b"])
    await inbox.until_ids("a")
    stopping = asyncio.create_task(consumer.stop(5))
    await asyncio.sleep(0.05)
    assert not stopping.done()
    gate.set()
    await stopping
    assert inbox.ids == {"a": 1}

    after = Inbox()
    async with consuming(broker, "calls", after):
        await after.until_ids("b")
        await asyncio.sleep(0.1)
    assert after.ids == {"b": 1}, "what was handled before the stop is acknowledged"


async def test_handler_that_outlasts_the_stop_is_cancelled_and_its_message_comes_again(world: World) -> None:
    broker = await world.broker()
    inbox = Inbox(lambda _: asyncio.Event().wait())  # type: ignore[arg-type]
    consumer = broker.consume("calls", inbox, prefetch=10, batch_max=1)
    await consumer.start()
    await broker.publish("calls", ["a"])
    await inbox.until_ids("a")
    start = time.monotonic()
    await consumer.stop(0.1)
    assert time.monotonic() - start < 5
    after = Inbox()
    async with consuming(broker, "calls", after):
        await after.until_ids("a")


async def test_failed_messages_come_again_and_then_are_put_aside(world: World) -> None:
    broker = await world.broker(QUICK)

    async def refuse_poison(ids: list[str]) -> None:
        if "poison" in ids:
            raise ValueError("as it must")

    inbox = Inbox(refuse_poison)
    async with consuming(broker, "steps", inbox):
        await broker.publish("steps", ["poison"])
        await broker.publish("steps", ["good"])

        async def put_aside() -> bool:
            return await world.dead("steps") == ["poison"]

        await eventually(put_aside)
        await broker.publish("steps", ["later"])
        await inbox.until_ids("good", "later")
    assert inbox.ids["poison"] == QUICK.deliveries_max


async def test_one_bad_id_does_not_keep_its_neighbours_from_being_handled(world: World) -> None:
    broker = await world.broker(Redelivery(deliveries_max=8, pause_seconds=0.02, pause_seconds_max=0.05))
    handled: set[str] = set()

    async def refuse_poison(ids: list[str]) -> None:
        if "13" in ids:
            raise ValueError("as it must")
        handled.update(ids)

    inbox = Inbox(refuse_poison)
    ids = [str(number) for number in range(100)]
    async with consuming(broker, "steps", inbox):
        await broker.publish("steps", ids)
        await inbox.until(lambda _: handled == set(ids) - {"13"})


async def test_nothing_confirmed_is_lost_when_the_server_is_killed(world: World) -> None:
    publisher, receiver = await world.broker(), await world.broker()
    inbox = Inbox()
    confirmed = 0

    async def publish_on() -> None:
        nonlocal confirmed
        while not over.is_set():
            await publish_stubbornly(publisher, "steps", [str(confirmed)])
            confirmed += 1

    over = asyncio.Event()
    async with consuming(receiver, "steps", inbox, prefetch=5, batch_max=3):
        publishing = asyncio.create_task(publish_on())
        await inbox.until(lambda inbox: len(inbox.ids) >= 50)
        await asyncio.sleep(RABBIT_SETTLE_SECONDS)
        await world.server.kill()
        with pytest.raises(BrokerUnavailable):
            start = time.monotonic()
            for _ in range(100):
                await receiver.publish("steps", ["lost"])
        assert time.monotonic() - start < 10, "an outage must be told quickly"
        async with asyncio.timeout(10):
            while await publisher.ready() == "ok":  # its own connection notices in its own time
                await asyncio.sleep(0.01)
        await world.server.start()
        before = confirmed
        await inbox.until(lambda _: confirmed >= before + 50)
        over.set()
        await publishing
        await inbox.until_ids(*map(str, range(confirmed)))
    assert await receiver.ready() == "ok"


async def test_start_while_the_server_is_away(world: World) -> None:
    await world.server.stop()
    broker = await world.broker()
    inbox = Inbox()
    async with consuming(broker, "steps", inbox):
        assert await broker.ready() != "ok"
        await world.server.start()
        await publish_stubbornly(broker, "steps", ["a"])
        await inbox.until_ids("a")


async def test_frozen_server_is_told_as_an_outage_and_nothing_is_lost(world: World) -> None:
    broker = await world.broker()
    inbox = Inbox()
    async with consuming(broker, "steps", inbox):
        await broker.publish("steps", ["before"])
        await inbox.until_ids("before")
        world.server.freeze()
        start = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            await broker.publish("steps", ["during"])
        assert time.monotonic() - start < 12
        world.server.thaw()
        await publish_stubbornly(broker, "steps", ["after"])
        await inbox.until_ids("after")


async def test_stopping_during_an_outage_takes_no_longer(world: World) -> None:
    broker = await world.broker()
    consumer = broker.consume("steps", Inbox(), prefetch=5, batch_max=5)
    await consumer.start()
    await world.server.kill()
    start = time.monotonic()
    await consumer.stop(1)
    await broker.stop()
    assert time.monotonic() - start < 8


async def test_a_signal_reaches_every_process_that_listens(world: World) -> None:
    brokers = [await world.broker() for _ in range(3)]
    heard: list[set[str]] = [set() for _ in brokers]
    listeners = [broker.listen(topics.add) for broker, topics in zip(brokers, heard, strict=True)]
    for listener in listeners:
        await listener.start()

    async def all_hear(topic: str) -> bool:
        await brokers[0].signal([topic])  # again, as those who do not listen yet hear nothing
        await asyncio.sleep(0.05)
        return all(topic in topics for topics in heard)

    await eventually(lambda: all_hear("a"))
    took = []
    for number in range(10):
        start = time.perf_counter()
        await brokers[1].signal(["b", f"{number}"])

        async def arrived(number: int = number) -> bool:
            return all(f"{number}" in topics for topics in heard)

        await eventually(arrived)
        took.append(time.perf_counter() - start)
    assert sorted(took)[len(took) // 2] < 0.25, f"seconds until all have heard: {took}"
    await listeners[2].stop(1)
    await brokers[0].signal(["c"])

    async def two_hear() -> bool:
        return "c" in heard[0] and "c" in heard[1]

    await eventually(two_hear)
    assert "c" not in heard[2]
    for listener in listeners[:2]:
        await listener.stop(1)


async def test_signals_go_on_after_an_outage(world: World) -> None:
    broker = await world.broker()
    heard: set[str] = set()
    listener = broker.listen(heard.add)
    await listener.start()
    await world.server.kill()
    await world.server.start()

    async def arrives() -> bool:
        try:
            await (await world.broker()).signal(["back"])
        except BrokerUnavailable:
            return False
        await asyncio.sleep(0.1)
        return "back" in heard

    await eventually(arrives)
    await listener.stop(1)
