"""The API's calls, one each. `Client` and `AsyncClient` have them as methods of the same names.

Every one raises `ApiError` where the server refuses and `Unreachable` where it does not answer. Those that do no
harm when sent twice are repeated where no answer came (`exchange.may_repeat`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from perdure import clock
from perdure.client.exchange import Operation, get, post, segment
from perdure.client.models import (
    ENDED,
    Activity,
    Backfilled,
    BatchResult,
    Command,
    Definition,
    Examined,
    Fault,
    Function,
    HistoryEntry,
    HumanTask,
    JobData,
    Json,
    Lease,
    OnConflict,
    Page,
    Process,
    Schedule,
    StartRequest,
    Why,
)

YAML = "application/yaml"
PAGE_ITEMS_MAX = 500
"""The largest page that the API gives."""
WAIT_SECONDS_MAX = 60.0
"""The longest that the API waits in one call."""

NO_INPUT: Json = object()
"""Says that no input is given, which null is not."""


# definitions and functions


def deploy(source: bytes, media_type: str = YAML) -> Operation[tuple[Definition, bool]]:
    """Register a definition. False where the very same one was there already."""
    answer = yield post("/v1/definitions", source, media_type=media_type, repeatable=True)
    return cast(Definition, answer.value), answer.status == 201


def check(source: bytes, media_type: str = YAML) -> Operation[list[Fault]]:
    """The warnings about a definition, which is not registered."""
    answer = yield post("/v1/definitions", source, media_type=media_type, query={"dryRun": "true"}, repeatable=True)
    return cast(list[Fault], answer.value["warnings"])


def definition(namespace: str, name: str, version: str = "latest") -> Operation[Json]:
    """The document of one version of a definition; ``latest`` is the highest stable one."""
    path = f"/v1/definitions/{segment(namespace)}/{segment(name)}/{segment(version)}"
    return (yield get(path)).value


def definitions(*, limit: int = 50, cursor: str | None = None) -> Operation[Page[Definition]]:
    """A page of definitions, without their documents."""
    return cast(Page[Definition], (yield from _page("/v1/definitions", None, limit, cursor)))


def versions(namespace: str, name: str, *, limit: int = 50, cursor: str | None = None) -> Operation[Page[Definition]]:
    """A page of the versions of a definition, the highest first."""
    path = f"/v1/definitions/{segment(namespace)}/{segment(name)}"
    return cast(Page[Definition], (yield from _page(path, None, limit, cursor)))


def publish(name: str, version: str, document: Json, media_type: str | None = None) -> Operation[tuple[Function, bool]]:
    """Put a function into the default catalog: ``name:version@default``. False where the very same was there.

    `document` is what a ``function.yaml`` holds: a value, or text (bytes) of this media type (YAML by default).
    """
    if media_type is None:
        media_type = YAML if isinstance(document, bytes) else "application/json"
    query = {"name": name, "version": version}
    answer = yield post("/v1/functions", document, media_type=media_type, query=query, repeatable=True)
    return cast(Function, answer.value), answer.status == 201


def check_function(name: str, version: str, source: bytes, media_type: str = YAML) -> Operation[list[Fault]]:
    """The warnings about a function, which is not registered."""
    query = {"name": name, "version": version, "dryRun": "true"}
    answer = yield post("/v1/functions", source, media_type=media_type, query=query, repeatable=True)
    return cast(list[Fault], answer.value["warnings"])


def functions(*, limit: int = 50, cursor: str | None = None) -> Operation[Page[Function]]:
    """A page of the functions of the default catalog."""
    return cast(Page[Function], (yield from _page("/v1/functions", None, limit, cursor)))


def function(name: str, version: str) -> Operation[Json]:
    """The document of one version of a function of the default catalog."""
    return (yield get(f"/v1/functions/{segment(name)}/{segment(version)}")).value


# processes


def start(
    namespace: str,
    name: str,
    version: str | None = None,
    *,
    input: Json = NO_INPUT,  # noqa: A002 - the DSL's own word
    key: str | None = None,
    on_conflict: OnConflict | None = None,
    tags: Mapping[str, str] | None = None,
    start_at: str | None = None,
    idempotency_key: str | None = None,
    wait: float = 0,
) -> Operation[Process]:
    """Start a process of the version, or of the highest stable one.

    A repeat with the same `idempotency_key` answers the first process; one is made up where none is given, so
    that a start whose answer was lost is not made twice. `input` defaults to ``{}``. With `wait`, the answer
    comes when the process has ended or after so many seconds (60 at most).
    """
    body: dict[str, Json] = {"definition": {"namespace": namespace, "name": name}}
    if version is not None:
        body["definition"]["version"] = version
    optional = {"key": key, "onConflict": on_conflict, "tags": tags or None, "startAt": start_at}
    body.update({name: value for name, value in optional.items() if value is not None})
    if input is not NO_INPUT:
        body["input"] = input
    headers = {"Idempotency-Key": idempotency_key or str(clock.uuid7())}
    answer = yield post("/v1/processes", body, query=_wait(wait), headers=headers, wait=wait, repeatable=True)
    return cast(Process, answer.value)


def start_batch(processes: Sequence[StartRequest]) -> Operation[list[BatchResult]]:
    """Start up to 1,000 processes together; answers for each, in order, its process or its error.

    Not repeated by itself where no answer comes: give each a `key` and ``onConflict: existing`` to repeat it.
    """
    answer = yield post("/v1/processes/batch", {"processes": list(processes)})
    return cast(list[BatchResult], answer.value["items"])


def process(process: str, *, wait: float = 0) -> Operation[Process]:
    """The process; with `wait`, as soon as it has ended or after so many seconds (60 at most)."""
    return cast(Process, (yield get(_process_path(process), _wait(wait), wait=wait)).value)


def ended(process: str, *, timeout: float | None = None) -> Operation[Process]:
    """The process once it has ended, however long that takes. With `timeout`, raises `TimeoutError` after that."""
    deadline = None if timeout is None else clock.monotonic() + timeout
    while True:
        left = WAIT_SECONDS_MAX if deadline is None else max(deadline - clock.monotonic(), 0)
        wait = min(left, WAIT_SECONDS_MAX)
        found = cast(Process, (yield get(_process_path(process), _wait(wait), wait=wait)).value)
        if found["status"] in ENDED:
            return found
        if deadline is not None and clock.monotonic() >= deadline:
            raise TimeoutError(f"the process {process} has not ended after {timeout:g} s; it is {found['status']}")


def processes(
    filters: Mapping[str, str] | None = None, *, limit: int = 50, cursor: str | None = None
) -> Operation[Page[Process]]:
    """A page of processes, newest first. Filters are named as in the API (``status``, ``tag.NAME``)."""
    return cast(Page[Process], (yield from _page("/v1/processes", filters, limit, cursor)))


def activities(process: str, *, limit: int = PAGE_ITEMS_MAX, cursor: str | None = None) -> Operation[Page[Activity]]:
    """A page of a process's activities, in order of start."""
    return cast(Page[Activity], (yield from _page(_process_path(process, "activities"), None, limit, cursor)))


