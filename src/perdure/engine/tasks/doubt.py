"""Calls in doubt: whoever made one is gone without a word, so nobody knows whether it was made.

``metadata.inDoubt`` of the task says what follows. ``retry``: it is made again. ``verify``: another call finds out;
where that can't tell, a person is asked. ``ask``: a person is asked at once. Whatever is found, the first answer to the
call itself counts, should it still come.
"""

from datetime import timedelta

from perdure.codec import Json
from perdure.definition import durations
from perdure.definition.program import Call, InDoubt, RunProgram
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, fault, holds, text_of
from perdure.engine.draft import OWN, Draft, Fault
from perdure.engine.durations import after
from perdure.engine.effects import PerformCall
from perdure.engine.facts import ActivityFailed, ActivitySucceeded, CallInDoubt, HumanTaskCompleted
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.release import withdraw_call, withdraw_question
from perdure.engine.state import CallFrame, Doubt
from perdure.engine.tasks import call
from perdure.engine.tasks.http import request_of
from perdure.engine.tasks.human_task import Question, question_of
from perdure.engine.timers import arm, disarm

CALL_IN_DOUBT = OWN + "call.in-doubt"
DOUBT_RESOLVED = OWN + "call.doubt-resolved"

DONE, REPEAT, FAIL = "done", "repeat", "fail"
"""What a person may decide: the call was made (``data`` being its output), is to be made again, or has failed."""

NOT_MADE = frozenset({404, 410})
"""Answers to a lookup that say that there is nothing to be found."""

LOOKUPS_MAX = 6
LOOKUP_SECONDS = 2
"""After a lookup that told nothing, the next is made; each time after twice as long."""


def arose(draft: Draft, frame: CallFrame, fact: CallInDoubt) -> Flow[None]:
    """The call has come to be in doubt. Without its request, it is being made again already."""
    policy = _policy(draft, frame)
    decision = "retry" if fact.request is None else policy.policy
    draft.note_task(CALL_IN_DOUBT, frame, sentAt=text_of(fact.sent_at), decision=decision)
    if fact.request is None:
        return
    frame.calling = False
    frame.doubt = Doubt(fact.function, draft.store(frame, fact.request), fact.sent_at)
    if policy.policy == "verify":
        yield from look_up(draft, frame)
    else:
        yield from _ask(draft, frame, "The worker that made it is gone, so nobody knows.")


def note_unawaited(draft: Draft, fact: CallInDoubt) -> None:
    """The same for a program that nobody awaits, which is run again."""
    data = {"activity": str(fact.activity), "reference": fact.reference, "sentAt": text_of(fact.sent_at)}
    draft.note(CALL_IN_DOUBT, None, data | {"decision": "retry"})


def look_up(draft: Draft, frame: CallFrame) -> Flow[None]:
    """Make the call that finds out. Where it can't even be said, a person is asked."""
    doubt, policy = _doubt(frame), _policy(draft, frame)
    assert policy.lookup is not None
    try:
        request = yield from request_of(draft, frame, policy.lookup, _own(draft, frame))
    except Fault as problem:
        yield from _ask(draft, frame, f"The lookup can't be made: {problem.error.detail}.")
        return
    doubt.lookups += 1
    reference = draft.task_of(frame).reference
    effect = PerformCall(frame.id, frame.attempt, "http", reference, request, lookup=doubt.lookups)
    _perform(draft, frame, effect)


def looked_up(draft: Draft, frame: CallFrame, fact: ActivitySucceeded) -> Flow[Ref | None]:
    """The lookup was answered: answers the output of the call, where it was made and that ends the activity."""
    policy = _policy(draft, frame)
    frame.calling = False
    call.note_answer(draft, frame, fact)
    output = draft.store(frame, fact.output)
    try:
        done = True
        if policy.done is not None:
            done = holds((yield from _over(draft, frame, policy.done, output)))
        if done and policy.output is not None:
            output = draft.store(frame, (yield from _over(draft, frame, policy.output, output)))
    except Fault as problem:
        yield from _ask(draft, frame, f"The answer to the lookup can't be read: {problem.error.detail}.")
        return None
    if not done:
        yield from _repeat(draft, frame, "lookup")
        return None
    return _made(draft, frame, "lookup", output)


def lookup_failed(draft: Draft, frame: CallFrame, fact: ActivityFailed) -> Flow[None]:
    """The lookup found nothing, or could not tell; then there is another one, at last a person."""
    doubt, error = _doubt(frame), fact.error
    frame.calling = False
    call.note_failure(draft, frame, fact)
    if error.status in NOT_MADE:
        yield from _repeat(draft, frame, "lookup")
    elif doubt.lookups < LOOKUPS_MAX:
        frame.status = "waiting"
        draft.record(frame, frame.status)
        arm(draft, frame, "lookup", draft.now + timedelta(seconds=LOOKUP_SECONDS * 2 ** (doubt.lookups - 1)))
    else:
        yield from _ask(draft, frame, f"{doubt.lookups} lookups could not tell: {error.detail or error.title}.")


