"""Request bodies: read within bounds, decoded exactly, and refused in words that help.

A body that is right is decoded in one go into its struct (`api.models`). Only one that is not is looked at
again, with the very JSON Schema that the OpenAPI document shows, to find everything that is wrong with it.
"""

import difflib
import re
from collections.abc import AsyncIterator
from typing import Any, Final, Generic, TypeVar

import jsonschema_rs
import msgspec
from starlette.requests import Request

from perdure.api.problems import Refusal
from perdure.api.requests import Serving
from perdure.codec import Json, decode, whole_numbers
from perdure.settings import Settings

T = TypeVar("T")

DISCARDED_BYTES_MAX: Final = 64 * 1024 * 1024
"""How much of a body that is too large is read before it is refused."""
ERRORS_MAX: Final = 20
"""How many errors of one body are told."""
SHOWN_CHARACTERS_MAX: Final = 80
"""How much of a wrong value an error quotes."""

_BYTE: Final = re.compile(r"\(byte (\d+)\)")


def content_type(request: Request) -> str:
    """The media type of the body in lower case, empty where there is none. 415 where it is not in UTF-8."""
    given = request.headers.get("content-type", "")
    media_type, _, parameters = given.partition(";")
    if parameters and "charset" in parameters.lower():
        charset = parameters.lower().split("charset=", 1)[-1].split(";")[0].strip(" \"'")
        if charset not in ("utf-8", "utf8", "us-ascii"):
            raise Refusal(415, f"Content-Type: expected charset utf-8, found {charset[:40]!r}.")
    return media_type.strip().lower()


def is_json(media_type: str) -> bool:
    return media_type == "application/json" or (media_type.endswith("+json") and "/" in media_type)


async def read(request: Request) -> bytes:
    """The whole body. 413 where it is larger than allowed, 415 where it is compressed, 429 as `Serving.hold` says."""
    settings: Settings = request.app.state.settings
    bytes_max = settings.request_body_bytes_max
    if request.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise Refusal(415, "Content-Encoding: expected none; send the body as it is.")
    stream = request.stream()
    declared = request.headers.get("content-length", "")
    data = None
    if not (declared.isdecimal() and int(declared[:20]) > bytes_max):
        try:
            data = await _up_to(bytes_max, request, stream)
        except Refusal:
            await _discard(request, stream)
            raise
    if data is None:
        await _discard(request, stream)
        raise Refusal(413, f"Expected a body of at most {bytes_max} bytes (PERDURE_REQUEST_BODY_BYTES_MAX).")
    return data


async def _up_to(bytes_max: int, request: Request, stream: AsyncIterator[bytes]) -> bytes | None:
    """The body, None where it is larger. 429 where the bodies of all requests are too large."""
    chunks: list[bytes] = []
    size = 0
    serving: Serving = request.app.state.serving
    async for chunk in stream:
        size += len(chunk)
        if size > bytes_max:
            return None
        serving.hold(request.scope, len(chunk))
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _discard(request: Request, stream: AsyncIterator[bytes]) -> None:
    """Let the client send the rest, within bounds: many read no answer before, and meet a broken connection."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return  # it waits to be told whether to send at all
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > DISCARDED_BYTES_MAX:
            return


def expect_json(request: Request) -> None:
    """415 where the body says that it is something else, or does not say."""
    media_type = content_type(request)
    if not is_json(media_type):
        raise Refusal(415, f"Content-Type: expected application/json, found {media_type[:80] or 'none'!r}.")


def decode_json(request: Request, data: bytes) -> Json:
    """The JSON value. 400 where it is not JSON, 422 where it is out of bounds."""
    settings: Settings = request.app.state.settings
    value = _decoded(data)
    _check_depth(data, value, settings.payload_depth_max)
    return value


_FRACTION: Final = re.compile(r"Expected `int[^`]*`, got `float`")
"""What msgspec says of 5.0, which is an integer to JSON Schema and to whoever writes numbers so."""


class Body(Generic[T]):
    """A kind of body: how it is decoded, and what is wrong with one that can't be."""

    def __init__(self, type_: type[T]) -> None:
        self._type = type_
        self._decoder = msgspec.json.Decoder(type_)
        self._schema = msgspec.json.schema(type_)
        self._validator = jsonschema_rs.validator_for(self._schema, validate_formats=True)

    async def read(self, request: Request, *, optional: bool = False) -> T:
        """The request's body. With `optional`, an empty one is ``{}``.

        400 undecodable, 413 too large, 415 not JSON, 422 not of this kind.
        """
        if not optional:
            expect_json(request)
            return self.decode(request, await read(request))
        data = await read(request)
        if data:
            expect_json(request)
        return self.decode(request, data or b"{}")

    def decode(self, request: Request, data: bytes) -> T:
        settings: Settings = request.app.state.settings
        if not _surely_shallow(data, settings.payload_depth_max):
            decode_json(request, data)
        try:
            return self._decoder.decode(data)
        except ValueError as error:
            message = str(error)
        value = _decoded(data)
        if _FRACTION.match(message) and self._validator.is_valid(value):
            try:
                return msgspec.convert(whole_numbers(value), self._type)
            except msgspec.ValidationError as error:
                message = str(error)
        raise self._refusal(value, message)

    def _refusal(self, value: Json, message: str) -> Refusal:
        errors = [
            _told(error, self._schema)
            for error, _ in zip(self._validator.iter_errors(value), range(ERRORS_MAX), strict=False)
        ]
        if not errors:
            detail, _, place = message.partition(" - at `$")
            errors = [{"pointer": place.rstrip("`").replace(".", "/"), "detail": detail}]
        first = errors[0]
        where = f"{first['pointer']}: " if first["pointer"] else ""
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return Refusal(422, f"{where}{first['detail']}{more}", errors)


