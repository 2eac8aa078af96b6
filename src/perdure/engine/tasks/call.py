"""`call`: work in the world (DSL reference, "Call"), and the functions of the default catalog that the engine
knows: ``human-task``, ``callback`` and ``job``."""

from datetime import datetime

from perdure.codec import Json, encode
from perdure.definition import durations
from perdure.definition.program import Call, CallSubscription
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, fault, text_of
from perdure.engine.draft import OWN, Draft, Fault
from perdure.engine.durations import after
from perdure.engine.effects import EscalateHumanTask, OpenCallback, OpenHumanTask, PerformCall
from perdure.engine.errors import Error
from perdure.engine.facts import ActivityFailed, ActivitySucceeded, HumanTaskActed, HumanTaskCompleted
from perdure.engine.ids import callback_token, request_digest
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.release import release_call
from perdure.engine.state import CallFrame, Frame
from perdure.engine.tasks import job
from perdure.engine.tasks.http import request_of
from perdure.engine.tasks.human_task import Question, question_of
from perdure.engine.timers import arm
from perdure.engine.uris import UriUnexpandable, expand_endpoints, member

CALL_REQUESTED = OWN + "call.requested"
CALL_ANSWERED = OWN + "call.answered"
CALL_FAILED = OWN + "call.failed"
CALLBACK_OPENED = OWN + "callback.opened"
CALLBACK_RECEIVED = OWN + "callback.received"
HUMAN_TASK_OPENED = OWN + "human-task.opened"
HUMAN_TASK_OVERDUE = OWN + "human-task.overdue"
HUMAN_TASK_ESCALATED = OWN + "human-task.escalated"
HUMAN_TASK_COMPLETED = OWN + "human-task.completed"

PERFORMED = frozenset({"a2a", "asyncapi", "grpc", "mcp", "openapi"})
"""Functions whose evaluated arguments an activity of that name takes as they are (`activities.registry`)."""


def begin(draft: Draft, frame: Frame, task: Call) -> Flow[None]:
    assert isinstance(frame, CallFrame)
    match task.function:
        case "http":
            request = yield from request_of(draft, frame, task.arguments, {})
            _perform(draft, frame, task, request)
        case function if function in PERFORMED:
            _perform(draft, frame, task, (yield from arguments_of(draft, frame, task)), function)
        case "human-task":
            yield from _ask_person(draft, frame, task)
        case "callback":
            yield from _await_callback(draft, frame, task)
        case "job":
            yield from job.begin(draft, frame, task)
        case function:
            raise fault(draft, frame, "configuration", f"the function {function} is not available")


def succeeded(draft: Draft, frame: CallFrame, fact: ActivitySucceeded) -> Ref | None:
    """The call was answered; with a callback still to come, the answer itself counts for nothing."""
    frame.calling = False
    note_answer(draft, frame, fact)
    return None if frame.callback else draft.store(frame, fact.output)


def failed(draft: Draft, frame: CallFrame, fact: ActivityFailed) -> Fault:
    """The call failed; a callback that was to follow it is no longer expected."""
    frame.calling = False
    note_failure(draft, frame, fact)
    release_call(draft, frame)
    reference, error = draft.task_of(frame).reference, fact.error
    return Fault(frame, Error(error.type, error.status, error.title, error.detail, reference))


def note_answer(draft: Draft, frame: CallFrame, fact: ActivitySucceeded, **more: Json) -> None:
    draft.note_task(CALL_ANSWERED, frame, **_told(fact), **more)


def note_failure(draft: Draft, frame: CallFrame, fact: ActivityFailed) -> None:
    error = {"type": fact.error.type, "status": fact.error.status}
    draft.note_task(CALL_FAILED, frame, **_told(fact), error=error)


def _told(fact: ActivitySucceeded | ActivityFailed) -> dict[str, Json]:
    """What the audit trail says of how a call was made and answered."""
    told: dict[str, Json] = {"lookup": fact.lookup} if fact.lookup else {}
    exchange = fact.exchange
    if exchange is not None:
        told |= {"sentAt": text_of(exchange.sent_at), "answeredAt": text_of(exchange.answered_at)}
        told |= {} if exchange.by is None else {"by": exchange.by}
        told |= {} if exchange.status is None else {"status": exchange.status}
    return told


def called_back(draft: Draft, frame: CallFrame, body: Json) -> Ref:
    """The callback came, perhaps before the answer to its request, which then counts for nothing."""
    frame.callback = False
    draft.answered("callback", frame.id)
    release_call(draft, frame)
    draft.note_task(CALLBACK_RECEIVED, frame)
    return draft.store(frame, body)


def open_callback(draft: Draft, frame: CallFrame) -> None:
    """Expect the callback, under the token that its request was sent with."""
    draft.effect("callback", frame.id, OpenCallback(frame.id, callback_token(draft.process.seed, frame.id)))


