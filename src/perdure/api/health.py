"""Health for those who keep the service running, and metrics."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from perdure import telemetry
from perdure.api import schemas
from perdure.api.openapi import answer, operation
from perdure.api.requests import Route, platform, send
from perdure.runtime.platform import Platform

router = APIRouter(route_class=Route, tags=["Operation"])

READY_SECONDS_MAX: Final = 5.0
_CHECKS: Final = {"database": "ok", "broker": "ok"}


@router.get("/healthz", summary="Is it alive?")
@operation(
    "isAlive",
    {200: answer("It is.", {"type": "object"}, {"status": "ok"})},
    secured=False,
)
async def alive(request: Request) -> Response:
    """Answers as long as the service itself works, whatever it depends on."""
    return send({"status": "ok"})


@router.get("/readyz", summary="Can it serve?")
@operation(
    "isReady",
    {
        200: answer("It can.", schemas.reference("Readiness"), {"status": "ok", "checks": _CHECKS}),
        503: answer(
            "It can't now.",
            schemas.reference("Readiness"),
            {"status": "unavailable", "checks": {"database": "ok", "broker": "connection refused"}},
        ),
    },
    secured=False,
)
async def ready(request: Request) -> Response:
    """Whether the database and the broker answer."""
    checks = await readiness(platform(request))
    good = all(state == "ok" for state in checks.values())
    return send({"status": "ok" if good else "unavailable", "checks": checks}, 200 if good else 503)


async def readiness(of: Platform) -> dict[str, Any]:
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            checks = await of.ready()
    except Exception as error:  # whatever it is, it is not ready
        return {"service": telemetry.redact_text(str(error)) or type(error).__name__}
    return {name: telemetry.redact_text(str(state)) for name, state in checks.items()}


@router.get("/metrics", summary="Metrics")
@operation(
    "getMetrics",
    {
        200: {
            "description": "Prometheus text.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "perdure_steps_total 42.0\n"}},
        }
    },
)
async def metrics(request: Request) -> Response:
    """For Prometheus, whose scrape configuration has a place for the key (`authorization.credentials`)."""
    data, media_type = telemetry.metrics()
    return Response(data, 200, {"Content-Type": media_type})
