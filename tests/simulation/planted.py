"""Faults as a careless change would put them into the product. The simulation must find each of them.

The lock of a process is the database's: of that fault, what comes of it is planted into the simulated world.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec
from city import city

from perdure.engine import timers
from perdure.engine.draft import TASK_COMPLETED, Draft
from perdure.engine.facts import ChildEnded
from perdure.engine.tasks import doubt, fork
from perdure.runtime import events
from perdure.runtime.step import Stepper
from perdure.store.facts import decode_fact
from perdure.worker import performer
from perdure.worker.sweeper import Sweeper

Fault = Callable[[], AbstractContextManager[Any]]


def a_timer_is_never_set() -> AbstractContextManager[Any]:
    return patch.object(timers, "_set", lambda *_: None)


def a_timer_of_a_cancelled_activity_is_left() -> AbstractContextManager[Any]:
    withdraw = Draft.withdraw

    def forgetful(self: Draft, kind: str, *more: Any) -> None:
        if kind != "timer":
            withdraw(self, kind, *more)

    return patch.object(Draft, "withdraw", forgetful)


def an_emitted_event_is_marked_as_published_and_is_not() -> AbstractContextManager[Any]:
    async def skip(context: Any, pending: Any) -> int:
        for event in pending:
            await context.store.event_published(event.id)
        return len(pending)

    return patch.object(events, "_publish", skip)


def a_branch_is_joined_twice() -> AbstractContextManager[Any]:
    done = fork.branch_done

    def twice(draft: Any, parent: Any, *more: Any) -> Any:
        if parent.remaining > 1:
            parent.remaining -= 1
        return done(draft, parent, *more)

    return patch.object(fork, "branch_done", twice)


def facts_are_taken_in_and_stay_in_the_inbox() -> AbstractContextManager[Any]:
    outcome = Stepper._outcome

    async def forgetful(self: Stepper, *more: Any) -> Any:
        return msgspec.structs.replace(await outcome(self, *more), facts=())

    return patch.object(Stepper, "_outcome", forgetful)


def a_child_that_has_ended_tells_nobody() -> AbstractContextManager[Any]:
    hand_on = Stepper._hand_on

    async def silent(self: Stepper, taken: Any, outcome: Any, others: Any, announcement: Any) -> None:
        before = len(others.facts)
        await hand_on(self, taken, outcome, others, announcement)
        others.facts[before:] = [f for f in others.facts[before:] if not isinstance(decode_fact(f[1]), ChildEnded)]

    return patch.object(Stepper, "_hand_on", silent)


def processes_are_stepped_without_a_lock() -> AbstractContextManager[Any]:
    class Never(set[Any]):
        def __ior__(self, _: Any) -> "Never":
            return self

    init = city.Shared.__init__

    def unlocked(self: Any, *more: Any) -> None:
        init(self, *more)
        self.held = Never()

    return patch.object(city.Shared, "__init__", unlocked)


def the_sweep_is_blind() -> AbstractContextManager[Any]:
    async def nothing(*_: Any) -> int:
        return 0

    return patch.object(Sweeper, "once", nothing)


def the_lease_of_a_call_never_ends() -> AbstractContextManager[Any]:
    return patch.object(city, "SETTINGS", city.SETTINGS.model_copy(update={"call_lease_seconds": 1e9}))


def the_idempotency_key_changes_with_the_attempt() -> AbstractContextManager[Any]:
    def call(**fields: Any) -> Any:
        fields["idempotency_key"] += f"/{fields['attempt']}"
        return made(**fields)

    made = performer.Call
    return patch.object(performer, "Call", call)


def a_call_in_doubt_is_made_again_whatever_its_task_says() -> AbstractContextManager[Any]:
    in_doubt = performer.Calls._in_doubt

    async def careless(self: performer.Calls, leased: Any) -> bool:
        await in_doubt(self, leased)
        return True

    return patch.object(performer.Calls, "_in_doubt", careless)


def what_a_lookup_says_is_not_heeded() -> AbstractContextManager[Any]:
    return patch.object(doubt, "holds", lambda _: False)


@contextmanager
def a_completion_leaves_no_line_in_the_history() -> Iterator[None]:
    note = Draft.note_task

    def silent(self: Draft, type_: str, frame: Any, *more: Any, **data: Any) -> None:
        if type_ != TASK_COMPLETED or frame.order % 7:
            note(self, type_, frame, *more, **data)

    with patch.object(Draft, "note_task", silent):
        yield


FAULTS: tuple[Fault, ...] = (
    a_timer_is_never_set,
    a_timer_of_a_cancelled_activity_is_left,
    an_emitted_event_is_marked_as_published_and_is_not,
    a_branch_is_joined_twice,
    facts_are_taken_in_and_stay_in_the_inbox,
    a_child_that_has_ended_tells_nobody,
    processes_are_stepped_without_a_lock,
    the_sweep_is_blind,
    the_lease_of_a_call_never_ends,
    the_idempotency_key_changes_with_the_attempt,
    a_call_in_doubt_is_made_again_whatever_its_task_says,
    what_a_lookup_says_is_not_heeded,
    a_completion_leaves_no_line_in_the_history,
)
