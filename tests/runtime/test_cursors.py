"""Cursors come back as the positions they were made of, and anything else is refused."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from perdure.runtime import cursors
from perdure.runtime.errors import Invalid

MOMENT = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)
ID = UUID("0190f3a8-7c1e-7b54-9d1c-3f0b7a5e2d11")


def test_a_position_survives_the_cursor():
    assert cursors.read(cursors.write(MOMENT, ID), cursors.time_and_id) == (MOMENT, ID)
    assert cursors.read(cursors.write(7), cursors.number) == 7
    assert cursors.read(cursors.write("a", "b/ü"), cursors.texts(2)) == ("a", "b/ü")
    assert cursors.read(None, cursors.number) is None


@pytest.mark.parametrize(
    ("cursor", "parse"),
    [
        ("", cursors.number),
        ("%%%", cursors.number),
        ("é", cursors.number),
        (cursors.write("7"), cursors.number),
        (cursors.write(-1), cursors.number),
        (cursors.write(2**40), cursors.number),
        (cursors.write(True), cursors.number),
        (cursors.write(1, 2), cursors.number),
        (cursors.write("yesterday", str(ID)), cursors.time_and_id),
        (cursors.write("2026-03-01T12:00:00", str(ID)), cursors.time_and_id),
        (cursors.write(MOMENT, "x"), cursors.time_and_id),
        (cursors.write("a"), cursors.texts(2)),
        (cursors.write("a\0", "b"), cursors.texts(2)),
        (cursors.write({"a": 1}), cursors.texts(1)),
    ],
)
def test_what_is_no_cursor_is_refused(cursor, parse):
    with pytest.raises(Invalid, match="cursor: expected"):
        cursors.read(cursor, parse)


def test_a_page_says_whether_there_is_more():
    assert cursors.page([1, 2], 2, lambda n: (n,)) == ([1, 2], None)
    items, more = cursors.page([1, 2, 3], 2, lambda n: (n,))
    assert items == [1, 2]
    assert cursors.read(more, cursors.number) == 2
