"""Brings a database to the schema of this release: in order, once each, safe to run from several machines.

The previous release serves meanwhile. Whoever wants a table after a migration that waits for it waits as well, so a
migration waits briefly, gives way, and tries again.

It goes on serving afterwards, and may be started again, unless a migration says otherwise with a line of its own:
``-- serves-from: 0012`` refuses releases that do not know migration 0012. The database keeps that, for they can't.
"""

import re
from collections.abc import Awaitable, Callable
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
    applied_at timestamptz not null default now(),
    serves_from integer
)
"""

# Databases of before there was such a rule.
_ADD_SERVES_FROM = "alter table schema_migration add column if not exists serves_from integer"

_HAS_SERVES_FROM = """
select exists (
    select from pg_attribute where attrelid = to_regclass('schema_migration') and attname = 'serves_from')
"""

_APPLIED = """
select number, name, checksum, (to_jsonb(m) ->> 'serves_from')::integer as serves_from
from schema_migration m order by number
"""

_NOTE = "insert into schema_migration (number, name, checksum, serves_from) values ($1, $2, $3, $4)"

# Some migrations say for themselves how long to wait for a lock, which others would have to wait with them.
_OWN_LOCK_TIMEOUT = re.compile(r"^set local lock_timeout = .*;$", re.MULTILINE)

_SERVES_FROM = re.compile(r"^-- serves-from: (\d{4})$", re.MULTILINE)


class Migration(NamedTuple):
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()

    @property
    def serves_from(self) -> int:
        """The number of a migration: only releases that know it may serve once this one is applied; 0 for all."""
        found = _SERVES_FROM.search(self.sql)
        return 0 if found is None else int(found[1])


class MigrationFailed(Exception):
    """The database can't be brought to this release's schema; the message says why and what to do."""


def shipped() -> list[Migration]:
    """The migrations of this release, in order."""
    folder = files("perdure.store.postgres.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [Migration(int(name[:4]), name, (folder / name).read_text("utf-8")) for name in names]


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing and answer the names of the migrations applied.

    Raises `MigrationFailed` where this release may not serve on the database any more, where it was migrated by other
    files, or where it stays too busy.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(_CREATE)
        if not await connection.fetchval(_HAS_SERVES_FROM):
            await _giving_way(lambda: _remember_who_serves(connection), "The table of migrations")
        return [await apply(connection, migration) for migration in await pending(connection)]
    finally:
        await connection.close()


async def pending(connection: Connection) -> list[Migration]:
    """The migrations that the database lacks. Raises `MigrationFailed` as `migrate` does.

    A newer release may have migrated the database further: this one serves on, unless it was told not to.
    """
    if await connection.fetchval("select to_regclass('schema_migration')") is None:
        return shipped()
    applied = {row["number"]: row for row in await connection.fetch(_APPLIED)}
    known = {migration.number: migration for migration in shipped()}
    for number, row in applied.items():
        if number not in known:
            _check_serves(row["name"], row["serves_from"], max(known))
        elif row["checksum"] != known[number].checksum:
            raise MigrationFailed(
                f"Migration {row['name']} was applied with other content than this release ships. "
                "Restore the database, or run the release that migrated it."
            )
    return [migration for number, migration in known.items() if number not in applied]


def _check_serves(name: str, serves_from: int | None, newest: int) -> None:
    """Raises `MigrationFailed` where a release whose newest migration is `newest` may not serve beside this one."""
    if serves_from is None or serves_from > newest:
        raise MigrationFailed(
            f"The database has migration {name}, which this release does not know and can't serve beside: "
            "it was migrated by a newer release. Run that release or a newer one."
        )


async def apply(connection: Connection, migration: Migration) -> str:
    """Apply one migration and answer its name. Raises `MigrationFailed` where it never gets its locks."""
    await _giving_way(lambda: _try(connection, migration), f"Migration {migration.name}")
    return migration.name


async def _giving_way(change: Callable[[], Awaitable[None]], what: str) -> None:
    """Try the change until it has its locks; others have their turn in between."""
    for attempt in range(1, TRIES_MAX + 1):
        try:
            return await change()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if attempt < TRIES_MAX:
                await clock.sleep(clock.jittered(RETRY_SECONDS))
    raise MigrationFailed(
        f"{what} could not lock the tables that it changes, {TRIES_MAX} times; it has changed "
        "nothing. Look for long transactions (pg_stat_activity), end them, and run it again."
    )


async def _try(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute("select set_config('lock_timeout', $1, true)", LOCK_TIMEOUT)
        await connection.execute(_OWN_LOCK_TIMEOUT.sub("", migration.sql))
        note = (migration.number, migration.name, migration.checksum, migration.serves_from)
        await connection.execute(_NOTE, *note)


async def _remember_who_serves(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute("select set_config('lock_timeout', $1, true)", LOCK_TIMEOUT)
        await connection.execute(_ADD_SERVES_FROM)
