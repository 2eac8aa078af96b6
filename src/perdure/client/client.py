"""The API's calls as methods, one each."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Self, cast

from perdure import clock
from perdure.client.http import Http, segment
from perdure.client.models import (
    ENDED,
    Activity,
    Backfilled,
    Command,
    Definition,
    Fault,
    HistoryEntry,
    HumanTask,
    Json,
    OnConflict,
    Page,
    Process,
    Schedule,
)
from perdure.codec import decode

PAGE_ITEMS_MAX = 500
"""The largest page that the API gives."""
WAIT_SECONDS_MAX = 60.0
"""The longest that the API waits in one call."""

NO_INPUT: Json = object()
"""Says that no input is given, which null is not."""


class Client:
    """A Perdure server as seen from a program.

    ::

        async with Client("http://127.0.0.1:8080") as client:
            process = await client.start("shop", "order-fulfilment", input={"order": order})

    Every method raises `ApiError` where the server refuses and `Unreachable` where it does not answer.
    """

    def __init__(self, url: str = "http://127.0.0.1:8080", key: str | None = None) -> None:
        """`key` is an API key; a `perdure dev` on loopback needs none."""
        self._http = Http(url, key)

    @property
    def url(self) -> str:
        """The server's base address, without a slash at the end."""
        return self._http.url

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._http.__aexit__(*details)

    # definitions

    async def deploy(self, source: bytes, media_type: str = "application/yaml") -> tuple[Definition, bool]:
        """Register a definition. False where the very same one was there already."""
        status, definition = await self._http.post("/v1/definitions", source, media_type=media_type)
        return cast(Definition, definition), status == 201

    async def check(self, source: bytes, media_type: str = "application/yaml") -> list[Fault]:
        """The warnings about a definition, which is not registered."""
        _, answer = await self._http.post("/v1/definitions", source, media_type=media_type, query={"dryRun": "true"})
        return cast(list[Fault], answer["warnings"])

    async def definition(self, namespace: str, name: str, version: str = "latest") -> Definition:
        path = f"/v1/definitions/{segment(namespace)}/{segment(name)}/{segment(version)}"
        return cast(Definition, await self._http.get(path))

    # processes

    async def start(
        self,
        namespace: str,
        name: str,
        version: str | None = None,
        *,
        input: Json = NO_INPUT,  # noqa: A002 - the DSL's own word
        key: str | None = None,
        on_conflict: OnConflict | None = None,
        tags: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Process:
        """Start a process of the version, or of the highest stable one.

        A repeat with the same `idempotency_key` answers the first process. `input` defaults to ``{}``.
        """
        body: dict[str, Json] = {"definition": {"namespace": namespace, "name": name}}
        if version is not None:
            body["definition"]["version"] = version
        optional = {"key": key, "onConflict": on_conflict, "tags": tags or None}
        body.update({name: value for name, value in optional.items() if value is not None})
        if input is not NO_INPUT:
            body["input"] = input
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        _, process = await self._http.post("/v1/processes", body, headers=headers)
        return cast(Process, process)

    async def process(self, process: str, *, wait: float = 0) -> Process:
        """The process; with `wait`, as soon as it has ended or after so many seconds (60 at most)."""
        query = {"wait": f"{min(wait, WAIT_SECONDS_MAX):g}"} if wait else None
        return cast(Process, await self._http.get(_process_path(process), query, wait=wait))

    async def ended(self, process: str) -> Process:
        """The process once it has ended, however long that takes."""
        while (found := await self.process(process, wait=WAIT_SECONDS_MAX))["status"] not in ENDED:
            pass
        return found

    async def processes(
        self, filters: Mapping[str, str] | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> Page[Process]:
        """A page of processes, newest first. Filters are named as in the API (``status``, ``tag.NAME``)."""
        return cast(Page[Process], await self._page("/v1/processes", filters, limit, cursor))

    async def activities(
        self, process: str, *, limit: int = PAGE_ITEMS_MAX, cursor: str | None = None
    ) -> Page[Activity]:
        """A page of a process's activities, in order of start."""
        path = _process_path(process, "activities")
        return cast(Page[Activity], await self._page(path, None, limit, cursor))

    async def history(
        self, process: str, *, limit: int = PAGE_ITEMS_MAX, cursor: str | None = None
    ) -> Page[HistoryEntry]:
        """A page of a process's audit trail, in order."""
        path = _process_path(process, "history")
        return cast(Page[HistoryEntry], await self._page(path, None, limit, cursor))

    async def all_activities(self, process: str) -> list[Activity]:
        """Every activity of a process, in order of start."""
        return [item async for item in self._items(_process_path(process, "activities"))]

    async def all_history(self, process: str) -> list[HistoryEntry]:
        """The whole audit trail of a process."""
        return [entry async for entry in self.each_history(process)]

    async def each_history(self, process: str) -> AsyncIterator[HistoryEntry]:
        """The audit trail entry by entry, however long it is."""
        async for entry in self._items(_process_path(process, "history")):
            yield cast(HistoryEntry, entry)

    async def follow_history(self, process: str, after: int | None = None) -> AsyncIterator[HistoryEntry]:
        """The audit trail as it grows, after a sequence number if given, until the process ends."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        async with self._http.stream(_process_path(process, "events"), headers) as answer:
            async for line in answer.content:
                if line.startswith(b"data:"):
                    yield cast(HistoryEntry, decode(line[len(b"data:") :]))

    async def command(self, process: str, command: Command, reason: str | None = None) -> Process:
        """Suspend, resume, cancel or retry a process."""
        body = {} if reason is None else {"reason": reason}
        _, changed = await self._http.post(_process_path(process, command), body)
        return cast(Process, changed)

    # people and events

    async def tasks(
        self, filters: Mapping[str, str] | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> Page[HumanTask]:
        """A page of human tasks. Filters: ``status``, ``assignee``, ``group``, ``process``."""
        return cast(Page[HumanTask], await self._page("/v1/human-tasks", filters, limit, cursor))

    async def task(self, task: str) -> HumanTask:
        return cast(HumanTask, await self._http.get(f"/v1/human-tasks/{segment(task)}"))

    async def complete(
        self,
        task: str,
        outcome: str,
        *,
        comment: str | None = None,
        data: Json = None,
        user: str | None = None,
    ) -> HumanTask:
        """Record a person's decision. `user` is for whom the caller acts."""
        optional = {"comment": comment, "data": data, "user": user}
        body = {"outcome": outcome, **{name: value for name, value in optional.items() if value is not None}}
        _, completed = await self._http.post(f"/v1/human-tasks/{segment(task)}/complete", body)
        return cast(HumanTask, completed)

    async def emit(
        self,
        event_type: str,
        data: Json = None,
        *,
        source: str,
        event_id: str | None = None,
        subject: str | None = None,
    ) -> str:
        """Send a CloudEvent and answer its id. A repeat of the same source and id changes nothing."""
        event: dict[str, Json] = {
            "specversion": "1.0",
            "id": event_id or str(clock.uuid7()),
            "source": source,
            "type": event_type,
            "time": clock.now().isoformat(),
        }
        if subject is not None:
            event["subject"] = subject
        if data is not None:
            event |= {"datacontenttype": "application/json", "data": data}
        await self._http.post("/v1/events", event, media_type="application/cloudevents+json")
        return str(event["id"])

    # schedules

    async def schedules(self, *, limit: int = 50, cursor: str | None = None) -> Page[Schedule]:
        """A page of the schedules that act, by the names of their definitions."""
        return cast(Page[Schedule], await self._page("/v1/schedules", None, limit, cursor))

    async def pause_schedule(self, schedule: str, reason: str | None = None) -> Schedule:
        _, changed = await self._http.post(_schedule_path(schedule, "pause"), _reason(reason))
        return cast(Schedule, changed)

    async def resume_schedule(self, schedule: str, reason: str | None = None) -> Schedule:
        _, changed = await self._http.post(_schedule_path(schedule, "resume"), _reason(reason))
        return cast(Schedule, changed)

    async def trigger_schedule(
        self,
        schedule: str,
        *,
        input: Json = NO_INPUT,  # noqa: A002 - the DSL's own word
        reason: str | None = None,
    ) -> Process:
        """Start a process of it now."""
        body = _reason(reason) | ({} if input is NO_INPUT else {"input": input})
        _, process = await self._http.post(_schedule_path(schedule, "trigger"), body)
        return cast(Process, process)

    async def backfill_schedule(self, schedule: str, first: str, last: str, reason: str | None = None) -> Backfilled:
        """Start a process for each tick from `first` to `last` (RFC 3339) that has started none."""
        _, made = await self._http.post(
            _schedule_path(schedule, "backfill"), {"from": first, "to": last, **_reason(reason)}
        )
        return cast(Backfilled, made)

    async def _page(
        self, path: str, filters: Mapping[str, str] | None, limit: int, cursor: str | None
    ) -> dict[str, Any]:
        query = {**(filters or {}), "limit": str(limit)}
        if cursor is not None:
            query["cursor"] = cursor
        return cast(dict[str, Any], await self._http.get(path, query))

    async def _items(self, path: str) -> AsyncIterator[Any]:
        cursor: str | None = None
        while True:
            page = await self._page(path, None, PAGE_ITEMS_MAX, cursor)
            for item in page["items"]:
                yield item
            cursor = page["next"]
            if cursor is None:
                return


def _reason(reason: str | None) -> dict[str, Json]:
    return {} if reason is None else {"reason": reason}


def _schedule_path(schedule: str, below: str) -> str:
    return f"/v1/schedules/{segment(schedule)}/{below}"


def _process_path(process: str, below: str | None = None) -> str:
    path = f"/v1/processes/{segment(process)}"
    return path if below is None else f"{path}/{below}"
