"""What performers of all kinds share: settings, secrets, the HTTP client, credentials, resources from elsewhere."""

import asyncio

from perdure.activities.authentication.authenticator import Authenticator
from perdure.activities.caller import Caller
from perdure.activities.contract import Permits
from perdure.activities.documents import Documents
from perdure.activities.http_client import HttpClient
from perdure.activities.limiter import Limiter
from perdure.activities.resources import Resources
from perdure.limits import CallLimits
from perdure.secrets import Secrets
from perdure.settings import Settings


class Outside:
    """One per worker. Without `permits` the limits of hosts do not hold."""

    def __init__(self, settings: Settings, secrets: Secrets, permits: Permits | None = None) -> None:
        self.settings = settings
        self.secrets = secrets
        self.limiter = Limiter(
            CallLimits(settings.call_limits), permits, settings.call_lease_seconds, settings.tenant_calls_max
        )
        self.http = HttpClient(settings, secrets, self.limiter)
        self.authenticator = Authenticator(self.http, secrets)
        self.caller = Caller(self.http, self.authenticator, secrets, settings.payload_depth_max)
        self.resources = Resources(self.caller, settings)
        self.documents = Documents(self.resources, settings)
        self.programs = asyncio.Semaphore(settings.run_concurrency_max)
        """Room for programs that run at the same time."""

    async def start(self) -> None:
        await self.limiter.start()
        await self.http.start()

    async def stop(self) -> None:
        """Drop what is under way and release all connections."""
        await self.resources.stop()
        await self.authenticator.stop()
        await self.http.stop()
        await self.limiter.stop()
