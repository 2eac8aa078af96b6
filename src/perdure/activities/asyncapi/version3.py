"""Operations and channels of AsyncAPI 3.0.

What the call has, a message or a subscription, says what is done. The operation's ``action`` does not: a document
describes an application, which may be the other side of the channel.
"""

from perdure.activities.asyncapi.documents import bindings_of, content_of, message_of, parameters_of
from perdure.activities.asyncapi.model import Operation
from perdure.activities.http_request import misconfigured
from perdure.activities.lookup import suggestion
from perdure.activities.references import Node, References


async def operation_of(
    root: Node, references: References, *, channel: str | None, operation: str | None, publishes: bool
) -> Operation:
    """By the operation's name, or by the channel's name or address. Raises `CallFailed` (configuration)."""
    if operation is not None:
        operations = root.member("operations").members()
        if operation not in operations:
            known = suggestion(operation, operations)
            raise misconfigured(f"{root.document.uri} has no operation {operation!r}{known}")
        found = await references.follow(operations[operation])
        name, node = operation, await references.follow(found.member("channel"))
        if not node.object:
            raise misconfigured(f"{root.document.uri}: the operation {operation!r} has no channel.")
    else:
        name, node = str(channel), await _channel(root, references, str(channel))
        found = Node(None, node.document)
    message = await _message(found, node, references)
    content_type, correlation = await content_of(message, root, references)
    address = node.object.get("address")
    return Operation(
        name=name,
        address=address if isinstance(address, str) else "",
        parameters=await parameters_of(node, references),
        content_type=content_type,
        correlation=correlation,
        servers=_servers(node),
        channel_bindings=await bindings_of(node, references),
        operation_bindings=await bindings_of(found, references),
        message_bindings=await bindings_of(message, references),
    )


async def _channel(root: Node, references: References, name: str) -> Node:
    channels = root.member("channels").members()
    if name in channels:
        return await references.follow(channels[name])
    for entry in channels.values():
        node = await references.follow(entry)
        if node.object.get("address") == name:
            return node
    raise misconfigured(f"{root.document.uri} has no channel {name!r}{suggestion(name, channels)}")


async def _message(operation: Node, channel: Node, references: References) -> Node:
    """The first message that the operation lists, else the channel's first."""
    listed = operation.member("messages").items() or list(channel.member("messages").members().values())
    return await message_of(listed[0], references) if listed else Node(None, channel.document)


def _servers(channel: Node) -> list[str] | None:
    """References lead to ``#/servers/NAME``."""
    names = [str(node.object.get("$ref", "")).rpartition("/")[2] for node in channel.member("servers").items()]
    return names or None
