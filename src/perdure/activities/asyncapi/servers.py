"""Which server a call goes to, and its address."""

import re
from collections.abc import Collection, Mapping

from perdure.activities.asyncapi.documents import PROTOCOLS
from perdure.activities.asyncapi.model import Operation, Server
from perdure.activities.http_request import misconfigured
from perdure.activities.lookup import suggestion
from perdure.codec import Json, text_of

VARIABLE = re.compile(r"\{([^{}]*)\}")
_HARMLESS = re.compile(r"[A-Za-z0-9._~-]+")


def chosen(
    servers: Mapping[str, Server], operation: Operation, given: Json, protocol: Json, spoken: Collection[str]
) -> Server:
    """The server named by the call, else the first of the protocol, else the first whose protocol is spoken here.

    Raises `CallFailed` (configuration).
    """
    fitting = [servers[name] for name in operation.servers or servers if name in servers]
    if isinstance(given, dict):
        return _named(str(given.get("name")), servers, fitting, operation)
    if not fitting:
        raise misconfigured(f"The document has no server for {operation.name!r}.")
    found = ", ".join(f"{server.name} ({server.protocol})" for server in fitting)
    if protocol is not None:
        wanted = PROTOCOLS.get(str(protocol), (str(protocol), False))[0]
        for server in fitting:
            if server.protocol == wanted or {server.protocol, wanted} == {"mqtt", "mqtt5"}:
                return server
        raise misconfigured(f"{operation.name!r} has no server of the protocol {protocol}; it has {found}.")
    return next((server for server in fitting if server.protocol in spoken), fitting[0])


def _named(name: str, servers: Mapping[str, Server], fitting: list[Server], operation: Operation) -> Server:
    if name not in servers:
        raise misconfigured(f"The document has no server {name!r}{suggestion(name, servers)}")
    if servers[name] not in fitting:
        names = ", ".join(server.name for server in fitting) or "none"
        raise misconfigured(f"{operation.name!r} is not at the server {name!r}; it is at {names}.")
    return servers[name]


def uri_of(server: Server, given: Mapping[str, Json]) -> str:
    """The server's URI with its variables. Without a list of choices a value may not lead to another host."""
    values = dict(server.defaults)
    for name in given.keys() & (server.choices.keys() | server.defaults.keys()):
        values[name] = _checked(server, name, text_of(given[name]))

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise misconfigured(f"The server {server.name} needs a value for its variable {match[1]}.")
        return values[match[1]]

    return VARIABLE.sub(value, server.uri)


def _checked(server: Server, name: str, value: str) -> str:
    choices = server.choices.get(name)
    if value not in choices if choices else not _HARMLESS.fullmatch(value):
        expected = f"one of {', '.join(choices)}" if choices else "letters, digits, dots and hyphens"
        raise misconfigured(f"The server {server.name} expects {expected} for its variable {name}.")
    return value
