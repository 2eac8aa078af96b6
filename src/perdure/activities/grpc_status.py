"""gRPC status codes as the DSL's errors (DSL reference, "Standard Error Types")."""

import grpc

from perdure.activities.contract import CallFailed
from perdure.activities.http_response import printable
from perdure.engine.errors import standard

MESSAGE_CHARACTERS_MAX = 500

_STATUS = {
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}
"""The HTTP status that stands for a code (google/rpc/code.proto); 500 for all others."""

_OWN = {"UNAUTHENTICATED": "authentication", "PERMISSION_DENIED": "authorization", "DEADLINE_EXCEEDED": "timeout"}
"""Codes that the DSL has an error of its own for."""


def failure_of(what: str, code: grpc.StatusCode, message: str) -> CallFailed:
    """The error that a status stands for; its title is the code. `what` says who was called."""
    words = printable(message, MESSAGE_CHARACTERS_MAX)
    detail = f"{what} was answered with {code.name}: {words}" if words else f"{what} was answered with {code.name}."
    name = _OWN.get(code.name, "communication")
    status = _STATUS.get(code.name, 500) if name == "communication" else None
    return CallFailed(standard(name, detail, status=status, title=code.name))
