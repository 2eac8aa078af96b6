"""``/v1/processes``: starting, finding, watching and steering processes."""

import asyncio
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import examples, problems, schemas, stream
from perdure.api.bodies import Body
from perdure.api.models import NO_NUL, Reason, StartBatch, StartProcess
from perdure.api.openapi import BODY_PROBLEMS, answer, body, operation, page
from perdure.api.problems import Refusal
from perdure.api.requests import (
    IDEMPOTENCY_KEY,
    WAIT,
    Consistency,
    Cursor,
    Limit,
    Route,
    Wait,
    caller,
    filter_,
    id_,
    idempotency_key_of,
    in_utc,
    platform,
    send,
    send_page,
    serving,
    time,
    wait_of,
)
from perdure.codec import Json
from perdure.runtime.errors import Refused
from perdure.runtime.views import ProcessFilter, ProcessView, StartRequest

router = APIRouter(route_class=Route, tags=["Processes"])

START: Final = Body(StartProcess)
BATCH: Final = Body(StartBatch)
REASON: Final = Body(Reason)

TAG_PREFIX: Final = "tag."
TAG_FILTERS_MAX: Final = 32
TAG_VALUE_CHARACTERS_MAX: Final = 256

Id = Annotated[UUID, id_("The process.")]
Status = Literal["pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed"]
Filter = Annotated[str | None, filter_("Only those with this value.")]
Time = Annotated[str | None, filter_("A time (RFC 3339).", json_schema_extra={"format": "date-time"})]

_PROCESS: Final = schemas.reference("Process")
_TAG_PARAMETER: Final[Json] = {
    "name": "tag.NAME",
    "in": "query",
    "description": "Only those whose tag NAME has this value; may be given for several tags.",
    "schema": {"type": "string", "maxLength": TAG_VALUE_CHARACTERS_MAX, "pattern": NO_NUL},
}
_BATCH_ANSWER: Final[Json] = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "description": "One result per process asked for, in the same order.",
            "items": {
                "oneOf": [
                    {"type": "object", "required": ["process"], "properties": {"process": _PROCESS}},
                    {
                        "type": "object",
                        "required": ["error"],
                        "properties": {"error": schemas.reference("Problem")},
                    },
                ]
            },
        }
    },
}


@router.post("/v1/processes", summary="Start a process")
@operation(
    "startProcess",
    {
        201: answer("Accepted, durably.", _PROCESS, examples.PROCESS, {"Location": "Path of the process."}),
        200: answer("An earlier process answers (`Idempotency-Key`, `existing`).", _PROCESS, examples.PROCESS),
    },
    body=body("StartProcess", examples.START),
    problems=(*BODY_PROBLEMS, 404, 409),
    parameters=(WAIT, IDEMPOTENCY_KEY),
)
async def start(request: Request) -> Response:
    """The process is durable once this answers. An input that breaks the definition's input schema gives a
    process that has faulted with the DSL's validation error.
    """
    key, wait = idempotency_key_of(request), wait_of(request)
    asked = _start_request(await START.read(request))
    if not wait:
        return _started(*(await _start(request, asked, key)))
    with serving(request).waits.one():
        created, process = await _start(request, asked, key, awaited=True)
        return _started(created, await _ended(request, process.id, wait))


async def _start(
    request: Request, asked: StartRequest, key: str | None, *, awaited: bool = False
) -> tuple[bool, ProcessView]:
    started = await platform(request).start(caller(request), asked, idempotency_key=key, awaited=awaited)
    return started.created, started.process


def _started(created: bool, process: ProcessView) -> Response:
    if not created:
        return send(process)
    return send(process, 201, {"Location": f"/v1/processes/{process.id}"})


