"""Suspend, resume, cancel, retry; and facts that come at the wrong time."""

from typing import Any
from uuid import UUID

import pytest
from driver import Run

from perdure.engine.effects import CancelTimer
from perdure.engine.errors import standard
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    CallbackReceived,
    CancelRequested,
    ChildEnded,
    EventReceived,
    HumanTaskCompleted,
    ProcessStarted,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
    TimerFired,
)

SUSPEND, RESUME = SuspendRequested("ann", "why"), ResumeRequested("ann")
CANCEL, RETRY = CancelRequested("ann", "enough"), RetryRequested("ann", "again")
CALL = "{call: http, with: {method: get, endpoint: 'http://x'}%s}"
NOBODY = UUID(int=7)


def lines(run: Run, type_: str) -> list[Any]:
    return [entry for entry in run.history if entry.type.endswith(type_)]


def test_what_comes_while_suspended_acts_at_resume() -> None:
    run = Run(f"do: [c: {CALL % ''}, d: {CALL % ''}]").start().take(SUSPEND)
    assert (run.status, run.activity("c").status) == ("suspended", "suspended")
    run.succeed("c", 1)
    assert run.status == "suspended"
    assert not run.calls
    assert run.step.effects == []
    run.take(RESUME)
    assert (run.status, run.activity("c").status) == ("running", "completed")
    assert run.succeed("d", 2).output == 2
    assert [(e.actor, e.data.get("reason")) for e in lines(run, "workflow.suspended.v1")] == [("ann", "why")]
    assert [e.actor for e in lines(run, "workflow.resumed.v1")] == ["ann"]


def test_timers_run_on_while_suspended() -> None:
    run = Run("do: [w: {wait: PT1M}, v: {wait: PT1M}]").start().take(SUSPEND).fire()
    assert run.status == "suspended"
    assert not run.timers
    run.take(RESUME)
    assert len(run.timers) == 1


def test_a_step_that_is_suspended_in_the_middle_goes_on_at_resume() -> None:
    run = Run("do: [a: {set: '${ 1 }'}, b: {set: '${ . + 1 }'}]", activities_max=1).start(drain=False)
    run.take(SUSPEND, drain=False)
    assert not run.step.more
    assert run.take(RESUME).output == 2


def test_a_process_that_has_not_begun() -> None:
    run = Run("do: [a: {set: '${ 1 }'}]").take(SUSPEND)
    assert run.status == "suspended"
    run.start()
    assert run.status == "suspended"
    assert run.take(RESUME).output == 1
    cancelled = Run("do: [a: {set: '${ 1 }'}]").take(CANCEL)
    assert cancelled.status == "cancelled"
    assert cancelled.step.effects == [CancelTimer(cancelled.process.id)]


def test_what_came_while_suspended_is_refused_by_a_cancellation() -> None:
    run = Run(f"do: [a: {CALL % ''}]").start()
    activity = run.activity("a").id
    run.take(SUSPEND)
    run.take(ActivitySucceeded(activity, 1, 7))
    assert not lines(run, "fact.refused")
    run.take(CANCEL)
    (entry,) = lines(run, "fact.refused")
    assert entry.data == {
        "fact": "ActivitySucceeded", "reason": "the process is cancelled", "activity": str(activity)
    }  # fmt: skip
    assert run.step.state.held == []


def test_cancel_reaches_everything() -> None:
    run = Run(
        f"""
        do:
          - f:
              fork:
                branches:
                  - call: {CALL % ", timeout: {after: PT1M}"}
                  - wait: {{wait: PT1H}}
                  - listen: {{listen: {{to: {{one: {{with: {{type: a}}}}}}}}}}
                  - human: {{call: 'human-task:1.0.0@default', with: {{title: T}}}}
                  - callback: {{call: 'callback:1.0.0@default', with: {{}}}}
                  - child: {{run: {{workflow: {{namespace: n, name: c, version: 1.0.0}}}}}}
                  - try:
                      try: [r: {{raise: {{error: {{type: 'http://x', status: 1}}}}}}]
                      catch: {{retry: {{delay: PT1S}}}}
        timeout: {{after: PT2H}}
        """
    ).start()
    assert sum(run.open.values()) == 9
    run.take(CANCEL)
    assert run.status == "cancelled"
    assert not run.open
    assert {name: status for name, status in run.statuses().items() if name != "r"} == dict.fromkeys(
        ("f", "call", "wait", "listen", "human", "callback", "child", "try"), "cancelled"
    )
    (entry,) = lines(run, "workflow.cancelled.v1")
    assert (entry.actor, entry.data["reason"]) == ("ann", "enough")


