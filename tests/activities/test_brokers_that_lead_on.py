"""Brokers tell their clients of other brokers. Those have to be allowed too."""

import asyncio
import contextlib
import json

import pytest
from ways_out import STAGE, WAYS, Stage

from perdure.activities.contract import CallFailed
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings


@contextlib.asynccontextmanager
async def listening(serve, host=STAGE):
    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def publishing(protocol, port):
    """The error of a call to a broker at the stage's address, where no other address is allowed."""
    outside = Outside(Settings(_env_file=None, egress_allow=STAGE, call_timeout_seconds=2), Secrets({}))
    documents = Stage()
    await outside.start()
    try:
        async with listening(documents_served(documents)) as at:
            documents.base = f"http://{STAGE}:{at}"
            with pytest.raises(CallFailed) as caught:
                await WAYS[f"asyncapi {protocol}"](outside, documents, f"{STAGE}:{port}")
    finally:
        await outside.stop()
    return caught.value.error


def documents_served(documents):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        body = documents.documents["/asyncapi.yaml"].encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    return serve


async def test_a_kafka_cluster_names_brokers_that_may_not_be_reached(kafka_server, caplog):
    """It is reached by a detour, and says that its broker is at 127.0.0.1. The library tries that to the end."""
    pipes = []

    async def detour(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", kafka_server.port)
        pipes.append(asyncio.gather(_pump(reader, back), _pump(there, writer)))
        await pipes[-1]

    await kafka_server.add_topic("guarded")
    async with listening(detour) as port:
        error = await publishing("kafka", port)
    assert pipes, "the cluster was never asked"
    assert error.type.rpartition("/")[2] in ("authorization", "timeout")
    assert "127.0.0.1 is not a public address" in caplog.text


async def _pump(reader, writer):
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def test_a_nats_server_that_speaks_of_others_is_not_followed_there():
    """Once it hangs up, its client would try the others."""
    tempted = []

    async def trap(_, writer):
        tempted.append(1)
        writer.close()

    async with listening(trap, "127.0.0.1") as trap_port:
        info = {"server_id": "x", "version": "2.10.0", "max_payload": 1024, "connect_urls": [f"127.0.0.1:{trap_port}"]}

        async def serve(reader, writer):
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
                await reader.readuntil(b"PING\r\n")
                writer.write(b"PONG\r\n")
                await writer.drain()
            writer.close()

        async with listening(serve) as port:
            error = await publishing("nats", port)
    assert error.type.rpartition("/")[2] in ("communication", "timeout")
    assert not tempted
