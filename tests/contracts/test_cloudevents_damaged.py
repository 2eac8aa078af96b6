"""Messages from outside that are not quite CloudEvents: each is an event that can be stored, or refused with words."""

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure import codec
from perdure.broker import cloudevents

_fields = st.recursive(  # what a header of AMQP 0-9-1 may hold, as aio-pika hands it on
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.datetimes(timezones=st.sampled_from([timezone(timedelta(hours=h)) for h in (-12, 0, 14)]))
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
_ATTRIBUTES = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "dataschema",
    "data",
    "data_base64",
    "x",
    "A-b",
    "\0",
    "",
)
_names = st.builds(
    str.__add__,
    st.sampled_from(["cloudEvents:", "cloudEvents_", "cloudevents:", "CLOUDEVENTS_", "ce-", ""]),
    st.sampled_from(_ATTRIBUTES) | st.text(max_size=3),
)
_good = {"cloudEvents:specversion": "1.0", "cloudEvents:id": "1", "cloudEvents:source": "/s", "cloudEvents:type": "t"}
_types = st.sampled_from(
    [
        None,
        "",
        "application/json",
        "text/plain",
        "image/png",
        "application/xml",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "APPLICATION/CLOUDEVENTS+JSON; charset=utf-16",
        "application/vnd.a+json; x",
        ";;;",
        "\0",
    ]
) | st.text(max_size=10)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_structured = st.dictionaries(st.sampled_from(_ATTRIBUTES), _json, max_size=6).map(
    lambda event: json.dumps({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", **event}).encode()
)
_bodies = (
    st.binary(max_size=30)
    | _structured
    | st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"1" * 5000, b'"\\ud800"'])
)


def _check(content_type: str | None, headers: dict[str, Any], body: bytes) -> None:
    try:
        event = cloudevents.decode(content_type, headers, body)
    except ValueError as refused:
        assert str(refused)
        return
    assert event == codec.decode(codec.encode(event)), "it is JSON"
    assert all(isinstance(event[name], str) and event[name] for name in ("specversion", "id", "source", "type"))
    assert "\0" not in "".join(event)
    cloudevents.encode(event)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(_types, st.dictionaries(_names, _fields, max_size=4), _bodies)
def test_binary_messages(content_type: str | None, headers: dict[str, Any], body: bytes) -> None:
    _check(content_type, headers, body)
    _check(content_type, {**_good, **headers}, body)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(_structured | _bodies)
def test_structured_messages(body: bytes) -> None:
    _check("application/cloudevents+json", {}, body)


def test_what_amqp_has_and_cloudevents_have_not() -> None:
    numbers = {"cloudEvents:a": Decimal("1.5"), "cloudEvents:b": 2**40, "cloudEvents:c": 0.5, "cloudEvents:d": 7}
    event = cloudevents.decode("application/json", {**_good, **numbers, "cloudEvents:e": None}, b"1")
    assert [event.get(name) for name in "abcde"] == ["1.5", str(2**40), "0.5", 7, None]
    far = timezone(timedelta(hours=14))
    for odd in (
        {"a": [1]},
        {"a": {"b": b"\xff"}},
        {"data": "x"},
        {"a_b": "x"},
        {"": 1},
        {"a": datetime(1, 1, 1, tzinfo=far)},
    ):
        with pytest.raises(ValueError, match="expected"):
            cloudevents.decode("application/json", {**_good, **{f"cloudEvents:{n}": v for n, v in odd.items()}}, b"1")
