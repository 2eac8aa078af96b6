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


def decode(data: bytes | str) -> Json:
    """The value that the JSON text says. Raises `ValueError` where it is not JSON or nested too deep."""
    try:
        return _decoder.decode(data)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
