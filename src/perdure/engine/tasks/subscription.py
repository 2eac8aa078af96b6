"""``call: asyncapi`` with a subscription (DSL reference, "AsyncAPI Subscription", "Subscription Iterator").

A call keeps the subscription open at the broker and hands over its messages; here is decided which are consumed
and when there are enough. Consumed messages wait for the tasks of `foreach` in a queue (`tasks.queue`). Where
those tasks may decide whether more is wanted (``while`` or ``until`` with `foreach`), messages are taken one at a
time: the rest stays with the broker, so that none is taken that nobody wants.
"""

from hashlib import blake2b

from perdure.codec import Json
from perdure.definition.program import CallSubscription, Task
from perdure.engine.dataflow import DEFINITION, condition, due_after, evaluate, event_key, holds
from perdure.engine.draft import OWN, Draft, Fault
from perdure.engine.effects import PerformCall
from perdure.engine.errors import Error
from perdure.engine.facts import MessageReceived
from perdure.engine.payloads import Flow
from perdure.engine.receipts import receipt_key
from perdure.engine.refs import NULL, Ref
from perdure.engine.release import end_subscription
from perdure.engine.state import Frame, SubscriptionFrame
from perdure.engine.tasks import queue
from perdure.engine.tasks.call import arguments_of
from perdure.engine.timers import arm, disarm

FUNCTION = "asyncapi"

RECENT_MAX = 128
"""How many messages a repeated delivery may lie back to be noticed. More than are ever handed over at once."""

_DIGEST_BYTES = 8

SUBSCRIBED = OWN + "messages.subscribed"
MESSAGE_CONSUMED = OWN + "message.consumed"
UNSUBSCRIBED = OWN + "messages.unsubscribed"


def begin(draft: Draft, frame: Frame, task: CallSubscription) -> Flow[Ref | None]:
    """Subscribe, unless nothing is wanted."""
    assert isinstance(frame, SubscriptionFrame)
    if (task.amount is not None and task.amount < 1) or (yield from _is_over_at_once(draft, frame, task)):
        return draft.store(frame, [])
    yield from subscribe(draft, frame, task)
    draft.note_task(SUBSCRIBED, frame)
    return None


def subscribe(draft: Draft, frame: SubscriptionFrame, task: CallSubscription) -> Flow[None]:
    """Open the subscription, for as long as the task says from now on."""
    arguments = yield from arguments_of(draft, frame, task)
    request = {**arguments, "subscription": {"batch": not _is_paced(task)}}
    draft.effect("call", frame.id, PerformCall(frame.id, frame.attempt, FUNCTION, task.reference, request))
    frame.listening = True
    frame.status = "waiting"
    if task.for_ is not None:
        arm(draft, frame, "until", (yield from due_after(draft, frame, task.for_)))


def is_repeated(frame: SubscriptionFrame, fact: MessageReceived) -> bool:
    """Whether the message was among the latest already."""
    digest = _digest(fact)
    recent = frame.recent
    return any(recent[at : at + _DIGEST_BYTES] == digest for at in range(0, len(recent), _DIGEST_BYTES))


def received(draft: Draft, frame: SubscriptionFrame, task: CallSubscription, fact: MessageReceived) -> Flow[Ref | None]:
    """A message; one that the filter does not want leaves no trace."""
    frame.receipt = fact.receipt
    frame.recent = (frame.recent + _digest(fact))[-RECENT_MAX * _DIGEST_BYTES :]
    if task.filter is not None and not (yield from _fits(draft, frame, task, fact.message)):
        return None
    queue.check_room(draft, frame, "messages")
    queue.put(draft, frame, fact.message)
    draft.note_task(MESSAGE_CONSUMED, frame, message=_described(fact))
    if task.amount is not None:
        if frame.count >= task.amount:
            close(draft, frame)
    elif task.foreach is None and (yield from _is_over(draft, frame, task, frame.count - 1)):
        close(draft, frame)
    return (yield from go_on(draft, frame, task))


