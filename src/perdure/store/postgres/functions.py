"""Queries on the default catalog's functions."""

from perdure.store.postgres import rows
from perdure.store.postgres.connection import Connection
from perdure.store.records import FunctionRecord

COLUMNS = "tenant, name, version, version_order, document, source, media_type, digest, created_at, created_by"

ADD = f"""
insert into function ({COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (tenant, name, version) do nothing
returning name
"""

GET = f"""
select {COLUMNS} from function where tenant = $1 and name = $2 and version = $3
"""

LIST = f"""
select {COLUMNS} from function
where tenant = $1 and ($3::text is null or name > $3 or name = $3 and version_order < $4)
order by name, version_order desc
limit $2
"""


async def add(connection: Connection, record: FunctionRecord) -> FunctionRecord | None:
    """None where it was added, else what stands under the same name and version."""
    values = [getattr(record, field) for field in record.__struct_fields__]
    if await connection.fetchval(ADD, *values) is not None:
        return None
    return await get(connection, record.tenant, record.name, record.version)


async def get(connection: Connection, tenant: str, name: str, version: str) -> FunctionRecord | None:
    row = await connection.fetchrow(GET, tenant, name, version)
    return None if row is None else rows.function(row)


async def page(connection: Connection, tenant: str, limit: int, after: tuple[str, str] | None) -> list[FunctionRecord]:
    found = await connection.fetch(LIST, tenant, limit, *(after or (None, None)))
    return [rows.function(row) for row in found]
