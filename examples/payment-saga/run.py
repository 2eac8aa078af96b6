"""Two trips: one is paid, the other's card is declined and everything is undone."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from perdure.client import AsyncClient
from perdure.client.models import Process
from perdure.demo import stage
from perdure.demo.service import Answer, Call, Handler, Request, Service

DEFINITION = Path(__file__).with_name("payment-saga.yaml")
PAYMENT_SECONDS = 0.5


def bookings(prefix: str) -> dict[str, Handler]:
    async def book(request: Request) -> Answer:
        return 201, {"bookingId": request.number(prefix)}

    async def cancel(request: Request) -> Answer:
        return 200, {"bookingId": request.path["booking"], "status": "cancelled"}

    return {"POST /bookings": book, "DELETE /bookings/{booking}": cancel}


async def pay(request: Request) -> Answer:
    """Accept the payment for now, and call back with the result."""
    payment = {"paymentId": request.number("PAY")}
    status = "declined" if request.body["card"] == "expired" else "paid"
    request.deliver(request.body["callbackUrl"], {**payment, "status": status}, PAYMENT_SECONDS)
    return 202, {**payment, "status": "pending"}


async def main() -> None:
    calls: list[Call] = []
    async with AsyncExitStack() as stack:

        async def serve(name: str, routes: dict[str, Handler]) -> str:
            return (await stack.enter_async_context(Service(name, routes, listener=calls.append))).url

        urls = {
            "flights": await serve("flights", bookings("FL")),
            "hotels": await serve("hotels", bookings("HT")),
            "payments": await serve("payments", {"POST /payments": pay}),
        }
        client = await stack.enter_async_context(stage.platform())
        await client.deploy(DEFINITION.read_bytes())

        paid = await book(client, urls, "paris", "visa")
        assert paid["status"] == "completed", paid["error"]
        assert not cancelled(calls), "a paid trip keeps its bookings"
        print(f"paris: booked, {paid['output']}", flush=True)

        declined = await book(client, urls, "oslo", "expired")
        assert declined["status"] == "faulted" and declined["error"] is not None
        assert declined["error"].get("detail") == "The payment was declined", declined["error"]
        assert cancelled(calls) == ["hotels", "flights"], "what was booked last must be undone first"
        print(f"oslo: {declined['error'].get('detail')}; undone: {', '.join(cancelled(calls))}", flush=True)


async def book(client: AsyncClient, urls: dict[str, str], trip: str, card: str) -> Process:
    content = {"trip": {"id": trip, "amount": 480, "card": card}, "services": urls}
    started = await client.start("travel", "payment-saga", input=content, key=trip)
    return await client.ended(started["id"])


def cancelled(calls: list[Call]) -> list[str]:
    """The services that were told to cancel, in this order."""
    return [call.service for call in calls if call.method == "DELETE"]


if __name__ == "__main__":
    asyncio.run(main())
