"""The pure parts of webhooks: filters, signatures, retries."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from perdure.runtime import retries, signatures, webhook_filter
from perdure.sealing import SealBroken, Sealer
from perdure.store.lifecycle import Owed, WebhookRecord

ID = UUID("0193a5c4-7d1e-7c3a-9f56-2b8d4e6a1c70")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LIMITS = {"first_seconds": 5.0, "disable_seconds": 3 * 86400.0}


@pytest.mark.parametrize(
    ("types", "type_", "expected"),
    [
        (("*",), "a.b.c", True),
        (("a.*",), "a.b.c", True),
        (("a.*",), "b.a.c", False),
        (("a.b",), "a.b", True),
        (("a.b",), "a.b.c", False),
        (("a.b",), "axb", False),
        (("*.c", "x"), "a.b.c", True),
        (("a.*.c",), "a.b.b.c", True),
        (("a.*.c",), "a.c", False),
    ],
)
def test_types(types: tuple[str, ...], type_: str, expected: bool) -> None:
    assert webhook_filter.wants_type(types, type_) is expected


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({}, True),
        ({"namespace": "shop"}, True),
        ({"namespace": "other"}, False),
        ({"name": "order"}, True),
        ({"name": "orders"}, False),
        ({"tags": {"a": "1"}}, True),
        ({"tags": {"a": "1", "b": "2"}}, False),
        ({"tenant": "another"}, False),
    ],
)
def test_processes(filter_: dict[str, Any], expected: bool) -> None:
    owed = Owed(1, "default", ID, "shop", "order", "1.0.0", {"a": "1"}, 1, 5, None)
    fields = {"tenant": "default", "namespace": None, "name": None, "tags": {}} | filter_
    webhook = WebhookRecord(
        id=ID, url="", description=None, types=("*",), secret=b"", enabled=True, disabled_reason=None,
        failing_since=None, created_at=NOW, created_by="", updated_at=NOW, **fields,
    )  # fmt: skip
    assert webhook_filter.wants_process(webhook, owed) is expected


def test_the_signature_of_the_standard() -> None:
    """The example of the Standard Webhooks specification."""
    made = signatures.headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_pauses_grow_over_about_a_day() -> None:
    pauses = [retries.delay_seconds(attempts, 5.0) for attempts in range(1, retries.ATTEMPTS_MAX)]
    assert pauses[:4] == [5.0, 15.0, 45.0, 135.0]
    assert max(pauses) == 4 * 3600
    assert timedelta(hours=20) < timedelta(seconds=sum(pauses)) < timedelta(hours=28)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_a_success(status: int) -> None:
    assert retries.answered(status, {}, 1, None, NOW, **LIMITS).status == "delivered"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 5.0),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "1"}, 5.0),
        ({"Retry-After": "9999999"}, 14_400.0),
        ({"Retry-After": "soon"}, 5.0),
    ],
)
def test_the_receiver_may_ask_for_time(headers: dict[str, str], expected: float) -> None:
    attempt = retries.answered(503, headers, 1, None, NOW, **LIMITS)
    assert (attempt.status, attempt.response_status, attempt.delay_seconds) == ("pending", 503, expected)


def test_giving_up_and_disabling() -> None:
    last = retries.failed("no", retries.ATTEMPTS_MAX, NOW - timedelta(days=1), NOW, **LIMITS)
    assert (last.status, last.disable) == ("failed", None)
    long = retries.failed("no", 3, NOW - timedelta(days=4), NOW, **LIMITS)
    assert long.status == "pending"
    assert long.disable == "nothing could be delivered since 2026-11-19T09:30:00Z; at last no"
    gone = retries.answered(410, {}, 1, None, NOW, **LIMITS)
    assert (gone.status, gone.disable) == ("failed", "the receiver answered 410 Gone")


def test_a_seal_belongs_to_its_row() -> None:
    sealer = Sealer("c" * 43 + "=")
    sealed = sealer.seal(b"secret", b"row")
    assert b"secret" not in sealed
    assert sealer.open(sealed, b"row") == b"secret"
    for other, row in ((sealer, b"other row"), (Sealer("d" * 43 + "="), b"row"), (Sealer(None), b"row")):
        with pytest.raises(SealBroken):
            other.open(sealed, row)
    assert sealer.open(Sealer(None).seal(b"secret", b"row"), b"row") == b"secret"
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer("too short")
