"""The address of a channel, its parameters filled in.

A parameter's value comes from ``server.variables`` where the server has no variable of that name, from where its
``location`` points in the message to publish, from its default. A subscription without a value for it is to all
of them, where the protocol has wildcards.
"""

import re
from collections.abc import Mapping

from perdure.activities.asyncapi.locations import at
from perdure.activities.asyncapi.model import Operation, Parameter, Server
from perdure.activities.asyncapi.servers import VARIABLE
from perdure.activities.http_request import misconfigured
from perdure.activities.lookup import suggestion
from perdure.codec import Json, text_of

WILDCARDS: Mapping[str, str] = {"amqp": "*", "mqtt": "+", "mqtt5": "+", "nats": "*"}

_SEPARATING = re.compile(r"[/#+*>{}\s\x00-\x1f]")
"""What would lead a value out of its part of the address, in one protocol or the other."""


def address_of(operation: Operation, server: Server, given: Mapping[str, Json], message: Json | None) -> str:
    """`message` is what is to be published, None for a subscription. Raises `CallFailed` (configuration)."""
    known = server.choices.keys() | server.defaults.keys() | operation.parameters.keys()
    names = set(VARIABLE.findall(operation.address))
    for name in given:
        if name not in known | names:
            raise misconfigured(f"Neither the server nor the channel has a variable {name!r}{suggestion(name, known)}")

    def value(match: re.Match[str]) -> str:
        name = match[1]
        parameter = operation.parameters.get(name, Parameter())
        if name in given and name not in server.defaults and name not in server.choices:
            return _checked(operation, name, text_of(given[name]), parameter)
        if message is not None and parameter.location is not None:
            found = at(parameter.location, message)
            if found is not None:
                return _checked(operation, name, text_of(found), parameter)
        if parameter.default is not None:
            return parameter.default
        if message is None and server.protocol in WILDCARDS:
            return WILDCARDS[server.protocol]
        raise misconfigured(
            f"The channel {operation.address!r} needs a value for {name}: give it under server.variables."
        )

    return VARIABLE.sub(value, operation.address)


def _checked(operation: Operation, name: str, value: str, parameter: Parameter) -> str:
    if parameter.choices and value not in parameter.choices:
        expected = ", ".join(parameter.choices)
        raise misconfigured(f"The channel {operation.address!r} expects one of {expected} for {name}.")
    if not value or _SEPARATING.search(value):
        raise misconfigured(
            f"The channel {operation.address!r} can't have this value for {name}: it is empty or has characters "
            "that separate the parts of an address."
        )
    return value
