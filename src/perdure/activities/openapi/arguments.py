"""Which of the given names is which part of the request.

In this order a name is: a parameter (in each place that has one of that name); the whole body, where it is the
body's name (``body`` in OpenAPI 3) and no property; a property of the body that the document declares; a variable
of the server; any other property of a body that is not closed. What is left over is an error.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from perdure.activities.http_request import misconfigured
from perdure.activities.lookup import suggestion
from perdure.activities.openapi.model import MISSING, Body, Missing, Operation, Parameter
from perdure.codec import Json, text_of

_HARMLESS = re.compile(r"[A-Za-z0-9._~-]+")


@dataclass(slots=True)
class Arguments:
    """The parts of a request. `body` is `MISSING` where there is none."""

    parameters: list[tuple[Parameter, Json]] = field(default_factory=list)
    body: Json | Missing = MISSING
    variables: dict[str, str] = field(default_factory=dict)


def matched(operation: Operation, given: Mapping[str, Json]) -> Arguments:
    """Raises `CallFailed` (configuration) that names what is missing or unknown."""
    arguments = Arguments(_parameters(operation, given))
    left = {name: value for name, value in given.items() if not _is_parameter(operation, name)}
    left = _body(operation.body, left, operation, arguments)
    if left:
        raise misconfigured(_unknown(operation, left))
    _require_body(operation, arguments)
    return arguments


def _parameters(operation: Operation, given: Mapping[str, Json]) -> list[tuple[Parameter, Json]]:
    """Null is as good as nothing; what must be there and is not is its default."""
    headers = {name.lower(): value for name, value in given.items()}
    found, missing = [], []
    for parameter in operation.parameters:
        named = headers.get(parameter.name.lower()) if parameter.place == "header" else given.get(parameter.name)
        value = parameter.default if named is None and parameter.required else named
        if value is not None and value is not MISSING:
            found.append((parameter, value))
        elif parameter.required:
            missing.append(f"{parameter.name} (in {parameter.place})")
    if missing:
        raise misconfigured(f"The operation {operation.id} needs {' and '.join(missing)} under `parameters`.")
    return found


def _is_parameter(operation: Operation, name: str) -> bool:
    return any(
        name == parameter.name or (parameter.place == "header" and name.lower() == parameter.name.lower())
        for parameter in operation.parameters
    )


def _body(body: Body | None, left: dict[str, Json], operation: Operation, arguments: Arguments) -> dict[str, Json]:
    """Puts into the arguments what belongs to the body and the server; what is left belongs nowhere."""
    variables = operation.server.defaults
    declared = {name for content in body.contents for name in content.properties} if body else set[str]()
    if body and body.name and body.name in left and body.name not in declared:
        arguments.body = left.pop(body.name)
        arguments.variables = _variables(operation, {name: left.pop(name) for name in variables if name in left})
        return left
    members = {name: left.pop(name) for name in tuple(left) if name in declared}
    arguments.variables = _variables(operation, {name: left.pop(name) for name in variables if name in left})
    if body and not all(content.closed for content in body.contents):
        members, left = members | left, {}
    if members:
        arguments.body = members
    return left


def _variables(operation: Operation, given: Mapping[str, Json]) -> dict[str, str]:
    """Without a list of choices a value may not lead to another host: it has no character that ends a name."""
    values = {name: text_of(value) for name, value in given.items()}
    for name, value in values.items():
        choices = operation.server.choices.get(name)
        if value not in choices if choices else not _HARMLESS.fullmatch(value):
            expected = f"one of {', '.join(choices)}" if choices else "letters, digits, dots and hyphens"
            raise misconfigured(f"The server of {operation.id} expects {expected} for its variable {name}.")
    return values


def _require_body(operation: Operation, arguments: Arguments) -> None:
    body = operation.body
    if body is None:
        return
    members = arguments.body if isinstance(arguments.body, dict) else {}
    missing = sorted(name for name in body.required_properties if members.get(name) is None)
    if missing:
        raise misconfigured(f"The operation {operation.id} needs {' and '.join(missing)} under `parameters`.")
    if body.required and arguments.body is MISSING:
        detail = f"needs a body: {body.name or 'its properties'} under `parameters`, or the body's properties there"
        raise misconfigured(f"The operation {operation.id} {detail}.")


def _unknown(operation: Operation, left: Iterable[str]) -> str:
    known = [parameter.name for parameter in operation.parameters]
    known += list(operation.server.defaults)
    if operation.body:
        known += [name for content in operation.body.contents for name in content.properties]
        known += [operation.body.name] if operation.body.name else []
    known = list(dict.fromkeys(known))
    name = next(iter(left))
    return f"The operation {operation.id} has no parameter {name!r}{suggestion(name, known)}"
