"""What a peer can be asked to do, whichever it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bench.outage import Stream, Victim

OUTPUTS: Mapping[str, Any] = {"sequence": {"n": 5}, "calls": {"n": 1}}
"""What `sequence` makes of 0, and `calls` of what the service answers."""


@dataclass(frozen=True)
class Runs:
    """Of each workflow that was run to its end how long it took, and how long all of them took together."""

    milliseconds: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds


class Peer(Protocol):
    """Runs while the block that made it lasts. Raises where a workflow gives anything but what it should."""

    async def saturate(self, workflow: str, input_: Any, seconds: float) -> Runs:
        """As many as are got through in this time, when many clients run one after the other."""

    async def one_by_one(self, workflow: str, input_: Any, number: int) -> Runs: ...

    async def fork(self, width: int) -> float:
        """Seconds from the start to the end of one workflow of so many steps at the same time, each of which adds one
        to its number.
        """

    async def park(self, number: int) -> None:
        """Half sleep for a month, half wait for a message. Returns when all of them do."""

    def stream(self, workflow: str, input_: Any, tag: str) -> Stream:
        """Clients who start this workflow over and over."""

    def victim(self) -> Victim:
        """A process that runs workflows."""
