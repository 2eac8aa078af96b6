"""Webhooks and the deliveries to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure.codec import decode, encode
from perdure.store.lifecycle import Attempt, DeliveryRecord, LeasedDelivery, NewDelivery, WebhookRecord
from perdure.store.postgres.connection import Connection, Pool, connected, transaction

COLUMNS = """id, tenant, url, description, types, namespace, name, tags, secret, enabled, disabled_reason,
       failing_since, created_at, created_by, updated_at"""

ADD_WEBHOOK = f"""
insert into webhook ({COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13, $14, $15)
"""

WEBHOOK = f"select {COLUMNS} from webhook where tenant = $1 and id = $2"

WEBHOOKS = f"""
select {COLUMNS} from webhook
where tenant = $1 and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))
order by created_at desc, id desc limit $2
"""

COUNT_WEBHOOKS = "select count(*) from webhook where tenant = $1"

RECIPIENTS = f"select {COLUMNS} from webhook where tenant = any($1::text[]) and enabled"

CHANGE_WEBHOOK = """
update webhook
set url = $3, description = $4, types = $5, namespace = $6, name = $7, tags = $8::jsonb, secret = $9, enabled = $10,
    disabled_reason = $11, failing_since = $12, updated_at = clock_timestamp()
where tenant = $1 and id = $2
returning id
"""

REMOVE_WEBHOOK = "delete from webhook where tenant = $1 and id = $2 returning id"

REMOVE_DELIVERIES = "delete from webhook_delivery where webhook = $1"

ADD = """
insert into webhook_delivery (id, tenant, webhook, event_id, type, body, status, attempts, due, created_at)
select id, tenant, webhook, event_id, type, body, 'pending', 0, clock_timestamp(), clock_timestamp()
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::bytea[])
     as u (id, tenant, webhook, event_id, type, body)
on conflict (webhook, event_id) do nothing
"""

DELIVERY_COLUMNS = """id, webhook, event_id, type, status, attempts, due, created_at, last_at, finished_at,
       response_status, error"""

DELIVERY = f"select {DELIVERY_COLUMNS} from webhook_delivery where webhook = $1 and id = $2"

DELIVERIES = f"""
select {DELIVERY_COLUMNS} from webhook_delivery
where webhook = $1 and ($3::text is null or status = $3)
  and ($4::timestamptz is null or (created_at, id) < ($4, $5::uuid))
order by created_at desc, id desc limit $2
"""

AGAIN = """
update webhook_delivery
set status = 'pending', attempts = 0, due = clock_timestamp(), finished_at = null, lease_token = null
where id = $1 and status <> 'pending'
returning id
"""

LEASE = """
with leased as (
    update webhook_delivery d
    set due = clock_timestamp() + make_interval(secs => $2), lease_token = $1, attempts = attempts + 1,
        last_at = clock_timestamp()
    where id in (
        select x.id
        from webhook w
        cross join lateral (
            select c.id from webhook_delivery c
            where c.webhook = w.id and c.status = 'pending' and c.due <= clock_timestamp()
            order by c.due limit $4
            for update skip locked
        ) x
        where w.enabled and w.id <> all($3::uuid[])
        limit $5
    )
    returning d.id, d.webhook, d.body, d.attempts
)
select l.id, l.webhook, w.url, w.secret, l.body, l.attempts, w.failing_since, clock_timestamp() as now
from leased l join webhook w on w.id = l.webhook
"""

FINISH = """
update webhook_delivery
set status = $3, response_status = $4, error = $5, lease_token = null,
    due = clock_timestamp() + make_interval(secs => $6),
    finished_at = case when $3 = 'pending' then null else clock_timestamp() end
where id = $1 and lease_token = $2
returning webhook
"""

WORKS = "update webhook set failing_since = null where id = $1 and failing_since is not null"

FAILS = "update webhook set failing_since = clock_timestamp() where id = $1 and failing_since is null"

DISABLE = """
update webhook set enabled = false, disabled_reason = $2, updated_at = clock_timestamp() where id = $1 and enabled
"""

NEXT = """
select extract(epoch from min(x.due) - clock_timestamp())::float8
from webhook w
cross join lateral (
    select d.due from webhook_delivery d where d.webhook = w.id and d.status = 'pending' order by d.due limit 1
) x
where w.enabled
"""

TRIM_OLD = """
delete from webhook_delivery where finished_at < clock_timestamp() - make_interval(secs => $1)
"""

# Made while their webhook was being removed.
TRIM_ORPHANS = """
delete from webhook_delivery d where d.status = 'pending' and not exists (select from webhook w where w.id = d.webhook)
"""

TRIM_MANY = """
delete from webhook_delivery d using (
    select w.id, (
        select x.created_at from webhook_delivery x
        where x.webhook = w.id order by x.created_at desc, x.id desc offset $1 limit 1
    ) as since
    from webhook w
) k
where d.webhook = k.id and d.created_at <= k.since and d.status <> 'pending'
"""

OVERRUN = """
update webhook w
set enabled = false, updated_at = clock_timestamp(),
    disabled_reason = format('more than %s events wait for delivery', $1::integer)