@router.post("/v1/processes/batch", summary="Start many processes")
@operation(
    "startProcesses",
    {
        200: answer(
            "One result per process asked for, in the same order.",
            _BATCH_ANSWER,
            {"items": [{"process": examples.PROCESS}, {"error": examples.INVALID}]},
        )
    },
    body=body("StartBatch", {"processes": [examples.START]}),
    problems=BODY_PROBLEMS,
)
async def start_batch(request: Request) -> Response:
    """Each is accepted or refused for itself."""
    results: list[Json] = []
    asked: list[tuple[int, StartRequest]] = []
    for index, item in enumerate((await BATCH.read(request)).processes):
        results.append(None)
        try:
            asked.append((index, _start_request(START.decode(request, bytes(item)))))
        except Refusal as refusal:
            results[index] = {"error": problems.problem(refusal.status, refusal.detail, refusal.errors)}
    started = await platform(request).start_batch(caller(request), [item for _, item in asked])
    for (index, _), result in zip(asked, started, strict=True):
        results[index] = _batch_result(result)
    return send({"items": results})


def _batch_result(result: ProcessView | Exception) -> Json:
    if isinstance(result, Refused):
        return {"error": problems.problem(*problems.of_refused(result))}
    if isinstance(result, Exception):
        raise result
    return {"process": result}


def _start_request(asked: StartProcess) -> StartRequest:
    start_at = asked.start_at
    try:
        start_at = None if start_at is None else in_utc(start_at)
    except OverflowError:
        detail = "expected a time between the years 1 and 9999 in UTC"
        raise Refusal(422, f"/startAt: {detail}", [{"pointer": "/startAt", "detail": detail}]) from None
    return StartRequest(
        namespace=asked.definition.namespace,
        name=asked.definition.name,
        version=asked.definition.version,
        input=asked.input,
        key=asked.key,
        on_conflict=asked.on_conflict,
        tags=asked.tags or {},
        start_at=start_at,
    )


