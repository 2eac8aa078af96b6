"""The client for asyncio."""

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from perdure import clock
from perdure.client import operations
from perdure.client.async_transport import AsyncTransport
from perdure.client.errors import ApiError, Unreachable
from perdure.client.events import Events
from perdure.client.exchange import (
    RETRIES,
    Answer,
    Operation,
    Request,
    address,
    credentials,
    may_repeat,
    pause,
    segment,
)
from perdure.client.models import HistoryEntry, Page

P = ParamSpec("P")
T = TypeVar("T")


def _awaited(
    operation: Callable[P, Operation[T]],
) -> "Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]":
    @wraps(operation)
    async def method(client: "AsyncClient", /, *arguments: P.args, **named: P.kwargs) -> T:
        return await client.run(operation(*arguments, **named))

    return method


def _each(operation: Callable[P, Operation[Page[T]]]) -> "Callable[Concatenate[AsyncClient, P], AsyncIterator[T]]":
    @wraps(operation)
    async def method(client: "AsyncClient", /, *arguments: P.args, **named: P.kwargs) -> AsyncIterator[T]:
        more = True
        while more:
            page = await client.run(operation(*arguments, **named))
            for item in page["items"]:
                yield item
            named["cursor"] = page["next"]
            more = page["next"] is not None

    method.__doc__ = "Item by item over all pages. " + (operation.__doc__ or "")
    return method


class AsyncClient:
    """A Perdure server as seen from a program. To be used with ``async with``, by one event loop.

    ::

        async with AsyncClient("http://127.0.0.1:8080") as client:
            process = await client.start("shop", "order-fulfilment", input={"order": order})
            print((await client.ended(process["id"]))["output"])

    It has the methods of `Client`, and raises what that raises.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, retries: int = RETRIES) -> None:
        """As of `Client`."""
        self._transport = AsyncTransport(address(url), credentials(token))
        self._retries = retries

    @property
    def url(self) -> str:
        """The server's base address, without a slash at the end."""
        return self._transport.url

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.close()

    async def run(self, operation: Operation[T]) -> T:
        """The result of an operation of `perdure.client.operations`."""
        try:
            request = next(operation)
            while True:
                try:
                    answer = await self._send(request)
                except (ApiError, Unreachable) as error:
                    request = operation.throw(error)
                else:
                    request = operation.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _send(self, request: Request) -> Answer:
        failures = 0
        while True:
            try:
                return await self._transport.send(request)
            except (ApiError, Unreachable) as error:
                failures += 1
                if not may_repeat(request, error, failures, self._retries):
                    raise
                seconds = pause(failures, error)
            await clock.sleep(clock.jittered(seconds))

    async def follow_history(self, process: str, after: int | None = None) -> AsyncIterator[HistoryEntry]:
        """The audit trail as it grows, after a sequence number if given, until the process ends.

        A stream that breaks is taken up again where it was, as often as `retries` says without news.
        """
        failures = 0
        while True:
            headers = {} if after is None else {"Last-Event-ID": str(after)}
            request = Request("GET", f"/v1/processes/{segment(process)}/events", headers=headers, repeatable=True)
            try:
                async with self._transport.stream(request) as (status, chunks):
                    if status == 204:
                        return  # it has ended, and nothing came after what was seen
                    events = Events()
                    async for chunk in chunks:
                        for entry in events.feed(chunk):
                            after, failures = entry["sequence"], 0
                            yield entry
            except (ApiError, Unreachable) as error:
                failures += 1
                if not may_repeat(request, error, failures, self._retries):
                    raise
                await clock.sleep(clock.jittered(pause(failures, error)))

    deploy = _awaited(operations.deploy)
    check = _awaited(operations.check)
    definition = _awaited(operations.definition)
    definitions = _awaited(operations.definitions)
    each_definition = _each(operations.definitions)
    versions = _awaited(operations.versions)
    each_version = _each(operations.versions)
    publish = _awaited(operations.publish)
    check_function = _awaited(operations.check_function)
    function = _awaited(operations.function)
    functions = _awaited(operations.functions)
    each_function = _each(operations.functions)
    start = _awaited(operations.start)
    start_batch = _awaited(operations.start_batch)
    process = _awaited(operations.process)
    processes = _awaited(operations.processes)
    each_process = _each(operations.processes)
    ended = _awaited(operations.ended)
    activities = _awaited(operations.activities)
    each_activity = _each(operations.activities)
    all_activities = _awaited(operations.all_activities)
    history = _awaited(operations.history)
    each_history = _each(operations.history)
    all_history = _awaited(operations.all_history)
    why = _awaited(operations.why)
    examine = _awaited(operations.examine)
    command = _awaited(operations.command)
    suspend = _awaited(operations.suspend)
    resume = _awaited(operations.resume)
    cancel = _awaited(operations.cancel)
    retry = _awaited(operations.retry)
    tasks = _awaited(operations.tasks)
    each_task = _each(operations.tasks)
    task = _awaited(operations.task)
    claim = _awaited(operations.claim)
    release = _awaited(operations.release)
    delegate = _awaited(operations.delegate)
    complete = _awaited(operations.complete)
    emit = _awaited(operations.emit)
    emit_batch = _awaited(operations.emit_batch)
    call_back = _awaited(operations.call_back)
    schedules = _awaited(operations.schedules)
    each_schedule = _each(operations.schedules)
    pause_schedule = _awaited(operations.pause_schedule)
    resume_schedule = _awaited(operations.resume_schedule)
    trigger_schedule = _awaited(operations.trigger_schedule)
    backfill_schedule = _awaited(operations.backfill_schedule)
    activate = _awaited(operations.activate)
    complete_job = _awaited(operations.complete_job)
    fail_job = _awaited(operations.fail_job)
    release_job = _awaited(operations.release_job)
    extend_job = _awaited(operations.extend_job)
