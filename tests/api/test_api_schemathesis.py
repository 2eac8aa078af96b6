"""The API keeps its own OpenAPI document, whatever is sent to it."""

import asyncio

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from live import live
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES_MAX = 25
REQUESTS_MIN = 200
TAKES_ANYTHING = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /v1/definitions/{namespace}/{name}/{version}",
    "GET /v1/functions/{name}/{version}",
    "POST /v1/callbacks/{token}",
}
"""Nothing, or any text in the path and any JSON in the body: there is nothing to get wrong."""
REFUSES_WITHIN = {"POST /v1/processes/batch"}
"""A batch refuses each item for itself, and answers 200."""


def attack(base, mode, headers):
    """Every operation with generated requests of that mode, from this thread. Answers how many were sent."""
    document = requests.get(f"{base}/openapi.json", timeout=20).json()
    del document["security"]  # every request bears the key; what comes without one is tested elsewhere
    if mode is GenerationMode.POSITIVE:  # what is right is waited for
        document["components"]["schemas"]["ActivateJobs"]["properties"]["wait"]["maximum"] = 0.05
    schema = schemathesis.openapi.from_dict(document)
    return sum(attack_one(result.ok(), base, mode, headers) for result in schema.get_all_operations())


def attack_one(operation, base, mode, headers):
    checks = CHECKS if operation.label in REFUSES_WITHIN else [*CHECKS, negative_data_rejection]
    sent = 0

    @settings(
        max_examples=EXAMPLES_MAX,
        database=None,
        derandomize=True,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case):
        nonlocal sent
        sent += 1
        case.call_and_validate(base_url=base, headers=headers, checks=checks, timeout=20)

    try:
        run()
    except Unsatisfiable:
        assert operation.label in TAKES_ANYTHING
    return sent


# Not the strategies: the platform under attack draws its jitter in this same program.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_it_keeps_its_document(database, mode):
    async with live(database, open_access=False) as client:
        _, key = await client.service.create_key("schemathesis", "default", "admin")
        base = str(client._base_url).rstrip("/")
        sent = await asyncio.to_thread(attack, base, mode, {"Authorization": f"Bearer {key}"})
    assert sent >= REQUESTS_MIN
