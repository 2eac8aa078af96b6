"""The permits that this process has given, for the time when the server that knows those of all is away.

The rate is kept by the generic cell rate algorithm (ITU-T I.371): one instant, when the next call would be due if
calls came at exactly their rate. It may lie ahead by what a burst allows. Redis and PostgreSQL do the same.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from perdure.limits import Limit

NAMES_MAX: Final = 10_000

FULL_SECONDS: Final = 0.1
"""When to ask again while as many as may be are under way: nobody knows when one of them ends."""


@dataclass(slots=True)
class _Entry:
    due: float = float("-inf")
    held: dict[UUID, float] = field(default_factory=dict)


class Permits:
    """Times are seconds on any clock that the caller keeps to. Knows `NAMES_MAX` names, the latest ones."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def admit(self, name: str, limit: Limit, permit: UUID, ttl_seconds: float, now: float) -> float:
        """See `contract.Coordinator.admit`."""
        entry = self._entry(name)
        entry.held = {key: until for key, until in entry.held.items() if until > now}
        if permit in entry.held:
            return 0.0
        if limit.concurrency is not None and len(entry.held) >= limit.concurrency:
            return FULL_SECONDS
        if limit.rate_per_second is not None:
            wait = _due(entry, limit, now) - (limit.burst - 1) / limit.rate_per_second - now
            if wait > 0:
                return wait
        self.note(name, limit, permit, ttl_seconds, now)
        return 0.0

    def note(self, name: str, limit: Limit, permit: UUID, ttl_seconds: float, now: float) -> None:
        """This permit was given, by whomever."""
        entry = self._entry(name)
        if limit.rate_per_second is not None:
            entry.due = max(_due(entry, limit, now), now) + 1 / limit.rate_per_second
        if limit.concurrency is not None:
            entry.held[permit] = now + ttl_seconds

    def hold(self, name: str, permit: UUID, ttl_seconds: float, now: float) -> None:
        """Keep the permit for longer."""
        self._entry(name).held[permit] = now + ttl_seconds

    def release(self, name: str, permit: UUID) -> None:
        """Give the permit back."""
        entry = self._entries.get(name)
        if entry is not None:
            entry.held.pop(permit, None)

    def _entry(self, name: str) -> _Entry:
        entry = self._entries.setdefault(name, _Entry())
        self._entries.move_to_end(name)
        if len(self._entries) > NAMES_MAX:
            self._entries.popitem(last=False)
        return entry


def _due(entry: _Entry, limit: Limit, now: float) -> float:
    """When the next is due at the rate; never further ahead than a burst leads, whatever the clock or limit was."""
    assert limit.rate_per_second is not None
    return min(entry.due, now + limit.burst / limit.rate_per_second)
