"""Expressions as people write them: filters, construction and interpolation over small and large documents."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from bench.figures import Figure
from bench.stand import Stand

KILOBYTES = (1, 100)
PICK = "${ $workflow.input.lines | map(select(.price > 50)) | length }"
SUM = "${ [$workflow.input.lines[] | .price * .quantity] | add }"
SKUS = "${ $workflow.input.lines | map({key: .sku, value: (.quantity // 0)}) | from_entries | length }"
TEXT = '${ "Dear \\($workflow.input.customer.name), your \\(.of.dear) dear lines, \\(.of.sum) in all" }'
PREMIUM = '${ if .of.sum > 1000 and $workflow.input.customer.tier == "gold" then true else false end }'
TASKS: list[dict[str, Any]] = [
    {"pick": {"set": {"dear": PICK}}},
    {"sum": {"set": {"dear": "${ .dear }", "sum": SUM}}},
    {"build": {"set": {"of": "${ . }", "skus": SKUS}}},
    {"write": {"set": {"text": TEXT, "skus": "${ .skus }", "premium": PREMIUM}}},
]


async def expressions(stand: Stand) -> AsyncIterator[Figure]:
    await stand.client.deploy("expressions", TASKS)
    for kilobytes, count in zip(KILOBYTES, stand.size.documents, strict=True):
        document, output = order(kilobytes * 1000)
        rates = []
        for sample in range(stand.size.samples):
            tag = f"expressions-{kilobytes}-{sample}"
            seconds = await stand.drain("expressions", [document] * count, tag, output)
            rates.append(count * len(TASKS) / seconds)
        yield Figure(f"expressions.{kilobytes}kb", "activities/s", rates)


def order(size: int) -> tuple[Any, Any]:
    """A document of about that many bytes, and what the tasks make of it."""
    document: dict[str, Any] = {"customer": {"name": "Ada", "tier": "gold"}, "lines": []}
    lines = document["lines"]
    line_bytes = len(msgspec.json.encode(_line(100)))
    while len(lines) * line_bytes < size - 60:
        lines.append(_line(len(lines)))
    dear = sum(1 for line in lines if line["price"] > 50)
    sum_ = sum(line["price"] * line["quantity"] for line in lines)
    text = f"Dear Ada, your {dear} dear lines, {sum_} in all"
    return document, {"text": text, "skus": len(lines), "premium": sum_ > 1000}


def _line(number: int) -> dict[str, Any]:
    return {"sku": f"sku-{number}", "price": number * 37 % 101, "quantity": number % 7 + 1, "tags": ["new", "blue"]}
