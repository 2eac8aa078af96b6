"""Digests under which the store finds tokens, documents and correlations."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from perdure.codec import Json, encode, whole_numbers


def token_digest(token: str) -> bytes:
    """What is kept of a callback token or an API key."""
    return blake2b(token.encode(), digest_size=32).digest()


def document_digest(document: Json) -> bytes:
    """Equal for values that are equal as JSON: the order of members and the spelling of numbers don't count."""
    return blake2b(_canonical(document), digest_size=32).digest()


def shape_digest(expressions: Sequence[str]) -> bytes:
    """Names a list of correlation expressions."""
    return blake2b(encode(list(expressions)), digest_size=16).digest()


def value_digest(values: Sequence[Json]) -> bytes:
    """Names the values that correlation expressions yield."""
    return blake2b(_canonical(list(values)), digest_size=16).digest()


def _canonical(value: Json) -> bytes:
    return msgspec.json.encode(whole_numbers(value), order="deterministic")
