"""Payload references: how state and records name a JSON value without carrying it.

A reference is a byte string: ``0`` followed by the JSON itself where it is short, or ``1`` followed by
the 16-byte key of a stored payload. A payload is stored once within its process, however many activities
it passes through.
"""

from hashlib import blake2b
from typing import TypeAlias

from perdure.codec import Json, decode, encode

Ref: TypeAlias = bytes
Key: TypeAlias = bytes

INLINE_BYTES_MAX = 256
"""Longer values are stored apart and named by key. Short ones cost less in place than a row would."""


def inline(encoded: bytes) -> Ref:
    return b"0" + encoded


def stored(key: Key) -> Ref:
    return b"1" + key


def key_of(ref: Ref) -> Key | None:
    """The key of the stored payload, or None where the reference carries its value."""
    return ref[1:] if ref[:1] == b"1" else None


def inline_value(ref: Ref) -> Json:
    """The value that an inline reference carries."""
    return decode(ref[1:])


def content_key(encoded: bytes) -> Key:
    return blake2b(encoded, digest_size=16).digest()


def derived_key(*parts: bytes) -> Key:
    """The key of a payload that is named by what it is (a chunk of a collection, the n-th event)."""
    digest = blake2b(digest_size=16, person=b"perdure-derived")
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()


def ref_of(value: Json) -> tuple[Ref, bytes | None]:
    """The reference of a value, and its encoding where that must be stored under the reference's key."""
    encoded = encode(value)
    if len(encoded) <= INLINE_BYTES_MAX:
        return inline(encoded), None
    return stored(content_key(encoded)), encoded


NULL: Ref = inline(b"null")
