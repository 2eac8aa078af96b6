"""`wait` and timeouts."""

import pytest
from driver import Run

CALL = "{call: http, with: {method: get, endpoint: 'http://x'}%s}"

WAITS = {
    "{seconds: 10}": 10,
    "{days: 1, hours: 2, minutes: 3, seconds: 4, milliseconds: 500}": 93784.5,
    "PT1M": 60,
    "P1W": 7 * 86400,
    "P1M": 31 * 86400,
    "'${ .d }'": 90,
}


@pytest.mark.parametrize("duration", WAITS)
def test_wait(duration: str) -> None:
    run = Run(f"do: [w: {{wait: {duration}}}]").start({"d": "PT1M30S"})
    assert (run.status, run.activity("w").status) == ("waiting", "waiting")
    begun = run.now
    run.fire()
    assert (run.now - begun).total_seconds() == WAITS[duration]
    assert run.output == {"d": "PT1M30S"}


def test_no_time_is_no_wait() -> None:
    run = Run("do: [w: {wait: PT0S}]").start()
    assert run.output == {}
    assert not run.step.effects


def test_a_task_times_out() -> None:
    run = Run(f"do: [c: {CALL % ', timeout: {after: PT5S}'}]").start().fire("timeout")
    assert (run.error.status, run.error.instance) == (408, "/do/0/c")
    assert run.error.type == "https://serverlessworkflow.io/spec/1.0.0/errors/timeout"
    assert not run.calls


def test_a_timeout_cancels_what_is_within() -> None:
    run = Run(f"do: [o: {{do: [c: {CALL % ''}], timeout: {{after: PT5S}}}}]").start().fire("timeout")
    assert run.error.instance == "/do/0/o"
    assert run.statuses() == {"o": "faulted", "c": "cancelled"}


def test_a_timeout_that_is_not_needed_leaves_no_trace() -> None:
    run = Run("do: [o: {do: [s: {set: '${ 1 }'}], timeout: {after: PT5S}}]\ntimeout: {after: PT9S}").start()
    assert run.output == 1
    assert run.step.effects == []


def test_a_timeout_is_cancelled_when_the_task_completes() -> None:
    run = Run(f"do: [c: {CALL % ', timeout: {after: PT5S}'}, w: {{wait: PT1H}}]").start().succeed("c")
    assert [timer.purpose for timer in run.timers.values()] == ["wait"]


def test_a_timeout_can_be_caught() -> None:
    run = Run(
        f"do: [t: {{try: [c: {CALL % ', timeout: {after: PT5S}'}], catch: {{errors: {{with: {{status: 408}}}}}}}}]"
    )
    assert run.start(1).fire("timeout").output == 1


def test_the_timeout_of_a_try_is_not_its_own_to_catch() -> None:
    run = Run(f"do: [t: {{try: [c: {CALL % ''}], catch: {{}}, timeout: {{after: PT5S}}}}]").start().fire("timeout")
    assert run.error.instance == "/do/0/t"
    assert run.statuses() == {"t": "faulted", "c": "cancelled"}


def test_the_process_times_out() -> None:
    run = Run(f"do: [c: {CALL % ''}]\ntimeout: {{after: '${{ .t }}'}}").start({"t": "PT5S"}).fire("timeout")
    assert (run.error.status, run.error.instance) == (408, "/")
    assert run.statuses() == {"c": "cancelled"}


def test_a_named_timeout() -> None:
    run = Run(f"use: {{timeouts: {{short: {{after: PT5S}}}}}}\ndo: [c: {CALL % ', timeout: short'}]").start()
    (timer,) = run.timers.values()
    assert (timer.due - run.now).total_seconds() == 5


def test_a_duration_that_can_not_be() -> None:
    assert Run("do: [w: {wait: '${ \"P999999999999D\" }'}]").start().status == "faulted"
