"""The client that blocks."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

from perdure import clock
from perdure.client import operations
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
from perdure.client.transport import Transport

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(operation: Callable[P, Operation[T]]) -> "Callable[Concatenate[Client, P], T]":
    @wraps(operation)
    def method(client: "Client", /, *arguments: P.args, **named: P.kwargs) -> T:
        return client.run(operation(*arguments, **named))

    return method


def _each(operation: Callable[P, Operation[Page[T]]]) -> "Callable[Concatenate[Client, P], Iterator[T]]":
    @wraps(operation)
    def method(client: "Client", /, *arguments: P.args, **named: P.kwargs) -> Iterator[T]:
        more = True
        while more:
            page = client.run(operation(*arguments, **named))
            yield from page["items"]
            named["cursor"] = page["next"]
            more = page["next"] is not None

    method.__doc__ = "Item by item over all pages. " + (operation.__doc__ or "")
    return method


class Client:
    """A Perdure server as seen from a program. Safe to use from several threads.

    ::

        with Client("http://127.0.0.1:8080") as client:
            process = client.start("shop", "order-fulfilment", input={"order": order})
            print(client.ended(process["id"])["output"])

    Every method raises a kind of `ApiError` where the server refuses and `Unreachable` where it does not answer.
    """

    def __init__(self, url: str | None = None, token: str | None = None, *, retries: int = RETRIES) -> None:
        """`url` and `token`, an API key, default to ``PERDURE_API_URL`` and ``PERDURE_API_KEY``.

        `retries` is how often a request that does no harm twice is repeated where no answer came.
        """
        self._transport = Transport(address(url), credentials(token))
        self._retries = retries

    @property
    def url(self) -> str:
        """The server's base address, without a slash at the end."""
        return self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client may be used again."""
        self._transport.close()

    def run(self, operation: Operation[T]) -> T:
        """The result of an operation of `perdure.client.operations`."""
        try:
            request = next(operation)
            while True:
                try:
                    answer = self._send(request)
                except (ApiError, Unreachable) as error:
                    request = operation.throw(error)
                else:
                    request = operation.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _send(self, request: Request) -> Answer:
        failures = 0
        while True:
            try:
                return self._transport.send(request)
            except (ApiError, Unreachable) as error:
                failures += 1
                if not may_repeat(request, error, failures, self._retries):
                    raise
                seconds = pause(failures, error)
            clock.block(clock.jittered(seconds))

    def follow_history(self, process: str, after: int | None = None) -> Iterator[HistoryEntry]:
        """The audit trail as it grows, after a sequence number if given, until the process ends.

        A stream that breaks is taken up again where it was, as often as `retries` says without news.
        """
        failures = 0
        while True:
            headers = {} if after is None else {"Last-Event-ID": str(after)}
            request = Request("GET", f"/v1/processes/{segment(process)}/events", headers=headers, repeatable=True)
            try:
                with self._transport.stream(request) as (status, chunks):
                    if status == 204:
                        return  # it has ended, and nothing came after what was seen
                    events = Events()
                    for chunk in chunks:
                        for entry in events.feed(chunk):
                            after, failures = entry["sequence"], 0
                            yield entry
            except (ApiError, Unreachable) as error:
                failures += 1
                if not may_repeat(request, error, failures, self._retries):
                    raise
                clock.block(clock.jittered(pause(failures, error)))

    deploy = _blocking(operations.deploy)
    check = _blocking(operations.check)
    definition = _blocking(operations.definition)
    definitions = _blocking(operations.definitions)
    each_definition = _each(operations.definitions)
    versions = _blocking(operations.versions)
    each_version = _each(operations.versions)
    publish = _blocking(operations.publish)
    check_function = _blocking(operations.check_function)
    function = _blocking(operations.function)
    functions = _blocking(operations.functions)
    each_function = _each(operations.functions)
    start = _blocking(operations.start)
    start_batch = _blocking(operations.start_batch)
    process = _blocking(operations.process)
    processes = _blocking(operations.processes)
    each_process = _each(operations.processes)
    ended = _blocking(operations.ended)
    activities = _blocking(operations.activities)
    each_activity = _each(operations.activities)
    all_activities = _blocking(operations.all_activities)
    history = _blocking(operations.history)
    each_history = _each(operations.history)
    all_history = _blocking(operations.all_history)
    why = _blocking(operations.why)
    examine = _blocking(operations.examine)
    command = _blocking(operations.command)
    suspend = _blocking(operations.suspend)
    resume = _blocking(operations.resume)
    cancel = _blocking(operations.cancel)
    retry = _blocking(operations.retry)
    tasks = _blocking(operations.tasks)
    each_task = _each(operations.tasks)
    task = _blocking(operations.task)
    claim = _blocking(operations.claim)
    release = _blocking(operations.release)
    delegate = _blocking(operations.delegate)
    complete = _blocking(operations.complete)
    emit = _blocking(operations.emit)
    emit_batch = _blocking(operations.emit_batch)
    call_back = _blocking(operations.call_back)
    schedules = _blocking(operations.schedules)
    each_schedule = _each(operations.schedules)
    pause_schedule = _blocking(operations.pause_schedule)
    resume_schedule = _blocking(operations.resume_schedule)
    trigger_schedule = _blocking(operations.trigger_schedule)
    backfill_schedule = _blocking(operations.backfill_schedule)
    activate = _blocking(operations.activate)
    complete_job = _blocking(operations.complete_job)
    fail_job = _blocking(operations.fail_job)
    release_job = _blocking(operations.release_job)
    extend_job = _blocking(operations.extend_job)