def _decoded(data: bytes) -> Json:
    try:
        return decode(data)
    except msgspec.ValidationError as error:
        detail = f"expected numbers of a size that JSON readers agree on; {str(error).lower()}"
        raise Refusal(422, detail, [{"pointer": "", "detail": detail}]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _undecodable(data, str(error)) from None
    except ValueError as error:
        raise Refusal(422, f"The body is refused: {error}.", [{"pointer": "", "detail": str(error)}]) from None


def _undecodable(data: bytes, message: str) -> Refusal:
    detail = f"expected JSON; {message}" if data.strip() else "expected JSON; the body is empty"
    error: dict[str, Json] = {"pointer": "", "detail": detail}
    if found := _BYTE.search(message):
        before = data[: int(found[1])]
        error |= {"line": before.count(b"\n") + 1, "column": len(before) - before.rfind(b"\n")}
    return Refusal(400, f"The body can't be decoded: {detail}.", [error])


def _surely_shallow(data: bytes, depth_max: int) -> bool:
    return data.count(b"[") + data.count(b"{") <= depth_max


def _check_depth(data: bytes, value: Json, depth_max: int) -> None:
    if _surely_shallow(data, depth_max):
        return
    level: list[Any] = [value] if type(value) in (dict, list) else []
    for _ in range(depth_max):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    detail = f"expected at most {depth_max} levels of nesting (PERDURE_PAYLOAD_DEPTH_MAX)"
    raise Refusal(422, f"The body is refused: {detail}.", [{"pointer": "", "detail": detail}])


def _told(error: Any, schema: Json) -> dict[str, Json]:
    """A schema violation in our words, with its place."""
    if error.kind.name == "anyOf":  # always "this or null": null is not what was meant
        error = error.kind.context[0][0]
    path = list(error.instance_path)
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return {"pointer": pointer, "detail": _words(error.kind, error, path, schema)}


def _words(kind: Any, error: Any, path: list[str | int], schema: Json) -> str:
    match kind.name:
        case "required":
            return f"expected the member {kind.property!r}, which is missing"
        case "additionalProperties":
            return _unknown_member(kind.unexpected, path, schema)
        case "type":
            expected = " or ".join(kind.types)
            return f"expected {expected}, found {shown(error.instance)}"
        case "enum":
            expected = ", ".join(str(option) for option in kind.options)
            return f"expected one of {expected}; found {shown(error.instance)}"
        case "pattern":
            return f"expected text without NUL characters, found {shown(error.instance)}"
        case "format":
            return f"expected a {kind.format} as RFC 3339 or RFC 9562 writes it, found {shown(error.instance)}"
        case "propertyNames":
            return "expected member names of 1 to 64 characters, none of them NUL"
        case "maxLength" | "minLength":
            return f"expected {kind.name[:3]}imum {kind.limit} characters, found {len(error.instance)}"
        case "maxItems" | "maxProperties":
            return f"expected at most {kind.limit} entries, found {len(error.instance)}"
        case _:
            return str(error.message)[:200]


def _unknown_member(unexpected: list[str], path: list[str | int], schema: Json) -> str:
    known = _members(path, schema)
    found = ", ".join(repr(name[:SHOWN_CHARACTERS_MAX]) for name in unexpected[:5])
    close = difflib.get_close_matches(unexpected[0], known, 1) or [
        name for name in known if name.lower() == unexpected[0].lower()
    ]
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"expected only {', '.join(known)}; found {found}{hint}"


def _members(path: list[str | int], schema: Json) -> list[str]:
    """The names that the schema knows for the object at `path`."""
    here = _resolved(schema, schema)
    for part in path:
        inner = here.get("items") if isinstance(part, int) else here.get("properties", {}).get(part)
        here = _resolved(inner or {}, schema)
    return list(here.get("properties", {}))


def _resolved(here: Json, schema: Json) -> Json:
    here = next((option for option in here.get("anyOf", ()) if option.get("type") != "null"), here)
    return schema["$defs"][here["$ref"].rsplit("/", 1)[-1]] if "$ref" in here else here


def shown(value: Json) -> str:
    """A wrong value, as an error may quote it: what kind it is, and a text's beginning."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {str(value)[:SHOWN_CHARACTERS_MAX]}"
        case str():
            cut = value[:SHOWN_CHARACTERS_MAX]
            return repr(cut) + ("…" if cut != value else "")
        case list():
            return "an array"
        case _:
            return "an object"
