"""URI templates as far as the DSL has them (DSL reference, "URI Template"; RFC 6570, simple string expansion)."""

import re
from urllib.parse import quote

from perdure.codec import Json, encode
from perdure.engine.durations import kind_of


class UriUnexpandable(Exception):
    """A property that a URI template names can't be put into a URI."""


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
