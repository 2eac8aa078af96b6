"""`try`: catching errors, trying again (DSL reference, "Try", "Retry")."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from perdure.codec import Json
from perdure.definition.program import RetryPolicy, Try
from perdure.engine import scopes
from perdure.engine.dataflow import (
    argument_of,
    condition,
    describe_error,
    due_after,
    duration_of,
    fault,
    text_of,
)
from perdure.engine.draft import OWN, TASK_RETRIED, Draft
from perdure.engine.durations import after, seconds_of
from perdure.engine.errors import BASES, Error
from perdure.engine.ids import fraction
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import Frame, TryFrame
from perdure.engine.timers import arm, disarm

ERROR_CAUGHT = OWN + "error.caught"

RETRIES_MAX = 1_000_000
"""How often one try may retry, whatever its policy says."""

DELAY_SECONDS_MAX = 366 * 86_400.0
"""No delay grows beyond this by backoff."""

EXPONENT_MAX = 64


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `due`."""

    due: datetime


@dataclass(frozen=True, slots=True)
class Handle:
    """Go on with what `catch.do` says."""


Reaction: TypeAlias = Retry | Handle


def begin(draft: Draft, frame: Frame, task: Try) -> Flow[Ref | None]:
    assert isinstance(frame, TryFrame)
    frame.since = draft.now
    return (yield from _attempt(draft, frame, task))


def react(draft: Draft, frame: TryFrame, task: Try, error: Error) -> Flow[Reaction | None]:
    """What a try does about an error beneath it; None where it lets it pass."""
    catch = task.catch
    if not matches(catch.filter, error):
        return None
    frame.error = error  # what `catch.as` names, in the conditions and in the handler
    subject = argument_of(frame)
    if catch.when is not None and not (yield from condition(draft, frame, catch.when, subject, inner=True)):
        return None
    if catch.except_when is not None and (yield from condition(draft, frame, catch.except_when, subject, inner=True)):
        return None
    if catch.retry is not None:
        due = yield from _next_attempt(draft, frame, catch.retry)
        if due is not None:
            return Retry(due)
        if catch.body is None:
            return None  # retrying was all that this catch could do about it
    return Handle()


def handle(draft: Draft, frame: TryFrame, task: Try, reaction: Reaction) -> Flow[Ref | None]:
    """Do what was decided. Everything beneath the try has ended by now."""
    disarm(draft, frame, "attempt")
    assert frame.error is not None
    caught = {"error": describe_error(frame.error)}
    match reaction:
        case Retry(due):
            draft.note_task(ERROR_CAUGHT, frame, **caught, retryAt=text_of(due))
            frame.retries += 1
            if due <= draft.now:
                return (yield from retry(draft, frame, task))
            frame.phase = "retry"
            frame.status = "waiting"
            draft.record(frame, "waiting")
            arm(draft, frame, "retry", due)
            return None
        case Handle():
            frame.phase = "catch"
            draft.note_task(ERROR_CAUGHT, frame, **caught)
            input_ = argument_of(frame)
            body = task.catch.body
            return None if body is not None and scopes.begin(draft, frame, body, input_) else input_


def retry(draft: Draft, frame: TryFrame, task: Try) -> Flow[Ref | None]:
    """Begin the next attempt."""
    for index, attempts in frame.current.items():
        frame.prior[index] = max(attempts, frame.prior.get(index, 0))
    frame.current = {}
    frame.attempt += 1
    frame.phase = "try"
    frame.status = "running"
    frame.error = None
    frame.round = 0
    scopes.count_attempt(draft, frame)
    draft.record(frame, "running")
    draft.note_task(TASK_RETRIED, frame)
    return (yield from _attempt(draft, frame, task))


def matches(filter_: Mapping[str, Json], error: Error) -> bool:
    """Whether an error has everything that `catch.errors.with` says."""
    return all(_matches(name, expected, error) for name, expected in filter_.items())


def _matches(name: str, expected: Json, error: Error) -> bool:
    match name:
        case "type":
            return isinstance(expected, str) and _standard(expected) == _standard(error.type)
        case "status":
            return bool(expected == error.status)
        case "details" | "detail":
            return bool(expected == error.detail)
        case _:
            return bool(describe_error(error).get(name) == expected)


def _standard(type_: str) -> str:
    """The error type, with the bases of all releases of the DSL taken for one."""
    for base in BASES:
        if type_.startswith(base):
            return BASES[0] + type_[len(base) :]
    return type_


def _attempt(draft: Draft, frame: TryFrame, task: Try) -> Flow[Ref | None]:
    policy = task.catch.retry
    if not scopes.begin(draft, frame, task.body, argument_of(frame)):
        return argument_of(frame)
    if policy is not None and policy.attempt_duration is not None:
        arm(draft, frame, "attempt", (yield from due_after(draft, frame, policy.attempt_duration)))
    return None


def _next_attempt(draft: Draft, frame: TryFrame, policy: RetryPolicy) -> Flow[datetime | None]:
    """When to try again, or None where the policy says not to."""
    subject = argument_of(frame)
    if policy.when is not None and not (yield from condition(draft, frame, policy.when, subject, inner=True)):
        return None
    if policy.except_when is not None and (yield from condition(draft, frame, policy.except_when, subject, inner=True)):
        return None
    limit = RETRIES_MAX if policy.attempt_count is None else min(policy.attempt_count, RETRIES_MAX)
    if frame.retries >= limit:
        return None
    delay = yield from _delay(draft, frame, policy)
    try:
        due = draft.now + timedelta(seconds=delay)
        if policy.duration is not None:
            duration = yield from duration_of(draft, frame, policy.duration, inner=True)
            if due > after(frame.since or draft.now, duration):
                return None
    except (ValueError, OverflowError) as error:
        raise fault(draft, frame, "configuration", f"the retry policy can't be used: {error}") from None
    return due


def _delay(draft: Draft, frame: TryFrame, policy: RetryPolicy) -> Flow[float]:
    """Seconds until the next attempt: delay, grown by the backoff, plus jitter."""
    if policy.delay is None:
        seconds = 0.0
    else:
        delay = yield from duration_of(draft, frame, policy.delay, inner=True)
        seconds = seconds_of(delay, draft.now)
    shape = "constant" if policy.backoff is None else policy.backoff.shape
    match shape:
        case "linear":
            seconds *= frame.retries + 1
        case "exponential":
            seconds *= 2.0 ** min(frame.retries, EXPONENT_MAX)
        case _:
            pass
    seconds = min(seconds, DELAY_SECONDS_MAX)
    if policy.jitter_from is not None and policy.jitter_to is not None:
        low = yield from duration_of(draft, frame, policy.jitter_from, inner=True)
        high = yield from duration_of(draft, frame, policy.jitter_to, inner=True)
        least, most = seconds_of(low, draft.now), seconds_of(high, draft.now)
        seconds += least + (most - least) * fraction(frame.id, frame.attempt)
    return max(seconds, 0.0)
