"""Request bodies as bytes, by media type.

JSON is JSON; text and XML take text; forms and multipart take an object; everything else takes bytes, in Base64.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import quote_plus

from perdure.activities.http_request import misconfigured
from perdure.activities.openapi.model import Content, Property, Style
from perdure.activities.openapi.styles import in_header, in_query
from perdure.codec import Json, encode, text_of

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TEXT = "text/plain"

_PLAIN = Property()


def chosen(contents: Sequence[Content], value: Json) -> Content:
    """The way to write the value: text as text where that is offered, anything else as JSON, form, multipart."""
    if not contents:
        return Content(JSON)
    order = (_is_text, _is_json, _is_any, _is_bytes) if isinstance(value, str) else (_is_json, _is_any, _is_form)
    for fits in (*order, _is_multipart, _is_text):
        for content in contents:
            if fits(_bare(content.media_type)):
                return content
    return contents[0]


def encoded(content: Content, value: Json) -> tuple[str, bytes]:
    """The media type and the bytes. Raises `CallFailed` (configuration) for a value that can't be written so."""
    media_type = _bare(content.media_type)
    if _is_any(media_type):
        media_type = TEXT if isinstance(value, str) else JSON
        content = Content(media_type, content.properties)
    if _is_json(media_type):
        return content.media_type, encode(value)
    if _is_form(media_type):
        return FORM, _form(content, _object(media_type, value)).encode()
    if _is_multipart(media_type):
        return _multipart(media_type, content, _object(media_type, value))
    if _is_text(media_type):
        if isinstance(value, dict | list):
            raise misconfigured(f"A body of {media_type} is written from text; found {_kind(value)}.")
        return (f"{media_type}; charset=utf-8" if media_type == TEXT else content.media_type), text_of(value).encode()
    return content.media_type, _bytes(value, f"A body of {media_type}")


def _form(content: Content, value: dict[str, Json]) -> str:
    """``application/x-www-form-urlencoded``: by the property's style, else arrays repeated and objects as JSON."""
    pairs = []
    for name, item in value.items():
        style = content.properties.get(name, _PLAIN).style
        if style is not None:
            pairs.append(in_query(name, item, style))
        else:
            pairs += [f"{quote_plus(name)}={quote_plus(text_of(one))}" for one in _each(item)]
    return "&".join(filter(None, pairs))


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    media_type: str
    body: bytes
    is_file: bool


def _multipart(media_type: str, content: Content, value: dict[str, Json]) -> tuple[str, bytes]:
    """``multipart/form-data`` (RFC 7578). The boundary is a hash, so that every attempt sends the same bytes."""
    parts = [part for name, item in value.items() for part in _parts(name, item, content.properties.get(name, _PLAIN))]
    boundary = blake2b(b"\0".join(part.body for part in parts), digest_size=16, person=b"multipart").hexdigest()
    lines: list[bytes] = []
    for part in parts:
        name = _quoted(part.name)
        file = f'; filename="{name}"' if part.is_file else ""
        disposition = f'Content-Disposition: form-data; name="{name}"{file}'
        lines += [f"--{boundary}".encode(), disposition.encode(), f"Content-Type: {part.media_type}".encode()]
        lines += [b"", part.body]
    lines += [f"--{boundary}--".encode(), b""]
    return f"{media_type}; boundary={boundary}", b"\r\n".join(lines)


def _parts(name: str, value: Json, property_: Property) -> Iterator[_Part]:
    style = property_.style
    if isinstance(value, list) and style is not None and not style.explode:  # Swagger 2.0
        value = in_header(value, Style(style.name))
    for item in _each(value):
        media_type = property_.media_type
        if property_.binary or (media_type is not None and not _is_text(media_type) and not _is_json(media_type)):
            body = _bytes(item, f"The property {name}")
            yield _Part(name, media_type or "application/octet-stream", body, True)
        elif isinstance(item, dict | list) or (media_type is not None and _is_json(media_type)):
            yield _Part(name, media_type or JSON, encode(item), False)
        else:
            yield _Part(name, media_type or "text/plain; charset=utf-8", text_of(item).encode(), False)


def _each(value: Json) -> list[Json]:
    return [item for item in (value if isinstance(value, list) else [value]) if item is not None]


def _object(media_type: str, value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise misconfigured(f"A body of {media_type} is written from an object; found {_kind(value)}.")
    return value


def _bytes(value: Json, what: str) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise misconfigured(f"{what} is written from bytes in Base64; found {_kind(value)}.")


def _kind(value: Json) -> str:
    names = {type(None): "nothing", bool: "a boolean", int: "a number", float: "a number", str: "other text"}
    return names.get(type(value), "an array" if isinstance(value, list) else "an object")


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return _bare(media_type) == JSON or _bare(media_type).endswith("+json")


def _is_text(media_type: str) -> bool:
    bare = _bare(media_type)
    return bare.startswith("text/") or bare == "application/xml" or bare.endswith("+xml")


def _is_any(media_type: str) -> bool:
    return media_type in ("*/*", "application/*")


def _is_form(media_type: str) -> bool:
    return media_type == FORM


def _is_multipart(media_type: str) -> bool:
    return media_type.startswith("multipart/")


def _is_bytes(media_type: str) -> bool:
    return not (_is_form(media_type) or _is_multipart(media_type))
