"""Where a call leads: its document's operation, a server, and the channel's address there."""

from collections.abc import Sequence
from dataclasses import replace

from yarl import URL

from perdure.activities.asyncapi import version2, version3
from perdure.activities.asyncapi.addresses import address_of
from perdure.activities.asyncapi.documents import binding, servers_of
from perdure.activities.asyncapi.model import Bindings, Operation, Server, Target
from perdure.activities.asyncapi.protocols.table import ENTRIES, missing
from perdure.activities.asyncapi.servers import chosen, uri_of
from perdure.activities.contract import Call
from perdure.activities.documents import Documents
from perdure.activities.http_request import misconfigured
from perdure.activities.references import Node, References
from perdure.codec import Json


async def target_of(call: Call, documents: Documents) -> Target:
    """Raises `CallFailed`."""
    arguments = _arguments(call)
    references = References(documents, arguments["document"].get("endpoint"), call)
    root = await references.root()
    version = version2 if _version(root) == 2 else version3
    publishes = "message" in arguments
    operation = await version.operation_of(
        root,
        references,
        channel=arguments.get("channel"),
        operation=arguments.get("operation"),
        publishes=publishes,
    )
    spoken = [name for name in ENTRIES if missing(name) is None]
    given = arguments.get("server")
    server = chosen(await servers_of(root, references), operation, given, arguments.get("protocol"), spoken)
    if arguments.get("protocol") == "mqtt5" and given is None and server.protocol == "mqtt":
        server = replace(server, protocol="mqtt5")
    return _target_of(operation, server, arguments, publishes)


def _arguments(call: Call) -> dict[str, Json]:
    match call.request:
        case {"document": dict()}:
            arguments = dict(call.request)
            for one, other in (("channel", "operation"), ("message", "subscription")):
                if (arguments.get(one) is None) == (arguments.get(other) is None):
                    raise misconfigured(f"An AsyncAPI call needs `{one}` or `{other}`, and not both.")
            if "message" in arguments and not isinstance(arguments["message"], dict):
                raise misconfigured("`message` must be an object with payload and headers.")
            return arguments
    raise misconfigured("An AsyncAPI call needs a document with an endpoint.")


def _version(root: Node) -> int:
    said = root.object.get("asyncapi")
    text = str(said)
    if text.startswith("2."):
        return 2
    if text.startswith("3."):
        return 3
    found = "" if said is None else f"; it says {text[:20]}"
    raise misconfigured(f"{root.document.uri} is no document of AsyncAPI 2.x or 3.0{found}.")


def _target_of(operation: Operation, server: Server, arguments: dict[str, Json], publishes: bool) -> Target:
    given = arguments.get("server")
    variables = (given.get("variables") if isinstance(given, dict) else None) or {}
    address = address_of(operation, server, variables, arguments["message"] if publishes else None)
    uri = uri_of(server, variables)
    try:
        url = URL(uri)
        host, port = url.host, url.port
    except ValueError:
        host = port = None
    if not host:
        raise misconfigured(f"The address of the server {server.name} is no valid URI.")
    return Target(
        protocol=server.protocol,
        host=host,
        port=port,
        path=url.raw_path_qs if server.protocol == "http" else url.path,
        tls=server.tls,
        address=address,
        bindings=Bindings(
            server.bindings,
            *(binding(bindings, server.protocol) for bindings in _bindings(operation)),
        ),
        content_type=operation.content_type,
        correlation=operation.correlation,
        userinfo=None if url.user is None and url.password is None else (url.user or "", url.password or ""),
    )


def _bindings(operation: Operation) -> Sequence[dict[str, Json]]:
    return [dict(operation.channel_bindings), dict(operation.operation_bindings), dict(operation.message_bindings)]
