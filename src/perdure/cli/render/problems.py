"""Refusals of the API in words."""

from perdure.client.errors import ApiError, Unreachable
from perdure.client.models import Fault


def faults(file: str, found: list[Fault], word: str = "error") -> list[str]:
    """``order.yaml:12:7: error: /do/0/pay/call: …``, as compilers say it, so that editors can jump there."""
    return [f"{_place(file, fault)}: {word}: {_where(fault)}{fault['detail']}" for fault in found]


def refusal(error: ApiError) -> list[str]:
    """What the server said, and what to do where that is known."""
    said = [error.detail or error.title]
    faults = [f"{_where(fault)}{fault['detail']}" for fault in error.faults]
    said += [f"  {fault}" for fault in faults if fault not in said[0]]
    if error.status == 401:
        said.append("Set PERDURE_API_KEY to a valid key (`perdure keys create --name NAME` makes one).")
    return said


def unreachable(error: Unreachable) -> list[str]:
    return [
        f"No Perdure server answers at {error.url} ({error.reason}).",
        "Start one with `perdure dev`, or set PERDURE_API_URL to the address of one that runs.",
    ]


def _place(file: str, fault: Fault) -> str:
    line, column = fault.get("line"), fault.get("column")
    return ":".join(str(part) for part in (file, line, column) if part is not None)


def _where(fault: Fault) -> str:
    place = fault.get("pointer") or fault.get("parameter")
    return f"{place}: " if place else ""