def iteration_done(draft: Draft, frame: Frame, task: CallSubscription, output: Ref) -> Flow[Ref | None]:
    """The tasks of `foreach` are through with the message at hand."""
    assert isinstance(frame, SubscriptionFrame) and task.foreach is not None
    yield from queue.leave(draft, frame, task.foreach, output)
    yield from _item_done(draft, frame, task)
    return (yield from go_on(draft, frame, task))


def elapsed(draft: Draft, frame: SubscriptionFrame, task: CallSubscription) -> Flow[Ref | None]:
    """The time is over: what has been consumed is still processed, and is the output."""
    close(draft, frame)
    return (yield from go_on(draft, frame, task))


def go_on(draft: Draft, frame: SubscriptionFrame, task: CallSubscription) -> Flow[Ref | None]:
    """Process what is queued; complete when nothing is and nothing more will come."""
    return (yield from queue.go_on(draft, frame, task.foreach, lambda: _item_done(draft, frame, task)))


def close(draft: Draft, frame: SubscriptionFrame) -> None:
    """Take no more messages. What was taken last is kept, as the call may not have learnt of it."""
    end_subscription(draft, frame)
    disarm(draft, frame, "until")
    if frame.receipt is not None:
        draft.keep(frame, receipt_key(frame.id, frame.receipt), True)
    draft.note_task(UNSUBSCRIBED, frame, consumed=frame.count)


def failed(draft: Draft, frame: SubscriptionFrame, error: Error) -> Fault:
    """The subscription broke down."""
    frame.listening = False
    return Fault(frame, Error(error.type, error.status, error.title, error.detail, draft.task_of(frame).reference))


def paused(frame: SubscriptionFrame, task: Task) -> bool:
    """Whether the next message must wait until the tasks of `foreach` are through with this one."""
    return isinstance(task, CallSubscription) and _is_paced(task) and frame.iterating


def _is_paced(task: CallSubscription) -> bool:
    return task.foreach is not None and task.amount is None


def _item_done(draft: Draft, frame: SubscriptionFrame, task: CallSubscription) -> Flow[None]:
    if frame.listening and task.amount is None and (yield from _is_over(draft, frame, task, frame.done - 1)):
        close(draft, frame)


def _is_over(draft: Draft, frame: SubscriptionFrame, task: CallSubscription, number: int) -> Flow[bool]:
    """Whether the message with this number was the last, by ``while`` or ``until``."""
    message = yield from draft.payloads.get(event_key(frame, number))
    item, at = ("item", "index") if task.foreach is None else (task.foreach.item, task.foreach.at)
    own = {item: message, at: number}
    ref = event_key(frame, number)
    if task.while_ is not None:
        return not (yield from condition(draft, frame, task.while_, ref, own=own))
    return task.until is not None and (yield from condition(draft, frame, task.until, ref, own=own))


def _is_over_at_once(draft: Draft, frame: SubscriptionFrame, task: CallSubscription) -> Flow[bool]:
    """``until`` is also asked before the first message, of null; where it can't be, it does not hold."""
    if task.until is None:
        return False
    item, at = ("item", "index") if task.foreach is None else (task.foreach.item, task.foreach.at)
    try:
        return (yield from condition(draft, frame, task.until, NULL, own={item: None, at: None}))
    except Fault:
        return False


def _fits(draft: Draft, frame: SubscriptionFrame, task: CallSubscription, message: Json) -> Flow[bool]:
    """An expression that fails on a message only means that the message is of another shape."""
    assert task.filter is not None
    ref = draft.payloads.lend(message)
    try:
        return holds((yield from evaluate(draft, frame, task.filter, ref, DEFINITION)))
    except Fault:
        return False


def _described(fact: MessageReceived) -> Json:
    correlation = fact.message.get("correlationId") if isinstance(fact.message, dict) else None
    described = {"id": fact.identity, "correlationId": correlation}
    return {name: value for name, value in described.items() if value is not None}


def _digest(fact: MessageReceived) -> bytes:
    """Of the message where the protocol tells it from others, else of this delivery."""
    name = fact.receipt.bytes if fact.identity is None else fact.identity.encode()
    return blake2b(name, digest_size=_DIGEST_BYTES, person=b"perdure-message").digest()