def note_act(draft: Draft, frame: CallFrame, fact: HumanTaskActed) -> None:
    """Somebody has the human task now, or nobody any more; only the trail tells."""
    more = {} if fact.to is None else {"to": fact.to}
    draft.note_task(f"{OWN}human-task.{fact.action}", frame, fact.actor, by=fact.by, **more)


def decided(draft: Draft, frame: CallFrame, fact: HumanTaskCompleted) -> Ref:
    """A person has completed the human task."""
    note_decision(draft, frame, fact)
    return draft.store(frame, fact.output)


def note_decision(draft: Draft, frame: CallFrame, fact: HumanTaskCompleted) -> None:
    """The question is answered."""
    frame.human_task = False
    draft.answered("human-task", frame.id)
    outcome = fact.output.get("outcome") if isinstance(fact.output, dict) else None
    draft.note_task(HUMAN_TASK_COMPLETED, frame, fact.actor, outcome=outcome, by=fact.by or fact.actor)


def overdue(draft: Draft, frame: CallFrame) -> None:
    """The human task was not decided when it was due; further groups may decide it, where `escalateTo` says so."""
    draft.note_task(HUMAN_TASK_OVERDUE, frame)
    if frame.escalate_to:
        draft.effect("escalation", frame.id, EscalateHumanTask(frame.id, frame.escalate_to))
        draft.note_task(HUMAN_TASK_ESCALATED, frame, candidateGroups=list(frame.escalate_to))


def arguments_of(draft: Draft, frame: Frame, task: Call | CallSubscription) -> Flow[Json]:
    """The evaluated ``with``, URI templates of its endpoints filled in."""
    value = yield from evaluate(draft, frame, task.arguments, argument_of(frame), DEFINITION)
    source = yield from draft.payloads.get(argument_of(frame))
    try:
        return expand_endpoints(task.arguments, value, source)
    except UriUnexpandable as problem:
        raise fault(draft, frame, "expression", f"the endpoint can't be expanded: {problem}") from None


def perform(draft: Draft, frame: CallFrame, effect: PerformCall) -> None:
    """Have a call of the activity made, and say so in the audit trail: under which key, and a digest of its request."""
    draft.effect("call", frame.id, effect)
    frame.calling = True
    frame.status = "waiting" if frame.callback else "running"
    note_request(draft, frame, effect)


def note_request(draft: Draft, frame: CallFrame, effect: PerformCall) -> None:
    told: dict[str, Json] = {"lookup": effect.lookup} if effect.lookup else {}
    key = f"{draft.process.id}/{frame.id}"
    digest = request_digest(draft.process.seed, encode(effect.request))
    draft.note_task(CALL_REQUESTED, frame, function=effect.function, idempotencyKey=key, requestDigest=digest, **told)


def ask(draft: Draft, frame: CallFrame, question: Question, due: datetime | None) -> None:
    """Let a person answer."""
    draft.effect(
        "human-task",
        frame.id,
        OpenHumanTask(
            frame.id,
            question.title,
            question.description,
            question.assignees,
            question.candidate_groups,
            question.exclude_users,
            question.outcomes,
            question.form,
            due,
        ),
    )
    frame.human_task = True
    frame.status = "waiting"
    if due is not None:
        frame.escalate_to = question.escalate_to
        arm(draft, frame, "due", due)
    draft.note_task(HUMAN_TASK_OPENED, frame, due=None if due is None else text_of(due))


def _perform(draft: Draft, frame: CallFrame, task: Call, request: Json, function: str = "http") -> None:
    policy = task.in_doubt.policy
    perform(draft, frame, PerformCall(frame.id, frame.attempt, function, task.reference, request, in_doubt=policy))


def _ask_person(draft: Draft, frame: CallFrame, task: Call) -> Flow[None]:
    value = yield from evaluate(draft, frame, task.arguments, argument_of(frame), DEFINITION)
    try:
        question = question_of(value)
        due = None if question.due is None else after(draft.now, durations.of(question.due))
    except ValueError as problem:
        raise fault(draft, frame, "configuration", str(problem)) from None
    ask(draft, frame, question, due)


def _await_callback(draft: Draft, frame: CallFrame, task: Call) -> Flow[None]:
    template = member(task.arguments, "request")
    token = callback_token(draft.process.seed, frame.id)
    request = None
    if template is not None:
        own = {"callback": {"url": f"{draft.environment.public_url}/v1/callbacks/{token}", "token": token}}
        request = yield from request_of(draft, frame, template, own)
    open_callback(draft, frame)
    draft.note_task(CALLBACK_OPENED, frame)
    frame.callback = True
    if request is not None:
        _perform(draft, frame, task, request)
    frame.status = "waiting"
