"""What performers of all kinds share: settings, secrets, the HTTP client, resources fetched from elsewhere."""

import asyncio

from perdure.activities.contract import CallFailed
from perdure.activities.http_client import HttpClient
from perdure.activities.resources import Resources
from perdure.engine.errors import Error
from perdure.secrets import Secrets
from perdure.settings import Settings


class Outside:
    """One per worker."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self.secrets = secrets
        self.http = HttpClient(settings, secrets)
        self.resources = Resources(self.http, settings, secrets)
        self.programs = asyncio.Semaphore(settings.run_concurrency_max)
        """Room for programs that run at the same time."""

    def redacted(self, failure: CallFailed) -> CallFailed:
        """The failure without any known secret in its words."""
        error = failure.error
        detail = self.secrets.redact_text(error.detail or "")
        return CallFailed(Error(error.type, error.status, error.title, detail))

    async def start(self) -> None:
        await self.http.start()

    async def stop(self) -> None:
        """Drop what is under way and release all connections."""
        await self.http.stop()
