"""Every SQL statement of the code is one that PostgreSQL understands, the oldest supported and the embedded one."""

import importlib
import pkgutil
import re

import asyncpg
import pytest

import perdure.broker
import perdure.coordination
import perdure.store.postgres
from servers import PostgresServer

ROOMS = (perdure.store.postgres, perdure.broker, perdure.coordination)
STATEMENT = re.compile(r"\s*(select|insert|update|delete|with)\b", re.IGNORECASE)
LEAST = 88


def statements() -> dict[str, str]:
    """All module constants that are statements, by where they are."""
    found = {}
    for room in ROOMS:
        for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if name.isupper() and isinstance(value, str) and STATEMENT.match(value):
                    found[f"{module.name}.{name}"] = value
    return found


@pytest.mark.parametrize("postgres", ["15", "18"], indirect=True)
async def test_every_statement_prepares(postgres: PostgresServer) -> None:
    found = statements()
    assert len(found) >= LEAST, sorted(found)
    failures = {}
    async with postgres.fresh_database() as dsn:
        connection = await asyncpg.connect(dsn)
        try:
            for name, statement in found.items():
                try:
                    await connection.prepare(statement)
                except asyncpg.PostgresError as error:
                    failures[name] = str(error)
        finally:
            await connection.close()
    assert not failures
