"""``call: asyncapi`` with a subscription: what is consumed, when it is enough, and what the broker may forget."""

from typing import Any
from uuid import UUID

import pytest
from driver import Run

from perdure.engine.errors import standard
from perdure.engine.facts import (
    CancelRequested,
    EventReceived,
    MessageReceived,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
)
from perdure.engine.receipts import receipt_key

RECEIPTS = UUID("01890000-0000-7000-8000-00000000f000")


def subscribing(consume: str, rest: str = "", more: str = "", top: str = "") -> Run:
    document = "document: {endpoint: 'http://d/{x}'}, channel: c, protocol: amqp"
    subscription = f"subscription: {{consume: {consume}{rest}}}"
    return Run(f"do: [s: {{call: asyncapi, with: {{{document}, {subscription}}}{more}}}]{top}").start({"x": 1})


class Broker:
    """Hands over messages, as the performer does, and says which of them may be forgotten."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.sent = 0

    def hand(self, *payloads: Any, identity: str | None = None, **more: Any) -> list[bool]:
        """One batch: for each message whether it was taken."""
        call = self.run.call("s")
        facts = []
        for payload in payloads:
            self.sent += 1
            message = {"payload": payload, "headers": {}, **more}
            receipt = UUID(int=RECEIPTS.int + self.sent)
            facts.append(MessageReceived(call.activity, call.attempt, receipt, message, identity))
        self.run.take(*facts)
        if call.activity in self.run.calls:
            return [True] * len(facts)
        kept = [receipt_key(fact.activity, fact.receipt) in self.run.payloads for fact in facts]
        return [any(kept[index:]) for index in range(len(facts))]


def payloads(run: Run) -> list[Any]:
    return [message["payload"] for message in run.output]


def test_the_request_has_what_the_performer_needs() -> None:
    run = subscribing("{amount: 1}")
    call = run.call("s")
    assert (call.function, call.reference) == ("asyncapi", "/do/0/s")
    assert call.request == {
        "document": {"endpoint": "http://d/1"},
        "channel": "c",
        "protocol": "amqp",
        "subscription": {"batch": True},
    }
    assert run.status == "waiting"
    assert [wait.reason for wait in run.step.waiting] == ["event"]


def test_amount_takes_no_more_than_that_of_a_batch() -> None:
    run = subscribing("{amount: 3}")
    broker = Broker(run)
    assert broker.hand(1, 2) == [True, True]
    assert broker.hand(3, 4, 5) == [True, False, False]
    assert payloads(run) == [1, 2, 3]
    assert run.refusals() == ["the process is completed"] * 2
    assert not run.calls


@pytest.mark.parametrize("amount", [0, -1])
def test_no_amount_subscribes_to_nothing(amount: int) -> None:
    run = subscribing(f"{{amount: {amount}}}")
    assert (run.output, run.calls) == ([], {})


CONSUMED: dict[str, tuple[str, str, list[Any]]] = {
    "while": ("{while: '${ .payload < 3 }'}", "", [1, 2, 3]),
    "while is asked after each": ("{while: '${ false }'}", "", [1]),
    "until": ("{until: '${ .payload == 2 }'}", "", [1, 2]),
    "by position": ("{until: '${ $index == 1 }'}", "", [1, 2]),
    "by item": ("{while: '${ $item.payload < 2 }'}", "", [1, 2]),
    "until is asked before the first": ("{until: '${ . == null }'}", "", []),
    "until that fails before the first": (
        "{until: '${ .payload + 1 == 3 or (.headers | keys | length) > 9 }'}",
        "",
        [1, 2],
    ),
    "filter": ("{amount: 2}", ", filter: '${ .payload % 2 == 0 }'", [2, 4]),
    "filter with the input": ("{amount: 1}", ", filter: '${ .payload > $input.x }'", [2]),
    "filter that fails on some": ("{amount: 1}", ", filter: '${ .payload - 1 > 1 }'", [3]),
    "while asks of what fits": ("{while: '${ .payload < 4 }'}", ", filter: '${ .payload != 3 }'", [1, 2, 4]),
}


@pytest.mark.parametrize("name", CONSUMED)
def test_what_is_consumed(name: str) -> None:
    consume, rest, expected = CONSUMED[name]
    run = subscribing(consume, rest)
    broker = Broker(run)
    for payload in (1, 2, 3, 4, 5):
        if run.calls:
            assert broker.hand(payload) == [True]
    assert payloads(run) == expected


def test_a_message_that_does_not_fit_leaves_no_trace() -> None:
    run = subscribing("{amount: 1}", ", filter: '${ .payload == 9 }'")
    before = len(run.history)
    assert Broker(run).hand(1) == [True]
    assert len(run.history) == before


def test_the_correlation_id_can_be_asked_for() -> None:
    run = subscribing("{amount: 1}", ", filter: '${ .correlationId == \"b\" }'")
    broker = Broker(run)
    broker.hand(1, correlationId="a")
    broker.hand(2, correlationId="b")
    assert run.output == [{"payload": 2, "headers": {}, "correlationId": "b"}]


def test_the_time_ends_it_with_what_has_come() -> None:
    run = subscribing("{amount: 5, for: {minutes: 1}}")
    broker = Broker(run)
    broker.hand(1)
    run.fire("until")
    assert payloads(run) == [1]
    assert not run.calls and not run.timers


def test_a_message_that_comes_with_the_time_goes_back() -> None:
    run = subscribing("{amount: 5, for: PT1M}")
    broker = Broker(run)
    broker.hand(1)
    call = run.call("s")
    run.fire("until")
    late = MessageReceived(call.activity, 1, UUID(int=7), {"payload": 2, "headers": {}})
    run.take(late)
    assert payloads(run) == [1]
    assert receipt_key(call.activity, late.receipt) not in run.payloads


def test_enough_takes_the_timer_back() -> None:
    run = subscribing("{amount: 1, for: PT1M}")
    Broker(run).hand(1)
    assert not run.timers


def test_the_trail_tells_messages_by_what_the_protocol_does() -> None:
    run = subscribing("{amount: 3}")
    broker = Broker(run)
    broker.hand(1, identity="m1", correlationId="c1")
    broker.hand(2, correlationId="c2")
    broker.hand(3)
    told = [entry.data["message"] for entry in run.history if entry.type == "dev.perdure.message.consumed"]
    assert told == [{"id": "m1", "correlationId": "c1"}, {"correlationId": "c2"}, {}]


def test_a_failed_subscription_is_the_error_of_its_task() -> None:
    run = subscribing("{amount: 1}").fail("s", standard("communication", "gone", status=503))
    error = run.error
    assert (error.status, error.title, error.detail) == (503, "Communication error", "gone")
    assert error.instance == "/do/0/s"


FOREACH = ", foreach: {item: m, at: i, do: [c: {call: http, with: {method: post, endpoint: 'http://x'}}]%s}"


def test_foreach_goes_one_after_another_and_queues_an_amount() -> None:
    run = subscribing("{amount: 2}", FOREACH % ", output: {as: '${ {i: $i, n: $m.payload, answer: .} }'}")
    broker = Broker(run)
    assert broker.hand(10, 20, 30) == [True, True, False]
    assert len(run.named("c")) == 1 and "s" not in {c.reference for c in run.calls.values()}
    run.succeed("c", "a").succeed("c", "b")
    assert run.output == [{"i": 0, "n": 10, "answer": "a"}, {"i": 1, "n": 20, "answer": "b"}]
    assert [a.iteration for a in run.named("c")] == [(0,), (1,)]


def test_a_condition_with_foreach_waits_for_its_tasks() -> None:
    """What they export decides, so the next message stays with the broker meanwhile."""
    export = ", export: {as: '${ {seen: ((($context // {}).seen // 0) + 1)} }'}"
    run = subscribing("{while: '${ $context.seen < 2 }'}", FOREACH % export)
    broker = Broker(run)
    assert run.call("s").request["subscription"] == {"batch": False}
    assert broker.hand(1) == [True]
    assert [wait.reason for wait in run.step.waiting] == ["call"], "no message is wanted now"
    run.succeed("c", 1)
    assert [wait.reason for wait in run.step.waiting] == ["event"]
    assert broker.hand(2) == [True]
    run.succeed("c", 2)
    assert run.output == [1, 2]
    assert receipt_key(run.activity("s").id, UUID(int=RECEIPTS.int + 2)) in run.payloads


def test_tasks_that_need_nothing_from_outside_are_through_at_once() -> None:
    foreach = ", foreach: {do: [e: {set: {n: '${ $item.payload * 2 }'}}]}"
    run = subscribing("{until: '${ $index == 2 }'}", foreach)
    broker = Broker(run)
    for payload in (1, 2, 3):
        assert broker.hand(payload) == [True]
    assert run.output == [{"n": 2}, {"n": 4}, {"n": 6}]


def test_the_time_lets_foreach_finish() -> None:
    run = subscribing("{while: '${ true }', for: PT1M}", FOREACH % "")
    Broker(run).hand(1)
    run.fire("until")
    assert run.status == "running"
    assert run.succeed("c", "done").output == ["done"]


def test_the_task_has_its_timeout_while_foreach_goes_on() -> None:
    run = subscribing("{amount: 1}", FOREACH % "", ", timeout: {after: PT1H}")
    Broker(run).hand(1)
    assert run.fire("timeout").error.type.endswith("/timeout")


def test_a_repeated_message_is_refused() -> None:
    run = subscribing("{amount: 2}")
    broker = Broker(run)
    broker.hand(1, identity="m-1")
    assert broker.hand(1, identity="m-1") == [True], "the broker may forget it"
    assert run.refusals() == ["the message was received before"]
    broker.hand(2, identity="m-2")
    assert payloads(run) == [1, 2]


def test_the_state_stays_small() -> None:
    run = subscribing("{amount: 1000}")
    broker = Broker(run)
    sizes = []
    for number in range(300):
        broker.hand("x" * 100, identity=f"message-{number}")
        sizes.append(len(run.state or b""))
    assert sizes[-1] - sizes[150] < 20
    assert sizes[-1] < 2500


def test_the_end_of_what_is_subscribed_to_is_an_end() -> None:
    run = subscribing("{amount: 5}")
    Broker(run).hand(1)
    assert run.succeed("s").output == [{"payload": 1, "headers": {}}]


def test_a_failed_subscription_is_tried_again_with_nothing() -> None:
    retry = "do: [t: {try: [s: {call: asyncapi, with: {document: {endpoint: 'http://d'}, channel: c, subscription: "
    run = Run(
        retry + "{consume: {amount: 1}}}}], catch: {retry: {delay: PT1S, limit: {attempt: {count: 1}}}}}]"
    ).start()
    first = run.call("s")
    run.fail("s", standard("communication", "gone"))
    run.fire("retry")
    assert run.call("s").attempt == 2
    run.take(MessageReceived(first.activity, first.attempt, UUID(int=1), {"payload": 0, "headers": {}}))
    assert run.refusals() == ["it is of attempt 1, the activity is at 2"]
    Broker(run).hand(1)
    assert payloads(run) == [1]


def test_a_fault_in_foreach_takes_the_subscription_back_and_a_retry_subscribes_again() -> None:
    run = subscribing("{while: '${ $i < 1 }'}", FOREACH % "")
    broker = Broker(run)
    broker.hand(1)
    run.fail("c")
    assert run.status == "faulted" and not run.calls
    run.take(RetryRequested("op"))
    assert run.call("s").attempt == 1
    run.succeed("c", "a")
    broker.hand(2)
    run.succeed("c", "b")
    assert run.output == ["a", "b"]


def test_a_retry_subscribes_to_nothing_more_once_there_is_enough() -> None:
    run = subscribing("{amount: 1}", FOREACH % "")
    Broker(run).hand(1)
    run.fail("c").take(RetryRequested("op"))
    assert [call.reference for call in run.calls.values()] == ["/do/0/s/with/subscription/foreach/do/0/c"]
    assert run.succeed("c", "a").output == ["a"]


def test_an_event_is_no_message() -> None:
    run = subscribing("{amount: 1}")
    run.take(EventReceived(run.activity("s").id, {"type": "a"}))
    assert run.refusals() == ["the activity does not listen"]


def test_a_cancelled_process_keeps_no_subscription() -> None:
    run = subscribing("{amount: 1, for: PT1H}")
    run.take(CancelRequested("op"))
    assert run.status == "cancelled" and not run.calls and not run.timers


def test_messages_during_a_suspension_act_at_resume() -> None:
    run = subscribing("{amount: 1}")
    run.take(SuspendRequested("op"))
    Broker(run).hand(1)
    assert run.status == "suspended"
    assert payloads(run.take(ResumeRequested("op"))) == [1]


def test_publishing_is_a_call_like_others() -> None:
    run = Run(
        "do: [s: {call: asyncapi, with: {document: {endpoint: 'http://d'}, operation: o, "
        "message: {payload: {n: '${ .n }'}, headers: {h: 1}}}}]"
    ).start({"n": 3})
    call = run.call("s")
    assert call.request["message"] == {"payload": {"n": 3}, "headers": {"h": 1}}
    assert run.succeed("s", {"payload": 1}).output == {"payload": 1}
