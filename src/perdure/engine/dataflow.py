"""Data on its way through a task (DSL, "Data Flow"), and the arguments that its expressions see."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from perdure.codec import Json
from perdure.definition import durations
from perdure.definition.program import (
    Call,
    CallFunction,
    CallSubscription,
    Duration,
    DurationTemplate,
    For,
    Listen,
    Schema,
    Task,
    Try,
)
from perdure.definition.template import Expression, Literal, Template, variables_of
from perdure.engine import uris
from perdure.engine.asks import AskFailed, Authorization, Evaluate
from perdure.engine.draft import Draft, Fault
from perdure.engine.durations import after
from perdure.engine.errors import Error, standard
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref, derived_key, stored
from perdure.engine.state import ExtendedFrame, ForFrame, Frame, ListenFrame, TryFrame
from perdure.engine.step import PROCESS_REFERENCE

VIOLATIONS_SHOWN_MAX = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Which arguments an expression may see (DSL, "Runtime expression arguments").
PROCESS_INPUT = frozenset({"secrets", "workflow", "runtime"})
PROCESS_OUTPUT = PROCESS_INPUT | {"context"}
BEFORE = PROCESS_OUTPUT | {"task"}
DEFINITION = BEFORE | {"input", "authorization"}
EXPORT = DEFINITION | {"output"}

_NOTHING: Mapping[str, Json] = {}
_MENTIONED_MAX = 50_000
_mentioned: dict[int, tuple[Template, frozenset[str]]] = {}


def mentioned(template: Template) -> frozenset[str]:
    """The variables that a template mentions; remembered, as templates live as long as their program."""
    known = _mentioned.get(id(template))
    if known is not None and known[0] is template:
        return known[1]
    if len(_mentioned) >= _MENTIONED_MAX:
        _mentioned.clear()
    names = variables_of(template)
    _mentioned[id(template)] = (template, names)
    return names


def evaluate(
    draft: Draft,
    frame: Frame | None,
    template: Template,
    subject: Ref,
    allowed: frozenset[str],
    *,
    raw_output: Ref | None = None,
    output: Ref | None = None,
    own: Mapping[str, Json] = _NOTHING,
    inner: bool = False,
) -> Flow[Json]:
    """The value of a template, ``.`` being `subject`. Raises `Fault` with the error of the evaluation.

    `own` are further variables; with `inner` those that the frame gives to the tasks within it are seen too.
    """
    if type(template) is Literal:
        return template.value
    names = mentioned(template)
    variables: dict[str, Json] = {}
    for name in names:
        if name in own:
            variables[name] = own[name]
        elif name not in EXPORT:
            if frame is not None:
                yield from _local(draft, frame, name, variables, inner)
        elif name in allowed and name != "secrets":
            variables[name] = yield from _argument(draft, frame, name, raw_output, output)
    value = yield from draft.payloads.get(subject)
    secrets = draft.program.secrets if "secrets" in names and "secrets" in allowed else None
    authorization = None
    if "authorization" in variables and frame is not None:
        authorization = yield from _authorization(draft, frame)
    try:
        return (yield Evaluate(template, value, variables, secrets, authorization))
    except AskFailed as failed:
        raise Fault(frame, at(failed.error, reference_of(draft, frame))) from None


def holds(value: Json) -> bool:
    """Whether a condition's value counts as true, as in jq: everything but false and null."""
    return value is not None and value is not False


def condition(
    draft: Draft,
    frame: Frame,
    expression: Expression,
    subject: Ref,
    *,
    inner: bool = False,
    own: Mapping[str, Json] = _NOTHING,
) -> Flow[bool]:
    """Whether a condition in a task's definition holds."""
    value = yield from evaluate(draft, frame, expression, subject, DEFINITION, inner=inner, own=own)
    return holds(value)


def argument_of(frame: Frame) -> Ref:
    """The transformed input of a task that has begun."""
    return frame.input if frame.argument is None else frame.argument


def take_in(draft: Draft, frame: Frame, task: Task) -> Flow[None]:
    """Validate and transform the input of a task."""
    if task.input_schema is not None:
        yield from validate(draft, frame, task.input_schema, frame.input, "input")
    if task.input_from is None:
        frame.argument = frame.input
    else:
        value = yield from evaluate(draft, frame, task.input_from, frame.input, BEFORE)
        frame.argument = draft.store(frame, value)


def give_out(draft: Draft, frame: Frame, task: Task, raw: Ref) -> Flow[Ref]:
    """Transform and validate the output of a task, export to the context; answers the transformed output."""
    output = raw
    if task.output_as is not None:
        value = yield from evaluate(draft, frame, task.output_as, raw, DEFINITION, raw_output=raw)
        output = draft.store(frame, value)
    if task.output_schema is not None:
        yield from validate(draft, frame, task.output_schema, output, "output")
    if task.export_as is not None:
        yield from export(draft, frame, task.export_as, task.export_schema, raw, output)
    return output


