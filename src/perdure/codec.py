"""JSON in and out, in one place: exact for integers of any size, bounded in depth."""

from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list of Json, dict from str to Json."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(value: Json) -> bytes:
    """The value as compact UTF-8 JSON. NaN and infinity, which JSON lacks, become null."""
    return _encoder.encode(value)


def text_of(value: Json) -> str:
    """A string as it is, any other value as compact JSON."""
    return value if isinstance(value, str) else encode(value).decode()


def decode(data: bytes | str) -> Json:
    """The value that the JSON text says. Raises `ValueError` where it is not JSON or nested too deep."""
    try:
        return _decoder.decode(data)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def decode_shallow(data: bytes, depth_max: int) -> Json:
    """The same, for JSON from outside: raises `ValueError` also where it has more than `depth_max` levels."""
    value = decode(data)
    if data.count(b"[") + data.count(b"{") <= depth_max:
        return value
    level: list[Any] = [value] if type(value) is dict or type(value) is list else []
    for _ in range(depth_max):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return value
    raise ValueError(f"it has more than {depth_max} levels of nesting (PERDURE_PAYLOAD_DEPTH_MAX)")


def whole_numbers(value: Json) -> Json:
    """The value with numbers such as 5.0 as the integers that they are in JSON."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: whole_numbers(item) for key, item in value.items()}
        case list():
            return [whole_numbers(item) for item in value]
        case _:
            return value
