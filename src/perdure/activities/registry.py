"""Which performer does which kind of work. Adding one: docs/how-to-add-an-activity.md."""

from collections.abc import Mapping

import structlog

from perdure.activities.a2a import A2aPerformer
from perdure.activities.asyncapi.performer import AsyncApiPerformer
from perdure.activities.container import ContainerPerformer
from perdure.activities.contract import Call, Performer, Postponed
from perdure.activities.grpc import GrpcPerformer
from perdure.activities.http import HttpPerformer
from perdure.activities.kubernetes.performer import KubernetesPerformer
from perdure.activities.mcp import McpPerformer
from perdure.activities.openapi.performer import OpenApiPerformer
from perdure.activities.outside import Outside
from perdure.activities.script import ScriptPerformer
from perdure.activities.shell import ShellPerformer
from perdure.activities.webhook import WebhookPoster
from perdure.codec import Json

log = structlog.get_logger("perdure.calls")


def performers(outside: Outside) -> Mapping[str, Performer]:
    """The performer of each function, by the name that `engine.effects.PerformCall` gives it."""
    in_cluster = outside.settings.container_engine == "kubernetes"
    return {
        "a2a": A2aPerformer(outside),
        "asyncapi": AsyncApiPerformer(outside),
        "container": KubernetesPerformer(outside) if in_cluster else ContainerPerformer(outside),
        "grpc": GrpcPerformer(outside),
        "http": HttpPerformer(outside),
        "mcp": McpPerformer(outside),
        "openapi": OpenApiPerformer(outside),
        "script": ScriptPerformer(outside),
        "shell": ShellPerformer(outside),
    }


class Registry:
    """All performers as one, and what they share."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._performers = performers(outside)
        self._poster = WebhookPoster(outside)

    async def perform(self, call: Call) -> Json:
        """See `contract.Performer`. A call that no performer here knows is one of a later release, and is left to its
        workers.
        """
        performer = self._performers.get(call.function)
        if performer is None:
            log.warning(
                "a call is left to a later release: this one does not know its function",
                function=call.function,
                process_id=str(call.process),
                activity_id=str(call.activity),
            )
            raise Postponed
        if call.deliver is not None:  # a subscription, which lasts
            return await performer.perform(call)
        async with self._outside.limiter.permit_tenant(call.tenant):
            return await performer.perform(call)

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[int, Mapping[str, str]]:
        """See `contract.Poster`."""
        return await self._poster.post(url, headers, body, seconds)

    async def start(self) -> None:
        await self._outside.start()
        for performer in self._performers.values():
            await performer.start()

    async def stop(self) -> None:
        for performer in self._performers.values():
            await performer.stop()
        await self._outside.stop()