def test_retry_goes_on_at_the_activity_that_faulted() -> None:
    run = Run(f"do: [a: {{set: {{n: '${{ .n + 1 }}'}}}}, o: {{do: [c: {CALL % ''}, d: {{set: '${{ [.] }}'}}]}}]")
    run.start({"n": 1}).fail("c")
    first = run.activity("c")
    assert (run.status, first.status, run.activity("o").status) == ("faulted", "faulted", "faulted")
    run.take(RETRY)
    again = run.activity("c")
    assert (run.status, again.id, again.attempt, again.order) == ("running", first.id, 2, first.order)
    assert run.value(again.input) == {"n": 2}
    assert run.step.error is None
    assert run.step.ended_at is None
    assert run.call("c").attempt == 2
    assert run.succeed("c", 5).output == [5]
    assert run.activity("a").attempt == 1


def test_cancelled_siblings_begin_again_at_retry() -> None:
    run = Run(
        f"""
        do:
          - f:
              fork:
                branches:
                  - done: {{set: '${{ 0 }}'}}
                  - a: {CALL % ""}
                  - b: {{do: [s: {{set: '${{ . }}'}}, t: {CALL % ""}]}}
        """
    ).start(1)
    run.fail("a")
    assert run.statuses() == {
        "f": "faulted",
        "done": "completed",
        "a": "faulted",
        "b": "cancelled",
        "s": "completed",
        "t": "cancelled",
    }
    run.take(RETRY)
    assert {name: run.activity(name).attempt for name in ("f", "done", "a", "b", "s", "t")} == {
        "f": 1,
        "done": 1,
        "a": 2,
        "b": 2,
        "s": 2,
        "t": 2,
    }
    assert run.succeed("t", 2).succeed("a", 1).output == [0, 1, 2]


def test_enclosing_timeouts_begin_anew_at_retry() -> None:
    run = Run(f"do: [o: {{do: [c: {CALL % ''}], timeout: {{after: PT10S}}}}]\ntimeout: {{after: PT20S}}").start()
    run.after(9).fail("c")
    assert not run.timers
    run.after(100).take(RETRY)
    assert sorted((timer.due - run.now).total_seconds() for timer in run.timers.values()) == [10, 20]
    assert run.fire("timeout").error.instance == "/do/0/o"
    assert run.take(RETRY).succeed("c", 1).output == 1


def test_retry_after_the_process_timed_out() -> None:
    run = Run(f"do: [a: {{set: '${{ 1 }}'}}, c: {CALL % ''}]\ntimeout: {{after: PT5S}}").start().fire("timeout")
    run.take(RETRY)
    assert run.call("c").attempt == 2
    assert run.succeed("c", 3).output == 3


def test_retry_within_a_loop_goes_on_with_its_item() -> None:
    call = "{call: http, with: {method: get, endpoint: 'http://x', query: {i: '${ $item }'}}}"
    run = Run(f"do: [l: {{for: {{in: '[range(200)]'}}, do: [c: {call}]}}]").start()
    for _ in range(150):
        run.succeed("c")
    run.fail("c").take(RETRY)
    assert run.call("c").request["query"] == {"i": 150}
    for n in range(50):
        run.succeed("c", n)
    assert run.output == 49


def test_retry_within_a_try_that_gave_up() -> None:
    policy = "{limit: {attempt: {count: 1}}}"
    run = Run(f"do: [t: {{try: [a: {{set: '${{ 1 }}'}}, c: {CALL % ''}], catch: {{retry: {policy}}}}}]")
    run.start().fail("c").fail("c")
    assert run.status == "faulted"
    run.take(RETRY)
    assert (run.call("c").attempt, run.activity("a").attempt, run.activity("t").attempt) == (3, 2, 2)
    assert run.fail("c").status == "running", "the policy counts anew"
    assert run.call("c").attempt == 4
    assert run.succeed("c", 1).output == 1


def test_the_time_of_an_attempt_begins_anew_at_retry() -> None:
    policy = "{limit: {attempt: {count: 2, duration: PT10S}}}"
    catch = f"{{errors: {{with: {{status: 408}}}}, retry: {policy}}}"
    run = Run(f"do: [t: {{try: [c: {CALL % ''}], catch: {catch}}}]").start().after(9).fail("c")
    assert run.status == "faulted" and not run.timers
    run.after(100).take(RETRY)
    assert [(timer.due - run.now).total_seconds() for timer in run.timers.values()] == [10]
    run.fire()
    assert (run.call("c").attempt, run.activity("t").attempt) == (3, 2)
    assert run.succeed("c", 1).output == 1


def test_retry_within_a_handler() -> None:
    handler = f"{{do: [h: {CALL % ', output: {as: $error.status}'}]}}"
    run = Run(f"do: [t: {{try: [r: {{raise: {{error: {{type: 'http://x', status: 7}}}}}}], catch: {handler}}}]").start()
    run.fail("h").take(RETRY)
    assert run.succeed("h").output == 7


def test_retry_within_foreach_subscribes_again() -> None:
    body = f"foreach: {{do: [c: {CALL % ''}]}}"
    run = Run(
        f"do: [l: {{listen: {{to: {{any: [{{with: {{type: a}}}}], until: '(. | length) == 2'}}}}, {body}}}]"
    ).start()
    run.event("a", 1).fail("c")
    assert not run.subscriptions
    run.take(RETRY)
    assert len(run.subscriptions) == 1
    run.succeed("c", "x").event("a", 2)
    assert run.succeed("c", "y").output == ["x", "y"]


