"""The HTTP API as one ASGI application, over anything that keeps the `Platform` contract.

A request passes `gate` (who calls, log, metrics), the router of its resource, and the platform. What is refused on
the way leaves through `problems`. Bodies are checked by the structs in `models`, which also make the OpenAPI document.
"""

from itertools import chain
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import (
    definitions,
    events,
    functions,
    health,
    human_tasks,
    jobs,
    liveness,
    openapi,
    problems,
    processes,
    reference,
    schedules,
    webhooks,
)
from perdure.api.gate import Gate
from perdure.api.requests import Serving
from perdure.codec import encode
from perdure.runtime.platform import Platform
from perdure.settings import Settings

ROUTERS: Final[tuple[APIRouter, ...]] = (
    processes.router,
    definitions.router,
    functions.router,
    human_tasks.router,
    jobs.router,
    events.router,
    schedules.router,
    webhooks.router,
    liveness.router,
    health.router,
)
"""The busiest first: paths are matched in this order."""


def create_app(platform: Platform, *, settings: Settings, open_access: bool, version: str) -> FastAPI:
    """The API. `open_access`: no key is needed, for development on loopback; requests that come from or for
    another host are refused then.

    `app.state.serving.stopping` is to be set when the server is about to stop (`api.server` does it).
    """
    app = FastAPI(
        title="Perdure",
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.platform = platform
    app.state.settings = settings
    app.state.serving = Serving(settings)
    routes = [route for route in chain.from_iterable(r.routes for r in ROUTERS) if isinstance(route, APIRoute)]
    # Added as they are, not included: that saves each request a second round of matching.
    app.router.routes.extend(routes)
    problems.install(app)
    app.add_middleware(Gate, platform=platform, serving=app.state.serving, open_access=open_access)
    _add_documents(app, routes)
    return app


def _add_documents(app: FastAPI, routes: list[APIRoute]) -> None:
    document = openapi.document(app, routes)
    app.state.document = document
    encoded = encode(document)
    page = reference.render(document)

    async def send_document(_: Request) -> Response:
        return Response(encoded, 200, {"Cache-Control": "no-cache"}, "application/json")

    async def send_page(_: Request) -> Response:
        return Response(page, 200, reference.HEADERS, "text/html; charset=utf-8")

    app.add_route("/openapi.json", send_document, include_in_schema=False)
    app.add_route("/docs", send_page, include_in_schema=False)
