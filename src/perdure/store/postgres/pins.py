"""Queries on what definitions need from outside their documents."""

from collections.abc import Sequence

from perdure.codec import encode
from perdure.definition.pins import Pin
from perdure.store.postgres import rows
from perdure.store.postgres.connection import Connection
from perdure.store.records import DefinitionName

LOCK = """
select 1 from definition where tenant = $1 and namespace = $2 and name = $3 and version = $4 for no key update
"""

GET = """
select ordinal, kind, key, uri, document, own from definition_resource
where tenant = $1 and namespace = $2 and name = $3 and version = $4
order by ordinal
"""

ADD = """
insert into definition_resource
    (tenant, namespace, name, version, ordinal, kind, key, uri, document, own, resolved_at)
select $1, $2, $3, $4, new.ordinal, new.kind, new.key, new.uri, new.document, new.own, clock_timestamp()
from unnest($5::integer[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::boolean[])
    as new (ordinal, kind, key, uri, document, own)
"""


async def get(connection: Connection, definition: DefinitionName) -> list[Pin]:
    return [rows.pin(row) for row in await connection.fetch(GET, *definition)]


async def add(connection: Connection, definition: DefinitionName, pins: Sequence[Pin]) -> list[Pin]:
    """Add those that are new behind those that are there, within a transaction. Answers all."""
    await connection.execute(LOCK, *definition)
    present = await get(connection, definition)
    known = {(pin.kind, pin.key) for pin in present}
    new = [pin for pin in pins if (pin.kind, pin.key) not in known]
    if new:
        first = len(present)
        await connection.execute(
            ADD,
            *definition,
            list(range(first, first + len(new))),
            [pin.kind for pin in new],
            [pin.key for pin in new],
            [pin.uri for pin in new],
            [encode(pin.document) for pin in new],
            [pin.own for pin in new],
        )
    return await get(connection, definition) if new else present
