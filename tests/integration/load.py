"""Orders: processes that wait for everything one can wait for, and what must come of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from integration.api import Api, Json, definition
from integration.standin import StandIn

ORDER = "load/order:1.0.0"


def _post(path: str, step: str) -> Json:
    return {
        "call": "http",
        "with": {
            "method": "post",
            "endpoint": '${ $context.service + "' + path + '" }',
            "body": {"order": "${ $context.order }", "step": step},
        },
    }


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
                        {"pack": _post("/echo", "pack")},
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
        {
            "hear": {
                "listen": {
                    "to": {
                        "one": {
                            "with": {"type": "load.shipped"},
                            "correlate": {
                                "order": {"from": ".data.order", "expect": "${ $context.order }"},
                                "run": {"from": ".data.run", "expect": "${ $context.run }"},
                            },
                        }
                    }
                }
            }
        },
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

CALLS = ("reserve", "charge", "pay", "pack")


async def deploy(api: Api) -> None:
    for document in (TELL, DOUBLE, DEFINITION):
        await api.deploy(document)


async def start(api: Api, service: StandIn, run: str, number: int) -> str:
    """Accepted, surely and once, whatever dies meanwhile."""
    body = {"order": number, "run": run, "service": service.url}
    process = await api.start(ORDER, body, idempotency_key=f"{run}-{number}", key=f"{run}-{number}", tags={"run": run})
    identity: str = process["id"]
    return identity


def calling_back(*platforms: Api) -> Callable[[str, Json], Awaitable[None]]:
    """What a stand-in does to call back. Of several platforms, one may not know the callback."""
    known = (200, 409) if len(platforms) == 1 else (200, 404, 409)

    async def call_back(path: str, body: Json) -> None:
        for platform in platforms:
            answer = await platform.insist("POST", path, body)
            assert answer.status in known, answer

    return call_back


@asynccontextmanager
async def clerk(api: Api) -> AsyncIterator[None]:
    """Somebody who approves whatever there is to be approved, while the context lasts."""

    async def approve() -> None:
        while True:
            page = await api.get("/v1/human-tasks", status="open", group="load", limit=100)
            for task in page["items"]:
                answer = await api.insist(
                    "POST", f"/v1/human-tasks/{task['id']}/complete", {"user": "clerk", "outcome": "approved"}
                )
                assert answer.status in (200, 409), answer
            await asyncio.sleep(0.1)

    work = asyncio.create_task(approve())
    try:
        yield
        assert not work.done(), work.result()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def check(api: Api, service: StandIn, processes: list[str], seconds: float) -> None:
    """All have ended as they should, and nothing happened twice."""
    for number, process in enumerate(processes):
        ended = await api.end(process, seconds)
        assert ended["status"] == "completed", (ended, await api.activities(process))
        assert ended["output"] == {"order": number, "n": 12}
    await _check_records(api, processes)
    await _check_nothing_else(api, processes)
    check_keys(service, len(processes))


async def _check_records(api: Api, processes: list[str]) -> None:
    for process in processes:
        activities = await api.activities(process)
        assert Counter(activity["name"] for activity in activities) == NAMES
        assert len({activity["id"] for activity in activities}) == len(activities)
        assert {activity["status"] for activity in activities} == {"completed"}
        history = await api.history(process)
        assert [entry["sequence"] for entry in history] == list(range(1, len(history) + 1))


async def _check_nothing_else(api: Api, processes: list[str]) -> None:
    """A start that was repeated started nothing more, and each process has its two children, which have ended too."""
    run = (await api.process(processes[0]))["tags"]["run"]
    there = await api.items("/v1/processes", **{"tag.run": run})
    assert {process["id"] for process in there} == set(processes)
    for process in processes:
        children = await api.items("/v1/processes", parent=process)
        assert Counter(child["definition"]["name"] for child in children) == {"tell": 1, "double": 1}
        for child in children:
            assert (await api.end(child["id"]))["status"] == "completed"


def check_keys(service: StandIn, count: int) -> None:
    """Each order made each call, and every repeat bore the same key."""
    keys: dict[tuple[Any, Any], set[str | None]] = {}
    for request in service.requests:
        keys.setdefault((request.body["order"], request.body["step"]), set()).add(request.key)
    assert keys.keys() == {(number, step) for number in range(count) for step in CALLS}
    repeated_under_another = {call: found for call, found in keys.items() if len(found) != 1 or None in found}
    assert not repeated_under_another
    assert len({key for found in keys.values() for key in found}) == len(keys), "calls share a key"


def report(what: str, service: StandIn, count: int) -> None:
    """The figures of a run whose checks have passed; ``pytest -s`` shows them."""
    repeats = len(service.requests) - count * (len(CALLS) + 1)  # the flaky one asks for a second attempt by itself
    print(f"\n{what}: {count} accepted, {count} completed, {len(service.requests)} calls, {repeats} of them repeats")
