"""What was consumed and waits for the tasks of `foreach` (DSL reference, "Subscription Iterator").

`listen` and subscriptions to messages share it: items lie under derived keys, the frame counts them. They go
through the tasks one after another, in the order of their coming, each with the task's input. The output is the
array of all items, or of what `foreach` made of them.
"""

from collections.abc import Callable
from typing import TypeAlias

from perdure.codec import Json
from perdure.definition.program import Iterator
from perdure.engine import scopes
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, event_key, export, validate
from perdure.engine.draft import Draft
from perdure.engine.payloads import Flow
from perdure.engine.refs import Key, Ref, derived_key, key_of, stored
from perdure.engine.state import Frame, ListenFrame

ItemDone: TypeAlias = Callable[[], Flow[None]]
"""What to do when an item is through, before the next begins: it may end the listening."""


def check_room(draft: Draft, frame: ListenFrame, what: str) -> None:
    """Raises `Fault` where the task has consumed as many as it may."""
    if frame.count >= draft.limits.listen_events_max:
        limit = f"at most {draft.limits.listen_events_max} {what} (PERDURE_LISTEN_EVENTS_MAX)"
        raise draft.too_much(frame, f"one task consumes {limit}; end it by `until`, or split the work")


def put(draft: Draft, frame: ListenFrame, value: Json) -> None:
    """Add an item at the end."""
    draft.keep(frame, storage_key(event_key(frame, frame.count)), value)
    frame.count += 1


def go_on(draft: Draft, frame: ListenFrame, iterator: Iterator | None, item_done: ItemDone) -> Flow[Ref | None]:
    """Process what is queued; answers the output when nothing is and nothing more will come."""
    if iterator is None:
        frame.done = frame.count
    while iterator is not None and frame.done < frame.count:
        if frame.iterating:
            return None
        frame.iterating = True
        if iterator.body is not None and scopes.begin(draft, frame, iterator.body, argument_of(frame), frame.done):
            return None
        yield from leave(draft, frame, iterator, event_key(frame, frame.done))
        yield from item_done()
    if frame.listening:
        return None
    return (yield from _gather(draft, frame, iterator))


def leave(draft: Draft, frame: ListenFrame, iterator: Iterator, raw: Ref) -> Flow[None]:
    """Transform, validate and keep the output of the item at hand."""
    output = raw
    if iterator.output_as is not None:
        value = yield from evaluate(draft, frame, iterator.output_as, raw, DEFINITION, raw_output=raw, inner=True)
        output = draft.store(frame, value)
    if iterator.output_schema is not None:
        yield from validate(draft, frame, iterator.output_schema, output, "item's output")
    if iterator.export_as is not None:
        yield from export(draft, frame, iterator.export_as, iterator.export_schema, raw, output, inner=True)
    value = yield from draft.payloads.get(output)
    draft.keep(frame, storage_key(_output_key(frame, frame.done)), value)
    frame.done += 1
    frame.round = 0
    frame.iterating = False


def items(draft: Draft, frame: ListenFrame) -> Flow[list[Json]]:
    """All that has been consumed."""
    return (yield from _rows(draft, [event_key(frame, number) for number in range(frame.count)]))


def storage_key(ref: Ref) -> Key:
    key = key_of(ref)
    assert key is not None
    return key


def _gather(draft: Draft, frame: ListenFrame, iterator: Iterator | None) -> Flow[Ref]:
    key = event_key if iterator is None else _output_key
    return draft.store(frame, (yield from _rows(draft, [key(frame, number) for number in range(frame.count)])))


def _rows(draft: Draft, refs: list[Ref]) -> Flow[list[Json]]:
    yield from draft.payloads.load(refs)
    values = []
    for ref in refs:
        values.append((yield from draft.payloads.get(ref)))
    return values


def _output_key(frame: Frame, number: int) -> Ref:
    return stored(derived_key(frame.id.bytes, b"output", b"%d.%d" % (frame.attempt, number)))