def history(process: str, *, limit: int = PAGE_ITEMS_MAX, cursor: str | None = None) -> Operation[Page[HistoryEntry]]:
    """A page of a process's audit trail, in order."""
    return cast(Page[HistoryEntry], (yield from _page(_process_path(process, "history"), None, limit, cursor)))


def all_activities(process: str) -> Operation[list[Activity]]:
    """Every activity of a process, in order of start."""
    return cast(list[Activity], (yield from _all(_process_path(process, "activities"))))


def all_history(process: str) -> Operation[list[HistoryEntry]]:
    """The whole audit trail of a process."""
    return cast(list[HistoryEntry], (yield from _all(_process_path(process, "history"))))


def command(process: str, command: Command, reason: str | None = None) -> Operation[Process]:
    """Suspend, resume, cancel or retry a process, as an operator; answers it as it then is."""
    body = {} if reason is None else {"reason": reason}
    return cast(Process, (yield post(_process_path(process, command), body)).value)


def why(process: str) -> Operation[Why]:
    """What the process waits for, and what will wake it."""
    return cast(Why, (yield get(_process_path(process, "why"))).value)


def examine(
    process: str | None = None, *, after: str | None = None, repair: bool = False, restart: bool = False
) -> Operation[Examined]:
    """Look for processes that nothing will wake: one, or a page of all after that one (`next`)."""
    asked = {"process": process, "after": after, "repair": repair, "restart": restart}
    body = {name: value for name, value in asked.items() if value}
    return cast(Examined, (yield post("/v1/doctor", body, repeatable=True)).value)


