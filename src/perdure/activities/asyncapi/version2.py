"""Channels of AsyncAPI 2.x: a call with a message uses the channel's ``publish``, one with a subscription its
``subscribe`` (DSL reference, "AsyncAPI Call")."""

from perdure.activities.asyncapi.documents import bindings_of, content_of, message_of, parameters_of
from perdure.activities.asyncapi.model import Operation
from perdure.activities.http_request import misconfigured
from perdure.activities.lookup import suggestion
from perdure.activities.references import Node, References


async def operation_of(
    root: Node, references: References, *, channel: str | None, operation: str | None, publishes: bool
) -> Operation:
    """By the channel's name, or by an ``operationId``. Raises `CallFailed` (configuration)."""
    verb = "publish" if publishes else "subscribe"
    if channel is not None:
        name, node = channel, await _channel(root, references, channel)
        found = await references.follow(node.member(verb))
        if node.object.get(verb) is None:
            other = "subscribe" if publishes else "publish"
            has = f"; it has {other}" if node.object.get(other) is not None else ""
            raise misconfigured(f"{root.document.uri}: the channel {channel!r} has no operation {verb}{has}.")
    else:
        name, node, found = await _by_id(root, references, str(operation), verb)
    message = await message_of(found.member("message"), references)
    content_type, correlation = await content_of(message, root, references)
    servers = node.object.get("servers")
    return Operation(
        name=name,
        address=name,
        parameters=await parameters_of(node, references),
        content_type=content_type,
        correlation=correlation,
        servers=[str(server) for server in servers] if isinstance(servers, list) and servers else None,
        channel_bindings=await bindings_of(node, references),
        operation_bindings=await bindings_of(found, references),
        message_bindings=await bindings_of(message, references),
    )


async def _channel(root: Node, references: References, name: str) -> Node:
    channels = root.member("channels").members()
    if name not in channels:
        known = suggestion(name, channels)
        raise misconfigured(f"{root.document.uri} has no channel {name!r}{known}")
    return await references.follow(channels[name])


async def _by_id(root: Node, references: References, wanted: str, verb: str) -> tuple[str, Node, Node]:
    ids = []
    for name, entry in root.member("channels").members().items():
        channel = await references.follow(entry)
        for candidate in ("publish", "subscribe"):
            operation = await references.follow(channel.member(candidate))
            id_ = operation.object.get("operationId")
            if id_ == wanted and candidate == verb:
                return name, channel, operation
            if id_ == wanted:
                raise misconfigured(
                    f"{root.document.uri}: the operation {wanted!r} is {candidate} of the channel {name!r}; "
                    f"the call wants to {verb}."
                )
            if isinstance(id_, str):
                ids.append(id_)
    raise misconfigured(f"{root.document.uri} has no operation {wanted!r}{suggestion(wanted, ids)}")
