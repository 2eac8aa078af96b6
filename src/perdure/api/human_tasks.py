"""``/v1/human-tasks``: the inbox of decisions that processes wait for."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import examples, schemas
from perdure.api.bodies import Body
from perdure.api.models import Act, Complete, Delegate
from perdure.api.openapi import BODY_PROBLEMS, answer, body, operation, page
from perdure.api.requests import Cursor, Limit, Route, caller, filter_, id_, platform, send, send_page
from perdure.codec import Json
from perdure.runtime.views import HumanTaskFilter

router = APIRouter(route_class=Route, tags=["Human tasks"])

ACT: Final = Body(Act)
DELEGATE: Final = Body(Delegate)
COMPLETE: Final = Body(Complete)

Id = Annotated[UUID, id_("The human task.")]

_ANSWER: Final[dict[int, Json]] = {
    200: answer("The human task, after it.", schemas.reference("HumanTask"), examples.HUMAN_TASK)
}
_PROBLEMS: Final = (*BODY_PROBLEMS, 404, 409)


@router.get("/v1/human-tasks", summary="List human tasks")
@operation("listHumanTasks", {200: page("Newest first.", "HumanTask", examples.HUMAN_TASK)})
async def list_tasks(
    request: Request,
    status: Annotated[
        Literal["open", "claimed", "completed", "cancelled"] | None,
        filter_("Only those in this status.", characters_max=None),
    ] = None,
    assignee: Annotated[str | None, filter_("Only those that this user may decide or has claimed.")] = None,
    group: Annotated[str | None, filter_("Only those that this group may decide.")] = None,
    process: Annotated[UUID | None, filter_("Only those of this process.", characters_max=None)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first."""
    wanted = HumanTaskFilter(status=status, assignee=assignee, group=group, process=process)
    return send_page(await platform(request).list_human_tasks(caller(request), wanted, limit=limit, cursor=cursor))


@router.get("/v1/human-tasks/{id}", summary="Read a human task")
@operation(
    "getHumanTask",
    {200: answer("The human task.", schemas.reference("HumanTask"), examples.HUMAN_TASK)},
    problems=(404,),
)
async def read(request: Request, task: Id) -> Response:
    return send(await platform(request).get_human_task(caller(request), task))


@router.post("/v1/human-tasks/{id}/claim", summary="Claim a human task")
@operation("claimHumanTask", _ANSWER, body=body("Act", {"user": "mia"}, required=False), problems=_PROBLEMS)
async def claim(request: Request, task: Id) -> Response:
    """From then on only this user may act on it."""
    asked = await ACT.read(request, optional=True)
    who = caller(request)
    return send(await platform(request).claim(who, task, asked.user or who.name))


@router.post("/v1/human-tasks/{id}/release", summary="Give a claimed human task back")
@operation("releaseHumanTask", _ANSWER, body=body("Act", {"user": "mia"}, required=False), problems=_PROBLEMS)
async def release(request: Request, task: Id) -> Response:
    asked = await ACT.read(request, optional=True)
    who = caller(request)
    return send(await platform(request).release(who, task, asked.user or who.name))


@router.post("/v1/human-tasks/{id}/delegate", summary="Hand a human task to somebody else")
@operation("delegateHumanTask", _ANSWER, body=body("Delegate", {"to": "noor"}), problems=_PROBLEMS)
async def delegate(request: Request, task: Id) -> Response:
    asked = await DELEGATE.read(request)
    who = caller(request)
    return send(await platform(request).delegate(who, task, asked.user or who.name, asked.to))


@router.post("/v1/human-tasks/{id}/complete", summary="Decide a human task")
@operation(
    "completeHumanTask",
    _ANSWER,
    body=body("Complete", {"outcome": "approved", "comment": "stock is there", "user": "mia"}),
    problems=_PROBLEMS,
)
async def complete(request: Request, task: Id) -> Response:
    """The decision is recorded for good, and the process goes on with it."""
    asked = await COMPLETE.read(request)
    who = caller(request)
    return send(
        await platform(request).complete(who, task, asked.user or who.name, asked.outcome, asked.comment, asked.data)
    )
