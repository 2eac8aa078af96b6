"""A bare client of the HTTP API: what it costs must not show in the figures."""

import asyncio
import time
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

DEADLINE_SECONDS = 600


class Client:
    """Raises where the platform does not answer as it should: a wrong answer makes every figure void."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._session = aiohttp.ClientSession(url, headers=headers)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200, 201)) -> Any:
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        async with self._session.request(method, path, data=data, headers=headers) as response:
            text = await response.read()
            if response.status not in expect:
                raise RuntimeError(f"{method} {path} was answered {response.status}: {text[:400]!r}")
            return msgspec.json.decode(text) if text else None

    async def deploy(self, name: str, do: list[Any]) -> None:
        document = {"dsl": "1.0.3", "namespace": "bench", "name": name, "version": "1.0.0"}
        await self.call("POST", "/v1/definitions", {"document": document, "do": do})

    async def start_many(self, name: str, count: int, input_: Any, tag: str) -> None:
        """Accept `count` processes, a thousand at a time."""
        body = {"definition": {"namespace": "bench", "name": name}, "input": input_, "tags": {"bench": tag}}
        for first in range(0, count, 1000):
            processes = [body] * min(1000, count - first)
            answer = await self.call("POST", "/v1/processes/batch", {"processes": processes})
            if any("error" in item and "process" not in item for item in answer["items"]):
                raise RuntimeError(f"a start in a batch was refused: {answer['items'][0]}")

    async def run(self, name: str, input_: Any) -> Any:
        """One process, from its start to its end; checked to have completed."""
        body = {"definition": {"namespace": "bench", "name": name}, "input": input_}
        view = await self.call("POST", "/v1/processes?wait=60", body)
        while view["endedAt"] is None:
            view = await self.call("GET", f"/v1/processes/{view['id']}?wait=60")
        if view["status"] != "completed":
            raise RuntimeError(f"a process ended {view['status']}: {view['error']}")
        return view

    async def any_with(self, tag: str, status: str) -> bool:
        page = await self.call("GET", f"/v1/processes?tag.bench={tag}&status={status}&limit=1")
        return bool(page["items"])

    async def drained(self, tag: str, statuses: tuple[str, ...] = ("pending", "running")) -> None:
        """Returns once no process with the tag is in one of the statuses; raises where one has faulted."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        for status in statuses:
            while await self.any_with(tag, status):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"processes of {tag} are still {status} after {DEADLINE_SECONDS} s")
                await asyncio.sleep(0.02)
        if await self.any_with(tag, "faulted"):
            raise RuntimeError(f"a process of {tag} has faulted")
