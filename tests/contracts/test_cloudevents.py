"""CloudEvents in AMQP messages: what is understood, and what is refused with which words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from perdure.broker import cloudevents

CORE = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
HEADERS = {f"cloudEvents:{name}": value for name, value in CORE.items()}
JSON = "application/cloudevents+json"


@pytest.mark.parametrize(
    ("content_type", "headers", "body", "event"),
    [
        (JSON, {}, b'{"specversion":"1.0","id":"1","source":"/s","type":"t"}', CORE),
        ("Application/CloudEvents+JSON; charset=UTF-8", {}, cloudevents.encode(CORE).body, CORE),
        ("application/json", HEADERS, b"[1]", {**CORE, "datacontenttype": "application/json", "data": [1]}),
        (None, HEADERS, b'"x"', {**CORE, "data": "x"}),
        (None, HEADERS, b"", CORE),
        (None, {f"cloudEvents_{k}": v for k, v in CORE.items()} | {"other": 1}, b"", CORE),
        (
            None,
            {**HEADERS, "cloudEvents:time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "cloudEvents:traceId": b"ab"},
            b"",
            {**CORE, "time": "2026-01-02T03:04:05Z", "traceid": "ab"},
        ),
        (
            "application/vnd.x+json; charset=utf-8",
            HEADERS,
            b"null",
            {**CORE, "datacontenttype": "application/vnd.x+json; charset=utf-8", "data": None},
        ),
        ("text/plain", HEADERS, "ä".encode(), {**CORE, "datacontenttype": "text/plain", "data": "ä"}),
        ("image/png", HEADERS, b"\x89", {**CORE, "datacontenttype": "image/png", "data_base64": "iQ=="}),
    ],
)
def test_understood(content_type: str | None, headers: dict[str, Any], body: bytes, event: dict[str, Any]) -> None:
    assert cloudevents.decode(content_type, headers, body) == event


@pytest.mark.parametrize(
    ("content_type", "headers", "body", "words"),
    [
        (JSON, {}, b"{", "expected JSON"),
        (JSON, {}, b"[]", "expected a JSON object, found list"),
        (JSON, {}, b"[" * 100_000, "nested too deep|expected JSON"),
        ("application/cloudevents-batch+json", {}, b"[]", "found application/cloudevents-batch"),
        ("application/cloudevents+avro", {}, b"", r"found application/cloudevents\+avro"),
        (JSON, {}, b'{"specversion":"0.3","id":"1","source":"/s","type":"t"}', "specversion \"1.0\", found '0.3'"),
        (JSON, {}, b'{"specversion":"1.0","id":"","source":"/s","type":"t"}', "non-empty string as id"),
        (JSON, {}, b'{"specversion":"1.0","id":"1","source":3,"type":"t"}', "non-empty string as source"),
        (JSON, {}, b'{"specversion":"1.0","id":"1","source":"/s"}', "non-empty string as type"),
        (
            JSON,
            {},
            b'{"specversion":"1.0","id":"\\u0000","source":"/s","type":"t"}',
            "id: expected a text without NUL characters",
        ),
        (JSON, {}, b'{"specversion":"1.0","id":"%b","source":"/s","type":"t"}' % (b"x" * 513), "at most 512 bytes"),
        (
            JSON,
            {},
            b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":%b}' % (b"[" * 200 + b"]" * 200),
            "levels",
        ),
        (JSON, {}, b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":""}', "found both"),
        ("application/json", HEADERS, b"{", "expected JSON"),
        ("text/plain", HEADERS, b"\xff", "expected UTF-8 text"),
        ("text/plain", {}, b"hello", "expected specversion"),
    ],
)
def test_refused(content_type: str | None, headers: dict[str, Any], body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cloudevents.decode(content_type, headers, body)


def test_routing_key_fits_amqp() -> None:
    encoded = cloudevents.encode({**CORE, "type": "x" + "ä" * 200})
    assert len(encoded.routing_key.encode()) <= cloudevents.ROUTING_KEY_BYTES_MAX
    assert encoded.routing_key == "x" + "ä" * 127
