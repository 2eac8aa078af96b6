"""JSON Schemas, compiled once (DSL reference, "Schema"). Nothing is ever fetched when they are used."""

from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, NoReturn

import jsonschema_rs

from perdure.codec import Json
from perdure.definition.pointers import child
from perdure.definition.program import Schema

NOTHING: Mapping[str, Json] = MappingProxyType({})

JSON = "json"
"""The format of schemas that are JSON Schemas."""

VIOLATIONS_MAX = 20
"""How many violations of one value are told."""

MESSAGE_LENGTH_MAX = 300
BACKTRACK_MAX = 100_000
"""How far one match of a ``pattern`` may go back before it counts as no match."""


_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def unknown_format(format_: str) -> tuple[str, str]:
    """What is not available, and what to do instead, where a schema has another format than JSON Schema."""
    return f'the schema format "{format_[:40]}"', "write a JSON Schema and leave out the format"


class SchemaInvalid(ValueError):
    """The document is no JSON Schema; `pointer` is the place within it.

    `unreachable` is the document that a reference leads to, where that is what is wrong.
    """

    def __init__(self, pointer: str, detail: str, unreachable: str | None = None) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.unreachable = unreachable


def compiled(document: Json, resources: Mapping[str, Json] = NOTHING) -> Schema:
    """The schema, ready to validate. References lead into the document, or to `resources`, by their URIs.

    Raises `SchemaInvalid`.
    """
    if not isinstance(document, dict | bool):
        raise SchemaInvalid("", "expected a JSON Schema, which is an object")

    def retrieve(uri: str) -> Json:
        if uri not in resources:
            raise ValueError(f'"{uri}" is outside the document')
        return resources[uri]

    validator = _validator(document, retrieve)

    def validate(value: Json) -> list[tuple[str, str]]:
        if validator.is_valid(value):
            return []
        errors = islice(validator.iter_errors(value), VIOLATIONS_MAX)
        return [(_pointer(error.instance_path), error.message[:MESSAGE_LENGTH_MAX]) for error in errors]

    return Schema(document, validate)


def outside(document: Json, uri: str | None = None) -> tuple[str, ...]:
    """The URIs of the documents that the references of a schema, itself found at `uri`, lead to.

    Raises `SchemaInvalid` where it is wrong in itself; if it has such references, only those can show that.
    """
    if not isinstance(document, dict | bool):
        raise SchemaInvalid("", "expected a JSON Schema, which is an object")
    found: dict[str, None] = {}

    def retrieve(wanted: str) -> Json:
        if wanted == uri:
            return document
        found[wanted] = None
        return {}

    try:
        _validator(document if uri is None else {"$ref": uri}, retrieve)
    except SchemaInvalid as error:
        if error.unreachable is not None:
            found[error.unreachable] = None
        if not found:
            raise
    return tuple(found)


def _validator(document: Json, retrieve: Callable[[str], Json]) -> Any:
    try:
        return jsonschema_rs.validator_for(
            document,
            retriever=retrieve,
            pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_MAX),
        )
    except jsonschema_rs.ValidationError as error:
        raise SchemaInvalid(_pointer(error.instance_path), _told(error), _unreachable(error.message)) from None
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise SchemaInvalid("", _reason(str(error)), _unreachable(str(error))) from None


def unusable(reason: str) -> Schema:
    """A schema that can't be used, so that validating by it raises a configuration error with this reason."""
    return Schema(None, _refuse, reason)


def _refuse(value: Json) -> NoReturn:
    raise AssertionError("a schema that is not available validates nothing")


def _told(error: jsonschema_rs.ValidationError) -> str:
    if error.instance_path and error.instance_path[-1] == "type":
        return f"expected one of {', '.join(_TYPES)}, or an array of them, as type"
    return _reason(error.message)


def _unreachable(message: str) -> str | None:
    """The document that a reference leads to, if that is what is wrong."""
    return message.split("'")[1] if message.startswith("Resource '") else None


def _reason(message: str) -> str:
    reference = _unreachable(message)
    if reference is not None:
        return f'the $ref "{reference[:100]}" leads outside the document, to what is not at hand'
    return message[:MESSAGE_LENGTH_MAX]


def _pointer(path: list[str | int]) -> str:
    pointer = ""
    for token in path:
        pointer = child(pointer, token)
    return pointer