def suspend(process: str, reason: str | None = None) -> Operation[Process]:
    """Let nothing new begin in a process until it is resumed."""
    return (yield from command(process, "suspend", reason))


def resume(process: str, reason: str | None = None) -> Operation[Process]:
    """Let a suspended process go on."""
    return (yield from command(process, "resume", reason))


def cancel(process: str, reason: str | None = None) -> Operation[Process]:
    """End a process, and everything that it has under way."""
    return (yield from command(process, "cancel", reason))


def retry(process: str, reason: str | None = None) -> Operation[Process]:
    """Let a faulted process go on at the activity that faulted."""
    return (yield from command(process, "retry", reason))


# people


def tasks(
    filters: Mapping[str, str] | None = None, *, limit: int = 50, cursor: str | None = None
) -> Operation[Page[HumanTask]]:
    """A page of human tasks. Filters: ``status``, ``assignee``, ``group``, ``process``."""
    return cast(Page[HumanTask], (yield from _page("/v1/human-tasks", filters, limit, cursor)))


def task(task: str) -> Operation[HumanTask]:
    """One human task."""
    return cast(HumanTask, (yield get(f"/v1/human-tasks/{segment(task)}")).value)


def claim(task: str, *, user: str | None = None) -> Operation[HumanTask]:
    """Reserve a human task for a person: from then on only they may act on it."""
    return (yield from _act(task, "claim", {"user": user}))


def release(task: str, *, user: str | None = None) -> Operation[HumanTask]:
    """Give a claimed human task back."""
    return (yield from _act(task, "release", {"user": user}))


def delegate(task: str, to: str, *, user: str | None = None) -> Operation[HumanTask]:
    """Hand a human task to somebody else."""
    return (yield from _act(task, "delegate", {"to": to, "user": user}))


def complete(
    task: str, outcome: str, *, comment: str | None = None, data: Json = None, user: str | None = None
) -> Operation[HumanTask]:
    """Record a person's decision. `user` is for whom the caller acts."""
    said = {"outcome": outcome, "comment": comment, "data": data, "user": user}
    return (yield from _act(task, "complete", said))


# events and callbacks


def emit(
    event_type: str,
    data: Json = None,
    *,
    source: str,
    event_id: str | None = None,
    subject: str | None = None,
    extensions: Mapping[str, str | bool | int] | None = None,
) -> Operation[str]:
    """Send a CloudEvent and answer its id. A repeat of the same source and id changes nothing."""
    event: dict[str, Json] = {
        "specversion": "1.0",
        "id": event_id or str(clock.uuid7()),
        "source": source,
        "type": event_type,
        "time": clock.now().isoformat(),
        **(extensions or {}),
    }
    if subject is not None:
        event["subject"] = subject
    if data is not None:
        event |= {"datacontenttype": "application/json", "data": data}
    yield post("/v1/events", event, media_type="application/cloudevents+json", repeatable=True)
    return str(event["id"])


def emit_batch(events: Sequence[Mapping[str, Json]]) -> Operation[None]:
    """Send up to 1,000 CloudEvents in their JSON format; all are taken, or none."""
    yield post("/v1/events", list(events), media_type="application/cloudevents-batch+json", repeatable=True)


def call_back(callback: str, body: Json = None) -> Operation[None]:
    """Answer a waiting ``callback`` activity, named by its token or its whole URL. The same body again is fine."""
    token = urlsplit(callback).path.rstrip("/").rpartition("/")[2] if "/" in callback else callback
    yield post(f"/v1/callbacks/{segment(token)}", body, repeatable=True)


# jobs


def activate(
    job_type: str,
    *,
    max: int = 1,  # noqa: A002 - the API's own word
    lease: float | None = None,
    wait: float = 0,
    worker: str | None = None,
) -> Operation[list[JobData]]:
    """Take up to `max` jobs of a type for `lease` seconds, waiting up to `wait` seconds (60 at most) for the first.

    `perdure.client.Worker` does this, and all that follows from it, by itself.
    """
    body = {"type": job_type, "max": max, "lease": lease, "wait": wait, "worker": worker}
    answer = yield post("/v1/jobs/activate", _said(body), wait=wait)
    return cast(list[JobData], answer.value["jobs"])


