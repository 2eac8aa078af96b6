"""Webhooks: who is told of which lifecycle events, and the log of what was delivered."""

import re
from collections.abc import Mapping
from uuid import UUID

import msgspec
from yarl import URL

from perdure import clock
from perdure.activities.egress import Guard
from perdure.codec import Json, encode
from perdure.definition.problems import Problem
from perdure.engine.dataflow import text_of
from perdure.runtime import cursors, signatures
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, Invalid, NotFound
from perdure.runtime.views import DeliveryView, Page, Principal, WebhookFilterView, WebhookRequest, WebhookView
from perdure.sealing import Sealer
from perdure.store.lifecycle import DeliveryRecord, NewDelivery, WebhookRecord

WEBHOOKS_MAX = 200
TYPES_MAX = 50
TEST_TYPE = "dev.perdure.webhook.test.v1"

_TYPE = re.compile(r"[A-Za-z0-9*._-]{1,255}")


async def create(context: Context, who: Principal, request: WebhookRequest) -> tuple[WebhookView, str]:
    """The webhook and its secret, which is not shown again."""
    _check(context, request)
    if await context.store.lifecycle.count_webhooks(who.tenant) >= WEBHOOKS_MAX:
        raise Conflict(f"There are {WEBHOOKS_MAX} webhooks already; remove one first.")
    secret = request.secret or signatures.new_secret(clock.random_bytes(32))
    now, id_ = clock.now(), clock.uuid7()
    filter_ = request.filter
    record = WebhookRecord(
        id=id_,
        tenant=who.tenant,
        url=request.url,
        description=request.description,
        types=tuple(filter_.types),
        namespace=filter_.namespace,
        name=filter_.name,
        tags=dict(filter_.tags),
        secret=sealer(context).seal(secret.encode(), id_.bytes),
        enabled=request.enabled,
        disabled_reason=None if request.enabled else "created disabled",
        failing_since=None,
        created_at=now,
        created_by=who.name,
        updated_at=now,
    )
    await context.store.lifecycle.add_webhook(record)
    return _view(record), secret


async def page(context: Context, who: Principal, *, limit: int, cursor: str | None) -> Page[WebhookView]:
    before = cursors.read(cursor, cursors.time_and_id)
    found = await context.store.lifecycle.webhooks(who.tenant, limit + 1, before)
    items, next_ = cursors.page(found, limit, lambda r: (r.created_at, r.id))
    return Page([_view(record) for record in items], next_)


async def get(context: Context, who: Principal, webhook: UUID) -> WebhookView:
    return _view(await _record(context, who, webhook))


async def change(context: Context, who: Principal, webhook: UUID, fields: Mapping[str, Json]) -> WebhookView:
    """`fields` of `WebhookRequest` that are to change; enabling it forgets its failures."""
    record = await _record(context, who, webhook)
    request = WebhookRequest(
        url=fields.get("url", record.url),
        description=fields.get("description", record.description),
        filter=fields.get("filter", _filter(record)),
        secret=fields.get("secret"),
        enabled=fields.get("enabled", record.enabled),
    )
    _check(context, request)
    secret = record.secret
    if request.secret is not None:
        secret = sealer(context).seal(request.secret.encode(), record.id.bytes)
    reason = record.disabled_reason if not request.enabled else None
    if record.enabled and not request.enabled:
        reason = f"disabled by {who.name}"
    changed = msgspec.structs.replace(
        record,
        url=request.url,
        description=request.description,
        types=tuple(request.filter.types),
        namespace=request.filter.namespace,
        name=request.filter.name,
        tags=dict(request.filter.tags),
        secret=secret,
        enabled=request.enabled,
        disabled_reason=reason,
        failing_since=record.failing_since if record.enabled == request.enabled else None,
    )
    if not await context.store.lifecycle.change_webhook(changed):
        raise _unknown(webhook)
    return await get(context, who, webhook)


async def remove(context: Context, who: Principal, webhook: UUID) -> None:
    if not await context.store.lifecycle.remove_webhook(who.tenant, webhook):
        raise _unknown(webhook)


async def test(context: Context, who: Principal, webhook: UUID) -> DeliveryView:
    """Send it an event of its own, whatever its filter wants."""
    record = await _enabled(context, who, webhook)
    id_ = clock.uuid7()
    event_id = f"{record.id}/test/{id_}"
    event: dict[str, Json] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/v1/webhooks/{record.id}",
        "type": TEST_TYPE,
        "time": text_of(clock.now()),
        "datacontenttype": "application/json",
        "data": {"message": "This webhook works.", "requestedBy": who.name},
    }
    await context.store.lifecycle.add_delivery(
        NewDelivery(id_, record.tenant, record.id, event_id, TEST_TYPE, encode(event))
    )
    return await _delivery(context, record, id_)


