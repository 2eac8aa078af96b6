"""Workers: your functions, run for the jobs that processes wait for."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

from perdure import clock
from perdure.client.async_client import AsyncClient
from perdure.client.client import Client
from perdure.client.errand import Errand
from perdure.client.errors import ApiError, PerdureError
from perdure.client.exchange import pause
from perdure.client.handlers import Handler, handler_of
from perdure.client.models import Function

log = logging.getLogger("perdure.client.worker")

F = TypeVar("F", bound=Callable[..., Any])

POLL_SECONDS = 30.0
STOP_SECONDS = 30.0
CONCURRENCY = 10
LEASE_SECONDS = 60.0
JOBS_MAX = 1_000
"""The most that the API gives at once."""
GATHER_SECONDS = 0.005
"""How long, where more jobs wait than may run, one that has ended waits for others, to ask for several at once."""


class Worker:
    """Takes jobs, runs the functions that are registered for them, and answers.

    ::

        worker = Worker("http://localhost:8080", token=…)

        @worker.job("charge-card", version="1.2.0", lease=60)
        async def charge(job: Job[Charge]) -> Receipt:
            return await bank.charge(job.input, key=job.idempotency_key)

        worker.register()  # as charge-card:1.2.0@default, with schemas made from the types
        worker.run()       # until SIGTERM or SIGINT

    Async functions run on the event loop, plain ones in threads. What a function returns becomes the activity's
    output; `JobFailed` is raised in the process; any other exception lets the platform try again, a bounded
    number of times. An input that does not fit the function's type fails the job with a validation error. A job
    may be done twice where a worker or the network dies in the middle, then with the same `Job.idempotency_key`;
    its result is recorded once.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        name: str | None = None,
        concurrency: int = CONCURRENCY,
        poll_seconds: float = POLL_SECONDS,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        """`url` and `token` as of `Client`. `name` is the worker's in the audit trail, by default host and process.

        `concurrency` jobs of one type run at a time. `poll_seconds` (60 at most) is how long one request waits for
        jobs. When stopping, jobs get `stop_seconds` to end before they are given back.
        """
        self._url = url
        self._token = token
        self._name = name or f"{socket.gethostname()}-{os.getpid()}"
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        self._stop_seconds = stop_seconds
        self._handlers: dict[str, Handler] = {}
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """What is registered here."""
        return tuple(self._handlers.values())

    def job(
        self,
        name: str,
        *,
        version: str = "1.0.0",
        type: str | None = None,  # noqa: A002 - the API's own word
        lease: float = LEASE_SECONDS,
        concurrency: int | None = None,
    ) -> Callable[[F], F]:
        """Decorate a function of one argument, a `Job`, that does jobs of this type.

        `name` and `version` are of the catalog's function (``name:version@default``); `type` is the jobs' type,
        by default the name. `lease` is in seconds, and kept by heartbeats while the function runs. Raises
        `TypeError` and `ValueError` for what can't work.
        """

        def register(function: F) -> F:
            made = handler_of(
                function,
                name,
                version=version,
                type_=type,
                lease=lease,
                concurrency=self._concurrency if concurrency is None else concurrency,
            )
            if made.type in self._handlers:
                raise ValueError(f"there is a function for jobs of the type {made.type!r} already")
            self._handlers[made.type] = made
            return function

        return register

    def register(self) -> list[Function]:
        """Publish the functions to the default catalog, so that definitions can call ``name:version@default``.

        Raises `Conflict` where a version is there with other schemas: give it a new version.
        """
        with Client(self._url, self._token) as client:
            return [client.publish(h.name, h.version, h.document())[0] for h in self.handlers]

    async def register_async(self) -> list[Function]:
        """The same as `register`, without blocking the event loop."""
        async with AsyncClient(self._url, self._token) as client:
            return [(await client.publish(h.name, h.version, h.document()))[0] for h in self.handlers]

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then end what is under way; a second signal gives it back at once.

        Raises the `ApiError` where the platform refuses the worker, as without a valid key.
        """
        asyncio.run(self._run_until_signal())

    async def __aenter__(self) -> Self:
        """Work in the background until the block ends."""
        self._stop = asyncio.Event()
        self._serving = asyncio.create_task(self.serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        if self._serving is not None:
            await self._serving

    def stop(self) -> None:
        """Take nothing more. `serve` returns when what is under way has ended or was given back."""
        self._stop.set()

    async def serve(self) -> None:
        """Work until `stop` is called."""
        threads = sum(handler.concurrency for handler in self.handlers if handler.blocks)
        pool = ThreadPoolExecutor(max(threads, 1), thread_name_prefix="perdure-job")
        try:
            async with AsyncClient(self._url, self._token) as client:
                log.info("worker %s takes jobs of %s", self._name, ", ".join(self._handlers) or "no type")
                desks = [_Desk(client, handler, pool, self._name, self._poll_seconds) for handler in self.handlers]
                await self._until_stopped(desks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    async def _until_stopped(self, desks: list["_Desk"]) -> None:
        taking = [asyncio.create_task(desk.take()) for desk in desks]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((*taking, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*taking, stopping):
                task.cancel()
            results = await asyncio.gather(*taking, return_exceptions=True)
            await asyncio.gather(*(desk.close(self._stop_seconds) for desk in desks))
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _run_until_signal(self) -> None:
        self._stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        serving = asyncio.create_task(self.serve())

        def stop() -> None:
            if self._stop.is_set():
                self._stop_seconds = 0
                serving.cancel()
            self.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            await serving
        except asyncio.CancelledError:
            log.warning("worker %s was told to stop twice; it gives its jobs back", self._name)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


class _Desk:
    """The jobs of one type: as many are taken as may run."""

    def __init__(
        self, client: AsyncClient, handler: Handler, threads: ThreadPoolExecutor, worker: str, poll_seconds: float
    ) -> None:
        self._client = client
        self._handler = handler
        self._threads = threads
        self._worker = worker
        self._poll_seconds = poll_seconds
        self._room = asyncio.Semaphore(handler.concurrency)
        self._errands: dict[asyncio.Task[None], Errand] = {}

    async def take(self) -> None:
        """For ever. Raises the `ApiError` where the platform refuses the worker."""
        failures = 0
        more = False
        while True:
            await self._room.acquire()
            self._room.release()
            if more and self._free * 2 < self._handler.concurrency:
                await clock.sleep(GATHER_SECONDS)
            free = self._free
            try:
                jobs = await self._client.activate(
                    self._handler.type,
                    max=free,
                    lease=self._handler.lease,
                    wait=self._poll_seconds,
                    worker=self._worker,
                )
            except PerdureError as error:
                if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
                    raise
                failures += 1
                log.warning("no jobs can be taken now: %s", error)
                await clock.sleep(clock.jittered(pause(failures, error)))
                continue
            failures = 0
            more = len(jobs) == free
            for job in jobs:
                await self._room.acquire()
                errand = Errand(self._client, self._handler, job, self._threads)
                task = asyncio.create_task(errand.run())
                self._errands[task] = errand
                task.add_done_callback(self._ended)

    @property
    def _free(self) -> int:
        return min(self._handler.concurrency - len(self._errands), JOBS_MAX)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._errands[task]
        self._room.release()

    async def close(self, seconds: float) -> None:
        """Let jobs end for so long, then give back those that have not."""
        if not self._errands:
            return
        try:
            await asyncio.wait(self._errands, timeout=seconds)
        finally:
            await asyncio.gather(*(errand.give_up() for errand in tuple(self._errands.values())))
            if self._errands:
                await asyncio.wait(self._errands, timeout=1)
