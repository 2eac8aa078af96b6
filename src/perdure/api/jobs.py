"""``/v1/jobs``: work for external workers. They ask for it, keep its lease alive, and answer."""

import asyncio
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import examples, schemas
from perdure.api.bodies import Body
from perdure.api.models import ActivateJobs, CompleteJob, FailJob, Heartbeat, JobLease, JobProblem
from perdure.api.openapi import BODY_PROBLEMS, answer, body, operation
from perdure.api.problems import Refusal
from perdure.api.requests import Route, caller, id_, platform, send, serving
from perdure.codec import Json, encode
from perdure.engine.errors import BASE, STATUS, Error, standard
from perdure.runtime.views import JobRequest, JobView

router = APIRouter(route_class=Route, tags=["Jobs"])

ACTIVATE: Final = Body(ActivateJobs)
COMPLETE: Final = Body(CompleteJob)
FAIL: Final = Body(FailJob)
RELEASE: Final = Body(JobLease)
HEARTBEAT: Final = Body(Heartbeat)

PROGRESS_BYTES_MAX: Final = 4096

Id = Annotated[UUID, id_("The job.")]

_TOKEN: Final = examples.LEASE["token"]
_PROBLEMS: Final = (*BODY_PROBLEMS, 404, 409)
_DONE: Final[dict[int, Json]] = {200: answer("Recorded, durably.", {"type": "object"}, {})}


@router.post("/v1/jobs/activate", summary="Take jobs")
@operation(
    "activateJobs",
    {
        200: answer(
            "The jobs, the most urgent and oldest first; none where none came in time.",
            {
                "type": "object",
                "required": ["jobs"],
                "properties": {"jobs": {"type": "array", "items": schemas.reference("Job")}},
            },
            {"jobs": [examples.JOB]},
        )
    },
    body=body("ActivateJobs", {"type": "charge-card", "max": 5, "lease": 60, "wait": 30, "worker": "billing-1"}),
    problems=BODY_PROBLEMS,
)
async def activate(request: Request) -> Response:
    """Each is the caller's until its lease ends: answer before, or extend it by heartbeats. With `wait`, the answer
    comes as soon as there is a job.
    """
    asked = await ACTIVATE.read(request)
    wanted = JobRequest(asked.type, asked.max, asked.lease, asked.wait, asked.worker)
    if not asked.wait:
        return send({"jobs": await platform(request).activate_jobs(caller(request), wanted)})
    with serving(request).waits.one():
        return send({"jobs": await _activated(request, wanted)})


async def _activated(request: Request, wanted: JobRequest) -> list[JobView]:
    """The jobs; none as soon as this server is about to stop, or the caller is gone, who would lose them."""
    taking = asyncio.ensure_future(platform(request).activate_jobs(caller(request), wanted))
    stopping = asyncio.ensure_future(serving(request).stopping.wait())
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((taking, stopping, gone), return_when=asyncio.FIRST_COMPLETED)
        return await taking if taking.done() else []
    finally:
        for task in (taking, stopping, gone):
            task.cancel()
        await asyncio.gather(taking, stopping, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.post("/v1/jobs/{id}/complete", summary="Report that a job is done")
@operation(
    "completeJob",
    _DONE,
    body=body("CompleteJob", {"lease": _TOKEN, "output": {"receipt": "R-7"}}),
    problems=_PROBLEMS,
)
async def complete(request: Request, job: Id) -> Response:
    """`output` becomes the output of the activity. The same again is answered 200 again; 409 where the lease has
    ended or the activity no longer waits: what was done counts for nothing then.
    """
    asked = await COMPLETE.read(request)
    await platform(request).complete_job(caller(request), job, asked.lease, asked.output)
    return send({})


@router.post("/v1/jobs/{id}/fail", summary="Report that a job has failed")
@operation(
    "failJob",
    {200: answer("Recorded, durably.", schemas.reference("JobRetry"), {"retryAt": "2026-11-23T09:30:02Z"})},
    body=body(
        "FailJob",
        {"lease": _TOKEN, "error": {"type": "https://shop.example/errors/card-declined", "status": 402}},
    ),
    problems=_PROBLEMS,
)
async def fail(request: Request, job: Id) -> Response:
    """The error is raised in the process, where `try` may catch it. If it is `retryable`, the job is first offered
    again after a growing pause, up to `PERDURE_JOB_ATTEMPTS_MAX` times in all.
    """
    asked = await FAIL.read(request)
    error = _error(asked.error)
    return send(await platform(request).fail_job(caller(request), job, asked.lease, error, retryable=asked.retryable))


@router.post("/v1/jobs/{id}/release", summary="Give a job back undone")
@operation("releaseJob", _DONE, body=body("JobLease", {"lease": _TOKEN}), problems=_PROBLEMS)
async def release(request: Request, job: Id) -> Response:
    """It is offered again at once. For workers that stop."""
    asked = await RELEASE.read(request)
    await platform(request).release_job(caller(request), job, asked.lease)
    return send({})


@router.post("/v1/jobs/{id}/heartbeat", summary="Keep the lease of a job")
@operation(
    "extendJob",
    {
        200: answer(
            "The lease, extended.",
            {"type": "object", "required": ["lease"], "properties": {"lease": schemas.reference("Lease")}},
            {"lease": examples.LEASE},
        )
    },
    body=body("Heartbeat", {"lease": _TOKEN, "progress": {"done": 3, "of": 10}}),
    problems=_PROBLEMS,
)
async def heartbeat(request: Request, job: Id) -> Response:
    """From now on the lease is as long as it was at first. `progress` is shown with the activity. 409 says that the
    job is no longer the caller's: stop working on it.
    """
    asked = await HEARTBEAT.read(request)
    size = len(encode(asked.progress))
    if size > PROGRESS_BYTES_MAX:
        detail = f"expected at most {PROGRESS_BYTES_MAX} bytes of JSON, found {size}"
        raise Refusal(422, f"/progress: {detail}", [{"pointer": "/progress", "detail": detail}])
    lease = await platform(request).extend_job(caller(request), job, asked.lease, asked.progress)
    return send({"lease": lease})


def _error(said: JobProblem | str) -> Error:
    """The DSL's error; what the worker leaves out is as for an error of the runtime."""
    if isinstance(said, str):
        return standard("runtime", said or "the worker says that the job has failed")
    type_ = said.type or BASE + "runtime"
    name = type_.removeprefix(BASE)
    return Error(type_, said.status or STATUS.get(name, 500), said.title, said.detail)
