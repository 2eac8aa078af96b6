"""What all versions of AsyncAPI documents have in common: servers, parameters, bindings, messages."""

from collections.abc import Mapping

from perdure.activities.asyncapi.model import Parameter, Server
from perdure.activities.http_request import misconfigured
from perdure.activities.references import Node, References
from perdure.codec import Json, text_of

JSON = "application/json"

PROTOCOLS: Mapping[str, tuple[str, bool]] = {
    "amqps": ("amqp", True),
    "https": ("http", True),
    "kafka-secure": ("kafka", True),
    "mqtts": ("mqtt", True),
    "mqtt5-secure": ("mqtt5", True),
    "secure-mqtt": ("mqtt", True),
    "nats-tls": ("nats", True),
    "tls": ("nats", True),
}
"""Spellings that say that the connection is encrypted, by the DSL's name of the protocol."""


async def servers_of(root: Node, references: References) -> dict[str, Server]:
    """The document's servers, in its order."""
    servers = {}
    for name, entry in root.member("servers").members().items():
        servers[name] = await server_of(name, await references.follow(entry), references)
    return servers


async def server_of(name: str, node: Node, references: References) -> Server:
    said = node.object
    protocol, tls = PROTOCOLS.get(str(said.get("protocol")).lower(), (str(said.get("protocol")).lower(), False))
    uri = _uri(name, node)
    scheme, separator, rest = uri.partition("://")
    if separator:
        tls = tls or PROTOCOLS.get(scheme.lower(), ("", False))[1]
        uri = rest
    if protocol == "mqtt" and str(said.get("protocolVersion", "")).startswith("5"):
        protocol = "mqtt5"
    variables = {}
    for key, entry in node.member("variables").members().items():
        variables[key] = (await references.follow(entry)).object
    bindings = await bindings_of(node, references)
    return Server(
        name,
        protocol,
        f"{protocol}://{uri}",
        tls,
        {key: text_of(value["default"]) for key, value in variables.items() if "default" in value},
        {key: [text_of(one) for one in value.get("enum") or ()] for key, value in variables.items()},
        binding(bindings, protocol),
    )


def _uri(name: str, node: Node) -> str:
    """``url`` in 2.x; ``host`` and ``pathname`` in 3.0."""
    said = node.object
    if isinstance(said.get("url"), str):
        return str(said["url"])
    if isinstance(said.get("host"), str):
        path = str(said.get("pathname") or "")
        return f"{said['host']}{path if not path or path.startswith('/') else '/' + path}"
    raise misconfigured(f"{node.document.uri}: the server {name} has no url or host.")


async def parameters_of(channel: Node, references: References) -> dict[str, Parameter]:
    parameters = {}
    for name, entry in channel.member("parameters").members().items():
        node = await references.follow(entry)
        schema = (await references.follow(node.member("schema"))).object  # 2.x
        said = {**schema, **node.object}
        default = said.get("default", schema.get("const"))
        parameters[name] = Parameter(
            None if default is None else text_of(default),
            [text_of(one) for one in said.get("enum") or ()],
            said.get("location") if isinstance(said.get("location"), str) else None,
        )
    return parameters


async def bindings_of(holder: Node, references: References) -> dict[str, Json]:
    """The bindings of something, by protocol, each followed to where it stands."""
    node = await references.follow(holder.member("bindings"))
    found = {}
    for name, entry in node.members().items():
        found[name] = (await references.follow(entry)).value
    return found


def binding(bindings: Mapping[str, Json], protocol: str) -> Mapping[str, Json]:
    """Those of a protocol. MQTT 5 is described as ``mqtt5`` or, with more members, as ``mqtt``."""
    value = bindings.get(protocol)
    if value is None and protocol == "mqtt5":
        value = bindings.get("mqtt")
    return value if isinstance(value, dict) else {}


async def message_of(node: Node, references: References) -> Node:
    """The message of an operation: of several, the first."""
    message = await references.follow(node)
    alternatives = message.member("oneOf").items()
    return await references.follow(alternatives[0]) if alternatives else message


async def content_of(message: Node, root: Node, references: References) -> tuple[str, str | None]:
    """The content type, and where the correlation id is."""
    said: list[Node] = [message]
    for entry in message.member("traits").items():
        said.append(await references.follow(entry))
    content_type = correlation = None
    for node in said:
        content_type = content_type or node.object.get("contentType")
        where = (await references.follow(node.member("correlationId"))).object.get("location")
        correlation = correlation or where
    content_type = content_type or root.object.get("defaultContentType") or JSON
    return str(content_type), correlation if isinstance(correlation, str) else None