@pytest.mark.parametrize(
    ("definition", "input_", "output"),
    [("input: {from: $secrets.S}", 1, "open"), ("output: {as: '[., $secrets.S]'}", 1, [9, "open"])],
)
def test_retry_of_what_faulted_outside_its_tasks(definition: str, input_: Any, output: Any) -> None:
    tasks = "do: [a: {set: '${ . }'}]" if "input" in definition else "do: [a: {set: '${ 9 }'}]"
    run = Run(f"use: {{secrets: [S]}}\n{definition}\n{tasks}", secrets={"S": "open"})
    text = run.program
    broken = Run(text)
    broken.secrets = Broken()  # type: ignore[assignment]
    broken.start(input_)
    assert broken.status == "faulted"
    broken.secrets = run.secrets
    assert broken.take(RETRY).output == output
    assert len(broken.named("a")) == 1


class Broken(dict[str, Any]):
    """A store of secrets that is out of order."""

    def __missing__(self, name: str) -> Any:
        from perdure.engine.asks import AskFailed

        raise AskFailed(standard("authorization", f"no secret {name}"))


def test_a_human_task_and_a_callback_are_opened_again_at_retry() -> None:
    run = Run(
        f"""
        do:
          - f:
              fork:
                branches:
                  - h: {{call: 'human-task:1.0.0@default', with: {{title: T}}}}
                  - k: {{call: 'callback:1.0.0@default', with: {{}}}}
                  - c: {CALL % ""}
        """
    ).start()
    before = run.open
    run.fail("c").take(RETRY)
    assert run.open == before


COMMANDS = {
    "suspend twice": ([SUSPEND], SUSPEND, "the process is suspended already"),
    "resume what runs": ([], RESUME, "the process is not suspended"),
    "retry what runs": ([], RETRY, "the process is running, not faulted"),
    "retry what was cancelled": ([CANCEL], RETRY, "the process is cancelled"),
    "cancel twice": ([CANCEL], CANCEL, "the process is cancelled"),
    "suspend what was cancelled": ([CANCEL], SUSPEND, "the process is cancelled"),
    "start twice": ([], ProcessStarted({}, "ann"), "the process has started already"),
    "start twice by key": ([], ProcessStarted(None, "ann", b"k" * 16), "the process has started already"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_out_of_place_is_refused(name: str) -> None:
    before, command, reason = COMMANDS[name]
    run = Run(f"do: [c: {CALL % ''}]").start()
    for fact in before:
        run.take(fact)
    state = run.state
    run.take(command)
    assert run.refusals() == [reason]
    assert run.state == state
    assert not run.step.effects
    assert not run.step.activities
    assert lines(run, "fact.refused")[0].actor == "ann"


STRAY = {
    "call": ActivitySucceeded(NOBODY, 1, 1),
    "failure": ActivityFailed(NOBODY, 1, standard("runtime", "")),
    "timer": TimerFired(NOBODY),
    "event": EventReceived(NOBODY, {"type": "a"}),
    "callback": CallbackReceived(NOBODY, 1),
    "person": HumanTaskCompleted(NOBODY, {"outcome": "approved"}, "bob"),
    "child": ChildEnded(NOBODY, NOBODY, "completed"),
}


@pytest.mark.parametrize("name", STRAY)
@pytest.mark.parametrize("addressed", [False, True])
@pytest.mark.parametrize("ended", [False, True])
def test_a_stray_fact_is_refused(name: str, addressed: bool, ended: bool) -> None:
    from msgspec.structs import replace

    run = Run("do: [s: {set: '${ 1 }'}, o: {do: [w: {wait: PT1H}]}]").start()
    if ended:
        run.fire()
    fact: Any = STRAY[name]
    if addressed and hasattr(fact, "activity"):
        fact = replace(fact, activity=run.activity("w" if not ended else "s").id)
    state = run.state
    run.take(fact)
    assert len(run.refusals()) == 1
    assert run.state == state
    assert not run.step.effects
    assert not run.step.activities


def test_duplicates_have_one_result() -> None:
    run = Run(f"do: [c: {CALL % ''}, d: {CALL % ''}]").start()
    call = run.call("c")
    fact = ActivitySucceeded(call.activity, 1, "x")
    del run.calls[call.activity]
    run.take(*[fact] * 5)
    assert len(run.refusals()) == 4
    assert run.status == "running"
    assert run.succeed("d", "y").output == "y"


def test_facts_in_one_step_happen_in_order() -> None:
    run = Run(f"do: [f: {{fork: {{branches: [a: {CALL % ''}, b: {CALL % ''}]}}}}]").start()
    a, b = run.call("a"), run.call("b")
    run.calls.clear()
    run.take(ActivityFailed(b.activity, 1, standard("communication", "b")), ActivitySucceeded(a.activity, 1, 1))
    assert run.error.detail == "b"
    assert run.refusals() == ["the process is faulted"]
