"""Brings a database to the schema of this release: in order, once each, safe to run from several machines."""

from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

import asyncpg

from perdure.store.postgres.connection import Connection

LOCK = 0x7065_7264_7572_65  # "perdure"

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

    Raises `MigrationFailed` where the database was migrated by a newer release or by other files.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(_CREATE)
        return [await _apply(connection, migration) for migration in await pending(connection)]
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


async def _apply(connection: Connection, migration: Migration) -> str:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "insert into schema_migration (number, name, checksum) values ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )
    return migration.name
