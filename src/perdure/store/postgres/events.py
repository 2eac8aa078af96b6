"""Queries on events, the subscriptions that wait for them, and callbacks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from perdure.codec import Json, decode, encode
from perdure.store.contract import CallbackFactOf, FactOf
from perdure.store.postgres import effects, steps
from perdure.store.postgres.connection import Connection
from perdure.store.records import LookBack, PendingEvent, RecentEvent, Shape

PENDING = """
select id, tenant, event, routed, to_publish from event
where id = any($1::bigint[]) and (not routed or to_publish)
order by id
"""

# What is to be routed first: while the broker is away, all that was routed waits to be published.
OWED = """
select id from event
where (not routed or to_publish) and received_at < clock_timestamp() - make_interval(secs => $1)
order by routed, received_at limit $2
"""

SHAPES = """
select c.shape, c.expressions from correlation_shape c
where c.tenant = $1
  and exists (select from subscription s where s.tenant = $1 and (s.type = $2 or s.type is null) and s.shape = c.shape)
"""

# Two routers of one event meet at its row; the second finds it routed.
LOCK = "select routed from event where id = $1 for update"

MATCHING = """
select distinct process, activity, reference from subscription
where tenant = $1 and type = $2 and shape is null
union
select process, activity, reference from subscription
where tenant = $1 and type is null and shape is null
union
select s.process, s.activity, s.reference
from subscription s join unnest($3::bytea[], $4::bytea[]) as u (shape, value)
     on s.shape = u.shape and s.value = u.value
where s.tenant = $1 and s.type = $2
union
select s.process, s.activity, s.reference
from subscription s join unnest($3::bytea[], $4::bytea[]) as u (shape, value)
     on s.shape = u.shape and s.value = u.value
where s.tenant = $1 and s.type is null
"""

OFFER = """
insert into offer (process, reference, event)
select * from unnest($1::uuid[], $2::text[], $3::bigint[])
on conflict do nothing
returning process, reference, event
"""

ROUTED = "update event set routed = true where id = $1"

PUBLISHED = "update event set to_publish = false where id = $1"

LOOK_BACK_SECONDS = 60

LOOK_BACK = """
select s.process, s.activity, s.reference, s.tenant, s.type, c.expressions, s.value,
       greatest(s.since - make_interval(secs => $3), p.created_at) as since
from unnest($1::uuid[], $2::uuid[]) with ordinality as u (process, activity, place)
join subscription s on s.process = u.process and s.activity = u.activity
join process p on p.id = s.process
left join correlation_shape c on c.tenant = s.tenant and c.shape = s.shape
where exists (
    select from subscription q
    where q.process = s.process and q.activity = s.activity and q.look_back_pending
)
order by u.place, s.ordinal
"""

RECENT_OF_TYPE = """
select id, event, received_at from event
where tenant = $1 and type = $2 and (received_at, id) > ($3, $4)
order by received_at, id limit $5
"""

RECENT = """
select id, event, received_at from event
where tenant = $1 and (received_at, id) > ($2, $3)
order by received_at, id limit $4
"""

OWED_LOOK_BACKS = """
select process, activity from subscription
where look_back_pending and since < clock_timestamp() - make_interval(secs => $1)
order by since limit $2
"""

LOOKED_BACK = """
update subscription set look_back_pending = false
where process = $1 and activity = $2 and look_back_pending
"""

CALLBACK = "select process, activity, status, body_digest from callback where token_digest = $1 for update"

ANSWER_CALLBACK = "update callback set status = 'answered', body_digest = $2 where token_digest = $1"


async def add(connection: Connection, tenant: str, events: Sequence[Json]) -> list[int]:
    columns = zip(*((tenant, e["source"], e["id"], e["type"], encode(e), False) for e in events), strict=True)
    return [row["id"] for row in await connection.fetch(effects.ADD_EVENTS, *columns)]


async def pending(connection: Connection, ids: Sequence[int]) -> list[PendingEvent]:
    return [
        PendingEvent(
            id=row["id"],
            tenant=row["tenant"],
            event=decode(row["event"]),
            routed=row["routed"],
            to_publish=row["to_publish"],
        )
        for row in await connection.fetch(PENDING, ids)
    ]


async def owed(connection: Connection, older_than_seconds: float, limit: int) -> list[int]:
    return [row["id"] for row in await connection.fetch(OWED, older_than_seconds, limit)]


async def shapes(connection: Connection, tenant: str, type_: str) -> list[Shape]:
    found = await connection.fetch(SHAPES, tenant, type_)
    return [Shape(digest=row["shape"], expressions=tuple(decode(row["expressions"]))) for row in found]


async def offer(
    connection: Connection, event: PendingEvent, values: Sequence[tuple[bytes, bytes]], fact_of: FactOf
) -> list[UUID]:
    """Within the caller's transaction."""
    if await connection.fetchval(LOCK, event.id) is not False:
        return []
    shapes_, values_ = [v[0] for v in values], [v[1] for v in values]
    matching = await connection.fetch(MATCHING, event.tenant, event.event["type"], shapes_, values_)
    targets = [(row["process"], row["activity"], row["reference"], event.id, event.event) for row in matching]
    processes = await _offer_once(connection, targets, fact_of)
    await connection.execute(ROUTED, event.id)
    return processes