async def deliveries(
    context: Context, who: Principal, webhook: UUID, status: str | None, *, limit: int, cursor: str | None
) -> Page[DeliveryView]:
    before = cursors.read(cursor, cursors.time_and_id)
    record = await _record(context, who, webhook)
    found = await context.store.lifecycle.deliveries(record.id, status, limit + 1, before)
    items, next_ = cursors.page(found, limit, lambda r: (r.created_at, r.id))
    return Page([_delivery_view(item) for item in items], next_)


async def redeliver(context: Context, who: Principal, webhook: UUID, delivery: UUID) -> DeliveryView:
    """Begin anew with a delivery that has ended, well or not. It keeps its id."""
    record = await _enabled(context, who, webhook)
    await _delivery(context, record, delivery)
    if not await context.store.lifecycle.deliver_again(delivery):
        raise Conflict("redeliver: expected a delivery that was delivered or failed; this one is pending.")
    return await _delivery(context, record, delivery)


def sealer(context: Context) -> Sealer:
    return Sealer(context.settings.encryption_key)


def _check(context: Context, request: WebhookRequest) -> None:
    problems = [*_url_problems(context, request.url), *_filter_problems(request.filter)]
    if request.secret is not None:
        try:
            signatures.secret_bytes(request.secret)
        except ValueError as error:
            problems.append(Problem("/secret", str(error)))
    if problems:
        raise Invalid(f"{problems[0].pointer[1:]}: {problems[0].detail}", tuple(problems))


def _url_problems(context: Context, text: str) -> list[Problem]:
    try:
        url = URL(text)
        right = url.scheme in ("http", "https") and bool(url.host)
    except ValueError:
        right = False
    if not right:
        return [Problem("/url", f"expected an http or https URI, found {text[:100]!r}")]
    if url.user is not None or url.password is not None:
        return [Problem("/url", "expected a URI without user and password; the signature proves who calls")]
    try:
        permitted = Guard(context.settings.egress_allow).permits(url.host or "")
    except ValueError:  # a name: it is looked up, and looked at, when something is sent
        return []
    if not permitted:
        detail = f"{url.host} is not a public address; the operator can add its network to PERDURE_EGRESS_ALLOW"
        return [Problem("/url", detail)]
    return []


def _filter_problems(filter_: WebhookFilterView) -> list[Problem]:
    if not 1 <= len(filter_.types) <= TYPES_MAX:
        return [Problem("/filter/types", f"expected 1 to {TYPES_MAX} types, found {len(filter_.types)}")]
    return [
        Problem(f"/filter/types/{index}", f"expected an event type, * for any text in it, found {type_[:100]!r}")
        for index, type_ in enumerate(filter_.types)
        if not _TYPE.fullmatch(type_)
    ]


async def _record(context: Context, who: Principal, webhook: UUID) -> WebhookRecord:
    record = await context.store.lifecycle.webhook(who.tenant, webhook)
    if record is None:
        raise _unknown(webhook)
    return record


async def _enabled(context: Context, who: Principal, webhook: UUID) -> WebhookRecord:
    record = await _record(context, who, webhook)
    if not record.enabled:
        raise Conflict("Expected a webhook that is enabled; this one is disabled: PATCH it with `enabled: true`.")
    return record


async def _delivery(context: Context, record: WebhookRecord, delivery: UUID) -> DeliveryView:
    found = await context.store.lifecycle.delivery(record.id, delivery)
    if found is None:
        raise NotFound(f"There is no delivery {delivery} to the webhook {record.id}.")
    return _delivery_view(found)


def _unknown(webhook: UUID) -> NotFound:
    return NotFound(f"There is no webhook {webhook}.")


def _filter(record: WebhookRecord) -> WebhookFilterView:
    return WebhookFilterView(record.types, record.namespace, record.name, record.tags)


def _view(record: WebhookRecord) -> WebhookView:
    return WebhookView(
        id=record.id,
        url=record.url,
        description=record.description,
        filter=_filter(record),
        enabled=record.enabled,
        disabled_reason=record.disabled_reason,
        failing_since=record.failing_since,
        created_at=record.created_at,
        created_by=record.created_by,
        updated_at=record.updated_at,
    )


def _delivery_view(record: DeliveryRecord) -> DeliveryView:
    return DeliveryView(
        id=record.id,
        webhook=record.webhook,
        event=record.event_id,
        type=record.type,
        status=record.status,
        attempts=record.attempts,
        next_attempt_at=record.due if record.status == "pending" else None,
        created_at=record.created_at,
        last_attempt_at=record.last_at,
        finished_at=record.finished_at,
        response_status=record.response_status,
        error=record.error,
    )