def export(
    draft: Draft,
    frame: Frame,
    template: Template,
    schema: Schema | None,
    raw: Ref,
    output: Ref,
    *,
    inner: bool = False,
) -> Flow[None]:
    """Replace the context by what `export.as` makes of the output."""
    value = yield from evaluate(draft, frame, template, output, EXPORT, raw_output=raw, output=output, inner=inner)
    context = draft.store(frame, value)
    if schema is not None:
        yield from validate(draft, frame, schema, context, "exported context")
    draft.state.context = context


def validate(draft: Draft, frame: Frame | None, schema: Schema, ref: Ref, what: str) -> Flow[None]:
    """Raise `Fault` with a validation error unless the value fits the schema."""
    if schema.unavailable is not None:
        raise fault(draft, frame, "configuration", schema.unavailable)
    value = yield from draft.payloads.get(ref)
    violations = schema.validate(value)
    if not violations:
        return
    lines = [f"{pointer or '/'}: {message}" for pointer, message in violations[:VIOLATIONS_SHOWN_MAX]]
    if len(violations) > VIOLATIONS_SHOWN_MAX:
        lines.append(f"and {len(violations) - VIOLATIONS_SHOWN_MAX} more")
    raise fault(draft, frame, "validation", f"the {what} does not fit its schema: {'; '.join(lines)}")


def expand_uris(draft: Draft, frame: Frame, template: Template, value: Json, *names: str) -> Flow[Json]:
    """An evaluated object of a task's definition, with the URI templates among its members filled in."""
    source = yield from draft.payloads.get(argument_of(frame))
    try:
        return uris.expand_members(template, value, names, source)
    except uris.UriUnexpandable as problem:
        raise fault(draft, frame, "expression", f"a URI can't be filled in: {problem}") from None


def due_after(
    draft: Draft,
    frame: Frame | None,
    template: DurationTemplate,
    *,
    inner: bool = False,
) -> Flow[datetime]:
    """The moment that a duration of the definition leads to from now."""
    duration = yield from duration_of(draft, frame, template, inner=inner)
    try:
        return after(draft.now, duration)
    except ValueError as error:
        raise fault(draft, frame, "configuration", str(error)) from None


def duration_of(
    draft: Draft,
    frame: Frame | None,
    template: DurationTemplate,
    *,
    inner: bool = False,
) -> Flow[Duration]:
    """A duration of the definition, evaluated where it is an expression."""
    if isinstance(template, Duration):
        return template
    if frame is None:
        value = yield from evaluate(draft, None, template, draft.state.argument, PROCESS_OUTPUT)
    else:
        value = yield from evaluate(draft, frame, template, argument_of(frame), DEFINITION, inner=inner)
    try:
        return durations.of(value)
    except ValueError as error:
        raise fault(draft, frame, "expression", str(error)) from None


def fault(draft: Draft, frame: Frame | None, name: str, detail: str, *, status: int | None = None) -> Fault:
    """A standard error of a task, ready to be raised."""
    return Fault(frame, at(standard(name, detail, status=status), reference_of(draft, frame)))


def at(error: Error, reference: str) -> Error:
    """The error with its instance set, if it has none."""
    if error.instance is not None:
        return error
    return Error(error.type, error.status, error.title, error.detail, reference)


def reference_of(draft: Draft, frame: Frame | None) -> str:
    return PROCESS_REFERENCE if frame is None else draft.task_of(frame).reference