async def published(connection: Connection, event: int) -> None:
    await connection.execute(PUBLISHED, event)


async def look_backs(connection: Connection, subscriptions: Sequence[tuple[UUID, UUID]]) -> list[LookBack]:
    processes, activities = [process for process, _ in subscriptions], [activity for _, activity in subscriptions]
    return [
        LookBack(
            process=row["process"],
            activity=row["activity"],
            reference=row["reference"],
            tenant=row["tenant"],
            type=row["type"],
            expressions=() if row["expressions"] is None else tuple(decode(row["expressions"])),
            value=row["value"],
            since=row["since"],
        )
        for row in await connection.fetch(LOOK_BACK, processes, activities, LOOK_BACK_SECONDS)
    ]


async def recent(
    connection: Connection, tenant: str, type_: str | None, after: tuple[datetime, int], limit: int
) -> list[RecentEvent]:
    if type_ is None:
        found = await connection.fetch(RECENT, tenant, *after, limit)
    else:
        found = await connection.fetch(RECENT_OF_TYPE, tenant, type_, *after, limit)
    return [RecentEvent(row["id"], decode(row["event"]), row["received_at"]) for row in found]


async def owed_look_backs(connection: Connection, older_than_seconds: float, limit: int) -> list[tuple[UUID, UUID]]:
    found = await connection.fetch(OWED_LOOK_BACKS, older_than_seconds, limit)
    return [(row["process"], row["activity"]) for row in found]


async def finish_look_back(
    connection: Connection, process: UUID, activity: UUID, reference: str, matching: Sequence[tuple[int, bytes]]
) -> bool:
    """Within the caller's transaction."""
    if (await connection.execute(LOOKED_BACK, process, activity)) == "UPDATE 0":
        return False
    facts = dict(matching)
    if not facts:
        return False
    offered = await connection.fetch(OFFER, [process] * len(facts), [reference] * len(facts), list(facts))
    new = sorted(row["event"] for row in offered)
    await steps.add_facts(connection, [(process, facts[event]) for event in new])
    return bool(new)


async def receive_callback(
    connection: Connection, token_digest: bytes, body_digest: bytes, fact_of: CallbackFactOf
) -> tuple[str, UUID | None]:
    """Within the caller's transaction."""
    row = await connection.fetchrow(CALLBACK, token_digest)
    if row is None:
        return "unknown", None
    if row["status"] == "open":
        await connection.execute(ANSWER_CALLBACK, token_digest, body_digest)
        await steps.add_facts(connection, [(row["process"], fact_of(row["activity"]))])
        return "recorded", row["process"]
    if row["body_digest"] == body_digest:
        return "repeated", row["process"]
    return "conflict", row["process"]


async def _offer_once(
    connection: Connection, targets: Sequence[tuple[UUID, UUID, str, int, Json]], fact_of: FactOf
) -> list[UUID]:
    """Facts for those targets to which the event was not offered before."""
    if not targets:
        return []
    rows = {(process, reference): activity for process, activity, reference, _, _ in targets}
    event_id, event = targets[0][3], targets[0][4]
    offered = await connection.fetch(
        OFFER, [p for p, _ in rows], [reference for _, reference in rows], [event_id] * len(rows)
    )
    new = sorted((row["process"], row["reference"]) for row in offered)
    facts = [(process, fact_of(rows[process, reference], event)) for process, reference in new]
    if facts:
        await steps.add_facts(connection, facts)
    return list(dict.fromkeys(process for process, _ in facts))
