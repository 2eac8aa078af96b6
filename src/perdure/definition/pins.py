"""What a definition needs from outside its document, and what was found (DSL, "Catalogs", "External Resources").

It is found when the definition is registered, and kept with it: a process of today and one of next year run
the very same thing, whatever becomes of the place where it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from perdure.codec import Json
from perdure.definition.interpolation import OPENING

FUNCTION = "function"
SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class Need:
    """A function or JSON Schema that the document names, and where it does so first.

    `key` names it within the definition: a function as it is called, a schema by `schema_key`. `endpoint` is where
    a schema is.
    """

    kind: str
    key: str
    pointer: str
    line: int | None = None
    column: int | None = None
    endpoint: Json = None


@dataclass(frozen=True, slots=True)
class Pin:
    """What was found for a need: `document` is the function (a task) or the schema, `uri` where it was.

    `own`: it is the team's, from the default catalog. `ordinal` counts from 0 within the definition.
    """

    ordinal: int
    kind: str
    key: str
    uri: str
    document: Json
    own: bool = False


@dataclass(frozen=True, slots=True)
class Pins:
    """The pins of one definition, to be found by what they are needed for."""

    functions: Mapping[str, Pin] = field(default_factory=dict)
    schemas: Mapping[str, Pin] = field(default_factory=dict)
    resources: Mapping[str, Json] = field(default_factory=dict)
    """The schemas by where they are, as references name them."""

    @staticmethod
    def of(pins: Iterable[Pin]) -> "Pins":
        ordered = sorted(pins, key=lambda pin: pin.ordinal)
        schemas = [pin for pin in ordered if pin.kind == SCHEMA]
        return Pins(
            {pin.key: pin for pin in ordered if pin.kind == FUNCTION},
            {pin.key: pin for pin in schemas},
            {uri: pin.document for pin in schemas for uri in (pin.uri, pin.key)},
        )


def schema_key(endpoint: Json) -> str:
    """How a definition's pins name the schema at an ``endpoint``: by its URI, if that is all there is to it."""
    if isinstance(endpoint, dict) and endpoint.keys() == {"uri"}:
        endpoint = endpoint["uri"]
    return endpoint if isinstance(endpoint, str) else msgspec.json.encode(endpoint, order="deterministic").decode()


def depends_on_data(endpoint: Json) -> bool:
    """Whether an endpoint has expressions or URI templates in it, so that it is known only within a process."""
    uri, rest = (endpoint.get("uri"), endpoint) if isinstance(endpoint, dict) else (endpoint, None)
    return (isinstance(uri, str) and "{" in uri) or _has_expressions(rest)


def _has_expressions(value: Json) -> bool:
    if isinstance(value, str):
        return OPENING in value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_has_expressions(item) for item in items)


def function_missing(function: str) -> tuple[str, str]:
    """What is not available, and what to do about it, where a called function was not found."""
    hint = "see the warnings of its registration, then register the very same definition again"
    return f'the function "{function[:200]}"', hint


def schema_missing(endpoint: Json) -> tuple[str, str]:
    """What is not available, and what to do about it, where an external schema was not found."""
    uri = endpoint.get("uri") if isinstance(endpoint, dict) else endpoint
    hint = "see the warnings of its registration, then register the very same definition again"
    return f'the schema at "{str(uri)[:200]}"', hint
