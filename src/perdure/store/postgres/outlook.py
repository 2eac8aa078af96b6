"""One look at all that workers wait for: what each part of a worker would ask for, in one statement."""

from perdure.engine.state import VERSION
from perdure.store.lifecycle import PARTITIONS
from perdure.store.postgres import deliveries, events, jobs, lifecycle, schedules, steps, work
from perdure.store.postgres.connection import Connection
from perdure.store.records import Outlook

OUTLOOK = f"""
select ({work.NEXT_TIMER}) as timer, ({jobs.NEXT}) as job, ({schedules.NEXT_DUE}) as schedule,
       exists (select {schedules.CONSUMING}) as consuming, ({deliveries.NEXT}) as delivery,
       exists ({lifecycle.SHARES}) as telling
"""

IS_OWED = "select " + " or ".join(
    f"exists ({owed})" for owed in (steps.OWED, work.OWED, events.OWED, events.OWED_LOOK_BACKS)
)


async def get(connection: Connection) -> Outlook:
    row = await connection.fetchrow(OUTLOOK, PARTITIONS)
    assert row is not None
    return Outlook(
        timer=row["timer"],
        job=row["job"],
        schedule=0.0 if row["consuming"] else row["schedule"],
        delivery=row["delivery"],
        telling=row["telling"],
    )


async def is_owed(connection: Connection, older_than_seconds: float) -> bool:
    owed: bool = await connection.fetchval(IS_OWED, older_than_seconds, 1, bytes([VERSION]))
    return owed
