"""The payloads of one step: values by reference, loaded when needed, encoded once."""

import re
from collections.abc import Generator, Iterable
from typing import Any, TypeAlias, TypeVar

from perdure.codec import Json, encode
from perdure.engine.asks import Ask, Load
from perdure.engine.refs import INLINE_BYTES_MAX, Key, Ref, content_key, inline, inline_value, key_of, stored

T = TypeVar("T")
Flow: TypeAlias = Generator[Ask, Any, T]
"""A part of a step: may ask the driver, and answers a T."""


DEPTH_MAX = 200
"""How deep arrays and objects may be nested in a value that a process keeps."""

_SCALARS = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+')


class Unkeepable(Exception):
    """A value is nested too deep, or too long, to be kept. The message says what was expected and found."""

    def __init__(self, found: str, expected: str = f"at most {DEPTH_MAX} levels of arrays and objects") -> None:
        super().__init__(f"expected a value of {expected}, found {found}")


class Payloads:
    """Values are shared, never changed: an unchanged one is known by its identity and not encoded again."""

    __slots__ = ("_bytes_max", "_refs", "_values", "new")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.new: dict[Key, bytes] = {}
        """Encoded JSON to be stored with the step."""
        self._values: dict[Ref, Json] = {}
        self._refs: dict[int, tuple[Json, Ref]] = {}

    def put(self, value: Json) -> Ref:
        """The reference of a value, which is stored with the step if it is long. Raises `Unkeepable`."""
        known = self._refs.get(id(value))
        if known is not None:
            return known[1]
        encoded = encoded_of(value)
        if len(encoded) <= INLINE_BYTES_MAX:
            ref = inline(encoded)
        else:
            self._check(encoded)
            key = content_key(encoded)
            ref = stored(key)
            self.new[key] = encoded
        self._remember(ref, value)
        return ref

    def lend(self, value: Json) -> Ref:
        """A reference that holds in this step only, for a value that is not to be stored."""
        ref = b"2%d" % len(self._values)
        self._values[ref] = value
        return ref

    def keep(self, key: Key, value: Json, encoded: bytes | None = None) -> Ref:
        """Store a value under a derived key. Raises `Unkeepable`."""
        if encoded is None:
            encoded = encoded_of(value)
        self._check(encoded)
        self.new[key] = encoded
        ref = stored(key)
        self._values[ref] = value
        return ref

    def get(self, ref: Ref) -> Flow[Json]:
        """The value of a reference."""
        values = self._values
        if ref not in values:
            if key_of(ref) is None:
                self._remember(ref, inline_value(ref))
            else:
                yield from self.load((ref,))
        return values[ref]

    def load(self, refs: Iterable[Ref]) -> Flow[None]:
        """Have these values at hand, with one ask for all that are missing."""
        missing = dict.fromkeys(ref for ref in refs if ref not in self._values and key_of(ref) is not None)
        if not missing:
            return
        loaded = yield Load(tuple(ref[1:] for ref in missing))
        for ref in missing:
            self._remember(ref, loaded[ref[1:]])

    def _check(self, encoded: bytes) -> None:
        if len(encoded) > self._bytes_max:
            limit = f"at most {self._bytes_max} bytes (PERDURE_PAYLOAD_BYTES_MAX)"
            raise Unkeepable(f"one of {len(encoded)} bytes", limit)
        check_depth(encoded)

    def _remember(self, ref: Ref, value: Json) -> None:
        self._values[ref] = value
        self._refs[id(value)] = (value, ref)


def encoded_of(value: Json) -> bytes:
    """The value as JSON. Raises `Unkeepable` where that can't be written."""
    try:
        return encode(value)
    except RecursionError:
        raise Unkeepable("a deeper one") from None


def check_depth(encoded: bytes) -> None:
    """Raise `Unkeepable` for JSON nested deeper than `DEPTH_MAX`. Counting settles it for nearly every value."""
    if encoded.count(b"[") + encoded.count(b"{") <= DEPTH_MAX:
        return
    brackets = _SCALARS.sub(b"", encoded).replace(b"{", b"[").replace(b"}", b"]")
    for _ in range(DEPTH_MAX):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return
    raise Unkeepable("a deeper one")
