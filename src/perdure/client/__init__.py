"""The Python SDK: clients of the HTTP API, and workers that do jobs.

`Client` blocks, `AsyncClient` is for asyncio; both have the same methods, one per call of the API, and answer its
JSON as it is, typed in `perdure.client.models`. `Worker` runs your functions for jobs that processes wait for.
Nothing of the server is imported.
"""

from perdure.client.async_client import AsyncClient
from perdure.client.client import Client
from perdure.client.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    JobFailed,
    JobLost,
    NotFound,
    PerdureError,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Undecodable,
    Unreachable,
)
from perdure.client.job import Job
from perdure.client.worker import Worker

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "Conflict",
    "Forbidden",
    "Invalid",
    "Job",
    "JobFailed",
    "JobLost",
    "NotFound",
    "PerdureError",
    "TooLarge",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "Undecodable",
    "Unreachable",
    "Worker",
]
