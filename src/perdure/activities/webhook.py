"""Posts events to webhooks, behind the same guard as every other outgoing call. Nothing is followed."""

import asyncio
from collections.abc import Mapping

from multidict import CIMultiDict
from yarl import URL

from perdure.activities.contract import CallFailed
from perdure.activities.http_request import USER_AGENT, Request
from perdure.activities.outside import Outside

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


class WebhookPoster:
    """The implementation of `contract.Poster`."""

    def __init__(self, outside: Outside) -> None:
        self._client = outside.http
        self._secrets = outside.secrets

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, Mapping[str, str]]:
        sent = CIMultiDict({"Content-Type": MEDIA_TYPE, "User-Agent": USER_AGENT, "Accept": "*/*", **headers})
        request = Request("post", URL(url), sent, body, output="raw", redirect=False)
        try:
            async with asyncio.timeout(seconds):
                _, response = await self._client.exchange(request)
        except TimeoutError:
            raise ConnectionError(f"no answer within {seconds:g} seconds") from None
        except CallFailed as failure:
            raise ConnectionError(self._secrets.redact_text(failure.error.detail or "")) from None
        return response.status, response.headers
