"""What is measured, and how much is done for it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value per sample. Names are stable: programs compare them between releases."""

    name: str
    unit: str
    samples: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)


@dataclass(frozen=True)
class Size:
    """How much is done. `samples` is how often each rate is taken, `runs` of how many requests a percentile is."""

    samples: int
    runs: int
    backlog: int
    calls: int
    documents: tuple[int, int]
    """Processes that compute over documents of 1 KB, of 100 KB."""
    widths: tuple[int, ...]
    parked: tuple[int, ...]
    woken: int
    payloads: int
    starts: int
    jobs: int
    kills: int
    listeners: tuple[int, int]
    events: int
    records: tuple[int, ...]
    """Activity records."""
    queries: int
    load_seconds: float
    idle_seconds: float
    peer_seconds: float
    """For how long others get as much through as they can."""
    beside: int
    """Workflows of others that are parked."""


FULL = Size(
    samples=5,
    runs=500,
    backlog=5_000,
    calls=1_000,
    documents=(2_000, 200),
    widths=(10, 100, 1_000, 10_000),
    parked=(10_000, 100_000, 1_000_000),
    woken=5_000,
    payloads=5,
    starts=4_000,
    jobs=2_000,
    kills=3,
    listeners=(1_000, 10_000),
    events=1_000,
    records=(1_000_000, 10_000_000),
    queries=500,
    load_seconds=20.0,
    idle_seconds=30.0,
    peer_seconds=10.0,
    beside=4_000,
)
QUICK = Size(
    samples=3,
    runs=50,
    backlog=600,
    calls=150,
    documents=(200, 10),
    widths=(10, 100, 1_000),
    parked=(2_000,),
    woken=500,
    payloads=1,
    starts=300,
    jobs=150,
    kills=1,
    listeners=(200, 2_000),
    events=200,
    records=(100_000,),
    queries=50,
    load_seconds=4.0,
    idle_seconds=3.0,
    peer_seconds=1.0,
    beside=2_000,
)


def percentiles(name: str, milliseconds: Sequence[float]) -> list[Figure]:
    """Median and 99th percentile of what single requests took."""
    cuts = statistics.quantiles(milliseconds, n=100)
    return [Figure(f"{name}.p50", "ms", [cuts[49]]), Figure(f"{name}.p99", "ms", [cuts[98]])]
