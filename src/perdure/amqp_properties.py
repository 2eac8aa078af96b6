"""Makes pamqp, which all AMQP here goes through, read messages whose properties are not what they should be.

RabbitMQ hands on texts that are no UTF-8, times of no calendar and headers nested without end. To pamqp these are
faults of the protocol, at which aiormq drops the connection with all that is under way on it; the message comes
again, and so on: one sender would stop everybody else. Here such a text has replacement characters in it, such a time
is none, and such headers are empty, so that whoever reads the message decides.
"""

from typing import Any

from pamqp import decode

_short_str, _timestamp, _table = decode.METHODS["shortstr"], decode.METHODS["timestamp"], decode.METHODS["table"]

_TIMESTAMP_BYTES = 8


def _lenient_short_str(value: bytes) -> tuple[int, Any]:
    try:
        return _short_str(value)
    except UnicodeDecodeError:
        end = 1 + value[0]
        return end, value[1:end].decode(errors="replace")


def _lenient_timestamp(value: bytes) -> tuple[int, Any]:
    try:
        return _timestamp(value)
    except (ValueError, OverflowError, OSError):
        if len(value) < _TIMESTAMP_BYTES:
            raise
        return _TIMESTAMP_BYTES, None


def _lenient_table(value: bytes) -> tuple[int, Any]:
    """Its length stands before it, so that it can be passed over."""
    try:
        return _table(value)
    except (ValueError, OverflowError, OSError, RecursionError):
        end = 4 + int.from_bytes(value[:4])
        if end > len(value):
            raise
        return end, {}


def install() -> None:
    """For all of this process. Doing so again changes nothing."""
    decode.METHODS.update(shortstr=_lenient_short_str, timestamp=_lenient_timestamp, table=_lenient_table)
    decode.TABLE_MAPPING[b"T"] = _lenient_timestamp
