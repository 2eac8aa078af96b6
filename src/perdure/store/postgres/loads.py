"""How much there is to do: counted up to a bound, so that the answer costs no more than the bound."""

from perdure.store.postgres.connection import Connection

# One index for each status, as `process_by_status` has them; nothing but the index is read.
UNFINISHED = """
select count(*) from (
    select from process where tenant = $1 and status in ('pending', 'running', 'waiting', 'suspended') limit $2
) p
"""

WAITING_FACTS = "select count(*) from (select from inbox limit $1) i"

# Facts for suspended processes stay where they are, however fast workers are.
WAITING_FACTS_OF_OTHERS = """
select count(*) from (
    select from inbox i
    where i.operator or not exists (select from process p where p.id = i.process and p.status = 'suspended')
    limit $1
) i
"""


async def unfinished(connection: Connection, tenant: str, up_to: int) -> int:
    count: int = await connection.fetchval(UNFINISHED, tenant, up_to)
    return count


async def backlog(connection: Connection, up_to: int) -> int:
    count: int = await connection.fetchval(WAITING_FACTS, up_to)
    if count == up_to:
        count = await connection.fetchval(WAITING_FACTS_OF_OTHERS, up_to)
    return count
