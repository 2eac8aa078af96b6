"""What performers of all kinds share: settings, secrets, the HTTP client, resources fetched from elsewhere."""

from perdure.activities.http_client import HttpClient
from perdure.activities.resources import Resources
from perdure.secrets import Secrets
from perdure.settings import Settings


class Outside:
    """One per worker."""

    def __init__(self, settings: Settings, secrets: Secrets) -> None:
        self.settings = settings
        self.secrets = secrets
        self.http = HttpClient(settings, secrets)
        self.resources = Resources(self.http, settings, secrets)

    async def start(self) -> None:
        await self.http.start()

    async def stop(self) -> None:
        """Drop what is under way and release all connections."""
        await self.http.stop()
