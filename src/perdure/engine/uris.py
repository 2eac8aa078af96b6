"""URI templates as far as the DSL has them (DSL reference, "URI Template"; RFC 6570, simple string expansion)."""

import re
from urllib.parse import quote

from perdure.codec import Json, encode
from perdure.definition.template import Expression, Literal, ObjectTemplate, Template
from perdure.engine.durations import kind_of


class UriUnexpandable(Exception):
    """A property that a URI template names can't be put into a URI."""


_WITH_ENDPOINTS = frozenset(
    {
        "agentCard",
        "authentication",
        "document",
        "endpoint",
        "http",
        "oauth2",
        "oidc",
        "proto",
        "script",
        "server",
        "service",
        "source",
        "transport",
    }
)
"""Members of a call's arguments that hold an endpoint, or something that does."""

_URIS = ("authority", "endpoint", "server", "uri")
"""Members of them that are URI templates."""

_PLACE = re.compile(r"\{([^{}]*)\}")


def expand(uri: str, source: Json) -> str:
    """The URI with each ``{name}`` replaced by the percent-encoded top-level property of `source`.

    A missing or null property is empty. Raises `UriUnexpandable` where a property is not a scalar.
    """
    if "{" not in uri:
        return uri
    properties = source if isinstance(source, dict) else {}

    def replacement(match: re.Match[str]) -> str:
        name = match[1]
        value = properties.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return quote(value, safe="")
        if isinstance(value, list | dict):
            raise UriUnexpandable(f"expected {{{name}}} to be a string, number or boolean, found {kind_of(value)}")
        return quote(encode(value).decode(), safe="")

    return _PLACE.sub(replacement, uri)


def is_text(template: Template | None, value: Json) -> bool:
    """Whether an evaluated value is the author's own text (in loose mode an expression may fall back to it).

    Only there are places filled in: what an expression yields is taken as it is.
    """
    match template:
        case Literal():
            return isinstance(value, str)
        case Expression(fallback=str() as fallback):
            return bool(fallback == value)
        case _:
            return False


def member(template: Template, name: str) -> Template | None:
    """A member of what is an object in the definition, None where there is none."""
    match template:
        case ObjectTemplate(members):
            return next((value for key, value in members if key == name), None)
        case Literal(dict() as value) if value.get(name) is not None:
            return Literal(value[name])
        case _:
            return None


def expand_members(template: Template, value: Json, names: tuple[str, ...], source: Json) -> Json:
    """An evaluated object with those of its members expanded that are URIs by name and the author's text."""
    if not isinstance(value, dict):
        return value
    for name in names:
        text = value.get(name)
        if isinstance(text, str) and "{" in text and is_text(member(template, name), text):
            value = {**value, name: expand(text, source)}
    return value


def expand_endpoints(template: Template, value: Json, source: Json) -> Json:
    """Evaluated arguments with the endpoints in them expanded (DSL reference, "Endpoint"), however deep; also the
    authorities of authentication policies."""
    if not isinstance(value, dict):
        return value
    expanded = dict(expand_members(template, value, _URIS, source))
    for name in _WITH_ENDPOINTS & expanded.keys():
        inner = member(template, name)
        if inner is not None:
            expanded[name] = expand_endpoints(inner, expanded[name], source)
    return expanded
