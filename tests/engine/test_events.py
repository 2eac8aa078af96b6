"""`emit` and `listen`."""

import base64
from typing import Any

import pytest
from driver import Run

from perdure.engine.effects import EventPattern


def test_the_output_of_emit_is_the_event() -> None:
    run = Run(
        "do: [e: {emit: {event: {with: {source: 'http://s', type: t, subject: '${ .s }', data: {n: '${ .n }'}}}}}]"
    )
    event = run.start({"s": "sub", "n": 1}).output
    assert run.published == [event]
    assert event == {
        "specversion": "1.0",
        "id": str(run.activity("e").id),
        "source": "http://s",
        "type": "t",
        "subject": "sub",
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {"n": 1},
    }


def test_attributes_that_the_author_gives_are_kept() -> None:
    given = (
        "id: i, source: 'http://s', type: t, time: '2020-01-01T00:00:00Z', datacontenttype: text/plain, data: d, own: 1"
    )
    run = Run(f"do: [e: {{emit: {{event: {{with: {{{given}}}}}}}}}]")
    event = run.start().output
    assert (event["id"], event["time"], event["datacontenttype"], event["own"]) == (
        "i",
        "2020-01-01T00:00:00Z",
        "text/plain",
        1,
    )


@pytest.mark.parametrize(
    "attributes",
    [
        "{source: 'http://s', type: '${ null }'}",
        "{source: '${ 1 }', type: t}",
        "{source: urn:s, type: t, own: '${ {} }'}",
        "{source: urn:s, type: t, time: '${ \"yesterday\" }'}",
        "{source: urn:s, type: t, time: '${ \"2026-02-30T00:00:00Z\" }'}",
        "{source: urn:s, type: t, time: '${ now }'}",
        "{source: urn:s, type: t, specversion: '0.3'}",
        "{source: urn:s, type: t, id: '${ \"\\u0000\" }'}",
        "{source: urn:s, type: '${ [range(300)] | join(\"\") }'}",
    ],
)
def test_an_event_that_can_not_be(attributes: str) -> None:
    error = Run(f"do: [e: {{emit: {{event: {{with: {attributes}}}}}}}]").start().error
    assert error.type.endswith("/configuration")


def test_the_correlation_is_in_the_trail() -> None:
    run = Run(listening("{one: {with: {type: t}, correlate: {k: {from: .data.k}}}}")).start().event("t", {"k": 7})
    said = [entry.data for entry in run.history if ".correlation-" in entry.type]
    assert said == [
        {"task": "/do/0/l"},
        {"task": "/do/0/l", "correlationKeys": {"k": 7}},
    ]


def listening(to: str, rest: str = "", more: str = "") -> str:
    return f"do: [l: {{listen: {{to: {to}{rest}}}{more}}}]"


ONE = "{one: {with: {type: a}}}"

MATCHES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "type": ("{type: a}", {}, True),
    "other type": ("{type: b}", {}, False),
    "a part of the type": ("{type: com.a}", {"type": "com.a.b"}, False),
    "a dot is a dot": ("{type: a.b}", {"type": "axb"}, False),
    "regular expression": ("{type: 'com[.].*'}", {"type": "com.a"}, True),
    "anchored": ("{type: 'a|b'}", {"type": "ab"}, False),
    "broken regular expression": ("{type: 'a('}", {"type": "ab"}, False),
    "missing attribute": ("{subject: s}", {}, False),
    "extension": ("{own: x}", {"own": "x"}, True),
    "condition on data": ("{type: a, data: '${ .n > 1 }'}", {"data": {"n": 2}}, True),
    "condition on data fails": ("{type: a, data: '${ .n > 1 }'}", {"data": {"n": 1}}, False),
    "condition on other data": ("{type: a, data: '${ .n > 1 }'}", {"data": "text"}, False),
    "data": ("{type: a, data: {n: 1}}", {"data": {"n": 1}}, True),
    "other data": ("{type: a, data: {n: 1}}", {"data": {"n": 1, "m": 2}}, False),
    "data as a regular expression": ("{type: a, data: 'b.*'}", {"data": "bcd"}, True),
    "data that a regular expression does not fit": ("{type: a, data: 'b.*'}", {"data": "abc"}, False),
    "data with an expression": ("{type: a, data: {n: '${ $input.n }'}}", {"data": {"n": 5}}, True),
    "value of an attribute": ("{subject: '${ $input.s }'}", {"subject": "me"}, True),
    "value of an attribute, from the input": ("{subject: '${ .s }'}", {"subject": "me"}, True),
    "other value of an attribute": ("{subject: '${ .s }'}", {"subject": "you"}, False),
    "condition on an attribute": ("{subject: '${ startswith(\"m\") }'}", {"subject": "me"}, True),
    "condition on an attribute fails": ("{subject: '${ startswith(\"x\") }'}", {"subject": "me"}, False),
    "true is not 1": ("{type: a, data: {n: true}}", {"data": {"n": 1}}, False),
}


