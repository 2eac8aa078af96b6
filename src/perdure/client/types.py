"""Types of job handlers: decoding inputs, encoding outputs, and the JSON Schemas of both.

Dataclasses, msgspec structs, typed dicts and plain types go through msgspec; types that are or contain pydantic
models go through pydantic, which is only used where the handler itself does.
"""

import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import msgspec

from perdure.client.models import Json
from perdure.codec import encode


class CannotDecode(ValueError):
    """A value is not of the type; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How values of one type travel. `schema` is None where any value will do."""

    type: Any
    schema: Json
    decode: Callable[[Json], Any]
    encode: Callable[[Any], Json]


def shape_of(type_: Any, *, output: bool = False) -> Shape:
    """The shape of a type. Raises `TypeError` where the type has no place in JSON."""
    if type_ is Any or type_ is inspect.Parameter.empty or isinstance(type_, typing.TypeVar):
        return Shape(Any, None, lambda value: value, encoded)
    if _has_model(type_):
        return _pydantic_shape(type_, "serialization" if output else "validation")
    try:
        schema = msgspec.json.schema(type_)
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"expected a type that JSON can hold, found {type_!r}: {error}") from error

    def decode(value: Json) -> Any:
        try:
            return msgspec.convert(value, type_)
        except msgspec.ValidationError as error:
            raise CannotDecode(str(error)) from None

    return Shape(type_, schema, decode, encoded)


def encoded(value: Any) -> Json:
    """The value as JSON. Raises `TypeError` where it is none."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_model)


def handler_types(handler: Callable[..., Any], job: type) -> tuple[Any, Any]:
    """The types of input and output that a handler names: of ``def f(job: Job[In]) -> Out``. Any where it names none.

    Raises `TypeError` where it does not take one argument, or names types that can't be found.
    """
    parameters = list(inspect.signature(handler).parameters.values())
    if not parameters or any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters[1:]):
        raise TypeError(f"expected a function of one argument, the job; found {handler!r}")
    try:
        hints = typing.get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise TypeError(f"{handler!r} names a type that is not known at the module's level: {error}") from error
    taken = hints.get(parameters[0].name, Any)
    input_: Any = Any
    if get_origin(taken) is job:
        (input_,) = get_args(taken)
    elif taken is not job and taken is not Any:
        raise TypeError(f"expected the argument of {handler!r} to be a Job[…], found {taken!r}")
    return input_, hints.get("return", Any)


def _has_model(type_: Any) -> bool:
    """Whether the type is a pydantic model or contains one."""
    if isinstance(type_, type) and hasattr(type_, "model_validate") and hasattr(type_, "model_json_schema"):
        return True
    return any(_has_model(argument) for argument in get_args(type_))


def _pydantic_shape(type_: Any, mode: str) -> Shape:
    pydantic: Any = sys.modules["pydantic"]  # where its model comes from
    adapter = pydantic.TypeAdapter(type_)

    def decode(value: Json) -> Any:
        try:
            return adapter.validate_json(encode(value))
        except pydantic.ValidationError as error:
            told = [
                f"{found['msg']} - at `{'.'.join(('$', *map(str, found['loc'])))}`"
                for found in error.errors(include_input=False, include_url=False)
            ]
            raise CannotDecode("; ".join(told)) from None

    def encode_(value: Any) -> Json:
        return adapter.dump_python(value, mode="json", by_alias=True)

    return Shape(type_, adapter.json_schema(by_alias=True, mode=mode), decode, encode_)


def _model(value: Any) -> Json:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
