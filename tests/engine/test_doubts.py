"""Calls of which nobody knows whether they were made, and what their tasks say about that."""

from datetime import timedelta
from typing import Any

import pytest
from driver import PROCESS, Run

from perdure.engine.errors import standard
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    CallbackReceived,
    CallInDoubt,
    CancelRequested,
    Exchange,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
)
from perdure.engine.tasks.doubt import LOOKUPS_MAX

LOOKUP = """
      lookup:
        with: {method: get, endpoint: 'http://x/${ $call.idempotencyKey }', query: {at: '${ $call.sentAt }'}}
        done: '.state == "paid"'
        output: '${ {id: .id} }'
"""
ASK = "      ask: {candidateGroups: [ops], title: '${ \"Paid \\(.order)?\" }'}\n"


def payment(policy: str, more: str = "") -> Run:
    text = (
        f"do:\n- pay:\n    metadata:\n      inDoubt: {policy}\n{more}"
        "    call: http\n    with: {method: post, endpoint: 'http://x', body: '${ .order }'}\n"
        "- next: {set: {paid: '${ . }'}}"
    )
    return Run(text).start({"order": 7}).after(3600)


def resolved(run: Run) -> list[tuple[str, str]]:
    lines = [entry.data for entry in run.history if entry.type == "dev.perdure.call.doubt-resolved"]
    return [(line["by"], line["outcome"]) for line in lines]


def test_by_default_it_is_made_again_and_the_trail_says_so() -> None:
    run = Run("do: [pay: {call: http, with: {method: post, endpoint: 'http://x'}}]").start().doubt("pay")
    assert run.types()[-1] == "call.in-doubt"
    assert run.history[-1].data["decision"] == "retry"
    assert run.open == {"calls": 1}
    assert run.succeed("pay", "ok").output == "ok"


def test_a_person_says_that_it_was_made() -> None:
    run = payment("ask", ASK).doubt("pay")
    (task,) = run.human_tasks.values()
    assert (task.title, task.candidate_groups, task.outcomes) == ("Paid 7?", ("ops",), ("done", "repeat", "fail"))
    assert f"{PROCESS}/{task.activity}" in (task.description or "")
    assert [wait.reason for wait in run.step.waiting] == ["human-task"]
    assert run.activity("pay").status == "waiting"
    assert run.decide("done", {"id": "p1"}).output == {"paid": {"id": "p1"}}
    assert resolved(run) == [("person", "done")]


def test_a_person_wants_it_made_again_which_is_the_very_same_call() -> None:
    run = payment("ask")
    before = run.call("pay")
    run.doubt("pay").decide("repeat")
    assert run.call("pay") == before
    assert run.activity("pay").status == "running"
    assert run.doubt("pay").decide("repeat").succeed("pay", 1).output == {"paid": 1}
    assert resolved(run) == [("person", "repeat")] * 2
    digests = {e.data["requestDigest"] for e in run.history if e.type == "dev.perdure.call.requested"}
    assert len(digests) == 1


def test_a_person_says_that_it_has_failed() -> None:
    run = payment("ask").doubt("pay").decide("fail")
    assert (run.error.type.rsplit("/")[-1], run.error.instance) == ("communication", "/do/0/pay")
    again = run.take(RetryRequested("ann"))
    assert again.succeed("pay", 1).output == {"paid": 1}


def test_a_lookup_finds_that_it_was_made() -> None:
    run = payment("verify", LOOKUP).doubt("pay")
    lookup = run.call("pay")
    assert (lookup.lookup, lookup.in_doubt) == (1, "retry")
    assert lookup.request["uri"] == f"http://x/{PROCESS}/{lookup.activity}"
    assert lookup.request["query"] == {"at": "2026-01-01T01:00:00Z"}
    assert run.succeed("pay", {"state": "paid", "id": 5, "more": 1}).output == {"paid": {"id": 5}}
    assert resolved(run) == [("lookup", "done")]


@pytest.mark.parametrize("status", [None, 404, 410])
def test_a_lookup_finds_that_it_was_not_made(status: int | None) -> None:
    run = payment("verify", LOOKUP)
    before = run.call("pay")
    run.doubt("pay")
    if status is None:
        run.succeed("pay", {"state": "unknown"})
    else:
        run.fail("pay", standard("communication", "no", status=status))
    assert run.call("pay") == before
    assert resolved(run) == [("lookup", "repeat")]


def test_a_lookup_that_can_not_tell_is_made_again_and_at_last_a_person_is_asked() -> None:
    run = payment("verify", LOOKUP + ASK).doubt("pay")
    delays = []
    for _ in range(LOOKUPS_MAX - 1):
        run.fail("pay")
        (wait,) = run.step.waiting
        assert wait.reason == "retry"
        delays.append((min(timer.due for timer in run.timers.values()) - run.now).total_seconds())
        run.fire("lookup")
    assert delays == [2, 4, 8, 16, 32]
    run.fail("pay")
    (task,) = run.human_tasks.values()
    assert task.title == "Paid 7?"
    assert "6 lookups could not tell" in (task.description or "")
    assert run.decide("done").output == {"paid": None}


@pytest.mark.parametrize(
    ("broken", "because"),
    [
        ("{with: {method: get, endpoint: '${ error(\"no\") }'}}", "The lookup can't be made"),
        (
            "{with: {method: get, endpoint: 'http://y'}, done: 'error(\"no\")'}",
            "The answer to the lookup can't be read",
        ),
        ("{with: {method: get, endpoint: 'http://y'}, output: '${ error(\"no\") }'}", "can't be read"),
    ],
)
def test_what_a_lookup_leaves_open_a_person_decides(broken: str, because: str) -> None:
    run = payment("verify", f"      lookup: {broken}\n").doubt("pay")
    if run.calls:
        run.succeed("pay", {})
    (task,) = run.human_tasks.values()
    assert because in (task.description or "")
    assert run.decide("done").status == "completed"


