"""The commands of the two services, on an external PostgreSQL: schema and keys."""

import asyncio
import uuid
from contextlib import asynccontextmanager

import asyncpg
import pytest
from command import Commands

from integration.programs import Program

pytestmark = pytest.mark.timeout(180)


@asynccontextmanager
async def empty_database(postgres):
    """The DSN of a database without a schema."""
    name = f"empty_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield postgres.dsn(name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def test_migrate_twice_and_at_once(postgres, tmp_path):
    async with empty_database(postgres) as dsn:
        perdure = Commands("http://127.0.0.1:9", tmp_path, PERDURE_DATABASE_URL=dsn)
        early = await perdure("api", "--port", "0")
        assert early.code == 1
        assert "perdure migrate" in early.err
        first, second = await asyncio.gather(perdure("migrate"), perdure("migrate"))
        assert (first.code, second.code) == (0, 0)
        applied = [line for line in (first.out + second.out).splitlines() if line.startswith("applied ")]
        assert len(applied) == len(set(applied)) > 0
        third = await perdure("migrate")
        assert (third.code, third.out) == (0, "The schema is up to date.\n")


async def test_keys(database, tmp_path):
    perdure = Commands("http://127.0.0.1:9", tmp_path, PERDURE_DATABASE_URL=database)
    created = await perdure("keys", "create", "--name", "ci")
    key = created.out.strip()
    assert (created.code, len(key) > 20) == (0, True)
    assert (await perdure("keys", "create", "--name", "x", "--role", "viewer")).code == 1
    assert (await perdure("keys", "create", "--name", "x", "--tenant", "other")).code == 1
    listed = await perdure("keys", "list", "--json")
    (item,) = listed.json["items"]
    assert (item["name"], item["tenant"], item["role"], item["revokedAt"]) == ("ci", "default", "admin", None)
    assert key not in listed.out
    assert key not in (await perdure("keys", "list")).out

    api = Program("api", environment={"PERDURE_DATABASE_URL": database})
    try:
        await api.start()
        without = await Commands(api.url, tmp_path)("ps")
        assert without.code == 1
        assert "PERDURE_API_KEY" in without.err
        known = Commands(api.url, tmp_path, PERDURE_API_KEY=key)
        assert (await known("ps", "--json")).json == {"items": [], "next": None}
        assert (await perdure("keys", "revoke", item["id"])).code == 0
        await known.until(lambda result: result.code == 1, "ps")
    finally:
        await api.close()
    assert (await perdure("keys", "revoke", str(uuid.uuid4()))).code == 1
    assert (await perdure("keys", "list", "--json")).json["items"][0]["revokedAt"] is not None


@pytest.mark.parametrize("command", [("api",), ("worker",), ("migrate",), ("keys", "list")])
async def test_services_need_a_database(tmp_path, command):
    result = await Commands("http://127.0.0.1:9", tmp_path)(*command)
    assert result.code == 1
    assert "PERDURE_DATABASE_URL" in result.err
    assert "Traceback" not in result.err


async def test_a_database_that_does_not_answer(tmp_path):
    perdure = Commands("http://127.0.0.1:9", tmp_path, PERDURE_DATABASE_URL="postgresql://u:hidden@127.0.0.1:9/x")
    result = await perdure("migrate")
    assert result.code == 1
    assert "PERDURE_DATABASE_URL" in result.err
    assert "hidden" not in result.err
    assert "Traceback" not in result.err
