"""Parameters as text: the table "Style Values" of OpenAPI 3.1, which follows RFC 6570.

Where releases of the specification differ, the latest decides: ``label`` without ``explode`` joins by commas, and
the separators of ``spaceDelimited`` and ``pipeDelimited`` are percent-encoded. Arrays and objects within others,
which the table leaves open, are JSON text; within ``deepObject`` they go on in brackets.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias
from urllib.parse import quote

from perdure.activities.openapi.model import Style
from perdure.codec import Json, text_of

DEEP_LEVELS_MAX = 20

_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}
_RESERVED = ":/?@!$&'()*+,;="
_TRIPLE = re.compile(r"(%[0-9A-Fa-f]{2})")

_Encode: TypeAlias = Callable[[str], str]


def in_path(name: str, value: Json, style: Style) -> str:
    """A percent-encoded part of a path; empty where there is nothing to write."""
    if style.name == "label":
        text = _joined(value, style.explode, "." if style.explode else ",", encoded)
        return f".{text}" if not _is_empty(value) else ""
    if style.name == "matrix":
        return _matrix(encoded(name), value, style.explode)
    return _joined(value, style.explode, _uri_separator(style), encoded)


def in_query(name: str, value: Json, style: Style) -> str:
    """``name=value`` pairs with ``&`` between them, percent-encoded; empty where there is nothing to write."""
    encode_ = reserved if style.allow_reserved else encoded
    if style.name == "deepObject" and isinstance(value, dict):
        return "&".join(_deep(name, value, encode_, DEEP_LEVELS_MAX))
    return "&".join(_pairs(name, value, style, encode_))


def in_cookie(name: str, value: Json, style: Style) -> str:
    """``name=value`` pairs as a Cookie header has them."""
    return "; ".join(_pairs(name, value, style, encoded))


def in_header(value: Json, style: Style) -> str:
    """The value of a header, which is not percent-encoded."""
    return _joined(value, style.explode, _separator(style), str)


def encoded(text: str) -> str:
    """Percent-encoded but for unreserved characters (RFC 3986)."""
    return quote(text, safe="")


def reserved(text: str) -> str:
    """The same with reserved characters and percent-encoded triples left, but ``#``, ``[`` and ``]``, which a query
    can't have."""
    parts = _TRIPLE.split(text)
    return "".join(part if index % 2 else quote(part, safe=_RESERVED) for index, part in enumerate(parts))


def _pairs(name: str, value: Json, style: Style, encode_: _Encode) -> Iterator[str]:
    key = encoded(name)
    if isinstance(value, dict) and style.explode:
        yield from (f"{encoded(member)}={encode_(text)}" for member, text in _members(value))
    elif isinstance(value, list) and style.explode:
        yield from (f"{key}={encode_(text)}" for text in _items(value))
    elif not _is_empty(value):
        yield f"{key}={_joined(value, False, _uri_separator(style), encode_)}"


def _deep(name: str, value: Json, encode_: _Encode, levels: int) -> Iterator[str]:
    if isinstance(value, dict) and levels:
        for member, inner in value.items():
            yield from _deep(f"{name}[{member}]", inner, encode_, levels - 1)
    elif isinstance(value, list) and levels:
        for item in value:
            yield from _deep(name, item, encode_, levels - 1)
    elif value is not None:
        yield f"{encoded(name)}={encode_(text_of(value))}"


def _matrix(key: str, value: Json, explode: bool) -> str:
    if isinstance(value, dict) and explode:
        return "".join(f";{encoded(member)}={encoded(text)}" for member, text in _members(value))
    if isinstance(value, list) and explode:
        return "".join(f";{key}={encoded(text)}" for text in _items(value))
    if _is_empty(value):
        return ""
    text = _joined(value, False, ",", encoded)
    return f";{key}={text}" if text else f";{key}"


def _joined(value: Json, explode: bool, separator: str, encode_: _Encode) -> str:
    if isinstance(value, dict):
        between = "=" if explode else separator
        return separator.join(f"{encode_(member)}{between}{encode_(text)}" for member, text in _members(value))
    if isinstance(value, list):
        return separator.join(encode_(text) for text in _items(value))
    return encode_(text_of(value))


def _separator(style: Style) -> str:
    return _SEPARATORS.get(style.name, ",")


def _uri_separator(style: Style) -> str:
    separator = _SEPARATORS.get(style.name)
    return "," if separator is None else encoded(separator)


def _items(value: list[Json]) -> Iterator[str]:
    return (text_of(item) for item in value if item is not None)


def _members(value: dict[str, Json]) -> Iterator[tuple[str, str]]:
    return ((member, text_of(item)) for member, item in value.items() if item is not None)


def _is_empty(value: Json) -> bool:
    """Whether it is an array or object with nothing to write."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return all(item is None for item in members)