@router.get("/v1/processes", summary="List processes")
@operation(
    "listProcesses",
    {200: page("Newest first.", "Process", examples.PROCESS)},
    parameters=(_TAG_PARAMETER,),
    query_prefixes=(TAG_PREFIX,),
)
async def list_processes(
    request: Request,
    status: Annotated[Status | None, filter_("Only those in this status.", characters_max=None)] = None,
    namespace: Filter = None,
    name: Filter = None,
    version: Filter = None,
    key: Filter = None,
    parent: Annotated[UUID | None, filter_("Only the children of this process.", characters_max=None)] = None,
    created_after: Annotated[Time, filter_("", alias="createdAfter")] = None,
    created_before: Annotated[Time, filter_("", alias="createdBefore")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    consistency: Consistency = "strong",
) -> Response:
    """Newest first. Every filter narrows further; `tag.NAME=value` by tag."""
    wanted = ProcessFilter(
        status=status,
        namespace=namespace,
        name=name,
        version=version,
        key=key,
        parent=parent,
        tags=_tags(request),
        created_after=time("createdAfter", created_after),
        created_before=time("createdBefore", created_before),
    )
    found = await platform(request).list_processes(
        caller(request), wanted, limit=limit, cursor=cursor, eventual=consistency == "eventual"
    )
    return send_page(found)


def _tags(request: Request) -> dict[str, str]:
    if TAG_PREFIX not in request.url.query:
        return {}
    given = request.query_params.items()
    tags = {name[len(TAG_PREFIX) :]: value for name, value in given if name.startswith(TAG_PREFIX)}
    detail = None
    if len(tags) > TAG_FILTERS_MAX or "" in tags:
        detail = f"expected at most {TAG_FILTERS_MAX} tags, each with a name after the point"
    elif (longest := max(map(len, tags.values()), default=0)) > TAG_VALUE_CHARACTERS_MAX:
        detail = f"expected values of at most {TAG_VALUE_CHARACTERS_MAX} characters, found one of {longest}"
    if detail is not None:
        raise Refusal(422, f"tag.NAME: {detail}", [{"parameter": "tag.NAME", "detail": detail}])
    return tags


@router.get("/v1/processes/{id}", summary="Read a process")
@operation("getProcess", {200: answer("The process.", _PROCESS, examples.PROCESS)}, problems=(404,))
async def read(request: Request, process: Id, wait: Wait = 0, consistency: Consistency = "strong") -> Response:
    """With `wait` it is always the newest state."""
    if not wait:
        eventual = consistency == "eventual"
        return send(await platform(request).get_process(caller(request), process, eventual=eventual))
    with serving(request).waits.one():
        return send(await _ended(request, process, wait))


async def _ended(request: Request, process: UUID, seconds: float) -> ProcessView:
    """The process when it has ended, the time is over, or this server is about to stop."""
    reading = asyncio.ensure_future(platform(request).wait_process(caller(request), process, seconds))
    stopping = asyncio.ensure_future(serving(request).stopping.wait())
    try:
        await asyncio.wait((reading, stopping), return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            return await reading
    finally:
        reading.cancel()
        stopping.cancel()
        await asyncio.gather(reading, stopping, return_exceptions=True)
    return await platform(request).get_process(caller(request), process)


@router.get("/v1/processes/{id}/activities", summary="List the activities of a process")
@operation("listActivities", {200: page("In order of start.", "Activity", examples.ACTIVITY)}, problems=(404,))
async def list_activities(
    request: Request, process: Id, limit: Limit = 50, cursor: Cursor = None, consistency: Consistency = "strong"
) -> Response:
    """In order of start."""
    eventual = consistency == "eventual"
    found = await platform(request).activities(caller(request), process, limit=limit, cursor=cursor, eventual=eventual)
    return send_page(found)


@router.get("/v1/processes/{id}/history", summary="Read the audit trail of a process")
@operation("getHistory", {200: page("In order.", "HistoryEntry", examples.HISTORY)}, problems=(404,))
async def read_history(
    request: Request, process: Id, limit: Limit = 50, cursor: Cursor = None, consistency: Consistency = "strong"
) -> Response:
    """Who did what, when, in order and without gaps."""
    eventual = consistency == "eventual"
    found = await platform(request).history(caller(request), process, limit=limit, cursor=cursor, eventual=eventual)
    return send_page(found)


@router.get("/v1/processes/{id}/events", summary="Follow the audit trail live")
@operation("followHistory", stream.ANSWERS, problems=(404,))
async def follow(request: Request, process: Id, last_event_id: stream.LastEventId = None) -> Response:
    """The audit trail as server-sent events: `id` is the sequence, `event` the type, `data` the entry.

    A comment comes every 15 seconds. The stream closes when the process has ended; `Last-Event-ID` resumes.
    """
    return await stream.follow(request, process, last_event_id)


def _command(name: str, summary: str, description: str) -> None:
    async def command(request: Request, process: Id) -> Response:
        asked = await REASON.read(request, optional=True)
        return send(await platform(request).command(caller(request), process, name, asked.reason))

    command.__doc__ = description
    declare = operation(
        f"{name}Process",
        {200: answer("The process, after it.", _PROCESS, examples.PROCESS)},
        body=body("Reason", {"reason": "warehouse is being moved"}, required=False),
        problems=(*BODY_PROBLEMS, 404, 409),
    )
    router.post(f"/v1/processes/{{id}}/{name}", summary=summary)(declare(command))


_command(
    "suspend",
    "Suspend a process",
    "Results, events and answers are recorded, nothing new begins; timers run on and act at resume.",
)
_command("resume", "Resume a suspended process", "It goes on with what was recorded meanwhile.")
_command(
    "cancel",
    "Cancel a process",
    "Reaches awaited children, human tasks and calls in flight, whose results are discarded and recorded as such.",
)
_command(
    "retry",
    "Retry a faulted process",
    "It resumes at the activity that faulted, with the data it had, as a further attempt.",
)
