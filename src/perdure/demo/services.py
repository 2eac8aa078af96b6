"""The services that the order-fulfilment process works with: a warehouse, a payment provider, messages."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from perdure import clock
from perdure.demo.memory import Memory
from perdure.demo.service import Answer, Handler, Listener, Request, Service

ANSWER_SECONDS = 0.3
"""How long a service thinks, so that one can watch."""
PAYMENT_SECONDS = 2.0
"""How long the payment provider takes to confirm."""
DECLINED_CARD = "declined"
"""Payments with this card are declined."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The running services."""

    warehouse: Service
    payments: Service
    messages: Service

    @property
    def urls(self) -> dict[str, str]:
        return {service.name: service.url for service in (self.warehouse, self.payments, self.messages)}


@asynccontextmanager
async def shop(
    memory: Memory | None = None, listener: Listener | None = None, *, pace: float = 1.0
) -> AsyncIterator[Shop]:
    """Run the services. `pace` stretches or shortens how long they take."""
    memory = memory or Memory()
    async with AsyncExitStack() as stack:

        async def serve(name: str, routes: dict[str, Handler]) -> Service:
            return await stack.enter_async_context(Service(name, routes, memory=memory, listener=listener))

        yield Shop(
            warehouse=await serve("warehouse", _warehouse(pace)),
            payments=await serve("payments", _payments(pace)),
            messages=await serve("messages", _messages(pace)),
        )


def _warehouse(pace: float) -> dict[str, Handler]:
    async def reserve(request: Request) -> Answer:
        await clock.sleep(ANSWER_SECONDS * pace)
        if request.attempt == 1:
            return 503, {"error": "the warehouse is counting, try again"}
        return 201, {"reservationId": request.number("R"), "orderId": request.body["orderId"]}

    async def release(request: Request) -> Answer:
        await clock.sleep(ANSWER_SECONDS * pace)
        return 200, {"reservationId": request.path["reservation"], "status": "released"}

    async def ship(request: Request) -> Answer:
        await clock.sleep(ANSWER_SECONDS * pace)
        return 201, {"shipmentId": request.number("S"), "carrier": "Blue Van"}

    return {
        "POST /reservations": reserve,
        "DELETE /reservations/{reservation}": release,
        "POST /shipments": ship,
    }


def _payments(pace: float) -> dict[str, Handler]:
    """Answers at once that the payment is pending, and calls back when it knows more."""

    async def pay(request: Request) -> Answer:
        await clock.sleep(ANSWER_SECONDS * pace)
        payment = {"paymentId": request.number("P"), "amount": request.body["amount"]}
        status = "declined" if request.body["card"] == DECLINED_CARD else "paid"
        request.deliver(request.body["callbackUrl"], {**payment, "status": status}, PAYMENT_SECONDS * pace)
        return 202, {**payment, "status": "pending"}

    async def refund(request: Request) -> Answer:
        await clock.sleep(ANSWER_SECONDS * pace)
        return 201, {"refundId": request.number("F"), "paymentId": request.body["paymentId"]}

    return {"POST /payments": pay, "POST /refunds": refund}


def _messages(pace: float) -> dict[str, Handler]:
    async def send(request: Request) -> Answer:
        await clock.sleep(ANSWER_SECONDS * pace)
        return 202, {"messageId": request.number("M")}

    return {"POST /messages": send}
