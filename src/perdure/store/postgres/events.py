"""Queries on events, the subscriptions that wait for them, and callbacks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from perdure.codec import Json, decode, encode
from perdure.store.contract import CallbackFactOf, FactOf
from perdure.store.postgres import effects, steps
from perdure.store.postgres.connection import Connection
from perdure.store.postgres.rows import columns
from perdure.store.records import EventOffer, LookBack, PendingEvent, RecentEvent, Shape

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

# From one shape to the next by the index, so that it costs the same however many listen.
SHAPES = """
with recursive kinds as (
    select distinct tenant, type from unnest($1::text[], $2::text[]) as k (tenant, type)
),
typed as (
    select k.tenant, k.type, (
        select s.shape from subscription s
        where s.tenant = k.tenant and s.type = k.type and s.shape is not null
        order by s.tenant, s.type, s.shape limit 1
    ) as shape
    from kinds k
    union all
    select t.tenant, t.type, (
        select s.shape from subscription s
        where s.tenant = t.tenant and s.type = t.type and s.shape > t.shape
        order by s.tenant, s.type, s.shape limit 1
    )
    from typed t where t.shape is not null
),
untyped as (
    select k.tenant, (
        select s.shape from subscription s
        where s.tenant = k.tenant and s.type is null and s.shape is not null
        order by s.tenant, s.type, s.shape limit 1
    ) as shape
    from (select distinct tenant from kinds) k
    union all
    select t.tenant, (
        select s.shape from subscription s
        where s.tenant = t.tenant and s.type is null and s.shape > t.shape
        order by s.tenant, s.type, s.shape limit 1
    )
    from untyped t where t.shape is not null
)
select f.tenant, f.type, f.shape, c.expressions
from (select * from typed union all select tenant, null, shape from untyped) f
join correlation_shape c on c.tenant = f.tenant and c.shape = f.shape
order by f.shape
"""

# Two routers of one event meet at its row; the second finds it routed.
LOCK = "select id from event where id = any($1::bigint[]) and not routed order by id for update"

EVENTS = "unnest($1::bigint[], $2::text[], $3::text[]) as e (event, tenant, type)"
VALUES = (
    "unnest($4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::bytea[]) as e (event, tenant, type, shape, value)"
)
OF_TYPE, OF_ANY_TYPE = "type = e.type", "type is null"
UNCORRELATED, CORRELATED = "shape is null", "shape = e.shape and value = e.value"

# Each part is an equality of the whole index. `offset 0` keeps it a look at the index for one event, whatever is known
# of how many listen.
MATCHING = (
    "\nunion\n".join(
        f"""
select e.event, s.process, s.activity, s.reference, s.since
from {given}
cross join lateral (
    select process, activity, reference, since from subscription
    where tenant = e.tenant and {of_type} and {correlated}
    offset 0
) s
"""
        for given, correlated in ((EVENTS, UNCORRELATED), (VALUES, CORRELATED))
        for of_type in (OF_TYPE, OF_ANY_TYPE)
    )
    + "limit $9"
)

MATCHES_MAX = 10_000
"""Of several events that are offered together; one alone may have more."""

OFFER = """
insert into offer (process, reference, event)
select * from unnest($1::uuid[], $2::text[], $3::bigint[])
on conflict do nothing
returning process, reference, event
"""

ROUTED = "update event set routed = true where id = any($1::bigint[])"

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


async def add(connection: Connection, events: Sequence[tuple[str, Json]]) -> list[int]:
    rows = [(tenant, e["source"], e["id"], e["type"], encode(e), False) for tenant, e in events]
    return [row["id"] for row in await connection.fetch(effects.ADD_EVENTS, *columns(rows, 6))]


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


async def shapes(connection: Connection, kinds: Sequence[tuple[str, str]]) -> list[list[Shape]]:
    found: dict[tuple[str, str | None], list[Shape]] = {}
    for row in await connection.fetch(SHAPES, [tenant for tenant, _ in kinds], [type_ for _, type_ in kinds]):
        shape = Shape(digest=row["shape"], expressions=tuple(decode(row["expressions"])))
        found.setdefault((row["tenant"], row["type"]), []).append(shape)
    return [
        list({shape.digest: shape for of in (type_, None) for shape in found.get((tenant, of), ())}.values())
        for tenant, type_ in kinds
    ]


async def offer(
    connection: Connection, offers: Sequence[EventOffer], fact_of: FactOf
) -> tuple[list[UUID], Sequence[EventOffer]]:
    """The processes that were woken, and which of the offers are left as there were too many. Within the caller's
    transaction.
    """
    open_ = {row["id"] for row in await connection.fetch(LOCK, [offer.event.id for offer in offers])}
    now = [offer for offer in offers if offer.event.id in open_]
    matching = await _matching(connection, now)
    while len(now) > 1 and len(matching) > MATCHES_MAX:
        now = now[: len(now) // 2]
        matching = await _matching(connection, now)
    events = {offer.event.id: offer.event.event for offer in now}
    processes = await _offer_once(connection, matching, events, fact_of)
    await connection.execute(ROUTED, list(events))
    return processes, [offer for offer in offers if offer.event.id in open_ - events.keys()]


async def _matching(connection: Connection, offers: Sequence[EventOffer]) -> list[Record]:
    """No more than one too many, where there are several offers."""
    events = [(offer.event.id, offer.event.tenant, offer.event.event["type"]) for offer in offers]
    values = [(*event, *value) for event, offer in zip(events, offers, strict=True) for value in offer.values]
    most = MATCHES_MAX + 1 if len(offers) > 1 else None
    return list(await connection.fetch(MATCHING, *columns(events, 3), *columns(values, 5), most))


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
    connection: Connection, matching: Sequence[Record], events: Mapping[int, Json], fact_of: FactOf
) -> list[UUID]:
    """Facts for those to which the event was not offered before."""
    if not matching:
        return []
    # Of several that wait at one place of the definition, the one that has waited longest gets it.
    rows = sorted(matching, key=lambda row: (row["since"], row["activity"]), reverse=True)
    targets = {(row["process"], row["reference"], row["event"]): row["activity"] for row in rows}
    processes, references, ids = zip(*targets, strict=True)
    offered = await connection.fetch(OFFER, processes, references, ids)
    new = sorted((row["event"], row["process"], row["reference"]) for row in offered)
    facts = [(process, fact_of(targets[process, reference, event], events[event])) for event, process, reference in new]
    if facts:
        await steps.add_facts(connection, facts)
    return list(dict.fromkeys(process for process, _ in facts))
