"""The audit trail live, as server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import Header
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from perdure import clock, telemetry
from perdure.api.requests import caller, invalid_parameter, platform, serving
from perdure.codec import Json, encode
from perdure.runtime.views import HistoryView
from perdure.store.contract import StoreUnavailable

ENTRIES_MAX: Final = 200
"""How many entries are read at once."""
INTERVAL_SECONDS_MIN: Final = 0.05
INTERVAL_SECONDS_MAX: Final = 0.5
BACKOFF: Final = 1.5
COMMENT_SECONDS: Final = 15.0
COMMENT: Final = b": still here\n\n"
SEQUENCE_MAX: Final = 2**31 - 1

LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The sequence of the last entry seen; the stream goes on after it."),
]

ANSWERS: Final[dict[int, Json]] = {
    200: {
        "description": "The entries, as they come.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": "id: 1\nevent: io.serverlessworkflow.workflow.started.v1\n"
                'data: {"sequence":1,"at":"2026-11-23T09:30:00Z",…}\n\n',
            }
        },
    },
    204: {"description": "The process has ended, and nothing came after `Last-Event-ID`: do not reconnect."},
}

HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def follow(request: Request, process: UUID, last_event_id: str | None) -> Response:
    """The stream. What is wrong with the request is answered before it begins."""
    after = _sequence(last_event_id)
    entries, ended = await platform(request).history_after(caller(request), process, after, limit=ENTRIES_MAX)
    if ended and not entries and last_event_id is not None:
        return Response(status_code=204)
    with serving(request).streams.one():
        pass
    return StreamingResponse(_events(request, process, after, entries, ended), 200, HEADERS, "text/event-stream")


def _sequence(last_event_id: str | None) -> int:
    if last_event_id is None or last_event_id == "":
        return 0
    if not last_event_id.isdecimal() or not last_event_id.isascii() or int(last_event_id[:20]) > SEQUENCE_MAX:
        detail = f"expected the sequence of a history entry, found {last_event_id[:40]!r}"
        raise invalid_parameter("Last-Event-ID", detail)
    return int(last_event_id)


async def _events(
    request: Request, process: UUID, after: int, entries: list[HistoryView], ended: bool
) -> AsyncIterator[bytes]:
    stopping = serving(request).stopping
    interval = INTERVAL_SECONDS_MIN
    said = clock.monotonic()
    with serving(request).streams.one(), telemetry.HTTP_STREAMS.track_inprogress():
        while not stopping.is_set():
            if entries:
                yield b"".join(map(_event, entries))
                after, interval, said = entries[-1].sequence, INTERVAL_SECONDS_MIN, clock.monotonic()
            elif ended:
                return
            if len(entries) < ENTRIES_MAX and not ended:
                if clock.monotonic() - said >= COMMENT_SECONDS:
                    yield COMMENT
                    said = clock.monotonic()
                await _pause(stopping, interval)
                interval = min(interval * BACKOFF, INTERVAL_SECONDS_MAX)
            entries, ended = await _more(request, process, after)


async def _more(request: Request, process: UUID, after: int) -> tuple[list[HistoryView], bool]:
    """An outage of the database is waited out: the stream misses nothing by it."""
    try:
        return await platform(request).history_after(caller(request), process, after, limit=ENTRIES_MAX)
    except (StoreUnavailable, OSError):
        return [], False


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass


def _event(entry: HistoryView) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (entry.sequence, entry.type.encode(), encode(entry))
