"""Following a process until it ends: as a tree that redraws itself, or as lines where nobody watches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from perdure import clock
from perdure.cli import terminal
from perdure.cli.render import history, tree, words
from perdure.cli.render.times import between, parse
from perdure.client import AsyncClient
from perdure.client.models import ENDED, Activity, Process, Waiting

REFRESH_SECONDS = 0.2
REFRESH_SECONDS_MAX = 1.0
"""How often to look while nothing changes."""
BACKOFF = 1.2
REDRAWS_PER_SECOND = 8
SLOW_CALL = timedelta(seconds=2)


@dataclass(slots=True)
class _Piece:
    """A page of activities as last read. One in which all have ended need not be read again."""

    cursor: str | None
    items: list[Activity]
    next: str | None

    @property
    def settled(self) -> bool:
        return self.next is not None and all(item["status"] in ENDED for item in self.items)


@dataclass(slots=True)
class Watch:
    """A process as it is, refreshed at a cost that does not grow with what lies behind it."""

    client: AsyncClient
    process: Process
    _pieces: list[_Piece] = field(default_factory=list)

    @property
    def activities(self) -> Iterator[Activity]:
        return chain.from_iterable(piece.items for piece in self._pieces)

    @property
    def ended(self) -> bool:
        return self.process["status"] in ENDED

    async def refresh(self) -> bool:
        """Look again; whether anything has changed."""
        before = (self.process, [piece.items for piece in self._pieces])
        # The process first: were it read last, an end seen there might miss activities.
        self.process = await self.client.process(self.process["id"])
        pieces: list[_Piece] = []
        for piece in self._pieces:
            pieces.append(piece if piece.settled else await self._read(piece.cursor))
        while not pieces or pieces[-1].next is not None:
            pieces.append(await self._read(pieces[-1].next if pieces else None))
        self._pieces = pieces
        return before != (self.process, [piece.items for piece in self._pieces])

    async def _read(self, cursor: str | None) -> _Piece:
        page = await self.client.activities(self.process["id"], cursor=cursor)
        return _Piece(cursor, page["items"], page["next"])


async def until_ended(
    client: AsyncClient,
    process: Process,
    *,
    console: Console | None = None,
    footer: Callable[[Process], Text | None] | None = None,
) -> Process:
    """Show the process until it ends; answers it as it ended.

    What else is to be printed meanwhile must go through the same `console`. `footer` is asked for a line
    to show below the tree while it is live.
    """
    console = console or terminal.answers()
    watch = Watch(client, process)
    if console.is_terminal:
        await _as_tree(watch, console, footer)
    else:
        await _as_lines(watch, console)
    return watch.process


async def show(client: AsyncClient, process: Process) -> None:
    """The tree as it is now."""
    console = terminal.answers()
    activities = await client.all_activities(process["id"])
    for line in tree.lines(process, activities, clock.now(), ascii_only=terminal.ascii_only(console)):
        console.print(line, soft_wrap=not console.is_terminal)


async def _as_tree(watch: Watch, console: Console, footer: Callable[[Process], Text | None] | None) -> None:
    ascii_only = terminal.ascii_only(console)

    def drawn(height: int | None) -> RenderableType:
        shown = tree.lines(watch.process, watch.activities, clock.now(), ascii_only=ascii_only)
        below = footer(watch.process) if footer and height is not None else None
        if height is not None:
            shown = tree.fit(shown, height - (1 if below is None else 3))
        newline = Text("\n", no_wrap=height is not None, overflow="ellipsis")
        return newline.join([*shown, Text(), below] if below is not None else shown)

    live = Live(
        get_renderable=lambda: drawn(console.height),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        refresh_per_second=REDRAWS_PER_SECOND,
    )
    with live:
        await _refreshing(watch, lambda: None)
    console.print(drawn(None))


async def _as_lines(watch: Watch, console: Console) -> None:
    """A line whenever an activity begins to wait or ends, or tries again."""
    told: dict[str, tuple[str, int]] = {}
    ascii_only = terminal.ascii_only(console)

    def tell() -> None:
        now = clock.now()
        waits = {wait["activity"]: wait for wait in watch.process["waitingFor"]}
        for activity in sorted(watch.activities, key=_happened):
            state = (activity["status"], activity["attempt"])
            if told.get(activity["id"]) == state or _is_one_of_many(activity):
                continue
            text = _told(activity, waits.get(activity["id"]), now, ascii_only)
            if text is not None:
                told[activity["id"]] = state
                console.print(text, soft_wrap=True)

    await _refreshing(watch, tell)


def _told(activity: Activity, wait: Waiting | None, now: datetime, ascii_only: bool) -> Text | None:
    """What there is to tell, if anything: calls that are answered soon are not worth a line before that."""
    status = activity["status"]
    ended = status in ENDED
    if not ended and (wait is None or _is_short(wait, now)):
        return None
    text = Text(history.clock_time(now), "dim") + Text(" ") + words.sign(status, ascii_only)
    text.append(f" {history.name(activity)}", "not dim not bold")
    if activity["attempt"] > 1:
        text.append(f" attempt {activity['attempt']}")
    text.append(f" {status}" if ended or wait is None else f" {words.waiting(wait, now)}")
    took = between(activity["startedAt"], activity["endedAt"], now) if ended else ""
    if took:
        text.append(f" after {took}")
    if activity["error"] is not None and status == "faulted":
        text.append(f": {words.error(activity['error'])}")
    return text


def _is_short(wait: Waiting, now: datetime) -> bool:
    """Whether the wait is over soon, or was as the process was read and may not be any more."""
    if wait["reason"] == "call":
        return now - parse(wait["since"]) < SLOW_CALL
    return wait["reason"] == "retry" and parse(wait.get("until") or wait["since"]) <= now


def _happened(activity: Activity) -> str:
    """When the activity ended; what has not is told last."""
    return activity["endedAt"] or "~"


def _is_one_of_many(activity: Activity) -> bool:
    """Whether the activity belongs to a later iteration of a loop, and there is nothing to say about it."""
    return max(activity["iteration"], default=0) >= tree.ITERATIONS_SHOWN and activity["status"] != "faulted"


async def _refreshing(watch: Watch, changed: Callable[[], None]) -> None:
    """Look at the process, more slowly while nothing happens, until it has ended."""
    pause = REFRESH_SECONDS
    while True:
        news = await watch.refresh()
        if news:
            changed()
        if watch.ended:
            return
        pause = REFRESH_SECONDS if news else min(pause * BACKOFF, REFRESH_SECONDS_MAX)
        await clock.sleep(pause)
