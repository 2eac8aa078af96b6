"""``/v1/processes/{id}/why`` and ``/v1/doctor``: why a process will move again, and which will not."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import examples, schemas
from perdure.api.bodies import Body
from perdure.api.models import Examine
from perdure.api.openapi import BODY_PROBLEMS, answer, body, operation
from perdure.api.problems import Refusal
from perdure.api.requests import Route, caller, id_, platform, send
from perdure.runtime.views import ExamineRequest

router = APIRouter(route_class=Route, tags=["Processes"])

EXAMINE: Final = Body(Examine)

Id = Annotated[UUID, id_("The process.")]


@router.get("/v1/processes/{id}/why", summary="Say why a process is where it is")
@operation(
    "explainProcess",
    {200: answer("What it waits for and what will wake it.", schemas.reference("Why"), examples.WHY)},
    problems=(404,),
)
async def why(request: Request, process: Id) -> Response:
    """In a sentence, and with each thing that it waits for: since when, until when, and what is recorded that will
    end the waiting. Of more than 100 the first.
    """
    return send(await platform(request).why(caller(request), process))


@router.post("/v1/doctor", summary="Find processes that nothing will wake")
@operation(
    "examineProcesses",
    {200: answer("What was found.", schemas.reference("Examined"), examples.EXAMINED)},
    body=body("Examine", {"repair": True}, required=False),
    problems=(*BODY_PROBLEMS, 404),
)
async def examine(request: Request) -> Response:
    """Compares what processes that have not ended wait for with what is recorded that will wake them.

    With `repair`, what is lost and follows from the state of the process alone is recorded again; with `restart`
    (for one `process`), activities whose call, job, human task or child is gone begin anew. Looks at up to `limit`
    processes; `next` is the `after` of the following request. The workers do the same on their rounds.
    """
    asked = await EXAMINE.read(request, optional=True)
    if asked.restart and asked.process is None:
        detail = "expected `process` beside `restart`: activities are begun anew for one process at a time"
        raise Refusal(422, f"/restart: {detail}", [{"pointer": "/restart", "detail": detail}])
    wanted = ExamineRequest(asked.process, asked.after, asked.limit, asked.repair, asked.restart)
    return send(await platform(request).examine(caller(request), wanted))
