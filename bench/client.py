"""The client that prepares and checks. What it costs must not show: load is made by `load`."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

DEADLINE_SECONDS = 3_600
POLL_SECONDS = 0.02
BATCH_MAX = 1_000
BATCH_BYTES_MAX = 4 * 1024 * 1024
UNENDED = ("pending", "running", "waiting")
BUSY = ("pending", "running")
NAMESPACE = "bench"


def starting(name: str, input_: Any = None, tag: str | None = None, at: str | None = None) -> dict[str, Any]:
    """The body of a start."""
    body: dict[str, Any] = {
        "definition": {"namespace": NAMESPACE, "name": name},
        "input": {} if input_ is None else input_,
    }
    if tag is not None:
        body["tags"] = {"bench": tag}
    if at is not None:
        body["startAt"] = at
    return body


class Client:
    """Raises where the platform does not answer as it should: a wrong answer makes every figure void."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._session = aiohttp.ClientSession(url, headers=headers, timeout=aiohttp.ClientTimeout(total=600))

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200, 201)) -> Any:
        """The decoded answer. Comes again where the platform is full, as long as it asks for that."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            async with self._session.request(method, path, data=data, headers=headers) as response:
                text = await response.read()
            if response.status != 429 or time.monotonic() > deadline:
                break
            await asyncio.sleep(float(response.headers["Retry-After"]))
        if response.status not in expect:
            raise RuntimeError(f"{method} {path} was answered {response.status}: {text[:400]!r}")
        return msgspec.json.decode(text) if text else None

    async def deploy(self, name: str, do: list[Any]) -> None:
        document = {"dsl": "1.0.3", "namespace": NAMESPACE, "name": name, "version": "1.0.0"}
        await self.call("POST", "/v1/definitions", {"document": document, "do": do})

    async def start_many(self, bodies: list[dict[str, Any]]) -> None:
        """Accept them all, as many at a time as may be."""
        for batch in batches(bodies):
            left = batch
            while left:
                answer = await self.call("POST", "/v1/processes/batch", {"processes": left})
                items = zip(left, answer["items"], strict=True)
                errors = [(body, item["error"]) for body, item in items if "process" not in item]
                if any(error["status"] != 429 for _, error in errors):
                    raise RuntimeError(f"a start in a batch was refused: {errors[0][1]}")
                left = [body for body, _ in errors]
                if left:
                    await asyncio.sleep(1.0)

    async def run(self, name: str, input_: Any) -> Any:
        """One process, from its start to its end; checked to have completed."""
        view = await self.call("POST", "/v1/processes?wait=60", starting(name, input_))
        while view["endedAt"] is None:
            view = await self.call("GET", f"/v1/processes/{view['id']}?wait=60")
        if view["status"] != "completed":
            raise RuntimeError(f"a process ended {view['status']}: {view['error']}")
        return view

    async def any_with(self, tag: str, status: str) -> bool:
        page = await self.call("GET", f"/v1/processes?tag.bench={tag}&status={status}&limit=1")
        return bool(page["items"])

    async def drained(self, tag: str, statuses: tuple[str, ...] = UNENDED) -> None:
        """Returns once no process with the tag is in one of the statuses; raises where one has faulted."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        for status in statuses:
            while await self.any_with(tag, status):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"processes of {tag} are still {status} after {DEADLINE_SECONDS} s")
                await asyncio.sleep(POLL_SECONDS)
        if await self.any_with(tag, "faulted"):
            raise RuntimeError(f"a process of {tag} has faulted")

    async def each(self, tag: str) -> AsyncIterator[Any]:
        """All processes with the tag, newest first."""
        cursor = ""
        while True:
            page = await self.call("GET", f"/v1/processes?tag.bench={tag}&limit=500{cursor}")
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            cursor = f"&cursor={page['next']}"

    async def check(self, tag: str, count: int, output: Any) -> None:
        """That so many have this tag, and that all of them have completed with this output."""
        found = 0
        async for process in self.each(tag):
            found += 1
            if process["status"] != "completed" or process["output"] != output:
                raise RuntimeError(f"a process of {tag} is {process['status']}: {str(process)[:400]}")
        if found != count:
            raise RuntimeError(f"{count} processes of {tag} were started, {found} are there")


def batches(bodies: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """As large as a request may be."""
    batch: list[dict[str, Any]] = []
    size = 0
    for body in bodies:
        more = len(msgspec.json.encode(body["input"])) + 200
        if batch and (len(batch) == BATCH_MAX or size + more > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += more
    if batch:
        yield batch
