"""What a process waits for, what must be recorded for that, and what a repair asks for again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from driver import Run

from perdure.codec import encode
from perdure.engine import state as states
from perdure.engine.effects import OpenCallback, OpenHumanTask, PerformCall, SetTimer, Subscribe
from perdure.engine.facts import CallbackReceived, HumanTaskCompleted, RepairRequested, TimerFired
from perdure.engine.wake_ups import WakeUp, wake_ups

HTTP = {"call": "http", "with": {"method": "get", "endpoint": "http://a"}}
CALLBACK = {"call": "callback:1.0.0@default", "with": {"request": HTTP["with"]}}
CALLBACK_ALONE = {"call": "callback:1.0.0@default", "with": {}}
LISTEN = {"listen": {"to": {"one": {"with": {"type": "paid"}}}}}
CHILD = {"run": {"workflow": {"namespace": "n", "name": "c", "version": "1.0.0"}}}
HUMAN_TASK = {"call": "human-task:1.0.0@default", "with": {"title": "T"}}
WAIT = {"wait": {"minutes": 5}}


def started(task: Any, **top: Any) -> Run:
    return Run(encode({"do": [{"it": task}], **top}).decode()).start()


def wanted(run: Run) -> list[WakeUp]:
    assert run.state is not None
    return wake_ups(run.process.id, states.decode(run.state))


def lose_all(run: Run) -> None:
    for open_ in (run.timers, run.callbacks, run.subscriptions, run.calls):
        open_.clear()


@pytest.mark.parametrize(
    ("task", "kinds"),
    [
        (WAIT, ["timer"]),
        (HTTP, ["call"]),
        (CALLBACK, ["call", "callback"]),
        (LISTEN, ["subscription"]),
        (CHILD, ["child"]),
        ({"call": "job:1.0.0@default", "with": {"type": "t"}}, ["job"]),
        ({"call": "human-task:1.0.0@default", "with": {"title": "T", "due": {"days": 1}}}, ["human-task", "timer"]),
        ({"fork": {"branches": [{"a": WAIT}, {"b": HTTP}]}}, ["call", "timer"]),
        ({**HTTP, "timeout": {"after": {"minutes": 1}}}, ["call", "timer"]),
    ],
)
def test_each_thing_waited_for_has_a_wake_up(task: Any, kinds: list[str]) -> None:
    run = started(task)
    assert sorted(wake_up.kind for wake_up in wanted(run)) == sorted(kinds)


def test_the_process_itself_waits_for_its_timeout() -> None:
    run = started(HTTP, timeout={"after": {"hours": 1}})
    of_process = [wake_up for wake_up in wanted(run) if wake_up.activity == run.process.id]
    assert [wake_up.kind for wake_up in of_process] == ["timer"]


def test_a_wait_tells_the_first_timeout_that_ends_it() -> None:
    inner = {"do": [{"call": {**HTTP, "timeout": {"after": {"minutes": 9}}}}], "timeout": {"after": {"minutes": 3}}}
    run = started({"do": [{"inner": inner}]}, timeout={"after": {"hours": 1}})
    (wait,) = run.step.waiting
    assert wait.times_out_at == run.now + timedelta(minutes=3)


def test_an_extended_task_that_has_not_begun_is_waited_for_by_the_id_that_it_will_have() -> None:
    extension = {"extend": "wait", "before": [{"first": {"set": {"a": 1}}}]}
    document = {"do": [{"before": {"set": {"a": 1}}}, {"it": WAIT}], "use": {"extensions": [{"e": extension}]}}
    run = Run(encode(document).decode(), activities_max=1)
    (wait,) = run.start(drain=False).step.waiting
    assert (wait.reason, wait.reference) == ("step", "/do/1/it")
    run.take()
    assert wait.activity == run.activity("it").id


@pytest.mark.parametrize(
    ("task", "effect"),
    [(WAIT, SetTimer), (CALLBACK_ALONE, OpenCallback), (LISTEN, Subscribe)],
    ids=["wait", "callback", "listen"],
)
def test_a_repair_asks_again_for_what_the_state_says(task: Any, effect: type) -> None:
    run = started(task)
    before = [e for e in run.step.effects if type(e) is effect]
    lose_all(run)
    run.take(RepairRequested("operator", (run.activity("it").id,)))
    assert [e for e in run.step.effects if type(e) is effect] == before
    assert run.step.history[-1].type == "dev.perdure.process.repaired"


def test_a_repair_sets_the_timeout_of_the_process_again() -> None:
    run = started(WAIT, timeout={"after": {"hours": 1}})
    lose_all(run)
    run.take(RepairRequested("operator", (run.process.id, run.activity("it").id)))
    assert [e.purpose for e in run.step.effects if isinstance(e, SetTimer)] == ["timeout", "wait"]


def test_a_repair_leaves_alone_what_has_ended() -> None:
    run = started(WAIT, timeout={"after": {"hours": 1}})
    run.take(RepairRequested("operator", (UUID(int=7),)))
    assert not run.step.effects
    assert run.step.history[-1].data == {"activities": []}


def test_a_repair_may_begin_an_activity_anew() -> None:
    run = started({**HTTP, "timeout": {"after": {"minutes": 1}}})
    id_ = run.activity("it").id
    run.take(RepairRequested("operator", (id_,), restart=True))
    (call,) = [e for e in run.step.effects if isinstance(e, PerformCall)]
    assert (call.activity, call.attempt) == (id_, 2)
    assert len([w for w in wanted(run) if w.kind == "timer"]) == 1


@pytest.mark.parametrize(
    ("task", "answer", "effect"),
    [
        (HUMAN_TASK, lambda id_: HumanTaskCompleted(id_, {"outcome": "approved"}, "ann"), OpenHumanTask),
        (CALLBACK_ALONE, lambda id_: CallbackReceived(id_, 1), OpenCallback),
    ],
    ids=["human-task", "callback"],
)
def test_nobody_is_asked_again_for_what_the_same_step_takes_in(task: Any, answer: Any, effect: type) -> None:
    """The time of an attempt is over, the next one begins, and only then the answer to the first is taken in."""
    catch = {"errors": {"with": {"status": 408}}, "retry": {"limit": {"attempt": {"count": 2}}}}
    run = started({"try": [{"asked": {**task, "timeout": {"after": {"minutes": 1}}}}], "catch": catch})
    (timer,) = run.timers.values()
    run.human_tasks.clear(), run.callbacks.clear(), run.timers.clear()
    run.take(TimerFired(timer.timer), answer(run.activity("asked").id))
    assert run.status == "completed"
    assert not [asked for asked in run.step.effects if type(asked) is effect]