def text_of(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def describe_error(error: Error) -> Json:
    """The error as an expression sees it."""
    members = {
        "type": error.type,
        "status": error.status,
        "title": error.title,
        "detail": error.detail,
        "instance": error.instance,
    }
    return {name: value for name, value in members.items() if value is not None}


def event_key(frame: Frame, number: int) -> Ref:
    """Where a listening frame keeps the `number`-th event that it consumed."""
    return stored(derived_key(frame.id.bytes, b"event", b"%d.%d" % (frame.attempt, number)))


def chunk_key(frame: Frame, number: int) -> bytes:
    """The key of the `number`-th chunk of a loop's collection."""
    return derived_key(frame.id.bytes, b"chunk", b"%d.%d" % (frame.attempt, number))


def item_of(draft: Draft, frame: ForFrame) -> Flow[Json]:
    """The item that a loop is at, turning to the next chunk where the current one is through."""
    while frame.index >= frame.chunk_start + frame.chunk_count:
        frame.chunk_start += frame.chunk_count
        frame.chunk_number += 1
        frame.chunk = stored(chunk_key(frame, frame.chunk_number))
        frame.chunk_count = len((yield from draft.payloads.get(frame.chunk)))
    chunk = yield from draft.payloads.get(frame.chunk)
    return chunk[frame.index - frame.chunk_start]


def _local(draft: Draft, frame: Frame, name: str, variables: dict[str, Json], inner: bool) -> Flow[None]:
    """Find a variable that an enclosing task defines, from the inside out; leave it out if there is none."""
    giver = frame if inner else draft.parent_of(frame)
    while giver is not None:
        match giver, draft.task_of(giver):
            case _, CallFunction():
                return  # a function knows its arguments, not the variables around its call
            case ForFrame(), For(each=each, at=at_):
                if name == each:
                    variables[name] = yield from item_of(draft, giver)
                    return
                if name == at_:
                    variables[name] = giver.index
                    return
            case TryFrame(error=Error() as error), Try(catch=catch):
                if name == catch.as_:
                    variables[name] = describe_error(error)
                    return
            case ListenFrame(), Listen(foreach=iterator) | CallSubscription(foreach=iterator) if iterator is not None:
                if name == iterator.item:
                    variables[name] = yield from draft.payloads.get(event_key(giver, giver.done))
                    return
                if name == iterator.at:
                    variables[name] = giver.done
                    return
            case _:
                pass
        giver = draft.parent_of(giver)


def _argument(draft: Draft, frame: Frame | None, name: str, raw_output: Ref | None, output: Ref | None) -> Flow[Json]:
    """The value of one of the DSL's arguments."""
    get = draft.payloads.get
    match name:
        case "context":
            return (yield from get(draft.state.context))
        case "input" if frame is not None:
            return (yield from get(argument_of(frame)))
        case "output" if output is not None:
            return (yield from get(output))
        case "task" if frame is not None:
            if draft.task_of(frame).extending:
                return (yield from describe_extended(draft, _extended_by(draft, frame)))
            return (yield from _describe_task(draft, frame, raw_output))
        case "workflow":
            return (yield from _describe_process(draft))
        case "runtime":
            return {"name": "perdure", "version": draft.environment.version, "metadata": {}}
        case _:
            return None


def _authorization(draft: Draft, frame: Frame) -> Flow[Authorization | None]:
    """The authentication policy of a call, with what is computed in it; None where there is none."""
    task = draft.task_of(frame)
    if not isinstance(task, Call):
        return None
    endpoint = uris.member(uris.member(task.arguments, "request") or task.arguments, "endpoint")
    template = None if endpoint is None else uris.member(endpoint, "authentication")
    if template is None:
        return None
    policy = yield from evaluate(draft, frame, template, argument_of(frame), DEFINITION - {"authorization"})
    return Authorization(policy, draft.program.secrets)


def _describe_task(draft: Draft, frame: Frame, raw_output: Ref | None) -> Flow[Json]:
    task = draft.task_of(frame)
    descriptor: dict[str, Any] = {
        "name": task.name,
        "reference": task.reference,
        "definition": task.definition,
        "input": (yield from draft.payloads.get(frame.input)),
        "startedAt": _describe_moment(frame.started_at or draft.now),
    }
    if raw_output is not None:
        descriptor["output"] = yield from draft.payloads.get(raw_output)
    return descriptor


def describe_extended(draft: Draft, frame: ExtendedFrame) -> Flow[Json]:
    """A task as its extensions see it: described, with its definition's own members beside that."""
    output = frame.output if frame.phase == "after" else None
    return {**draft.task_of(frame).definition, **(yield from _describe_task(draft, frame, output))}


def _extended_by(draft: Draft, frame: Frame) -> ExtendedFrame:
    """What the extension extends that an activity belongs to; not what extends that activity itself."""
    while True:
        enclosing = draft.parent_of(frame)
        assert enclosing is not None, "a task of an extension runs within what it extends"
        if isinstance(enclosing, ExtendedFrame) and not draft.task_of(frame).extended:
            return enclosing
        frame = enclosing


def _describe_process(draft: Draft) -> Flow[Json]:
    return {
        "id": str(draft.process.id),
        "definition": draft.program.document,
        "input": (yield from draft.payloads.get(draft.state.input)),
        "startedAt": _describe_moment(draft.state.started_at or draft.now),
    }


def _describe_moment(moment: datetime) -> Json:
    # Cut off, not rounded: the second must be the one that the text shows.
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return {
        "iso8601": text_of(moment),
        "epoch": {"seconds": milliseconds // 1000, "milliseconds": milliseconds},
    }
