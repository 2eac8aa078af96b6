"""Copies 23 customers in five pages from one service to another; the source fails once in between."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from perdure.client.models import Json
from perdure.demo import stage
from perdure.demo.service import Answer, Request, Service

DEFINITION = Path(__file__).with_name("data-sync.yaml")
CUSTOMERS = [{"id": f"c{number}", "name": f"Customer {number}"} for number in range(23)]
PAGE = 5
BAD_PAGE = 3


async def customers(request: Request) -> Answer:
    page = int(request.query["page"])
    if page == BAD_PAGE and request.attempt == 1:
        return 503, {"error": "the source is busy"}
    start = (page - 1) * PAGE
    more = start + PAGE < len(CUSTOMERS)
    return 200, {"items": CUSTOMERS[start : start + PAGE], "next": page + 1 if more else None}


async def main() -> None:
    copies: dict[str, Json] = {}

    async def put(request: Request) -> Answer:
        copies[request.path["id"]] = request.body
        return 200, {"id": request.path["id"]}

    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(Service("source", {"GET /customers": customers}))
        target = await stack.enter_async_context(Service("target", {"PUT /customers/{id}": put}))
        client = await stack.enter_async_context(stage.platform())
        await client.deploy(DEFINITION.read_bytes())
        started = await client.start(
            "crm", "data-sync", input={"source": source.url, "target": target.url}, key="nightly"
        )
        ended = await client.ended(started["id"])
        assert ended["status"] == "completed", ended["error"]
        assert ended["output"] == {"copied": len(CUSTOMERS)}, ended["output"]
        assert list(copies.values()) == CUSTOMERS, "every customer, once, in order"
        failures = [call for call in source.calls if call.status == 503]
        print(f"copied {len(copies)} customers; the source failed {len(failures)} time(s)", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
