"""What texts the attributes of a CloudEvent may be, whoever brings it: they are stored, indexed and routed by."""

import re
from collections.abc import Mapping
from typing import Final

from perdure.codec import Json, whole_numbers

BYTES_MAX: Final[Mapping[str, int]] = {"id": 512, "source": 1_024, "type": 255}
"""`id` and `source` share an index entry of PostgreSQL, `type` is a routing key of AMQP."""
REQUIRED: Final = tuple(BYTES_MAX)
"""Beside `specversion`, what every event has."""
OTHER_BYTES_MAX: Final = 4_096

NAME: Final = re.compile(r"[a-z0-9]{1,64}")
"""CloudEvents 1.0, "Naming Conventions", which give no bound but advise one."""
INTEGERS: Final = range(-(2**31), 2**31)
"""CloudEvents 1.0, "Type System"."""


def text_fault(name: str, text: str) -> str | None:
    """Why the attribute can't be this text; None where it can."""
    if "\0" in text:
        return "expected a text without NUL characters"
    bytes_max = BYTES_MAX.get(name, OTHER_BYTES_MAX)
    if len(text.encode()) > bytes_max:
        return f"expected at most {bytes_max} bytes, found {len(text.encode())}"
    return None


def normal(event: Mapping[str, Json]) -> dict[str, Json]:
    """The event as it is meant: an attribute that is null is one that is not there (JSON format, section 2.2)."""
    return {
        name: value if name == "data" else whole_numbers(value)
        for name, value in event.items()
        if value is not None or name == "data"
    }