@pytest.mark.parametrize("ask", ["{title: '${ error(\"no\") }'}", "{assignees: '${ [1] }'}", "{due: '${ 1 }'}"])
def test_somebody_is_asked_even_if_it_is_said_badly_how(ask: str) -> None:
    run = payment("ask", f"      ask: {ask}\n").doubt("pay")
    (task,) = run.human_tasks.values()
    assert task.title == "Was the call of /do/0/pay made?"
    assert "metadata.ask can't be" in (task.description or "")


@pytest.mark.parametrize("policy", ["ask", "verify"])
def test_the_answer_may_still_come(policy: str) -> None:
    run = payment(policy, LOOKUP)
    call = run.call("pay")
    run.doubt("pay").take(ActivitySucceeded(call.activity, call.attempt, "late"))
    assert run.output == {"paid": "late"}
    assert resolved(run) == [("answer", "done")]


def test_what_comes_of_an_earlier_doubt_is_refused() -> None:
    run = payment("verify", LOOKUP)
    call = run.call("pay")
    stale = CallInDoubt(call.activity, 1, run.now, "http", call.request)
    run.doubt("pay").take(stale)
    run.succeed("pay", {"state": "unknown"})
    run.take(ActivitySucceeded(call.activity, 1, {"state": "paid"}, lookup=1))
    assert run.refusals() == ["the activity does not wait for a call", "the activity does not wait for this lookup"]
    assert run.succeed("pay", 1).output == {"paid": 1}
    assert run.take(stale).refusals()[-1] == "the process is completed"


def test_another_attempt_begins_without_the_doubt() -> None:
    pay = "pay: {call: http, with: {method: post, endpoint: 'http://x'}, metadata: {inDoubt: ask}, timeout: {after: PT1H}}"
    run = Run(f"do: [t: {{try: [{pay}], catch: {{retry: {{limit: {{attempt: {{count: 1}}}}}}}}}}]").start()
    stale = CallInDoubt(run.call("pay").activity, 1, run.now, "http", run.call("pay").request)
    run.doubt("pay").fire("timeout")
    assert run.open == {"calls": 1, "timers": 1}
    run.take(stale)
    assert run.refusals() == ["it is of attempt 1, the activity is at 2"]
    assert run.succeed("pay", 2).output == 2


def test_while_it_is_suspended_nobody_is_asked() -> None:
    run = payment("ask").take(SuspendRequested("ann")).doubt("pay")
    assert not run.human_tasks
    assert run.take(ResumeRequested("ann")).decide("done", 1).output == {"paid": 1}


CALLING_BACK = """
do:
- pay:
    call: 'callback:1.0.0@default'
    with: {request: {method: post, endpoint: 'http://x', body: '${ $callback.url }'}}
    metadata: {inDoubt: ask}
"""


def test_the_request_of_a_callback_was_made() -> None:
    run = Run(CALLING_BACK).start().doubt("pay")
    assert run.open == {"human_tasks": 1, "callbacks": 1}
    assert [wait.reason for wait in run.step.waiting] == ["human-task", "callback"]
    run.decide("done", "unused")
    assert run.open == {"callbacks": 1}
    assert run.call_back("paid").output == "paid"


def test_a_callback_that_comes_shows_that_its_request_was_made() -> None:
    run = Run(CALLING_BACK).start().doubt("pay").call_back("paid")
    assert run.output == "paid"
    assert not run.human_tasks


def test_a_program_that_was_run() -> None:
    run = Run("do: [p: {run: {shell: {command: pay}}, metadata: {inDoubt: ask}}]").start().doubt("p")
    assert run.decide("done", "printed").output == "printed"


def test_a_program_that_nobody_awaits_is_only_noted() -> None:
    run = Run("do: [p: {run: {shell: {command: pay}, await: false}, metadata: {inDoubt: ask}}]").start({})
    assert run.status == "completed"
    (effect,) = [effect for effect in run.steps[0].effects if hasattr(effect, "in_doubt")]
    assert effect.in_doubt == "retry"
    run.take(CallInDoubt(effect.activity, 1, run.now, "shell", reference="/do/0/p"))
    assert run.types()[-1] == "call.in-doubt"


@pytest.mark.parametrize("place", ["", "lookup"])
def test_cancelling_takes_everything_back(place: str) -> None:
    run = payment("verify" if place else "ask", LOOKUP).doubt("pay")
    if place:
        run.fail("pay")
    run.take(CancelRequested("ann"))
    assert run.status == "cancelled"


def test_the_trail_tells_of_each_call_how_it_went() -> None:
    run = Run("do: [a: {call: http, with: {method: get, endpoint: 'http://x'}}]").start()
    exchange = Exchange(run.now, run.now + timedelta(seconds=2), "x:80", 503)
    call = run.calls.popitem()[1]
    run.take(ActivityFailed(call.activity, 1, standard("communication", "no", status=503), exchange))
    told: dict[str, Any] = {entry.type: entry.data for entry in run.history}
    assert told["dev.perdure.call.requested"]["idempotencyKey"] == f"{PROCESS}/{call.activity}"
    line = told["dev.perdure.call.failed"]
    assert (line["sentAt"], line["answeredAt"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z")
    assert (line["by"], line["status"], line["error"]["status"]) == ("x:80", 503, 503)


def test_a_callback_after_the_doubt_is_refused_twice() -> None:
    run = Run(CALLING_BACK).start().doubt("pay").call_back("paid")
    (activity,) = run.activities
    assert run.take(CallbackReceived(activity, "again")).refusals() == ["the process is completed"]
