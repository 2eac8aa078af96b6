"""``/v1/events`` and ``/v1/callbacks``: what the world tells processes."""

from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import bodies, cloudevents, examples, schemas
from perdure.api.openapi import BODY_PROBLEMS, answer, operation
from perdure.api.problems import Refusal
from perdure.api.requests import Route, caller, platform, send
from perdure.codec import Json

router = APIRouter(route_class=Route, tags=["Events"])

TOKEN_CHARACTERS_MAX: Final = 256

_EVENT: Final = schemas.reference("CloudEvent")
_BODY: Final[Json] = {
    "required": True,
    "description": "One event in structured mode, many in batched mode, or in binary mode the data of one whose "
    "attributes are `ce-` headers.",
    "content": {
        cloudevents.STRUCTURED: {"schema": _EVENT, "example": examples.CLOUD_EVENT},
        cloudevents.BATCH: {
            "schema": {"type": "array", "items": _EVENT, "maxItems": cloudevents.EVENTS_MAX},
            "example": [examples.CLOUD_EVENT],
        },
    },
}


@router.post("/v1/events", summary="Send CloudEvents", status_code=202)
@operation(
    "sendEvents",
    {202: {"description": "Recorded, durably."}},
    body=_BODY,
    problems=BODY_PROBLEMS,
)
async def receive(request: Request) -> Response:
    """CloudEvents 1.0. An event is offered once to every process that listens for it; a repeat of `source` and
    `id` within 24 hours changes nothing. Of a batch all events are taken, or none.
    """
    events = await cloudevents.read(request)
    if events:
        await platform(request).receive_events(caller(request), events)
    return Response(status_code=202)


@router.post("/v1/callbacks/{token}", summary="Answer a callback")
@operation(
    "answerCallback",
    {200: answer("Recorded, durably.", {"type": "object"}, {})},
    body={
        "required": False,
        "content": {"application/json": {"schema": {}, "example": {"paid": True, "reference": "P-77"}}},
    },
    problems=(*BODY_PROBLEMS, 404, 409, 429),
    secured=False,
)
async def answer_callback(
    request: Request,
    token: Annotated[str, Path(description="From the callback's URL; whoever has it may answer.")],
) -> Response:
    """The body, any JSON value, becomes the output of the waiting activity; an empty one is `null`.

    The same body again is answered 200 again; another one, or one that comes too late, 409.
    """
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise Refusal(404, "No process waits under this callback URL.")
    data = await bodies.read(request)
    if data:
        bodies.expect_json(request)
    value = bodies.decode_json(request, data) if data else None
    await platform(request).receive_callback(token, value)
    return send({})
