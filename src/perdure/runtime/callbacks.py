"""Answers to callback URLs. The token is the key: whoever knows it may answer, once."""

from functools import partial
from uuid import UUID

from perdure.codec import Json
from perdure.engine.facts import CallbackReceived
from perdure.runtime.announce import Announcement, announce
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, NotFound
from perdure.store.digests import document_digest, token_digest
from perdure.store.facts import encode_fact


async def receive(context: Context, token: str, body: Json) -> None:
    """See `runtime.platform.Platform.receive_callback`."""
    digest = document_digest(body)
    how, process = await context.store.receive_callback(token_digest(token), digest, partial(_fact, body=body))
    match how:
        case "unknown":
            raise NotFound("No process waits under this callback URL.")
        case "conflict":
            raise Conflict("This callback was answered with another body, or its activity has ended.")
        case "recorded":
            assert process is not None
            await announce(context.broker, Announcement(steps=[process]))


def _fact(activity: UUID, *, body: Json) -> bytes:
    return encode_fact(CallbackReceived(activity=activity, body=body))
