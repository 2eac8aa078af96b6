"""A process that uses the platform's own API by its own OpenAPI 3.1 document, secrets and tokens included."""

import json
from collections.abc import AsyncIterator

import pytest

from integration.api import Api, definition
from integration.programs import Program

KEY = "key-of-the-caller-1"


@pytest.fixture
async def client() -> AsyncIterator[Api]:
    platform = Program("dev", environment={"PERDURE_SECRET_CALLER": KEY})
    try:
        await platform.start()
        async with Api(platform.url) as api:
            yield api
    finally:
        await platform.close()


async def test_the_platform_by_its_own_document(client: Api) -> None:
    base = client.urls[0]
    inner = definition("inner", [{"add": {"set": {"sum": "${ .a + .b }"}}}], namespace="own")
    await client.deploy(json.dumps(inner))

    def call(operation: str, parameters: object, output: str = "content") -> dict[str, object]:
        arguments = {
            "document": {"endpoint": f"{base}/openapi.json"},
            "operationId": operation,
            "parameters": parameters,
            "authentication": {"bearer": {"use": "CALLER"}},
            "output": output,
        }
        return {"call": "openapi", "with": arguments}

    start = {"definition": {"namespace": "own", "name": "inner"}, "input": {"a": 1, "b": 2}, "wait": 20}
    outer = definition(
        "outer",
        [
            {"start": call("startProcess", start)},
            {"read": call("getProcess", {"id": "${ .id }"}, "response")},
        ],
        namespace="own",
        use={"secrets": ["CALLER"]},
    )
    deployed = await client.deploy(json.dumps(outer))
    process = await client.end((await client.start(deployed, {}))["id"], seconds=30)
    assert process["status"] == "completed", process["error"]
    assert process["output"]["content"]["output"] == {"sum": 3}
    history = await client.items(f"/v1/processes/{process['id']}/history")
    activities = await client.activities(process["id"])
    assert KEY not in json.dumps([process, history, activities])
