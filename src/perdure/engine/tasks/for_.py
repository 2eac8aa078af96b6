"""`for`: the body once for each item (DSL reference, "For").

The first iteration's input is the task's, each further one's is the output of the one before.
"""

from perdure.codec import Json
from perdure.definition.program import For
from perdure.engine import scopes
from perdure.engine.dataflow import DEFINITION, argument_of, chunk_key, condition, evaluate, fault
from perdure.engine.draft import Draft
from perdure.engine.durations import kind_of
from perdure.engine.payloads import Flow, Unkeepable, encoded_of
from perdure.engine.refs import INLINE_BYTES_MAX, Ref, inline, stored
from perdure.engine.state import ForFrame, Frame

CHUNK_ITEMS_MAX = 100
CHUNK_BYTES_MAX = 16 * 1024
"""A chunk is closed when it has reached either, so that turning to an item costs the same in long loops."""


def begin(draft: Draft, frame: Frame, task: For) -> Flow[Ref | None]:
    assert isinstance(frame, ForFrame)
    items = yield from evaluate(draft, frame, task.collection, argument_of(frame), DEFINITION)
    if not isinstance(items, list):
        raise fault(draft, frame, "expression", f"expected for.in to yield an array, found {kind_of(items)}")
    if len(items) > draft.limits.loop_items_max:
        limit = f"at most {draft.limits.loop_items_max} items (PERDURE_LOOP_ITEMS_MAX)"
        raise draft.too_much(frame, f"expected for.in to yield {limit}, found {len(items)}")
    frame.count = len(items)
    try:
        lay_down(draft, frame, items)
    except Unkeepable as problem:
        raise draft.too_much(frame, str(problem)) from None
    return (yield from _iterate(draft, frame, task, argument_of(frame)))


def iteration_done(draft: Draft, frame: Frame, task: For, output: Ref) -> Flow[Ref | None]:
    assert isinstance(frame, ForFrame)
    frame.index += 1
    frame.round = 0
    return (yield from _iterate(draft, frame, task, output))


def _iterate(draft: Draft, frame: ForFrame, task: For, data: Ref) -> Flow[Ref | None]:
    """Begin the iteration at the frame's index with `data`, unless the loop is over."""
    if frame.index >= frame.count:
        return data
    if task.while_ is not None and not (yield from condition(draft, frame, task.while_, data, inner=True)):
        return data
    return None if scopes.begin(draft, frame, task.body, data, frame.index) else data


def lay_down(draft: Draft, frame: ForFrame, items: list[Json]) -> None:
    """Lay the collection down in chunks, the first at hand."""
    start, size, parts, number = 0, 0, [], 0
    for index, item in enumerate(items):
        part = encoded_of(item)
        parts.append(part)
        size += len(part) + 1
        last = index + 1 == len(items)
        if last and number == 0 and size < INLINE_BYTES_MAX:
            frame.chunk, frame.chunk_count = inline(b"[" + b",".join(parts) + b"]"), len(parts)
        elif last or len(parts) == CHUNK_ITEMS_MAX or size >= CHUNK_BYTES_MAX:
            key = chunk_key(frame, number)
            draft.payloads.keep(key, items[start : index + 1], b"[" + b",".join(parts) + b"]")
            if number == 0:
                frame.chunk, frame.chunk_count = stored(key), len(parts)
            start, size, parts, number = index + 1, 0, [], number + 1
