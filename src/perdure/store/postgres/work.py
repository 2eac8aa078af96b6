"""Queries on what is to be done outside: calls under lease, and timers."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from perdure.codec import decode
from perdure.store.postgres import steps
from perdure.store.postgres.connection import Connection
from perdure.store.postgres.rows import columns
from perdure.store.records import Answer, LeasedCall

# Whoever had it before and has not been heard of since may have made it.
LEASE = """
update call c
set lease_until = clock_timestamp() + make_interval(secs => $2), lease_token = $3, sent_at = clock_timestamp()
from (
    select activity, sent_at as lost_at from call
    where activity = any($1::uuid[]) and lease_until <= clock_timestamp()
    for update skip locked
) as free
where c.activity = free.activity
returning c.activity, process, tenant, attempt, function, reference, request, detached, secrets, sent_at, lost_at,
          lookup, in_doubt
"""

EXTEND = """
update call c set lease_until = clock_timestamp() + make_interval(secs => $3)
from unnest($1::uuid[], $2::uuid[]) as u (activity, token)
where c.activity = u.activity and c.lease_token = u.token
returning c.activity
"""

ATTEMPTS = "select activity, attempt from call where activity = any($1::uuid[])"

RELEASE = """
update call c
set lease_until = clock_timestamp() + make_interval(secs => $4), lease_token = null,
    sent_at = case when $3 then c.sent_at end
from unnest($1::uuid[], $2::uuid[]) as u (activity, token)
where c.activity = u.activity and c.lease_token = u.token
"""

# Held until the transaction ends, so that whoever cancels the call waits for its facts.
HOLD = """
select 1 from call where activity = $1 and attempt = $2 and lease_token = $3 for key share
"""

RESUME = "update call set request = $2 where activity = $1"

FORGET_LEASES = "update call set lease_until = clock_timestamp(), lease_token = null where lease_token is not null"

# One statement, which needs no transaction: turns of the connection are what a single call costs.
FINISH = """
with u as (
    select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::bytea[])
        as u (process, activity, attempt, lookup, fact)
), gone as (
    delete from call c using u
    where c.activity = u.activity and c.attempt = u.attempt and c.lookup = u.lookup
)
insert into inbox (process, fact, recorded_at, operator) select process, fact, clock_timestamp(), false from u
"""

GIVE_UP = "delete from call where activity = $1 and attempt = $2 and lease_token = $3 returning 1"

OWED = """
select activity from call
where lease_until < clock_timestamp() - make_interval(secs => $1)
order by lease_until limit $2
"""

# What was due first acts first, however many are late.
FIRE = """
with fired as (
    delete from timer where (process, id) in (
        select process, id from timer where due <= clock_timestamp() order by due limit $1
        for update skip locked
    )
    returning process, id, due, fact, extract(epoch from clock_timestamp() - due)::float8 as late
), noted as (
    insert into inbox (process, fact, recorded_at)
    select process, fact, clock_timestamp() from fired order by due, id
)
select process, late from fired
"""

NEXT_TIMER = "select extract(epoch from min(due) - clock_timestamp())::float8 from timer"


async def lease(
    connection: Connection, activities: Sequence[UUID], lease_seconds: float, token: UUID
) -> list[LeasedCall]:
    found = await connection.fetch(LEASE, activities, lease_seconds, token)
    return [
        LeasedCall(
            activity=row["activity"],
            process=row["process"],
            tenant=row["tenant"],
            attempt=row["attempt"],
            function=row["function"],
            reference=row["reference"],
            request=decode(row["request"]),
            detached=row["detached"],
            secrets=frozenset(row["secrets"]),
            token=token,
            sent_at=row["sent_at"],
            lost_at=row["lost_at"],
            lookup=row["lookup"],
            in_doubt=row["in_doubt"],
        )
        for row in found
    ]


async def extend(connection: Connection, tokens: Mapping[UUID, UUID], lease_seconds: float) -> dict[UUID, int | None]:
    rows = await connection.fetch(EXTEND, list(tokens), list(tokens.values()), lease_seconds)
    lost = tokens.keys() - {row["activity"] for row in rows}
    if not lost:
        return {}
    attempts = {row["activity"]: row["attempt"] for row in await connection.fetch(ATTEMPTS, list(lost))}
    return {activity: attempts.get(activity) for activity in lost}


async def release(connection: Connection, tokens: Mapping[UUID, UUID], sent: bool, after_seconds: float) -> None:
    await connection.execute(RELEASE, list(tokens), list(tokens.values()), sent, after_seconds)


async def forget_leases(connection: Connection) -> None:
    await connection.execute(FORGET_LEASES)


async def finish(connection: Connection, answers: Sequence[Answer]) -> None:
    rows = [(answer.process, answer.activity, answer.attempt, answer.lookup, answer.fact) for answer in answers]
    await connection.execute(FINISH, *columns(rows))


async def give_up(connection: Connection, call: LeasedCall, fact: bytes) -> bool:
    """Within the caller's transaction."""
    if await connection.fetchval(GIVE_UP, call.activity, call.attempt, call.token) is None:
        return False
    await steps.add_facts(connection, [(call.process, fact)])
    return True


async def record(
    connection: Connection, call: LeasedCall, facts: Sequence[bytes], resume: bytes | None
) -> list[int] | None:
    """Within the caller's transaction."""
    if await connection.fetchval(HOLD, call.activity, call.attempt, call.token) is None:
        return None
    if resume is not None:
        await connection.execute(RESUME, call.activity, resume)
    return await steps.add_facts(connection, [(call.process, fact) for fact in facts])


async def owed(connection: Connection, older_than_seconds: float, limit: int) -> list[UUID]:
    return [row["activity"] for row in await connection.fetch(OWED, older_than_seconds, limit)]


async def fire_timers(connection: Connection, limit: int) -> list[tuple[UUID, float]]:
    return [(row["process"], row["late"]) for row in await connection.fetch(FIRE, limit)]


async def next_timer(connection: Connection) -> float | None:
    seconds: float | None = await connection.fetchval(NEXT_TIMER)
    return seconds
