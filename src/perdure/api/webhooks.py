"""``/v1/webhooks``: who is told of what happens to processes."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from perdure.api import examples, schemas
from perdure.api.bodies import Body
from perdure.api.models import ChangeWebhook, CreateWebhook, WebhookFilter
from perdure.api.openapi import BODY_PROBLEMS, answer, body, operation, page
from perdure.api.requests import Cursor, Limit, Route, caller, filter_, id_, platform, send, send_page
from perdure.codec import Json
from perdure.runtime.views import WebhookFilterView, WebhookRequest

router = APIRouter(route_class=Route, tags=["Webhooks"])

CREATE: Final = Body(CreateWebhook)
CHANGE: Final = Body(ChangeWebhook)

Id = Annotated[UUID, id_("The webhook.")]
DeliveryId = Annotated[UUID, Path(alias="delivery", description="The delivery.")]

_WEBHOOK: Final = schemas.reference("Webhook")
_DELIVERY: Final = schemas.reference("Delivery")


@router.post("/v1/webhooks", summary="Create a webhook")
@operation(
    "createWebhook",
    {
        201: answer(
            "The webhook, with its secret, which is not shown again.",
            schemas.reference("NewWebhook"),
            examples.NEW_WEBHOOK,
            {"Location": "Path of the webhook."},
        )
    },
    body=body("CreateWebhook", examples.CREATE_WEBHOOK),
    problems=(*BODY_PROBLEMS, 409),
)
async def create(request: Request) -> Response:
    """It gets every event from then on that its filter wants, as a CloudEvent in structured JSON mode, signed as
    Standard Webhooks prescribes, at least once, in no promised order. `webhook-id` stays the same at each attempt.
    """
    asked = await CREATE.read(request)
    wanted = WebhookRequest(
        url=asked.url,
        secret=asked.secret,
        filter=_filter(asked.filter),
        description=asked.description,
        enabled=asked.enabled,
    )
    webhook, secret = await platform(request).create_webhook(caller(request), wanted)
    created = {**msgspec.to_builtins(webhook), "secret": secret}
    return send(created, 201, {"Location": f"/v1/webhooks/{webhook.id}"})


@router.get("/v1/webhooks", summary="List webhooks")
@operation("listWebhooks", {200: page("Newest first.", "Webhook", examples.WEBHOOK)})
async def list_webhooks(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Newest first."""
    return send_page(await platform(request).list_webhooks(caller(request), limit=limit, cursor=cursor))


@router.get("/v1/webhooks/{id}", summary="Read a webhook")
@operation("getWebhook", {200: answer("The webhook.", _WEBHOOK, examples.WEBHOOK)}, problems=(404,))
async def read(request: Request, webhook: Id) -> Response:
    return send(await platform(request).get_webhook(caller(request), webhook))


@router.patch("/v1/webhooks/{id}", summary="Change a webhook")
@operation(
    "changeWebhook",
    {200: answer("The webhook, after it.", _WEBHOOK, examples.WEBHOOK)},
    body=body("ChangeWebhook", {"enabled": True}),
    problems=(*BODY_PROBLEMS, 404),
)
async def change(request: Request, webhook: Id) -> Response:
    """What is left out stays; `filter` is replaced as a whole. `enabled: true` takes up a disabled one again: what
    waited for it is sent, what happened meanwhile is not."""
    asked = await CHANGE.read(request)
    fields: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(asked).items() if value is not msgspec.UNSET
    }
    if "filter" in fields:
        fields["filter"] = _filter(fields["filter"])
    return send(await platform(request).change_webhook(caller(request), webhook, fields))


@router.delete("/v1/webhooks/{id}", summary="Remove a webhook")
@operation("removeWebhook", {204: {"description": "It is gone, and its deliveries with it."}}, problems=(404,))
async def remove(request: Request, webhook: Id) -> Response:
    await platform(request).remove_webhook(caller(request), webhook)
    return Response(status_code=204)


@router.post("/v1/webhooks/{id}/test", summary="Send a webhook an event of its own")
@operation("testWebhook", {202: answer("It is under way.", _DELIVERY, examples.DELIVERY)}, problems=(404, 409))
async def test(request: Request, webhook: Id) -> Response:
    """An event of the type `dev.perdure.webhook.test.v1`, whatever the filter. The log shows what came of it."""
    return send(await platform(request).test_webhook(caller(request), webhook), 202)


@router.get("/v1/webhooks/{id}/deliveries", summary="Read the delivery log of a webhook")
@operation("listDeliveries", {200: page("Newest first.", "Delivery", examples.DELIVERY)}, problems=(404,))
async def deliveries(
    request: Request,
    webhook: Id,
    status: Annotated[
        Literal["pending", "delivered", "failed"] | None, filter_("Only those in this status.", characters_max=None)
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first; kept for 7 days after the end, at most 10,000 for each webhook."""
    found = await platform(request).list_deliveries(caller(request), webhook, status, limit=limit, cursor=cursor)
    return send_page(found)


@router.post("/v1/webhooks/{id}/deliveries/{delivery}/redeliver", summary="Deliver an event again")
@operation("redeliver", {202: answer("It is under way.", _DELIVERY, examples.DELIVERY)}, problems=(404, 409))
async def redeliver(request: Request, webhook: Id, delivery: DeliveryId) -> Response:
    """Also one that was delivered. It keeps its `webhook-id`."""
    return send(await platform(request).redeliver(caller(request), webhook, delivery), 202)


def _filter(asked: WebhookFilter | None) -> WebhookFilterView:
    if asked is None:
        return WebhookFilterView()
    named: dict[str, Json] = {} if asked.types is None else {"types": tuple(asked.types)}
    return WebhookFilterView(namespace=asked.namespace, name=asked.name, tags=asked.tags or {}, **named)