def decided(draft: Draft, frame: CallFrame, fact: HumanTaskCompleted) -> Flow[Ref | None]:
    """A person has decided. Answers the output, where that ends the activity; raises `Fault` where it failed."""
    call.note_decision(draft, frame, fact)
    disarm(draft, frame, "due")
    decision = fact.output if isinstance(fact.output, dict) else {}
    match decision.get("outcome"):
        case "done":
            return _made(draft, frame, "person", draft.store(frame, decision.get("data")))
        case "repeat":
            yield from _repeat(draft, frame, "person")
            return None
        case _:
            _resolve(draft, frame, "person", FAIL)
            comment = f": {decision['comment']}" if decision.get("comment") else ""
            raise fault(draft, frame, "communication", f"{fact.actor} decided that the call has failed{comment}")


def answered(draft: Draft, frame: CallFrame) -> None:
    """The call was answered after all."""
    withdraw_call(draft, frame)
    withdraw_question(draft, frame)
    disarm(draft, frame, "due")
    disarm(draft, frame, "lookup")
    _resolve(draft, frame, "answer", DONE)


def _made(draft: Draft, frame: CallFrame, by: str, output: Ref) -> Ref | None:
    """With a callback still to come, what the call was answered counts for nothing."""
    _resolve(draft, frame, by, DONE)
    if frame.callback:
        frame.status = "waiting"
        draft.record(frame, frame.status)
        return None
    return output


def _repeat(draft: Draft, frame: CallFrame, by: str) -> Flow[None]:
    """Make the very same call again."""
    doubt, policy = _doubt(frame), _policy(draft, frame)
    request = yield from draft.payloads.get(doubt.request)
    _resolve(draft, frame, by, REPEAT)
    reference = draft.task_of(frame).reference
    effect = PerformCall(frame.id, frame.attempt, doubt.function, reference, request, in_doubt=policy.policy)
    _perform(draft, frame, effect)


def _perform(draft: Draft, frame: CallFrame, effect: PerformCall) -> None:
    call.perform(draft, frame, effect)
    draft.record(frame, frame.status)


def _resolve(draft: Draft, frame: CallFrame, by: str, outcome: str) -> None:
    frame.doubt = None
    draft.note_task(DOUBT_RESOLVED, frame, by=by, outcome=outcome)


def _ask(draft: Draft, frame: CallFrame, because: str) -> Flow[None]:
    """Let a person decide. What can't be evaluated of how to ask stands back: somebody has to be asked."""
    template = _policy(draft, frame).question
    given: Json = {}
    if template is not None:
        try:
            given = yield from evaluate(draft, frame, template, argument_of(frame), DEFINITION, own=_own(draft, frame))
        except Fault as problem:
            because = f"{because} metadata.ask can't be evaluated: {problem.error.detail}."
    try:
        question = _question(draft, frame, because, given)
        due = None if question.due is None else after(draft.now, durations.of(question.due))
    except ValueError as problem:
        question, due = _question(draft, frame, f"{because} metadata.ask can't be used: {problem}.", {}), None
    call.ask(draft, frame, question, due)
    draft.record(frame, frame.status)


def _question(draft: Draft, frame: CallFrame, because: str, given: Json) -> Question:
    """Raises `ValueError` where what is given is of no use."""
    doubt, reference = _doubt(frame), draft.task_of(frame).reference
    told = {
        "title": f"Was the call of {reference} made?",
        "description": (
            f"The {doubt.function} call of {reference} was begun at {text_of(doubt.sent_at)} with the idempotency key "
            f"{_key(draft, frame)}. {because} Decide {DONE} if it was made, with its output as data; {REPEAT} if it is "
            f"to be made again; {FAIL} if the task is to fault."
        ),
    }
    return question_of({**told, **given, "outcomes": [DONE, REPEAT, FAIL]})


def _over(draft: Draft, frame: CallFrame, template: Json, answer: Ref) -> Flow[Json]:
    return (yield from evaluate(draft, frame, template, answer, DEFINITION, own=_own(draft, frame)))


def _own(draft: Draft, frame: CallFrame) -> dict[str, Json]:
    """What expressions about the doubt may use: ``$call``."""
    return {"call": {"idempotencyKey": _key(draft, frame), "sentAt": text_of(_doubt(frame).sent_at)}}


def _key(draft: Draft, frame: CallFrame) -> str:
    return f"{draft.process.id}/{frame.id}"


def _doubt(frame: CallFrame) -> Doubt:
    assert frame.doubt is not None
    return frame.doubt


def _policy(draft: Draft, frame: CallFrame) -> InDoubt:
    task = draft.task_of(frame)
    assert isinstance(task, Call | RunProgram)
    return task.in_doubt
