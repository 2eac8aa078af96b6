"""The HTTP API as a stranger would use it."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
import yaml

Json = Any

ENDED = ("completed", "faulted", "cancelled")
REQUEST_SECONDS_MAX = 90.0
POLL_SECONDS = 0.05
PAGE = 500


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    def expect(self, *statuses: int) -> Json:
        """The body, where the status is one of these; fails otherwise, showing the answer."""
        assert self.status in statuses, f"{self.status} instead of {statuses}: {self.body[:2000]!r}"
        return self.json if self.body else None


class Api:
    """Talks to one API, or to several in turn: an answer that does not come is asked of the next."""

    def __init__(self, *urls: str, key: str | None = None) -> None:
        self.urls = list(urls)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._turn = 0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS_MAX),
            connector=aiohttp.TCPConnector(limit=0),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def call(self, method: str, path: str, body: Json | bytes = None, **options: Any) -> Answer:
        """One exchange with one API. Connection errors are the caller's."""
        assert self._session is not None
        url = self.urls[self._turn % len(self.urls)] + path
        self._turn += 1
        headers = dict(options.pop("headers", None) or {})
        if isinstance(body, bytes):
            options["data"] = io.BytesIO(body)
        elif method != "GET":
            options["data"] = json.dumps(body if body is not None else {}).encode()
            headers.setdefault("Content-Type", "application/json")
        async with self._session.request(method, url, headers=headers, **options) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())

    async def insist(
        self, method: str, path: str, body: Json | bytes = None, *, seconds: float = 60, **o: Any
    ) -> Answer:
        """Repeats until an API answers with something other than "not now"."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = await self.call(method, path, body, **o)
                if answer.status != 503:
                    return answer
                failure = str(answer.body)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                failure = repr(error)
            assert time.monotonic() < deadline, f"{method} {path}: no answer in {seconds} s; last: {failure}"
            await asyncio.sleep(POLL_SECONDS)

    async def get(self, path: str, **query: str | int) -> Json:
        return (await self.insist("GET", path, params={k: str(v) for k, v in query.items()})).expect(200)

    async def post(self, path: str, body: Json = None, **options: Any) -> Json:
        return (await self.call("POST", path, body, **options)).expect(200, 201, 202)

    async def items(self, path: str, **query: str | int) -> list[Json]:
        """A list with all its pages."""
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self.get(path, limit=PAGE, **query, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    # what tests do all the time

    async def deploy(self, source: str | Json) -> str:
        """Register a definition, as YAML text or as a value; answers ``namespace/name:version``."""
        text = source if isinstance(source, str) else yaml.safe_dump(source, sort_keys=False)
        answer = await self.insist(
            "POST", "/v1/definitions", text.encode(), headers={"Content-Type": "application/yaml"}
        )
        answer.expect(200, 201)
        document = yaml.safe_load(text)["document"]
        return f"{document['namespace']}/{document['name']}:{document['version']}"

    async def start(
        self,
        definition: str,
        input: Json = None,  # noqa: A002
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
        **more: Json,
    ) -> Json:
        """Start a process; answers it. With `idempotency_key`, insists."""
        body = {"definition": reference(definition), "input": {} if input is None else input, **more}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        options: dict[str, Any] = {"headers": headers, "params": {"wait": str(wait)} if wait else {}}
        if idempotency_key is None:
            answer = await self.call("POST", "/v1/processes", body, **options)
        else:
            answer = await self.insist("POST", "/v1/processes", body, **options)
        return answer.expect(200, 201)

    async def process(self, process: str) -> Json:
        return await self.get(f"/v1/processes/{process}")

    async def end(self, process: str, seconds: float = 60) -> Json:
        """The process once it has ended; fails when it does not in time."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(1, min(20, deadline - time.monotonic()))
            found = await self.get(f"/v1/processes/{process}", wait=int(left))
            if found["status"] in ENDED:
                return found
            assert time.monotonic() < deadline, f"not ended after {seconds} s: {found}"

    async def until(self, process: str, *statuses: str, seconds: float = 30) -> Json:
        """The process once it has one of these statuses."""
        deadline = time.monotonic() + seconds
        while True:
            found = await self.process(process)
            if found["status"] in statuses:
                return found
            assert time.monotonic() < deadline, f"not {statuses} after {seconds} s: {found}"
            await asyncio.sleep(POLL_SECONDS)

    async def waits_for(self, process: str, reason: str, count: int = 1, seconds: float = 30) -> Json:
        """The process once it waits for this, `count` times."""
        deadline = time.monotonic() + seconds
        while True:
            found = await self.process(process)
            if sum(waiting["reason"] == reason for waiting in found["waitingFor"]) >= count:
                return found
            assert time.monotonic() < deadline, f"does not wait for {reason} after {seconds} s: {found}"
            assert found["status"] not in ENDED, found
            await asyncio.sleep(POLL_SECONDS)

    async def consumes(self, process: str, count: int, seconds: float = 30) -> None:
        """Until the process has consumed so many events: of those sent apart, any may arrive first."""
        deadline = time.monotonic() + seconds
        while True:
            found = sum(entry["type"].endswith(".event.consumed") for entry in await self.history(process))
            if found >= count:
                return
            assert time.monotonic() < deadline, f"consumed {found} events after {seconds} s, not {count}"
            await asyncio.sleep(POLL_SECONDS)

    async def activities(self, process: str) -> list[Json]:
        return await self.items(f"/v1/processes/{process}/activities")

    async def history(self, process: str) -> list[Json]:
        return await self.items(f"/v1/processes/{process}/history")

    async def emit(self, type_: str, data: Json = None, *, id: str, source: str = "urn:test", **more: Json) -> None:  # noqa: A002
        event = {"specversion": "1.0", "id": id, "source": source, "type": type_, "data": data, **more}
        headers = {"Content-Type": "application/cloudevents+json"}
        (await self.insist("POST", "/v1/events", json.dumps(event).encode(), headers=headers)).expect(202)

    async def stream(self, process: str, after: int | None = None) -> AsyncIterator[Json]:
        """The history as it happens: ``{id, event, data}`` each, until the server closes the stream."""
        assert self._session is not None
        url = self.urls[self._turn % len(self.urls)]
        self._turn += 1
        headers = {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        async with self._session.get(f"{url}/v1/processes/{process}/events", headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            entry: dict[str, Any] = {}
            async for raw in answer.content:
                line = raw.decode().rstrip("\r\n")
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    entry[name] = json.loads(value) if name == "data" else value
                elif entry:
                    yield entry
                    entry = {}


def reference(definition: str) -> Json:
    """``namespace/name[:version]`` as the API wants it."""
    path, _, version = definition.partition(":")
    namespace, _, name = path.partition("/")
    return {"namespace": namespace, "name": name, **({"version": version} if version else {})}


def definition(name: str, do: Sequence[Json], namespace: str = "test", version: str = "1.0.0", **more: Json) -> Json:
    """A whole document around these tasks."""
    document = {"dsl": "1.0.3", "namespace": namespace, "name": name, "version": version}
    return {"document": document, **more, "do": list(do)}
