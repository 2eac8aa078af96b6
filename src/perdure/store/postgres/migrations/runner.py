"""Brings a database to the schema of this release: in order, once each, safe to run from several machines.

The previous release serves meanwhile. Whoever wants a table after a migration that waits for it waits as well, so a
migration waits briefly, gives way, and tries again.
"""

from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

import asyncpg

from perdure import clock
from perdure.store.postgres.connection import Connection

LOCK = 0x7065_7264_7572_65  # "perdure"

LOCK_TIMEOUT = "1s"
"""How long a statement may wait for a table, and so how long it may make others wait."""
TRIES_MAX = 60
RETRY_SECONDS = 1.0
"""What others get in between."""

_CREATE = """
create table if not exists schema_migration (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
)
"""


class Migration(NamedTuple):
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


class MigrationFailed(Exception):
    """The database can't be brought to this release's schema; the message says why and what to do."""


def shipped() -> list[Migration]:
    """The migrations of this release, in order."""
    folder = files("perdure.store.postgres.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [Migration(int(name[:4]), name, (folder / name).read_text("utf-8")) for name in names]


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing and answer the names of the migrations applied.

    Raises `MigrationFailed` where the database was migrated by a newer release or by other files, or stays too busy.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(_CREATE)
        return [await apply(connection, migration) for migration in await pending(connection)]
    finally:
        await connection.close()


async def pending(connection: Connection) -> list[Migration]:
    """The migrations that the database lacks. Raises `MigrationFailed` as `migrate` does."""
    if await connection.fetchval("select to_regclass('schema_migration')") is None:
        return shipped()
    rows = await connection.fetch("select number, name, checksum from schema_migration order by number")
    applied = {row["number"]: row for row in rows}
    known = {migration.number: migration for migration in shipped()}
    for number, row in applied.items():
        if number not in known:
            raise MigrationFailed(
                f"The database has migration {row['name']}, which this release does not know: "
                "it was migrated by a newer release. Run that release or a newer one."
            )
        if row["checksum"] != known[number].checksum:
            raise MigrationFailed(
                f"Migration {row['name']} was applied with other content than this release ships. "
                "Restore the database, or run the release that migrated it."
            )
    return [migration for number, migration in known.items() if number not in applied]


async def apply(connection: Connection, migration: Migration) -> str:
    """Apply one migration and answer its name. Raises `MigrationFailed` where it never gets its locks."""
    for attempt in range(1, TRIES_MAX + 1):
        try:
            return await _try(connection, migration)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if attempt < TRIES_MAX:
                await clock.sleep(clock.jittered(RETRY_SECONDS))
    raise MigrationFailed(
        f"Migration {migration.name} could not lock the tables that it changes, {TRIES_MAX} times; it has changed "
        "nothing. Look for long transactions (pg_stat_activity), end them, and run it again."
    )


async def _try(connection: Connection, migration: Migration) -> str:
    async with connection.transaction():
        await connection.execute("select set_config('lock_timeout', $1, true)", LOCK_TIMEOUT)
        await connection.execute(migration.sql)
        await connection.execute(
            "insert into schema_migration (number, name, checksum) values ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )
    return migration.name
