"""Pure helpers of runtime and worker."""

from uuid import UUID

import pytest

from perdure.definition import versions
from perdure.runtime.announce import event_id, parse_ids, subscription_id
from perdure.runtime.definitions import order_text
from perdure.store.digests import document_digest, value_digest
from perdure.worker.sweeper import retention_seconds

PROCESS = UUID("0190f3a8-7c1e-7b54-9d1c-3f0b7a5e2d11")
ACTIVITY = UUID("6f2d1f0e-8a37-8c55-a1f3-90d2c4b7e610")

ORDERED = [
    "0.0.1",
    "0.1.0-1",
    "0.1.0-2",
    "0.1.0-10",
    "0.1.0-a",
    "0.1.0-a+zzz",
    "0.1.0-a.1",
    "0.1.0-a.b",
    "0.1.0-a-b",
    "0.1.0-ab",
    "0.1.0-rc.9",
    "0.1.0-rc.10",
    "0.1.0",
    "0.2.0",
    "0.10.0",
    "1.0.0",
    "1.0.0+build.2",
    "2.0.0",
    "10.0.0",
    "12345678901234567890.0.0",
]


def test_versions_in_the_database_sort_as_semantic_versions():
    assert sorted(ORDERED, key=versions.key) == ORDERED
    assert sorted(sorted(ORDERED), key=lambda version: order_text(version).encode()) == ORDERED


def test_the_events_queue_names_events_and_subscriptions():
    ids = [event_id(12), subscription_id(PROCESS, ACTIVITY)]
    assert parse_ids(ids) == ([12], [(PROCESS, ACTIVITY)])


def test_foreign_ids_on_the_events_queue_are_left_out():
    foreign = ["", "event:", "event:x", "event:-1", "event:1:2", "event:²"]
    foreign += [f"subscription:{PROCESS}", "subscription:a:b"]
    assert parse_ids(foreign) == ([], [])


def test_documents_are_the_same_when_equal_as_json():
    assert document_digest({"a": 1, "b": [1.0]}) == document_digest({"b": [1], "a": 1.0})
    assert document_digest({"a": 1}) != document_digest({"a": "1"})
    assert value_digest([{"x": 1, "y": 2}]) == value_digest([{"y": 2, "x": 1}])
    assert value_digest([1, 2]) != value_digest([2, 1])
    assert value_digest([True]) != value_digest([1])


@pytest.mark.parametrize(("text", "seconds"), [("P90D", 90 * 86400), ("PT1H", 3600), ("P1M", 30.44 * 86400)])
def test_retention_is_a_duration(text, seconds):
    assert retention_seconds(text) == pytest.approx(seconds)


def test_retention_that_is_none_is_refused():
    with pytest.raises(ValueError, match="forever"):
        retention_seconds("forever")
