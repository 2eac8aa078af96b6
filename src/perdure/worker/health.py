"""The worker's own small server: health for those who keep it running, and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from perdure import telemetry
from perdure.codec import Json, encode

READY_SECONDS_MAX: Final = 5.0
STOP_SECONDS_MAX: Final = 1.0

Checks = Callable[[], Awaitable[Mapping[str, Json]]]
"""Per dependency ``ok``, or what is wrong."""


class HealthServer:
    """``/healthz``, ``/readyz`` and ``/metrics`` on a port of their own. No keys: it shows no tenant's data."""

    def __init__(self, ready: Checks, *, host: str, port: int) -> None:
        self._ready = ready
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Begin to serve; answers the base URL. Raises `OSError` where the address can't be had."""
        app = web.Application()
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._is_ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_SECONDS_MAX)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"http://[{self._host}]:{port}" if ":" in self._host else f"http://{self._host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _alive(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _is_ready(self, _: web.Request) -> web.Response:
        checks = await self._checks()
        good = all(state == "ok" for state in checks.values())
        return _json({"status": "ok" if good else "unavailable", "checks": checks}, 200 if good else 503)

    async def _checks(self) -> dict[str, str]:
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                checks = await self._ready()
        except Exception as error:  # whatever it is, it is not ready
            return {"service": telemetry.redact_text(str(error)) or type(error).__name__}
        return {name: telemetry.redact_text(str(state)) for name, state in checks.items()}

    async def _metrics(self, _: web.Request) -> web.Response:
        data, media_type = telemetry.metrics()
        return web.Response(body=data, headers={"Content-Type": media_type})


def _json(value: Json, status: int = 200) -> web.Response:
    return web.Response(
        body=encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
