"""Queries that forget what is older than it must be kept."""

from perdure.store.postgres.connection import Connection

OLD_PROCESSES = """
select id from process
where ended_at < clock_timestamp() - make_interval(secs => $1)
order by ended_at limit $2
for update skip locked
"""

OF_PROCESS = (
    "payload",
    "activity",
    "history",
    "inbox",
    "timer",
    "call",
    "subscription",
    "offer",
    "human_task",
    "callback",
    "job",
    "idempotency",
    "lifecycle",
)
"""Tables whose rows go with their process."""

OLD_EVENTS = """
delete from event where id in (
    select id from event
    where received_at < clock_timestamp() - make_interval(secs => $1) and routed and not to_publish
    order by received_at limit $2
)
returning id
"""

OLD_KEYS = """
delete from idempotency where (tenant, key) in (
    select tenant, key from idempotency
    where created_at < clock_timestamp() - make_interval(secs => $1)
    order by created_at limit $2
)
returning key
"""


async def purge(connection: Connection, retention_seconds: float, event_seconds: float, limit: int) -> int:
    """Within the caller's transaction; see `store.contract.Store.purge`."""
    ids = [row["id"] for row in await connection.fetch(OLD_PROCESSES, retention_seconds, limit)]
    if ids:
        for table in OF_PROCESS:
            await connection.execute(f"delete from {table} where process = any($1::uuid[])", ids)
        await connection.execute("delete from process where id = any($1::uuid[])", ids)
    events = [row["id"] for row in await connection.fetch(OLD_EVENTS, event_seconds, limit)]
    if events:
        await connection.execute("delete from offer where event = any($1::bigint[])", events)
    keys = await connection.fetch(OLD_KEYS, event_seconds, limit)
    return max(len(ids), len(events), len(keys))
