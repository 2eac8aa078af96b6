"""Queries on definitions."""

from collections.abc import Sequence

from perdure.store.postgres import rows, schedules
from perdure.store.postgres.connection import Connection
from perdure.store.records import DefinitionRecord
from perdure.store.schedules import NewSchedule

COLUMNS = """tenant, namespace, name, version, version_order, stable, title, summary, document, source,
       media_type, digest, created_at, created_by"""

ADD = f"""
insert into definition ({COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (tenant, namespace, name, version) do nothing
returning name
"""

GET = f"""
select {COLUMNS} from definition where tenant = $1 and namespace = $2 and name = $3 and version = $4
"""

LATEST = f"""
select {COLUMNS} from definition
where tenant = $1 and namespace = $2 and name = $3 and stable
order by version_order desc limit 1
"""

NEWEST = """
select d.version
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as u (tenant, namespace, name, place)
left join lateral (
    select version from definition d
    where d.tenant = u.tenant and d.namespace = u.namespace and d.name = u.name and d.stable
    order by d.version_order desc limit 1
) d on true
order by u.place
"""

LIST = f"""
select {COLUMNS} from definition
where tenant = $1
  and ($3::text is null or (namespace, name) > ($3, $4) or (namespace, name) = ($3, $4) and version_order < $5)
order by namespace, name, version_order desc
limit $2
"""

VERSIONS = f"""
select {COLUMNS} from definition
where tenant = $1 and namespace = $2 and name = $3 and ($5::text is null or version_order < $5)
order by version_order desc limit $4
"""


async def add(
    connection: Connection, record: DefinitionRecord, new_schedules: Sequence[NewSchedule]
) -> DefinitionRecord | None:
    """None where it was added, else what stands under the same name and version; within the transaction."""
    values = [getattr(record, field) for field in record.__struct_fields__]
    await schedules.lock_name(connection, record)
    if await connection.fetchval(ADD, *values) is not None:
        await schedules.replace(connection, record, new_schedules)
        return None
    return await get(connection, record.tenant, record.namespace, record.name, record.version)


async def get(
    connection: Connection, tenant: str, namespace: str, name: str, version: str | None
) -> DefinitionRecord | None:
    if version is None:
        row = await connection.fetchrow(LATEST, tenant, namespace, name)
    else:
        row = await connection.fetchrow(GET, tenant, namespace, name, version)
    return None if row is None else rows.definition(row)


async def newest(connection: Connection, names: Sequence[tuple[str, str, str]]) -> list[str | None]:
    return [row["version"] for row in await connection.fetch(NEWEST, *zip(*names, strict=True))]


async def page(
    connection: Connection, tenant: str, limit: int, after: tuple[str, str, str] | None
) -> list[DefinitionRecord]:
    found = await connection.fetch(LIST, tenant, limit, *(after or (None, None, None)))
    return [rows.definition(row) for row in found]


async def versions(
    connection: Connection, tenant: str, namespace: str, name: str, limit: int, after: str | None
) -> list[DefinitionRecord]:
    found = await connection.fetch(VERSIONS, tenant, namespace, name, limit, after)
    return [rows.definition(row) for row in found]
