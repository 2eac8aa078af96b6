"""Queries on human tasks and API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from perdure.codec import Json, encode
from perdure.store.contract import TaskChange
from perdure.store.postgres import rows, steps
from perdure.store.postgres.connection import Connection
from perdure.store.records import HumanTaskRecord, KeyRecord

COLUMNS = """id, tenant, process, title, description, status, assignee, assignees, candidate_groups,
       exclude_users, outcomes, form, due, outcome, output, created_at, completed_at"""

GET = f"select {COLUMNS} from human_task where tenant = $1 and id = $2"

LIST = f"""
select {COLUMNS} from human_task
where tenant = $1
  and ($2::text is null or status = $2)
  and ($3::text is null or assignee = $3 or (assignee is null and $3 = any(assignees)))
  and ($4::text is null or $4 = any(candidate_groups))
  and ($5::uuid is null or process = $5)
  and ($6::timestamptz is null or (created_at, id) < ($6, $7::uuid))
order by created_at desc, id desc
limit $8
"""

CHANGE = """
update human_task set status = $2, assignee = $3, outcome = $4, output = $5, completed_at = $6 where id = $1
"""

KEY_COLUMNS = "id, tenant, name, role, prefix, created_at, revoked_at"

ADD_KEY = """
insert into api_key (id, tenant, name, role, prefix, digest, created_at) values ($1, $2, $3, $4, $5, $6, $7)
"""

KEYS = f"select {KEY_COLUMNS} from api_key order by created_at, id"

REVOKE = f"""
update api_key set revoked_at = coalesce(revoked_at, clock_timestamp()) where id = $1 returning {KEY_COLUMNS}
"""

KEYS_BY_DIGEST = f"""
select k.* from unnest($1::bytea[]) with ordinality as u (digest, place)
left join lateral (select {KEY_COLUMNS} from api_key where api_key.digest = u.digest) k on true
order by u.place
"""


async def get(connection: Connection, tenant: str, task: UUID) -> HumanTaskRecord | None:
    row = await connection.fetchrow(GET, tenant, task)
    return None if row is None else rows.human_task(row)


async def page(
    connection: Connection,
    tenant: str,
    filter_: Mapping[str, Json],
    limit: int,
    before: tuple[datetime, UUID] | None,
) -> list[HumanTaskRecord]:
    found = await connection.fetch(
        LIST,
        tenant,
        filter_.get("status"),
        filter_.get("assignee"),
        filter_.get("group"),
        filter_.get("process"),
        *(before or (None, None)),
        limit,
    )
    return [rows.human_task(row) for row in found]


async def change(connection: Connection, tenant: str, task: UUID, change_: TaskChange) -> HumanTaskRecord | None:
    """Within the caller's transaction."""
    row = await connection.fetchrow(GET + " for update", tenant, task)
    if row is None:
        return None
    now = await connection.fetchval("select clock_timestamp()")
    changed, fact = change_(rows.human_task(row), now)
    output = None if changed.output is None else encode(changed.output)
    await connection.execute(
        CHANGE, task, changed.status, changed.assignee, changed.outcome, output, changed.completed_at
    )
    if fact is not None:
        await steps.add_facts(connection, [(changed.process, fact)])
    return changed


async def add_key(connection: Connection, record: KeyRecord, digest: bytes) -> None:
    await connection.execute(
        ADD_KEY, record.id, record.tenant, record.name, record.role, record.prefix, digest, record.created_at
    )


async def keys(connection: Connection) -> Sequence[KeyRecord]:
    return [rows.key(row) for row in await connection.fetch(KEYS)]


async def revoke_key(connection: Connection, key: UUID) -> KeyRecord | None:
    row = await connection.fetchrow(REVOKE, key)
    return None if row is None else rows.key(row)


async def keys_by_digest(connection: Connection, digests: Sequence[bytes]) -> list[KeyRecord | None]:
    return [None if row["id"] is None else rows.key(row) for row in await connection.fetch(KEYS_BY_DIGEST, digests)]
