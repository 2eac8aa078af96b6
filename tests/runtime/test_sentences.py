"""What a process waits for, in sentences."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from perdure.engine.step import Waiting
from perdure.runtime import sentences
from perdure.store.liveness import Line, Recorded

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACTIVITY = UUID(int=1)
STEP = Recorded("step", ACTIVITY, "owed", NOW, {"facts": 1})
REQUEST = Recorded("call", ACTIVITY, "queued", NOW, {"function": "http", "attempt": 1})
OPEN = Recorded("callback", ACTIVITY, "open", None, {})


def sentence(reason: str, *recorded: Recorded, answered: Line | None = None, reference: str = "/do/0/it") -> str:
    wait = Waiting(ACTIVITY, reference, reason, NOW, None)
    return sentences.of_wait(wait, recorded, answered, None, NOW)


@pytest.mark.parametrize(
    "reason", ["call", "event", "human-task", "callback", "job", "child", "timer", "retry", "step"]
)
def test_what_has_happened_and_is_to_be_taken_in_may_end_any_wait(reason: str) -> None:
    said = sentence(reason, STEP)
    assert "/do/0/it" in said
    assert "doctor" not in said


def test_what_a_suspended_process_holds_back_is_said() -> None:
    held = Recorded("step", ACTIVITY, "held", None, {"facts": 0})
    assert sentence("step", held).endswith("for a worker to begin /do/0/it; which it does after perdure resume.")


def test_the_request_of_a_callback() -> None:
    answered = Line(ACTIVITY, "dev.perdure.call.answered", NOW + timedelta(seconds=1), "perdure", {"status": 202})
    assert sentence("callback", OPEN, REQUEST).endswith("; its request has not been answered yet.")
    assert sentence("callback", OPEN, answered=answered).endswith("; its request was answered 202 12:00:01 UTC.")
    assert sentence("callback", OPEN).endswith("for the callback of /do/0/it.")


def test_what_nothing_ends() -> None:
    assert sentence("call").endswith("; nothing is recorded that would end it: run perdure doctor.")


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "12:00:00 UTC"), (1, "tomorrow 12:00 UTC"), (-1, "yesterday 12:00 UTC"), (2, "2026-01-03 12:00 UTC")],
)
def test_times_are_as_near_as_they_are_told_from_now(days: int, said: str) -> None:
    assert sentences.at(NOW + timedelta(days=days), NOW) == said


@pytest.mark.parametrize(("facts", "told"), [(0, ""), (1, " One fact that"), (3, " 3 facts that")])
def test_a_suspended_process_tells_what_came_meanwhile(facts: int, told: str) -> None:
    data: Any = {"reason": "stock-taking"}
    line = Line(None, "suspended", NOW, "ann", data)
    begin = "Suspended by ann 12:00:00 UTC (stock-taking): nothing new begins until perdure resume."
    assert sentences.of_suspended(line, facts, NOW).startswith(begin + told)
