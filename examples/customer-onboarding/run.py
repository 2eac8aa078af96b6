"""Two customers: one of low risk, and one whose decision is overdue and escalates to compliance."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from perdure import clock
from perdure.client import AsyncClient
from perdure.client.models import HumanTask, Json
from perdure.demo import stage
from perdure.demo.service import Answer, Request, Service

DEFINITION = Path(__file__).with_name("customer-onboarding.yaml")
DECIDE_WITHIN = "PT1S"


async def check(request: Request) -> Answer:
    if request.body["country"] == "XX":
        return 200, {"risk": "high", "reasons": ["its country", "its turnover"]}
    return 200, {"risk": "low", "reasons": []}


async def open_account(request: Request) -> Answer:
    return 201, {"accountId": request.number("ACC"), "limit": request.body["limit"]}


async def main() -> None:
    async with AsyncExitStack() as stack:
        screening = await stack.enter_async_context(Service("screening", {"POST /checks": check}))
        accounts = await stack.enter_async_context(Service("accounts", {"POST /accounts": open_account}))
        client = await stack.enter_async_context(stage.platform())
        await client.deploy(DEFINITION.read_bytes())
        urls = {"screening": screening.url, "accounts": accounts.url}
        await accept_at_once(client, urls)
        await accept_after_escalation(client, urls)


async def accept_at_once(client: AsyncClient, urls: dict[str, str]) -> None:
    process = await onboard(client, urls, {"name": "Blue Bakery", "country": "DE"})
    output = (await client.ended(process))["output"]
    assert output["outcome"] == "onboarded" and output["limit"] == 1000, output
    print(f"Blue Bakery: {output['outcome']} at once, account {output['accountId']}", flush=True)


async def accept_after_escalation(client: AsyncClient, urls: dict[str, str]) -> None:
    process = await onboard(client, urls, {"name": "Far Holdings", "country": "XX"})
    print("Far Holdings: waits for an account manager", flush=True)
    while not (task := await asked(client, process)) or "compliance" not in task["candidateGroups"]:
        await clock.sleep(0.1)
    print("Far Holdings: overdue, compliance may decide too", flush=True)
    await client.complete(task["id"], "accept", comment="papers are in order", data={"limit": 250}, user="carla")
    output = (await client.ended(process))["output"]
    assert output["outcome"] == "onboarded" and output["limit"] == 250, output
    print(f"Far Holdings: {output['outcome']} by {output['decidedBy']}, limit {output['limit']}", flush=True)


async def onboard(client: AsyncClient, urls: dict[str, str], customer: Json) -> str:
    """Start the process and answer its id."""
    content = {"customer": customer, "services": urls, "decideWithin": DECIDE_WITHIN}
    return (await client.start("bank", "customer-onboarding", input=content, key=customer["name"]))["id"]


async def asked(client: AsyncClient, process: str) -> HumanTask | None:
    page = await client.tasks({"process": process})
    return page["items"][0] if page["items"] else None


if __name__ == "__main__":
    asyncio.run(main())
