"""`listen`: consume events (DSL reference, "Listen", "Event Consumption Strategy", "Subscription Iterator").

Consumed events wait for the tasks of `foreach` in a queue (`tasks.queue`).
"""

from perdure.codec import Json
from perdure.definition.program import EventFilter, Listen, Strategy
from perdure.engine.dataflow import (
    DEFINITION,
    argument_of,
    condition,
    evaluate,
)
from perdure.engine.draft import OWN, WORKFLOW, Draft
from perdure.engine.effects import EventPattern, Subscribe
from perdure.engine.matching import data_of, expected_key, fits, pattern_of
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.release import unsubscribe
from perdure.engine.state import Frame, ListenFrame
from perdure.engine.tasks import queue

EVENT_CONSUMED = OWN + "event.consumed"
CORRELATION_STARTED = WORKFLOW + "correlation-started.v1"
CORRELATION_COMPLETED = WORKFLOW + "correlation-completed.v1"


def begin(draft: Draft, frame: Frame, task: Listen) -> Flow[Ref | None]:
    """Evaluate what is expected, once, and subscribe. All of no events have come already."""
    assert isinstance(frame, ListenFrame)
    if task.strategy.mode == "all" and not task.strategy.filters:
        return draft.store(frame, [])
    for name, filter_ in _filters(task.strategy):
        for correlation in filter_.correlations:
            if correlation.expect is not None:
                value = yield from evaluate(draft, frame, correlation.expect, argument_of(frame), DEFINITION)
                frame.expected[expected_key(name, correlation.name)] = draft.store(frame, value)
    frame.status = "waiting"
    yield from subscribe(draft, frame, task)
    data = {"task": task.reference}
    draft.note(CORRELATION_STARTED, frame, data)
    return None


def subscribe(draft: Draft, frame: ListenFrame, task: Listen) -> Flow[None]:
    """Ask for the events that may fit."""
    filters = _filters(task.strategy)
    patterns = []
    for name, filter_ in filters:
        patterns.append((yield from pattern_of(draft, filter_, name, frame.expected)))
    if not task.strategy.filters:
        patterns = [EventPattern(None)]
    looks_back = bool(task.strategy.filters) and all(
        filter_.correlations and all(c.expect is not None for c in filter_.correlations) for _, filter_ in filters
    )
    draft.effect(
        "subscription",
        frame.id,
        Subscribe(frame.id, task.reference, tuple(patterns), looks_back),
    )
    frame.listening = True


def received(draft: Draft, frame: ListenFrame, task: Listen, event: Json) -> Flow[Ref | None]:
    """An event that may fit; one that does not leaves no trace."""
    until = _until_strategy(task.strategy)
    if until is not None:
        hit = yield from _match(draft, frame, until, "until", frame.until_matched, event)
        if hit is not None:
            frame.until_matched.append(hit)
            _note(draft, frame, event)
            if until.mode != "all" or len(set(frame.until_matched)) == len(until.filters):
                return (yield from _close(draft, frame, task))
            return None
    hit = yield from _match(draft, frame, task.strategy, "to", frame.matched, event)
    if hit is None:
        return None
    queue.check_room(draft, frame, "events")
    return (yield from _consume(draft, frame, task, hit, event))


def iteration_done(draft: Draft, frame: Frame, task: Listen, output: Ref) -> Flow[Ref | None]:
    """The tasks of `foreach` are through with the event at hand."""
    assert isinstance(frame, ListenFrame)
    assert task.foreach is not None
    yield from queue.leave(draft, frame, task.foreach, output)
    yield from _item_done(draft, frame, task)
    return (yield from _go_on(draft, frame, task))