def complete_job(job: str, lease: str, output: Json = None) -> Operation[None]:
    """Report that a job is done. Raises `Conflict` where the lease has ended; the same again is fine."""
    yield post(_job_path(job, "complete"), {"lease": lease, "output": output}, repeatable=True)


def fail_job(job: str, lease: str, error: Json, *, retryable: bool = False) -> Operation[str | None]:
    """Report that a job has failed, with problem details or a text; answers when it is offered again, if it is."""
    body = {"lease": lease, "error": error, "retryable": retryable}
    return cast("str | None", (yield post(_job_path(job, "fail"), body, repeatable=True)).value["retryAt"])


def release_job(job: str, lease: str) -> Operation[None]:
    """Give a job back undone; it is offered again at once."""
    yield post(_job_path(job, "release"), {"lease": lease}, repeatable=True)


def extend_job(job: str, lease: str, progress: Json = None) -> Operation[Lease]:
    """Extend the lease of a job to its full length from now, and report progress where there is any."""
    body = _said({"lease": lease, "progress": progress})
    return cast(Lease, (yield post(_job_path(job, "heartbeat"), body, repeatable=True)).value["lease"])


# schedules


def schedules(*, limit: int = 50, cursor: str | None = None) -> Operation[Page[Schedule]]:
    """A page of the schedules that act, by the names of their definitions."""
    return cast(Page[Schedule], (yield from _page("/v1/schedules", None, limit, cursor)))


def pause_schedule(schedule: str, reason: str | None = None) -> Operation[Schedule]:
    """Let it start nothing more, until it is resumed."""
    return cast(Schedule, (yield post(_schedule_path(schedule, "pause"), _said({"reason": reason}))).value)


def resume_schedule(schedule: str, reason: str | None = None) -> Operation[Schedule]:
    """Let a paused one go on."""
    return cast(Schedule, (yield post(_schedule_path(schedule, "resume"), _said({"reason": reason}))).value)


def trigger_schedule(
    schedule: str,
    *,
    input: Json = NO_INPUT,  # noqa: A002 - the DSL's own word
    reason: str | None = None,
) -> Operation[Process]:
    """Start a process of it now."""
    body = _said({"reason": reason}) | ({} if input is NO_INPUT else {"input": input})
    return cast(Process, (yield post(_schedule_path(schedule, "trigger"), body)).value)


def backfill_schedule(schedule: str, first: str, last: str, reason: str | None = None) -> Operation[Backfilled]:
    """Start a process for each tick from `first` to `last` (RFC 3339) that has started none."""
    body = {"from": first, "to": last, **_said({"reason": reason})}
    return cast(Backfilled, (yield post(_schedule_path(schedule, "backfill"), body)).value)


def _schedule_path(schedule: str, below: str) -> str:
    return f"/v1/schedules/{segment(schedule)}/{below}"


def _act(task: str, action: str, said: Mapping[str, Json]) -> Operation[HumanTask]:
    return cast(HumanTask, (yield post(f"/v1/human-tasks/{segment(task)}/{action}", _said(said))).value)


def _page(path: str, filters: Mapping[str, str] | None, limit: int, cursor: str | None) -> Operation[dict[str, Any]]:
    query = {**(filters or {}), "limit": str(limit)}
    if cursor is not None:
        query["cursor"] = cursor
    return cast(dict[str, Any], (yield get(path, query)).value)


def _all(path: str) -> Operation[list[Any]]:
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = yield from _page(path, None, PAGE_ITEMS_MAX, cursor)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def _said(values: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in values.items() if value is not None}


def _wait(seconds: float) -> dict[str, str]:
    return {"wait": f"{min(seconds, WAIT_SECONDS_MAX):g}"} if seconds else {}


def _process_path(process: str, below: str | None = None) -> str:
    path = f"/v1/processes/{segment(process)}"
    return path if below is None else f"{path}/{below}"


def _job_path(job: str, below: str) -> str:
    return f"/v1/jobs/{segment(job)}/{below}"
