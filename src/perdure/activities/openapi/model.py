"""What a call needs to know of an operation, whichever version its document has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from perdure.codec import Json


class Missing(Enum):
    """There is no value, not even null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Style:
    """How arrays and objects become text (OpenAPI 3.1, "Style Values").

    ``tabDelimited`` is ours, for ``tsv`` of Swagger 2.0.
    """

    name: str
    explode: bool = False
    allow_reserved: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is path, query, header or cookie. One with a `media_type` is written as such content."""

    name: str
    place: str
    required: bool
    style: Style
    media_type: str | None = None
    default: Json | Missing = MISSING


@dataclass(frozen=True, slots=True)
class Property:
    """A member of a body. `style` is None where the document does not ask for one."""

    binary: bool = False
    media_type: str | None = None
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """One way to write a body. A closed one has no properties beyond those that are declared."""

    media_type: str
    properties: Mapping[str, Property] = field(default_factory=dict)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """`name` is what stands for the whole body among the parameters of a call."""

    contents: Sequence[Content]
    required: bool = False
    name: str = "body"
    required_properties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Server:
    """`uri` may have ``{variable}`` in it; each variable has a default, and perhaps the values that it may take."""

    uri: str
    defaults: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A security scheme. `kind` is apiKey, basic, bearer, digest, oauth2, openIdConnect, mutualTLS or another.

    `place` and `name` say where an API key goes.
    """

    kind: str
    place: str = ""
    name: str = ""


Requirement: TypeAlias = Sequence[Scheme]
"""Schemes that are needed together."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`security` has alternatives; empty where nothing is asked for."""

    id: str
    method: str
    path: str
    server: Server
    parameters: Sequence[Parameter]
    body: Body | None
    security: Sequence[Requirement]
    answers_json: bool
