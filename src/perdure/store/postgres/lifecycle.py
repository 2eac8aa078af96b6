"""Lifecycle events that are owed to others: written with the step, read in order, forgotten once told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from asyncpg import Record

from perdure.codec import decode
from perdure.engine.refs import key_of
from perdure.store.lifecycle import PARTITIONS, NewDelivery, Owed, Share, Telling
from perdure.store.postgres import deliveries
from perdure.store.postgres.connection import Connection, Pool, connected, transaction
from perdure.store.records import HistoryRecord, Outcome

LOCK_CLASS = 0x50454C00

# The end of `steps.SAVE`: where nobody is to be told, telling costs nothing.
owe_clause = """
insert into lifecycle (partition, tenant, process, first, last, status, publish, deliver)
select get_byte(uuid_send(o.process), 15) % $38, o.tenant, o.process, o.first, o.last, o.status, $39, w.listens
from unnest($40::text[], $41::uuid[], $42::bigint[], $43::bigint[], $44::text[])
     as o (tenant, process, first, last, status)
cross join lateral (
    select exists (select from webhook x where x.tenant = o.tenant and x.enabled) as listens
) w
where $39 or w.listens
"""

SHARES = """
select x.purpose, p.partition
from generate_series(0, $1::int - 1) as p (partition)
cross join lateral (values
    ('deliver', exists (select from lifecycle l where l.partition = p.partition and l.deliver)),
    ('publish', exists (select from lifecycle l where l.partition = p.partition and l.publish))
) as x (purpose, owed)
where x.owed
"""

LOCK_PARTITION = "select pg_try_advisory_xact_lock($1, $2)"

OWED_COLUMNS = """select l.id, l.tenant, l.process, p.namespace, p.name, p.version, p.tags, l.first, l.last, l.status
from lifecycle l join process p on p.id = l.process"""

OWED_PUBLISH = f"{OWED_COLUMNS} where l.partition = $1 and l.publish order by l.id limit $2"

OWED_DELIVER = f"{OWED_COLUMNS} where l.partition = $1 and l.deliver order by l.id limit $2"

ENTRIES = """
select o.id, h.sequence, h.at, h.type, h.activity, h.actor, h.data
from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[]) as o (id, process, first, last)
join history h on h.process = o.process and h.sequence between o.first and o.last
order by o.id, h.sequence
"""

HEADS = """
select distinct on (h.type) o.id
from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[]) as o (id, process, first, last)
join history h on h.process = o.process and h.sequence between o.first and o.last
order by h.type, o.id
"""

OUTPUTS = """
select id, attempt, output from activity where process = $1 and id = any($2::uuid[]) and status = 'completed'
union all
select id, 0, output from process where id = $1 and status = 'completed'
"""

PAYLOADS = "select key, data from payload where process = $1 and key = any($2::bytea[]) and length(data) <= $3"

PUBLISHED = "update lifecycle set publish = false where id = any($1::bigint[])"

DELIVERED = "update lifecycle set deliver = false where id = any($1::bigint[])"

TOLD_ALL = "delete from lifecycle where id = any($1::bigint[]) and not publish and not deliver"

TOLD_PUBLISH = "delete from lifecycle where id = any($1::bigint[]) and not deliver"

TOLD_DELIVER = "delete from lifecycle where id = any($1::bigint[]) and not publish"


def owed_rows(outcomes: Sequence[Outcome], telling: Telling) -> list[tuple[str, UUID, int, int, str | None]]:
    """What steps leave to be told: one row for each at most."""
    rows_ = []
    for outcome in outcomes:
        process, step = outcome.process, outcome.step
        wanted = [n for n, e in enumerate(step.history, process.sequence + 1) if telling.wants(e.type)]
        if wanted:
            status = step.status if step.status != process.status else None
            rows_.append((process.tenant, process.id, wanted[0], wanted[-1], status))
    return rows_


class PostgresTakenLifecycle:
    """See `store.lifecycle.TakenLifecycle`. The partition is locked by the connection's transaction."""

    def __init__(self, connection: Connection, purpose: str, owed: Sequence[Owed]) -> None:
        self._connection = connection
        self._purpose = purpose
        self.owed: Sequence[Owed] = owed

    async def entries(self, rows: Sequence[Owed]) -> dict[int, list[HistoryRecord]]:
        found: dict[int, list[HistoryRecord]] = {row.id: [] for row in rows}
        for row in await self._connection.fetch(ENTRIES, *_ranges(rows)):
            fields = (row["sequence"], row["at"], row["type"], row["activity"], row["actor"], decode(row["data"]))
            found[row["id"]].append(HistoryRecord(*fields))
        return found

    async def heads(self) -> set[int]:
        return {row["id"] for row in await self._connection.fetch(HEADS, *_ranges(self.owed))}

    async def outputs(self, process: UUID, activities: Sequence[UUID], bytes_max: int) -> dict[UUID, tuple[int, bytes]]:
        outputs: dict[UUID, tuple[int, bytes]] = {}
        stored: dict[bytes, list[tuple[UUID, int]]] = {}
        for row in await self._connection.fetch(OUTPUTS, process, activities):
            key = key_of(row["output"])
            if key is None:
                outputs[row["id"]] = (row["attempt"], row["output"][1:])
            else:
                stored.setdefault(key, []).append((row["id"], row["attempt"]))
        if stored:
            for row in await self._connection.fetch(PAYLOADS, process, list(stored), bytes_max):
                outputs |= {id_: (attempt, row["data"]) for id_, attempt in stored[row["key"]]}
        return outputs

    async def told(self, owed: Sequence[int], new: Sequence[NewDelivery] = ()) -> None:
        if new:
            await deliveries.add(self._connection, new)
        publish = self._purpose == "publish"
        told = await self._connection.execute(TOLD_PUBLISH if publish else TOLD_DELIVER, owed)
        if told != f"DELETE {len(owed)}":
            await self._connection.execute(PUBLISHED if publish else DELIVERED, owed)
            await self._connection.execute(TOLD_ALL, owed)  # the other purpose may be through by now


class PostgresLifecycle(deliveries.PostgresWebhooks):
    """See `store.lifecycle.Lifecycle`."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._pool = pool

    async def owed(self) -> list[Share]:
        async with connected(self._pool) as connection:
            return [Share(*row) for row in await connection.fetch(SHARES, PARTITIONS)]

    @asynccontextmanager
    async def take(self, purpose: str, partition: int, limit: int) -> AsyncIterator[PostgresTakenLifecycle | None]:
        query = OWED_PUBLISH if purpose == "publish" else OWED_DELIVER
        offset = 0 if purpose == "publish" else PARTITIONS
        async with transaction(self._pool) as connection:
            if not await connection.fetchval(LOCK_PARTITION, LOCK_CLASS, offset + partition):
                yield None
                return
            found = [_owed(row) for row in await connection.fetch(query, partition, limit)]
            yield PostgresTakenLifecycle(connection, purpose, found) if found else None


def _ranges(rows: Sequence[Owed]) -> list[tuple[Any, ...]]:
    return list(zip(*((row.id, row.process, row.first, row.last) for row in rows), strict=True))


def _owed(row: Record) -> Owed:
    fields = dict(row)
    fields["tags"] = decode(fields["tags"]) if fields["tags"] else {}
    return Owed(**fields)
