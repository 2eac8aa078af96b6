"""A Python client of the HTTP API: typed, asynchronous, small.

It imports nothing of the server. `Client` has one method per call; answers are the API's JSON as it is,
typed in `perdure.client.models`.
"""

from typing import TYPE_CHECKING, Any

from perdure.client.errors import ApiError, Unreachable

if TYPE_CHECKING:
    from perdure.client.client import Client

__all__ = ["ApiError", "Client", "Unreachable"]


def __getattr__(name: str) -> Any:
    """`Client` when it is first used: its HTTP library takes longer to import than all the rest of a command."""
    if name == "Client":
        from perdure.client.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
