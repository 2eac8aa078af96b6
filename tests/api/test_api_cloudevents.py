"""CloudEvents over HTTP: structured, binary, batched."""

import base64
import json

import pytest

EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.placed"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
CE = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "order.placed"}


async def post(edge, data, headers, status=202):
    async with edge.post("/v1/events", data=data, headers=headers) as response:
        assert response.status == status, await response.text()
        return json.loads(await response.read() or "null")


def received(platform):
    return [event for name, events in platform.calls if name == "receive_events" for event in events]


async def test_structured(edge, platform):
    event = EVENT | {"data": {"n": 1}, "time": "2026-11-23T09:30:00.5+01:00", "region": "eu", "retries": 3}
    await post(edge, json.dumps(event | {"subject": None}), STRUCTURED)
    assert received(platform) == [event]


async def test_batched(edge, platform):
    events = [EVENT, EVENT | {"id": "2", "data_base64": "AAE="}]
    await post(edge, json.dumps(events), BATCH)
    await post(edge, "[]", BATCH)
    assert received(platform) == events


@pytest.mark.parametrize(
    ("content_type", "data", "members"),
    [
        ("application/json", b'{"n": 1}', {"data": {"n": 1}}),
        ("application/vnd.shop+json", b"7", {"data": 7}),
        ("text/plain; charset=utf-8", "é".encode(), {"data": "é"}),
        ("application/octet-stream", b"\x00\xff", {"data_base64": base64.b64encode(b"\x00\xff").decode()}),
        ("text/plain", b"\xff", {"data_base64": "/w=="}),
        ("application/json", b"", {}),
    ],
)
async def test_binary(edge, platform, content_type, data, members):
    await post(edge, data, CE | {"Content-Type": content_type})
    assert received(platform) == [EVENT | {"datacontenttype": content_type} | members]


async def test_binary_headers_are_percent_decoded(edge, platform):
    headers = {"ce-subject": "%E2%82%AC %22quoted%22", "ce-region": '"a \\"b\\""', "Content-Type": "application/json"}
    await post(edge, b"1", CE | headers)
    (event,) = received(platform)
    assert event["subject"] == '€ "quoted"'
    assert event["region"] == 'a "b"'


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"id": None}, "/id", "missing: id"),
        ({"type": ""}, "/type", "at least one character"),
        ({"source": 7}, "/source", "found the number 7"),
        ({"specversion": "0.3"}, "/specversion", "expected '1.0'"),
        ({"id": "a\0"}, "/id", "NUL"),
        ({"type": "x" * 256}, "/type", "at most 255 bytes"),
        ({"time": "yesterday"}, "/time", "RFC 3339"),
        ({"time": "2026-13-01T00:00:00Z"}, "/time", "RFC 3339"),
        ({"Region": "eu"}, "/Region", "lower-case"),
        ({"region": {}}, "/region", "a text, a boolean or a 32-bit integer"),
        ({"n": 2**31}, "/n", "32-bit"),
        ({"data_base64": "!"}, "/data_base64", "base64"),
        ({"data_base64": "AA==", "data": 1}, "/data_base64", "either data or data_base64"),
    ],
)
async def test_what_is_no_cloud_event(edge, platform, change, pointer, words):
    found = await post(edge, json.dumps(EVENT | change), STRUCTURED, 422)
    assert [error["pointer"] for error in found["errors"]] == [pointer]
    assert words in found["detail"]
    in_batch = await post(edge, json.dumps([EVENT, EVENT | change]), BATCH, 422)
    assert [error["pointer"] for error in in_batch["errors"]] == ["/1" + pointer]
    assert platform.calls == []


async def test_everything_missing_is_named(edge):
    found = await post(edge, "{}", STRUCTURED, 422)
    assert [error["pointer"] for error in found["errors"]] == ["/specversion", "/id", "/source", "/type"]


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        ("{", STRUCTURED, 400),
        ("[]", STRUCTURED, 422),
        ("{}", BATCH, 422),
        (json.dumps([EVENT] * 1001), BATCH, 413),
        ("{}", {"Content-Type": "application/json"}, 415),
        ("<a/>", {"Content-Type": "application/cloudevents+xml"}, 415),
        ("{", CE | {"Content-Type": "application/json"}, 400),
        ("1", CE | {"ce-bad-name": "x", "Content-Type": "application/json"}, 422),
        ("1", CE | {"ce-data": "x", "Content-Type": "application/json"}, 422),
        ("1", CE | {"ce-subject": "%FF", "Content-Type": "application/json"}, 422),
        ("1", {"ce-id": "1", "Content-Type": "application/json"}, 422),
    ],
)
async def test_refused(edge, platform, data, headers, status):
    found = await post(edge, data, headers, status)
    assert found["status"] == status
    assert platform.calls == []
