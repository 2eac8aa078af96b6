"""Arguments of calls, and the authentication policies within them."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.compilation.context import Context
from perdure.definition.interpolation import object_template
from perdure.definition.pointers import child
from perdure.definition.template import Template

_AUTHENTICATED = frozenset(
    {"agentCard", "document", "endpoint", "http", "proto", "request", "server", "service", "transport"}
)
"""The members of a call's arguments that may hold an authentication policy, however deep."""


def of(context: Context, value: Mapping[str, Json], pointer: str) -> Template:
    """The arguments, with names of authentication policies replaced by those policies."""
    members = []
    for key, item in value.items():
        place = child(pointer, key)
        if key == "authentication":
            members.append((key, _policy(context, item, place)))
        elif key in _AUTHENTICATED and isinstance(item, dict):
            members.append((key, of(context, item, place)))
        else:
            members.append((key, context.template(item, place)))
    return object_template(members)


def _policy(context: Context, value: Json, pointer: str) -> Template:
    """A policy in place, or the one that a name under ``use.authentications`` stands for."""
    name = value.get("use") if isinstance(value, dict) else value
    if not isinstance(name, str):
        return context.template(value, pointer)
    return context.template(context.uses.authentications[name], child("/use/authentications", name))
