"""What a step asks of whoever makes calls in the same service process, so that they need no way through the broker."""

from collections.abc import Sequence
from typing import Protocol

from perdure.engine.effects import PerformCall
from perdure.store.records import Lease, LeasedCall


class Caller(Protocol):
    """Every lease that it gives out comes back, by `begin` or `give_back`."""

    async def reserve(self, calls: Sequence[PerformCall]) -> Lease | None:
        """A lease on those of the calls that it has room for; they are about to be committed under it."""

    def begin(self, lease: Lease, calls: Sequence[LeasedCall]) -> None:
        """The lease was committed, with these calls."""

    def give_back(self, lease: Lease) -> None:
        """The lease was not committed, or nobody knows."""