@pytest.mark.parametrize("name", MATCHES)
def test_match(name: str) -> None:
    filter_, attributes, matches = MATCHES[name]
    run = Run(listening(f"{{one: {{with: {filter_}}}}}")).start({"n": 5, "s": "me"})
    before = len(run.history)
    event = {"type": "a"} | attributes
    run.event(event.pop("type"), event.pop("data", None), **event)
    assert (run.status == "completed") == matches
    assert matches or len(run.history) == before, "an event that does not match leaves no trace"


READS = [
    ("", {"n": 1}, {}, {"n": 1}),
    (", read: data", None, {"data_base64": base64.b64encode(b'{"n": 1}').decode()}, {"n": 1}),
    (", read: data", None, {"data_base64": base64.b64encode(b"hi").decode(), "datacontenttype": "text/plain"}, "hi"),
    (", read: raw", None, {"data_base64": "AAEC"}, "AAEC"),
    (", read: raw", {"n": 1}, {}, {"n": 1}),
]


@pytest.mark.parametrize(("read", "data", "attributes", "expected"), READS)
def test_read(read: str, data: Any, attributes: dict[str, Any], expected: Any) -> None:
    from perdure.engine.facts import EventReceived

    run = Run(listening(ONE, read)).start()
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "a"} | attributes
    if not attributes:
        event["data"] = data
    run.take(EventReceived(run.activity("l").id, event))
    assert run.output == [expected]


def test_read_envelope() -> None:
    run = Run(listening(ONE, ", read: envelope")).start().event("a", 1)
    assert run.output == [{"specversion": "1.0", "id": "1", "source": "/tests", "type": "a", "data": 1}]


def test_any() -> None:
    run = Run(listening("{any: [{with: {type: a}}, {with: {type: b}}]}")).start().event("c", 0).event("b", 1)
    assert run.output == [1]


def test_any_event_at_all() -> None:
    run = Run(listening("{any: []}")).start()
    (subscription,) = run.subscriptions.values()
    assert subscription.patterns == (EventPattern(None),)
    assert run.event("whatever", 1).output == [1]


def test_all_waits_for_one_of_each() -> None:
    run = Run(listening("{all: [{with: {type: a}}, {with: {type: b}}]}")).start()
    run.event("b", 1).event("b", 2)
    assert run.status == "waiting"
    assert run.event("a", 3).output == [1, 3]


def test_all_of_nothing_has_come_already() -> None:
    assert Run(listening("{all: []}")).start().output == []


def test_until_an_expression_holds() -> None:
    run = Run(listening("{any: [{with: {type: a}}], until: '(. | length) >= 3'}")).start()
    run.event("a", 1).event("x", 9).event("a", 2)
    assert run.status == "waiting"
    assert run.event("a", 3).output == [1, 2, 3]


def test_until_another_event() -> None:
    run = Run(listening("{any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}")).start()
    run.event("a", 1).event("a", 2)
    assert run.event("stop", 9).output == [1, 2]


def test_until_at_once() -> None:
    run = Run(listening("{any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}")).start()
    assert run.event("stop", 9).output == []


