"""A running ``perdure dev`` and clients of it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import yaml

from integration.programs import Program
from perdure.client import AsyncClient, Client

JOB = [{"work": {"call": "job:1.0.0@default", "with": {"type": "${ .type }", "input": "${ .input }"}}}]


def source(name: str, do: list) -> bytes:
    document = {"dsl": "1.0.3", "namespace": "sdk", "name": name, "version": "1.0.0"}
    return yaml.safe_dump({"document": document, "do": do}, sort_keys=False).encode()


@pytest.fixture(scope="session")
async def dev() -> AsyncIterator[Program]:
    program = Program("dev")
    await program.start()
    with Client(program.url) as client:
        client.deploy(source("job", JOB))
    yield program
    await program.close()


@pytest.fixture
def client(dev: Program) -> Iterator[Client]:
    with Client(dev.url) as client:
        yield client


@pytest.fixture
async def aclient(dev: Program) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(dev.url) as client:
        yield client
