"""A Python client of the HTTP API: typed, asynchronous, small.

It imports nothing of the server. `Client` has one method per call; answers are the API's JSON as it is,
typed in `perdure.client.models`.
"""

from perdure.client.client import Client
from perdure.client.errors import ApiError, Unreachable

__all__ = ["ApiError", "Client", "Unreachable"]
