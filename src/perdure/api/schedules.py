"""``/v1/schedules``: when processes start by themselves, and what operators do about it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import examples, schemas
from perdure.api.bodies import Body
from perdure.api.models import Backfill, Reason, Trigger
from perdure.api.openapi import BODY_PROBLEMS, answer, body, operation, page
from perdure.api.problems import Refusal
from perdure.api.requests import Cursor, Limit, Route, caller, id_, in_utc, platform, send, send_page
from perdure.codec import Json

router = APIRouter(route_class=Route, tags=["Schedules"])

Id = Annotated[UUID, id_("The schedule.")]


REASON: Final = Body(Reason)
TRIGGER: Final = Body(Trigger)
BACKFILL: Final = Body(Backfill)

_SCHEDULE: Final = schemas.reference("Schedule")
_ANSWER: Final[dict[int, Json]] = {200: answer("The schedule, after it.", _SCHEDULE, examples.SCHEDULE)}
_PROBLEMS: Final = (*BODY_PROBLEMS, 404, 409)


@router.get("/v1/schedules", summary="List schedules")
@operation("listSchedules", {200: page("By the names of their definitions.", "Schedule", examples.SCHEDULE)})
async def list_schedules(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Those of the highest stable version of each definition, one for each kind (`every`, `cron`, `after`, `on`)."""
    return send_page(await platform(request).list_schedules(caller(request), limit=limit, cursor=cursor))


@router.get("/v1/schedules/{id}", summary="Read a schedule")
@operation("getSchedule", {200: answer("The schedule.", _SCHEDULE, examples.SCHEDULE)}, problems=(404,))
async def read(request: Request, schedule: Id) -> Response:
    return send(await platform(request).get_schedule(caller(request), schedule))


@router.get("/v1/schedules/{id}/history", summary="Read what was done with a schedule")
@operation(
    "getScheduleHistory",
    {200: page("Newest first.", "ScheduleEntry", examples.SCHEDULE_ENTRY)},
    problems=(404,),
)
async def history(request: Request, schedule: Id, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What operators did with it, and which ticks an outage swallowed; newest first."""
    return send_page(await platform(request).schedule_history(caller(request), schedule, limit=limit, cursor=cursor))


@router.post("/v1/schedules/{id}/pause", summary="Pause a schedule")
@operation(
    "pauseSchedule", _ANSWER, body=body("Reason", {"reason": "public holidays"}, required=False), problems=_PROBLEMS
)
async def pause(request: Request, schedule: Id) -> Response:
    """Nothing is started until it is resumed. Ticks and events of that time are not made up for; see backfill."""
    asked = await REASON.read(request, optional=True)
    return send(await platform(request).pause_schedule(caller(request), schedule, asked.reason))


@router.post("/v1/schedules/{id}/resume", summary="Resume a paused schedule")
@operation("resumeSchedule", _ANSWER, body=body("Reason", {"reason": "back"}, required=False), problems=_PROBLEMS)
async def resume(request: Request, schedule: Id) -> Response:
    """It goes on with its next tick from now."""
    asked = await REASON.read(request, optional=True)
    return send(await platform(request).resume_schedule(caller(request), schedule, asked.reason))


@router.post("/v1/schedules/{id}/trigger", summary="Start a process of a schedule now")
@operation(
    "triggerSchedule",
    {201: answer("The process.", schemas.reference("Process"), examples.PROCESS, {"Location": "Path of the process."})},
    body=body("Trigger", {"reason": "the nightly run was interrupted"}, required=False),
    problems=(*BODY_PROBLEMS, 404),
)
async def trigger(request: Request, schedule: Id) -> Response:
    """Beside its ticks, which are not moved by it; also while it is paused."""
    asked = await TRIGGER.read(request, optional=True)
    given = {} if asked.input is msgspec.UNSET else {"input_": asked.input}
    process = await platform(request).trigger_schedule(caller(request), schedule, asked.reason, **given)
    return send(process, 201, {"Location": f"/v1/processes/{process.id}"})


@router.post("/v1/schedules/{id}/backfill", summary="Run the ticks of a past range")
@operation(
    "backfillSchedule",
    {200: answer("What it came to.", schemas.reference("Backfilled"), examples.BACKFILLED)},
    body=body("Backfill", {"from": "2026-11-01T00:00:00Z", "to": "2026-11-07T23:59:59Z"}),
    problems=_PROBLEMS,
)
async def backfill(request: Request, schedule: Id) -> Response:
    """A process for each tick (both ends included) that has started none yet, all at once, at most 1,000.

    For `every` the grid goes on backwards before the registration. `after` and `on` have no past ticks: 409.
    """
    asked = await BACKFILL.read(request)
    first, last = _utc("/from", asked.from_), _utc("/to", asked.to)
    return send(await platform(request).backfill_schedule(caller(request), schedule, first, last, asked.reason))


def _utc(pointer: str, moment: datetime) -> datetime:
    try:
        return in_utc(moment)
    except OverflowError:
        detail = "expected a time between the years 1 and 9999 in UTC"
        raise Refusal(422, f"{pointer}: {detail}", [{"pointer": pointer, "detail": detail}]) from None
