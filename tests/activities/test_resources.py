"""Documents from elsewhere: how much of one is read."""

from uuid import UUID

import pytest
from aiohttp import web

from perdure.activities.contract import Call, CallFailed
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings


async def test_no_more_is_read_than_a_document_may_have():
    """The server would go on for ever."""
    piece = b"x" * 1024

    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(piece)

    app = web.Application()
    app.router.add_get("/endless", endless)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    uri = f"http://127.0.0.1:{runner.addresses[0][1]}/endless"
    outside = Outside(Settings(_env_file=None, egress_allow="127.0.0.1", resource_bytes_max=2000), Secrets({}))
    await outside.start()
    try:
        with pytest.raises(CallFailed) as caught:
            await outside.resources.fetch(
                uri, Call(UUID(int=1), UUID(int=2), 1, "fetch", "/do/0/r", None, "default", "key/1")
            )
    finally:
        await outside.stop()
        await runner.cleanup()
    assert caught.value.error.type.endswith("/communication")
    assert f"{uri} is longer than 2000 bytes (PERDURE_RESOURCE_BYTES_MAX)" in caught.value.error.detail
