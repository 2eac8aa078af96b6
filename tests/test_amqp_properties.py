"""What pamqp reads of properties that are not what they should be."""

import struct

import pytest
from pamqp import decode

from perdure import amqp_properties

amqp_properties.install()


def table(*entries):
    body = b"".join(bytes([len(name)]) + name + value for name, value in entries)
    return struct.pack(">I", len(body)) + body


def nested(levels):
    found = table((b"a", b"t\1"))
    for _ in range(levels):
        found = table((b"a", b"F" + found))
    return found


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("shortstr", b"\2ok!", "ok"),
        ("shortstr", b"\3a\xffb!", "a\N{REPLACEMENT CHARACTER}b"),
        ("timestamp", struct.pack(">Q", 2**63), None),
        ("timestamp", struct.pack(">Q", 2**64 - 1), None),
        ("table", table((b"a", b"T" + struct.pack(">Q", 2**63)), (b"b", b"t\1")), {"a": None, "b": True}),
        ("table", table((b"\xff", b"t\1")), {}),
        ("table", table((b"a", b"?")), {}),
        ("table", nested(5000), {}),
        ("table", nested(1), {"a": {"a": True}}),
    ],
)
def test_it_is_read_and_passed_over(kind, data, value):
    consumed, found = decode.by_type(data + b"rest", kind)
    assert found == value
    assert consumed == (len(data) - 1 if kind == "shortstr" else len(data))


@pytest.mark.parametrize(("kind", "data"), [("timestamp", b"\1\2"), ("table", b"\0\0\0\7ab"), ("shortstr", b"")])
def test_what_is_cut_off_is_a_fault(kind, data):
    with pytest.raises(ValueError, match="unpack|exceeds"):
        decode.by_type(data, kind)
