"""`map` of the default catalog: one child process for each item, a bounded number at once.

The items lie in chunks, the children's outputs in rows of their own: a step costs the same whether a hundred items
are behind it or ten thousand.
"""

from perdure.codec import Json
from perdure.definition.checks.catalog import CONCURRENCY_MAX
from perdure.definition.program import CallMap
from perdure.engine.dataflow import DEFINITION, argument_of, describe_error, evaluate, fault, item_of
from perdure.engine.draft import Draft, Fault
from perdure.engine.durations import kind_of
from perdure.engine.effects import StartChild
from perdure.engine.errors import Error
from perdure.engine.facts import ChildEnded
from perdure.engine.ids import item_child_id
from perdure.engine.payloads import Flow, Unkeepable
from perdure.engine.refs import Ref, derived_key, stored
from perdure.engine.state import Frame, MapFrame
from perdure.engine.tasks.for_ import lay_down
from perdure.engine.tasks.run import CHILD_ENDED, CHILD_STARTED

CONCURRENCY = 10
"""How many children there are at once where `with` does not say."""


def begin(draft: Draft, frame: Frame, task: CallMap) -> Flow[Ref | None]:
    assert isinstance(frame, MapFrame)
    arguments = yield from evaluate(draft, frame, task.arguments, argument_of(frame), DEFINITION)
    try:
        items = _take_in(frame, arguments, draft.limits.map_items_max)
        lay_down(draft, frame, items)
    except ValueError as problem:
        raise fault(draft, frame, "configuration", str(problem)) from None
    except Unkeepable as problem:
        raise draft.too_much(frame, str(problem)) from None
    frame.count = len(items)
    if not items:
        return draft.store(frame, [])
    frame.status = "waiting"
    while frame.index < frame.count and len(frame.running) < frame.concurrency:
        yield from _start_next(draft, frame)
    return None


def child_ended(draft: Draft, frame: MapFrame, task: CallMap, fact: ChildEnded) -> Flow[Ref | None]:
    """One child is through: keep what came of it, start the next, and complete after the last."""
    index = frame.running.pop(fact.child)
    draft.note_task(CHILD_ENDED, frame, child=str(fact.child), status=fact.status, index=index)
    draft.keep(frame, _key(frame, index), _result(draft, frame, task, fact, index))
    frame.done += 1
    if frame.index < frame.count:
        yield from _start_next(draft, frame)
    if frame.done < frame.count:
        return None
    refs = [stored(_key(frame, number)) for number in range(frame.count)]
    yield from draft.payloads.load(refs)
    outputs = []
    for ref in refs:
        outputs.append((yield from draft.payloads.get(ref)))
    return draft.store(frame, outputs)


def _take_in(frame: MapFrame, arguments: Json, items_max: int) -> list[Json]:
    """The items; what else the arguments say goes into the frame. Raises `ValueError` with what is wrong."""
    items, concurrency = arguments.get("items"), arguments.get("concurrency", CONCURRENCY)
    on_error = arguments.get("onError", "fail")
    if not isinstance(items, list):
        raise ValueError(f"expected with.items to yield an array, found {kind_of(items)}")
    if len(items) > items_max:
        limit = f"at most {items_max} items (PERDURE_MAP_ITEMS_MAX)"
        raise ValueError(f"expected with.items to have {limit}, found {len(items)}")
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= CONCURRENCY_MAX:
        raise ValueError(f"expected with.concurrency to be a number from 1 to {CONCURRENCY_MAX}, found {concurrency!r}")
    if on_error not in ("fail", "collect"):
        raise ValueError(f"expected with.onError to be fail or collect, found {on_error!r}")
    names = [arguments["process"].get(name) for name in ("namespace", "name", "version")]
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError("expected with.process to have namespace, name and version, each a string")
    frame.concurrency, frame.collect = concurrency, on_error == "collect"
    frame.definition = (names[0], names[1], names[2])
    return items


def _start_next(draft: Draft, frame: MapFrame) -> Flow[None]:
    item = yield from item_of(draft, frame)
    child = item_child_id(frame.id, frame.attempt, frame.index, draft.now)
    draft.effect("child", child, StartChild(frame.id, child, *frame.definition, item, True))
    draft.note_task(CHILD_STARTED, frame, child=str(child), index=frame.index)
    frame.running[child] = frame.index
    frame.index += 1


def _result(draft: Draft, frame: MapFrame, task: CallMap, fact: ChildEnded, index: int) -> Json:
    """What the output has in this item's place. Raises `Fault` where a failure is not to be collected."""
    if fact.status == "completed":
        return {"status": fact.status, "output": fact.output} if frame.collect else fact.output
    error = fact.error
    if error is None:
        error = fault(draft, frame, "runtime", f"the child process {fact.child} was {fact.status}").error
    if frame.collect:
        return {"status": fact.status, "error": describe_error(error)}
    detail = f"item {index}: {error.detail or error.title or error.type}"
    raise Fault(frame, Error(error.type, error.status, error.title, detail, task.reference))


def _key(frame: MapFrame, index: int) -> bytes:
    return derived_key(frame.id.bytes, b"item", b"%d.%d" % (frame.attempt, index))
