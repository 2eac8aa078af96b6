"""Opaque cursors: where a page ended, so that the next begins right after it."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from perdure.codec import Json, decode, encode
from perdure.definition.problems import Problem
from perdure.runtime.errors import Invalid

T = TypeVar("T")


def write(*position: Json) -> str:
    """A cursor for a position of strings, numbers, times and ids."""
    return base64.urlsafe_b64encode(encode(position)).decode().rstrip("=")


def read(cursor: str | None, parse: Callable[[list[Json]], T]) -> T | None:
    """The position in a cursor; None for none. Raises `Invalid` where it is not one of ours."""
    if cursor is None:
        return None
    try:
        return parse(decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))
    except (ValueError, TypeError, IndexError, binascii.Error):
        detail = "cursor: expected the `next` of an earlier page, found something else; leave it out to begin"
        raise Invalid(detail, (Problem("", detail),)) from None


def time_and_id(position: list[Json]) -> tuple[datetime, UUID]:
    at, id_ = position
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment, UUID(id_)


def number(position: list[Json]) -> int:
    (value,) = position
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError("no number")
    return value


def texts(count: int) -> Callable[[list[Json]], tuple[str, ...]]:
    def parse(position: list[Json]) -> tuple[str, ...]:
        if len(position) != count or not all(isinstance(text, str) and "\0" not in text for text in position):
            raise ValueError("no texts")
        return tuple(position)

    return parse


def page(records: Sequence[T], limit: int, position: Callable[[T], tuple[Json, ...]]) -> tuple[list[T], str | None]:
    """Of up to `limit` + 1 records the page, and the cursor of the next if there is more."""
    if len(records) <= limit:
        return list(records), None
    items = list(records[:limit])
    return items, write(*position(items[-1]))
