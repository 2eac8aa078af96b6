"""Documents from elsewhere: how much of one is read."""

import pytest
from aiohttp import web
from calling import made, serving_app

from perdure.activities.contract import CallFailed
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
    outside = Outside(Settings(_env_file=None, egress_allow="127.0.0.1", resource_bytes_max=2000), Secrets({}))
    await outside.start()
    async with serving_app(app) as base:
        with pytest.raises(CallFailed) as caught:
            await outside.resources.fetch(f"{base}/endless", made("fetch", None))
        await outside.stop()
    assert caught.value.error.type.endswith("/communication")
    assert f"{base}/endless is longer than 2000 bytes (PERDURE_RESOURCE_BYTES_MAX)" in caught.value.error.detail
