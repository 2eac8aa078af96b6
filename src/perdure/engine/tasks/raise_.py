"""`raise`: an error on purpose (DSL reference, "Raise", "Error")."""

from typing import Never

from perdure.codec import Json
from perdure.definition.program import Raise
from perdure.engine.dataflow import DEFINITION, argument_of, at, evaluate, expand_uris, fault
from perdure.engine.draft import Draft, Fault
from perdure.engine.durations import kind_of
from perdure.engine.errors import Error
from perdure.engine.payloads import Flow
from perdure.engine.state import Frame

STATUS_MAX = 999_999


def begin(draft: Draft, frame: Frame, task: Raise) -> Flow[Never]:
    """An instance that the author gives is kept; else it is the task's reference."""
    value = yield from evaluate(draft, frame, task.error, argument_of(frame), DEFINITION)
    value = yield from expand_uris(draft, frame, task.error, value, "type")
    try:
        error = _error(value)
    except ValueError as problem:
        raise fault(draft, frame, "configuration", str(problem)) from None
    raise Fault(frame, at(error, task.reference))


def _error(value: Json) -> Error:
    if not isinstance(value, dict):
        raise ValueError(f"expected the error to be an object with type and status, found {kind_of(value)}")
    status = value.get("status")
    if isinstance(status, float) and status.is_integer():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or abs(status) > STATUS_MAX:
        raise ValueError(f"expected the error's status to be an integer up to {STATUS_MAX}, found {kind_of(status)}")
    type_ = value.get("type")
    if not isinstance(type_, str) or not type_:
        raise ValueError(f"expected the error's type to be a URI, found {kind_of(type_)}")
    return Error(type_, status, _text(value, "title"), _text(value, "detail"), _text(value, "instance"))


def _text(error: dict[str, Json], name: str) -> str | None:
    value = error.get(name)
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"expected the error's {name} to be a string, found {kind_of(value)}")
