"""Four orders at once: a small one, one approved, one rejected, one whose card is declined."""

import asyncio

from perdure import clock
from perdure.client import AsyncClient
from perdure.demo import order, services, stage

PACE = 0.2
"""The services answer five times faster than in the demo."""

ORDERS = {
    1: (order.order(1, large=False), None, "fulfilled"),
    2: (order.order(2), "approved", "fulfilled"),
    3: (order.order(3), "rejected", "cancelled"),
    4: (order.order(4, card=services.DECLINED_CARD), None, "cancelled"),
}
"""Per number the order, what a person decides, if asked, and what must come of it."""


async def main() -> None:
    async with services.shop(pace=PACE) as shop, stage.platform() as client:
        await client.deploy(order.source())
        await asyncio.gather(*(fulfil(client, shop.urls, number) for number in ORDERS))
        released = [call for call in shop.warehouse.calls if call.method == "DELETE"]
        assert len(released) == 2, "both cancelled orders must have released their stock"


async def fulfil(client: AsyncClient, urls: dict[str, str], number: int) -> None:
    content, decision, expected = ORDERS[number]
    started = await client.start(
        order.NAMESPACE, order.NAME, input={"order": content, "services": urls}, key=content["id"]
    )
    if decision is not None:
        await decide(client, started["id"], decision)
    ended = await client.ended(started["id"])
    assert ended["status"] == "completed", ended["error"]
    output = ended["output"]
    assert output["status"] == expected, output
    print(f"{content['id']}: {output['status']}, {output['total']} EUR {output.get('reason', '')}", flush=True)


async def decide(client: AsyncClient, process: str, outcome: str) -> None:
    """Decide the order as soon as a person is asked."""
    while not (asked := (await client.tasks({"process": process, "status": "open"}))["items"]):
        await clock.sleep(0.1)
    await client.complete(asked[0]["id"], outcome, user="sam")


if __name__ == "__main__":
    asyncio.run(main())
