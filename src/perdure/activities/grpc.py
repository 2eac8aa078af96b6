"""Performs gRPC calls (DSL reference, "gRPC Call"), with the extra ``grpc``.

Only here is it known that the libraries may be missing: `grpc_client` and what it imports need them.
"""

from typing import TYPE_CHECKING

from perdure.activities.contract import Call
from perdure.activities.egress import networks
from perdure.activities.http_request import misconfigured
from perdure.activities.outside import Outside
from perdure.codec import Json

if TYPE_CHECKING:
    from perdure.activities.grpc_client import GrpcClient


class GrpcPerformer:
    """The implementation of `contract.Performer` for ``grpc``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._plaintext = networks(outside.settings.grpc_plaintext, "PERDURE_GRPC_PLAINTEXT")
        self._client: GrpcClient | None = None

    async def start(self) -> None:
        """The client is made when the first call needs it."""

    async def stop(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def perform(self, call: Call) -> Json:
        if self._client is None:
            self._client = self._connect()
        return await self._client.perform(call)

    def _connect(self) -> "GrpcClient":
        try:
            from perdure.activities.grpc_client import GrpcClient
        except ImportError as error:
            raise misconfigured(
                f"gRPC calls need libraries that this worker lacks ({error}): pip install 'perdure[grpc]'"
            ) from None
        return GrpcClient(self._outside, self._plaintext)