FOREACH = """, foreach: {
  item: e,
  at: i,
  do: [{c: {call: http, with: {method: get, endpoint: 'http://x', query: {e: '${ $e }', i: '${ $i }', s: '${ .s }'}}}}],
  output: {as: '[., $e, $i]'},
  export: {as: '{last: .}'}
}"""


def test_foreach_takes_one_event_after_the_other() -> None:
    run = Run(listening("{any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}", more=FOREACH)).start({"s": 1})
    run.event("a", "first").event("a", "second").event("stop")
    assert len(run.calls) == 1
    assert run.call("c").request["query"] == {"e": "first", "i": 0, "s": 1}
    run.succeed("c", "r0")
    assert run.call("c").request["query"] == {"e": "second", "i": 1, "s": 1}
    assert run.activity("l").iteration == ()
    assert [activity.iteration for activity in run.named("c")] == [(0,), (1,)]
    run.succeed("c", "r1")
    assert run.output == [["r0", "first", 0], ["r1", "second", 1]]


def test_foreach_until_the_context_says_so() -> None:
    until = "{any: [{with: {type: a}}], until: '$context.n == 2'}"
    more = ", foreach: {do: [{s: {set: '${ $item }'}}], export: {as: '{n: ($context.n + 1)}'}}"
    run = Run(listening(until, more=more)).start({"n": 0}).event("a", "x")
    assert run.status == "waiting"
    assert run.event("a", "y").output == ["x", "y"]


def test_foreach_without_tasks_transforms() -> None:
    run = Run(
        listening("{all: [{with: {type: a}}, {with: {type: b}}]}", more=", foreach: {output: {as: '. * 10'}}")
    ).start()
    assert run.event("a", 1).event("b", 2).output == [10, 20]


CORRELATED = """{one: {with: {type: a}, correlate: {
  order: {from: .data.order, expect: '${ .id }'},
  b: {from: .subject, expect: fixed}
}}}"""


def test_correlation_with_what_is_expected() -> None:
    run = Run(listening(CORRELATED)).start({"id": 7})
    (subscription,) = run.subscriptions.values()
    assert subscription.patterns == (EventPattern("a", (".subject", ".data.order"), ("fixed", 7)),)
    assert subscription.look_back
    assert subscription.reference == "/do/0/l"
    run.event("a", {"order": 8}, subject="fixed").event("a", {"order": 7}).event("a", {}, subject="fixed")
    assert run.status == "waiting"
    assert run.event("a", {"order": 7}, subject="fixed").output == [{"order": 7}]


def test_the_first_event_sets_what_is_expected_of_the_others() -> None:
    filters = ", ".join(f"{{with: {{type: {t}}}, correlate: {{room: {{from: .room}}}}}}" for t in "ab")
    run = Run(listening(f"{{all: [{filters}]}}")).start()
    (subscription,) = run.subscriptions.values()
    assert not subscription.look_back
    run.event("a", 0).event("a", 1, room="r1").event("b", 2, room="r2")
    assert run.status == "waiting"
    assert run.event("b", 3, room="r1").output == [1, 3]
    completed = next(e for e in run.history if e.type.endswith("correlation-completed.v1"))
    assert completed.data["correlationKeys"] == {"room": "r1"}


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("{one: {with: {type: 'a.*'}}}", EventPattern(None)),
        ("{one: {with: {type: '${ . == \"a\" }'}}}", EventPattern(None)),
        ("{one: {with: {source: s}}}", EventPattern(None)),
        ("{one: {with: {type: a}, correlate: {o: {from: '.data[$context.k]', expect: '1'}}}}", EventPattern("a")),
    ],
)
def test_what_the_router_can_look_for(to: str, expected: EventPattern) -> None:
    (subscription,) = Run(listening(to)).start().subscriptions.values()
    assert subscription.patterns == (expected,)


def test_a_fault_within_foreach_ends_the_subscription() -> None:
    run = Run(listening("{any: [{with: {type: a}}], until: '${ false }'}", more=FOREACH)).start().event("a", 1)
    run.fail("c")
    assert run.status == "faulted"
    assert not run.subscriptions