def _consume(draft: Draft, frame: ListenFrame, task: Listen, hit: int, event: Json) -> Flow[Ref | None]:
    value = _read(event, task.read)
    _note(draft, frame, event)
    if task.strategy.mode == "all":
        frame.matched.append(hit)
    satisfied = _is_satisfied(frame, task.strategy)
    if satisfied and frame.count == 0 and task.foreach is None:
        unsubscribe(draft, frame)
        yield from _note_correlated(draft, frame)
        return draft.store(frame, [value])
    queue.put(draft, frame, value)
    if satisfied or (yield from _until_holds(draft, frame, task)):
        return (yield from _close(draft, frame, task))
    return (yield from _go_on(draft, frame, task))


def _close(draft: Draft, frame: ListenFrame, task: Listen) -> Flow[Ref | None]:
    """Consume no more; what is in the queue is still to be processed."""
    unsubscribe(draft, frame)
    yield from _note_correlated(draft, frame)
    return (yield from _go_on(draft, frame, task))


def _go_on(draft: Draft, frame: ListenFrame, task: Listen) -> Flow[Ref | None]:
    """Process what is queued; complete when nothing is and nothing more will come."""
    return (yield from queue.go_on(draft, frame, task.foreach, lambda: _item_done(draft, frame, task)))


def _item_done(draft: Draft, frame: ListenFrame, task: Listen) -> Flow[None]:
    """See whether the item that `foreach` is through with was the last."""
    if frame.listening and (yield from _until_holds(draft, frame, task)):
        unsubscribe(draft, frame)
        yield from _note_correlated(draft, frame)


def _match(
    draft: Draft, frame: ListenFrame, strategy: Strategy, side: str, matched: list[int], event: Json
) -> Flow[int | None]:
    """The first filter that the event fits; of ``all``, among those that have had no event yet."""
    if not strategy.filters:
        return 0
    for index, filter_ in enumerate(strategy.filters):
        if strategy.mode == "all" and index in matched:
            continue
        values = yield from fits(draft, frame, filter_, f"{side}{index}", event)
        if values is not None:
            frame.found.update((name, draft.store(frame, value)) for name, value in values.items())
            return index
    return None


def _is_satisfied(frame: ListenFrame, strategy: Strategy) -> bool:
    match strategy.mode:
        case "all":
            return len(frame.matched) == len(strategy.filters)
        case "any":
            return strategy.until is None
        case _:
            return True


def _until_holds(draft: Draft, frame: ListenFrame, task: Listen) -> Flow[bool]:
    """Whether the `until` expression, if there is one, holds for all that has been consumed."""
    until = task.strategy.until
    if until is None or isinstance(until, Strategy) or task.strategy.mode != "any":
        return False
    consumed = yield from queue.items(draft, frame)
    return (yield from condition(draft, frame, until, draft.payloads.lend(consumed)))


def _filters(strategy: Strategy) -> list[tuple[str, EventFilter]]:
    """All filters with a name each, those of `until` last."""
    named = [(f"to{index}", filter_) for index, filter_ in enumerate(strategy.filters)]
    until = _until_strategy(strategy)
    if until is not None:
        named += [(f"until{index}", filter_) for index, filter_ in enumerate(until.filters)]
    return named


def _until_strategy(strategy: Strategy) -> Strategy | None:
    """The events that end the listening; `until` counts only with ``any``."""
    until = strategy.until
    return until if strategy.mode == "any" and isinstance(until, Strategy) else None


def _read(event: Json, read: str) -> Json:
    match read:
        case "envelope":
            return event
        case "raw":
            return event.get("data_base64", event.get("data"))
        case _:
            return data_of(event)


def _note(draft: Draft, frame: ListenFrame, event: Json) -> None:
    attributes = {name: event.get(name) for name in ("id", "source", "type")}
    draft.note_task(EVENT_CONSUMED, frame, event=attributes)


def _note_correlated(draft: Draft, frame: ListenFrame) -> Flow[None]:
    refs = {key.partition("/")[2]: ref for key, ref in frame.expected.items()} | frame.found
    keys = {}
    for name, ref in refs.items():
        keys[name] = yield from draft.payloads.get(ref)
    data = {"task": draft.task_of(frame).reference, "correlationKeys": keys}
    draft.note(CORRELATION_COMPLETED, frame, data)
