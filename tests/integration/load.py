"""Orders: processes that wait for everything one can wait for."""

from collections import Counter

from integration.api import Api, Json, definition
from integration.standin import StandIn

ORDER = "load/order:1.0.0"
SOURCE = "urn:service"
PARKED = "load/parked:1.0.0"


def _post(path: str, step: str, **more: Json) -> Json:
    return {
        "call": "http",
        "with": {
            "method": "post",
            "endpoint": '${ $context.service + "' + path + '" }',
            "body": {"order": "${ $context.order }", "step": step, **more},
        },
    }


def _hear(type_: str) -> Json:
    correlate = {
        "order": {"from": ".data.order", "expect": "${ $context.order }"},
        "run": {"from": ".data.run", "expect": "${ $context.run }"},
    }
    return {"listen": {"to": {"one": {"with": {"type": type_}, "correlate": correlate}}}}


PACKED = {
    "specversion": "1.0",
    "id": '${ "\\($context.run)-\\($context.order)" }',
    "source": SOURCE,
    "type": "load.packed",
    "data": {"order": "${ $context.order }", "run": "${ $context.run }"},
}
"""What the service sends when it has packed."""


TELL = definition(
    "tell",
    [
        {"pause": {"wait": {"milliseconds": 20}}},
        {
            "tell": {
                "emit": {
                    "event": {
                        "with": {
                            "source": "urn:load",
                            "type": "load.shipped",
                            "data": {"order": "${ .order }", "run": "${ .run }"},
                        }
                    }
                }
            }
        },
    ],
    namespace="load",
)

DOUBLE = definition("double", [{"double": {"set": {"n": "${ .n * 2 }"}}}], namespace="load")

DEFINITION = definition(
    "order",
    [
        {"begin": {"set": "${ . }", "export": {"as": "."}}},
        {"reserve": _post("/slow/600", "reserve")},
        {
            "insist": {
                "try": [{"charge": _post("/flaky/1", "charge")}],
                "catch": {
                    "errors": {"with": {"status": 503}},
                    "retry": {"delay": {"milliseconds": 50}, "limit": {"attempt": {"count": 5}}},
                },
            }
        },
        {
            "pay": {
                "call": "callback:1.0.0@default",
                "with": {
                    "request": {
                        "method": "post",
                        "endpoint": '${ $context.service + "/call-back/40" }',
                        "body": {
                            "order": "${ $context.order }",
                            "step": "pay",
                            "url": "${ $callback.url }",
                            "answer": "${ $context.order }",
                        },
                    }
                },
            }
        },
        {
            "both": {
                "fork": {
                    "branches": [
                        {"pack": _post("/emit/20", "pack", event=PACKED)},
                        {"packed": _hear("load.packed")},
                        {"rest": {"do": [{"nap": {"wait": {"milliseconds": 30}}}, {"rested": {"set": {"ok": True}}}]}},
                    ]
                }
            }
        },
        {
            "tellLater": {
                "run": {
                    "await": False,
                    "workflow": {
                        "namespace": "load",
                        "name": "tell",
                        "version": "1.0.0",
                        "input": {"order": "${ $context.order }", "run": "${ $context.run }"},
                    },
                }
            }
        },
        {"hear": _hear("load.shipped")},
        {
            "approve": {
                "call": "human-task:1.0.0@default",
                "with": {"title": '${ "Order \\($context.order)" }', "candidateGroups": ["load"]},
            }
        },
        {
            "sum": {
                "for": {"each": "n", "in": "[1, 2, 3]"},
                "do": [{"add": {"set": {"total": "${ (.total // 0) + $n }"}}}],
            }
        },
        {
            "double": {
                "run": {
                    "workflow": {
                        "namespace": "load",
                        "name": "double",
                        "version": "1.0.0",
                        "input": {"n": "${ .total }"},
                    }
                }
            }
        },
        {"end": {"set": {"order": "${ $context.order }", "n": "${ .n }"}}},
    ],
    namespace="load",
)

NAMES = Counter(
    [
        "begin",
        "reserve",
        "insist",
        "charge",
        "pay",
        "both",
        "pack",
        "packed",
        "rest",
        "nap",
        "rested",
        "tellLater",
        "hear",
        "approve",
        "sum",
        "add",
        "add",
        "add",
        "double",
        "end",
    ]
)
"""The activities of an order, by how often each is run."""

LIMBO = definition(
    "parked",
    [
        {
            "all": {
                "fork": {
                    "branches": [
                        {"timer": {"wait": {"days": 1}}},
                        {"event": {"listen": {"to": {"one": {"with": {"type": "load.never"}}}}}},
                        {"callback": {"call": "callback:1.0.0@default", "with": {}}},
                        {"human-task": {"call": "human-task:1.0.0@default", "with": {"title": "Nobody's"}}},
                    ]
                }
            }
        }
    ],
    namespace="load",
)
"""What waits for ever, each branch for what its name says."""
REASONS = ("timer", "event", "callback", "human-task")

CALLS = ("reserve", "charge", "pay", "pack")


async def deploy(api: Api) -> None:
    for document in (TELL, DOUBLE, DEFINITION, LIMBO):
        await api.deploy(document)


async def start(api: Api, service: StandIn, run: str, number: int) -> str:
    """Accepted, surely and once, whatever dies meanwhile."""
    body = {"order": number, "run": run, "service": service.url}
    process = await api.start(ORDER, body, idempotency_key=f"{run}-{number}", key=f"{run}-{number}", tags={"run": run})
    identity: str = process["id"]
    return identity
