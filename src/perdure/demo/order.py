"""The order that the demo fulfils."""

from importlib.resources import files

from perdure.client.models import Json

NAMESPACE, NAME = "shop", "order-fulfilment"
TAG = "demo"
"""Marks the demo's own orders among others of the same definition."""
FIRST_NUMBER = 1001


def source() -> bytes:
    """The shipped definition, as its author wrote it."""
    return files("perdure.demo").joinpath(f"{NAME}.yaml").read_bytes()


def order_id(number: int) -> str:
    return f"A-{number}"


def number_of(key: str | None) -> int | None:
    """The number in an order's id, None where it is not one of ours."""
    digits = (key or "").removeprefix("A-")
    return int(digits) if digits.isdecimal() and order_id(int(digits)) == key else None


def order(number: int, *, card: str = "visa", large: bool = True) -> Json:
    """An order; a large one needs approval."""
    items = [{"sku": "lamp", "quantity": 2, "price": 149.5}]
    if large:
        items.append({"sku": "desk", "quantity": 1, "price": 420})
    return {"id": order_id(number), "customer": "ada@example.com", "card": card, "items": items}
