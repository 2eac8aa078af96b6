"""The API keeps its own OpenAPI document, whatever is sent to it."""

import asyncio
import re

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from live import live
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ensure_resource_availability,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
    ensure_resource_availability,
    missing_required_header,
    unsupported_method,
    use_after_free,
]
"""All that there are, with the two on right and wrong data, but `ignored_auth`: see the last test here."""
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

WANTS_MORE = {"POST /v1/definitions", "POST /v1/functions", "POST /v1/webhooks", "POST /v1/doctor"}
"""Than this document says: what the DSL's schema says, an address that may be reached, members that go together."""


def attack(base, mode, headers):
    """Every operation with generated requests of that mode, from this thread. Answers how many were sent."""
    document = requests.get(f"{base}/openapi.json", timeout=20).json()
    del document["security"]  # every request bears the key; what comes without one is tested elsewhere
    if mode is GenerationMode.POSITIVE:  # what is right is waited for
        document["components"]["schemas"]["ActivateJobs"]["properties"]["wait"]["maximum"] = 0.05
        for operation in operations(document):  # which come from an earlier page, or make no sense
            given = operation.get("parameters", ())
            operation["parameters"] = [each for each in given if each.get("name") not in ("cursor", "Last-Event-ID")]
    schema = schemathesis.openapi.from_dict(document)
    return sum(attack_one(result.ok(), base, mode, headers) for result in schema.get_all_operations())


def operations(document):
    return [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


def attack_one(operation, base, mode, headers):
    checks = list(CHECKS)
    if operation.label not in REFUSES_WITHIN:
        checks.append(negative_data_rejection)
    if operation.label not in WANTS_MORE:
        checks.append(positive_data_acceptance)
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


async def test_every_operation_wants_the_key_that_its_document_says(database):
    async with live(database, open_access=False) as client:
        async with client.get("/openapi.json") as response:
            document = await response.json()
        free = set()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if operation.get("security") == []:
                    free.add(path)
                    continue
                for headers in ({}, {"Authorization": "Bearer pdk_" + "A" * 43}, {"Authorization": "Basic YTpi"}):
                    url = re.sub(r"\{[^}]*\}", "01890a5d-ac96-774b-bcce-b302099a8057", path)
                    async with client.request(method, url, headers=headers) as response:
                        assert response.status == 401, (method, path)
    assert free == {"/healthz", "/readyz", "/v1/callbacks/{token}"}
