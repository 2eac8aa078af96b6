"""``job``: work that is handed to an external worker, which asks for it and answers when it is done."""

from collections.abc import Mapping

import msgspec

from perdure.codec import Json
from perdure.definition import durations
from perdure.definition.checks.catalog import (
    JOB_TYPE_CHARACTERS_MAX,
    LEASE_SECONDS_MAX,
    LEASE_SECONDS_MIN,
    PRIORITY_MAX,
)
from perdure.definition.program import Call
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, fault, text_of
from perdure.engine.draft import OWN, Draft, Fault
from perdure.engine.durations import kind_of, seconds_of
from perdure.engine.effects import HoldJob, OpenJob
from perdure.engine.errors import Error
from perdure.engine.facts import JobCompleted, JobFailed, JobLeased, JobReturned
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import CallFrame, Frame

JOB_OPENED = OWN + "job.opened"
JOB_LEASED = OWN + "job.leased"
JOB_COMPLETED = OWN + "job.completed"
JOB_FAILED = OWN + "job.failed"
JOB_RETURNED: Mapping[str, str] = {
    "lease-ended": OWN + "job.lease-ended",
    "failed": OWN + "job.attempt-failed",
    "released": OWN + "job.released",
}

_KNOWN = frozenset({"type", "input", "lease", "priority"})


class Order(msgspec.Struct, frozen=True):
    """The checked arguments, apart from ``input``."""

    type: str
    priority: int
    lease: Json


def begin(draft: Draft, frame: CallFrame, task: Call) -> Flow[None]:
    """Offer the job. Its input is ``with.input``, or where that is left out the activity's own."""
    value = yield from evaluate(draft, frame, task.arguments, argument_of(frame), DEFINITION)
    try:
        order = order_of(value)
        lease_seconds = None if order.lease is None else _lease_seconds(draft, order.lease)
    except ValueError as problem:
        raise fault(draft, frame, "configuration", str(problem)) from None
    input_ = draft.store(frame, value["input"]) if "input" in value else argument_of(frame)
    draft.effect("job", frame.id, OpenJob(frame.id, frame.attempt, order.type, input_, order.priority, lease_seconds))
    frame.job = True
    frame.status = "waiting"
    draft.note_task(JOB_OPENED, frame, type=order.type, priority=order.priority)


def leased(draft: Draft, frame: CallFrame, fact: JobLeased) -> None:
    """A worker has taken the job."""
    until = text_of(fact.until)
    draft.note_task(JOB_LEASED, frame, fact.actor, worker=fact.worker, delivery=fact.delivery, until=until)


def returned(draft: Draft, frame: CallFrame, fact: JobReturned) -> None:
    """The job is offered again."""
    data: dict[str, Json] = {"worker": fact.worker, "delivery": fact.delivery}
    if fact.error is not None:
        data["error"] = msgspec.to_builtins(fact.error)
    if fact.again_at is not None:
        data["againAt"] = text_of(fact.again_at)
    draft.note_task(JOB_RETURNED[fact.reason], frame, fact.actor, **data)


def completed(draft: Draft, frame: CallFrame, fact: JobCompleted) -> Ref:
    """A worker has done the job."""
    frame.job = False
    draft.note_task(JOB_COMPLETED, frame, fact.actor, worker=fact.worker, delivery=fact.delivery)
    return draft.store(frame, fact.output)


def failed(draft: Draft, frame: CallFrame, fact: JobFailed) -> Fault:
    """The job has failed for good."""
    frame.job = False
    draft.note_task(JOB_FAILED, frame, fact.actor, worker=fact.worker, delivery=fact.delivery)
    error = fact.error
    return Fault(frame, Error(error.type, error.status, error.title, error.detail, draft.task_of(frame).reference))


def hold(draft: Draft, frame: Frame, *, held: bool) -> None:
    """While the process is suspended, no worker is to begin with the job."""
    if isinstance(frame, CallFrame) and frame.job:
        draft.effect("job-hold", frame.id, HoldJob(frame.id, held))


def order_of(value: Json) -> Order:
    """The arguments as they must be. Raises `ValueError` with what is wrong with them."""
    if not isinstance(value, dict):
        raise ValueError(f"expected with to be an object, found {kind_of(value)}")
    unknown = sorted(value.keys() - _KNOWN)
    if unknown:
        raise ValueError(f"job does not know {', '.join(unknown)}; it has {', '.join(sorted(_KNOWN))}")
    type_, priority, lease = value.get("type"), value.get("priority"), value.get("lease")
    if not isinstance(type_, str) or not 0 < len(type_) <= JOB_TYPE_CHARACTERS_MAX or "\0" in type_:
        raise ValueError(
            f"expected with.type to be a string of 1 to {JOB_TYPE_CHARACTERS_MAX} characters without NUL, "
            f"found {kind_of(type_)}"
        )
    if priority is None:
        priority = 0
    if isinstance(priority, bool) or not isinstance(priority, int | float) or priority != int(priority):
        raise ValueError(f"expected with.priority to be a whole number, found {kind_of(priority)}")
    if abs(priority) > PRIORITY_MAX:
        raise ValueError(f"expected with.priority between -{PRIORITY_MAX} and {PRIORITY_MAX}")
    return Order(type_, int(priority), lease)


def _lease_seconds(draft: Draft, lease: Json) -> float:
    """Of a duration as the DSL writes it, or a number of seconds. Raises `ValueError`."""
    if isinstance(lease, int | float) and not isinstance(lease, bool):
        seconds = float(lease)
    else:
        seconds = seconds_of(durations.of(lease), draft.now)
    if not LEASE_SECONDS_MIN <= seconds <= LEASE_SECONDS_MAX:
        raise ValueError(
            f"expected with.lease between {LEASE_SECONDS_MIN:g} and {LEASE_SECONDS_MAX:g} seconds, found {seconds:g}"
        )
    return seconds