where w.enabled and (
    select count(*) from (
        select from webhook_delivery d where d.webhook = w.id and d.status = 'pending' limit $1 + 1
    ) x
) > $1
"""


async def add(connection: Connection, new: Sequence[NewDelivery]) -> None:
    rows = [(d.id, d.tenant, d.webhook, d.event_id, d.type, d.body) for d in new]
    await connection.execute(ADD, *zip(*rows, strict=True))


class PostgresWebhooks:
    """The part of `store.lifecycle.Lifecycle` that is about webhooks."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def recipients(self, tenants: Sequence[str]) -> list[WebhookRecord]:
        async with connected(self._pool) as connection:
            return [_webhook(row) for row in await connection.fetch(RECIPIENTS, tenants)]

    async def add_webhook(self, record: WebhookRecord) -> None:
        values = [getattr(record, field) for field in record.__struct_fields__]
        values[7] = encode(dict(record.tags)).decode()
        async with connected(self._pool) as connection:
            await connection.execute(ADD_WEBHOOK, *values)

    async def webhook(self, tenant: str, webhook: UUID) -> WebhookRecord | None:
        async with connected(self._pool) as connection:
            row = await connection.fetchrow(WEBHOOK, tenant, webhook)
            return None if row is None else _webhook(row)

    async def webhooks(self, tenant: str, limit: int, before: tuple[datetime, UUID] | None) -> list[WebhookRecord]:
        async with connected(self._pool) as connection:
            found = await connection.fetch(WEBHOOKS, tenant, limit, *(before or (None, None)))
            return [_webhook(row) for row in found]

    async def count_webhooks(self, tenant: str) -> int:
        async with connected(self._pool) as connection:
            count: int = await connection.fetchval(COUNT_WEBHOOKS, tenant)
            return count

    async def change_webhook(self, record: WebhookRecord) -> bool:
        async with connected(self._pool) as connection:
            changed = await connection.fetchval(
                CHANGE_WEBHOOK,
                record.tenant,
                record.id,
                record.url,
                record.description,
                record.types,
                record.namespace,
                record.name,
                encode(dict(record.tags)).decode(),
                record.secret,
                record.enabled,
                record.disabled_reason,
                record.failing_since,
            )
            return changed is not None

    async def remove_webhook(self, tenant: str, webhook: UUID) -> bool:
        async with transaction(self._pool) as connection:
            if await connection.fetchval(REMOVE_WEBHOOK, tenant, webhook) is None:
                return False
            await connection.execute(REMOVE_DELIVERIES, webhook)
            return True

    async def add_delivery(self, delivery: NewDelivery) -> None:
        async with connected(self._pool) as connection:
            await add(connection, [delivery])

    async def delivery(self, webhook: UUID, delivery: UUID) -> DeliveryRecord | None:
        async with connected(self._pool) as connection:
            row = await connection.fetchrow(DELIVERY, webhook, delivery)
            return None if row is None else DeliveryRecord(**dict(row))

    async def deliveries(
        self, webhook: UUID, status: str | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> list[DeliveryRecord]:
        async with connected(self._pool) as connection:
            found = await connection.fetch(DELIVERIES, webhook, limit, status, *(before or (None, None)))
            return [DeliveryRecord(**dict(row)) for row in found]

    async def deliver_again(self, delivery: UUID) -> bool:
        async with connected(self._pool) as connection:
            return await connection.fetchval(AGAIN, delivery) is not None

    async def lease_deliveries(
        self, token: UUID, lease_seconds: float, busy: Sequence[UUID], per_webhook: int, limit: int
    ) -> list[LeasedDelivery]:
        async with connected(self._pool) as connection:
            found = await connection.fetch(LEASE, token, lease_seconds, busy, per_webhook, limit)
            return [LeasedDelivery(**dict(row), token=token) for row in found]

    async def finish_attempt(self, leased: LeasedDelivery, attempt: Attempt) -> None:
        async with transaction(self._pool) as connection:
            webhook = await connection.fetchval(
                FINISH,
                leased.id,
                leased.token,
                attempt.status,
                attempt.response_status,
                attempt.error,
                attempt.delay_seconds,
            )
            if webhook is None:
                return
            await connection.execute(WORKS if attempt.status == "delivered" else FAILS, webhook)
            if attempt.disable is not None:
                await connection.execute(DISABLE, webhook, attempt.disable)

    async def next_delivery(self) -> float | None:
        async with connected(self._pool) as connection:
            seconds: float | None = await connection.fetchval(NEXT)
            return seconds

    async def trim_deliveries(self, keep_seconds: float, kept_max: int, pending_max: int) -> None:
        async with connected(self._pool) as connection:
            await connection.execute(TRIM_OLD, keep_seconds)
            await connection.execute(TRIM_ORPHANS)
            await connection.execute(TRIM_MANY, kept_max)
            await connection.execute(OVERRUN, pending_max)


def _webhook(row: Any) -> WebhookRecord:
    fields = dict(row)
    fields["types"] = tuple(fields["types"])
    fields["tags"] = decode(fields["tags"])
    return WebhookRecord(**fields)
