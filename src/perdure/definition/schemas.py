"""JSON Schemas, compiled once (DSL reference, "Schema"). Nothing is ever fetched for them."""

from itertools import islice
from typing import NoReturn

import jsonschema_rs

from perdure.codec import Json
from perdure.definition.pointers import child
from perdure.definition.program import Schema

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
    """The document is no JSON Schema; `pointer` is the place within it."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


def compiled(document: Json) -> Schema:
    """The schema, ready to validate. Raises `SchemaInvalid`."""
    if not isinstance(document, dict | bool):
        raise SchemaInvalid("", "expected a JSON Schema, which is an object")
    try:
        validator = jsonschema_rs.validator_for(
            document,
            retriever=_deny,
            pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_MAX),
        )
    except jsonschema_rs.ValidationError as error:
        raise SchemaInvalid(_pointer(error.instance_path), _told(error)) from None
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise SchemaInvalid("", _reason(str(error))) from None

    def validate(value: Json) -> list[tuple[str, str]]:
        if validator.is_valid(value):
            return []
        errors = islice(validator.iter_errors(value), VIOLATIONS_MAX)
        return [(_pointer(error.instance_path), error.message[:MESSAGE_LENGTH_MAX]) for error in errors]

    return Schema(document, validate)


def unusable(reason: str) -> Schema:
    """A schema that can't be used, so that validating by it raises a configuration error with this reason."""
    return Schema(None, _refuse, reason)


def _refuse(value: Json) -> NoReturn:
    raise AssertionError("a schema that is not available validates nothing")


def _deny(uri: str) -> NoReturn:
    raise ValueError(f'"{uri}" is outside the document')


def _told(error: jsonschema_rs.ValidationError) -> str:
    if error.instance_path and error.instance_path[-1] == "type":
        return f"expected one of {', '.join(_TYPES)}, or an array of them, as type"
    return _reason(error.message)


def _reason(message: str) -> str:
    if message.startswith("Resource '"):
        reference = message.split("'")[1]
        return f'the $ref "{reference[:100]}" leads outside the document; only references into it are followed'
    return message[:MESSAGE_LENGTH_MAX]


def _pointer(path: list[str | int]) -> str:
    pointer = ""
    for token in path:
        pointer = child(pointer, token)
    return pointer
