"""A bounded cache in this process, for want of a shared one."""

from collections import OrderedDict
from typing import Final

from perdure import clock

ENTRIES_MAX: Final = 10_000
BYTES_MAX: Final = 64 * 1024 * 1024


class Memory:
    """Forgets what is too old, and the least recently remembered when there is too much."""

    def __init__(self, entries_max: int = ENTRIES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def remember(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep `value` for `ttl_seconds` at most."""
        self.forget(key)
        self._entries[key] = (clock.monotonic() + ttl_seconds, value)
        self._bytes += len(value)
        while len(self._entries) > self._entries_max or self._bytes > self._bytes_max:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._bytes -= len(dropped)

    def recall(self, key: str) -> bytes | None:
        """The value, if it is still there."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        until, value = entry
        if until <= clock.monotonic():
            self.forget(key)
            return None
        return value

    def forget(self, key: str) -> None:
        """Drop the value, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[1])
