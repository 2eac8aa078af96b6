"""One job in the hands of a worker: its handler runs, heartbeats keep its lease, and its answer is delivered."""

import asyncio
import contextvars
import logging
from collections.abc import Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any

from perdure import clock
from perdure.client.async_client import AsyncClient
from perdure.client.errors import ApiError, Conflict, JobFailed, JobLost, NotFound, PerdureError, Unreachable
from perdure.client.exchange import pause
from perdure.client.handlers import Handler
from perdure.client.job import Job
from perdure.client.models import JobData, Json
from perdure.client.types import CannotDecode

log = logging.getLogger("perdure.client.worker")

PROGRESS_SECONDS = 0.5
"""How soon after another a progress report may be sent."""
VALIDATION = "https://serverlessworkflow.io/spec/1.0.0/errors/validation"
RUNTIME = "https://serverlessworkflow.io/spec/1.0.0/errors/runtime"
DETAIL_CHARACTERS_MAX = 16_000


class Errand:
    """Lives from the moment a job was taken until its answer is delivered, or it is no longer this worker's."""

    def __init__(self, client: AsyncClient, handler: Handler, data: JobData, threads: Executor) -> None:
        self._client = client
        self._handler = handler
        self._data = data
        self._threads = threads
        self._lease = data["lease"]["token"]
        self._until = clock.monotonic() + handler.lease
        self._job: Job[Any] | None = None
        self._progress: Json = None
        self._hurry = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._working: asyncio.Task[None] | None = None
        self._giving_up = False

    async def run(self) -> None:
        """To the end. Never raises, unless it is cancelled."""
        keeping = asyncio.create_task(self._keep())
        self._working = asyncio.create_task(self._work())
        try:
            await asyncio.wait((self._working,))
            if not self._working.cancelled() and (error := self._working.exception()) is not None:
                log.error("job %s could not be answered: %s", self._data["id"], error)
        finally:
            keeping.cancel()
            self._working.cancel()
            await asyncio.gather(keeping, self._working, return_exceptions=True)

    async def give_up(self) -> None:
        """Stop working and give the job back, for another worker to do."""
        self._giving_up = True
        self._lose()
        try:
            async with asyncio.timeout(5):
                await self._client.release_job(self._data["id"], self._lease)
        except (PerdureError, TimeoutError) as error:
            log.warning("job %s could not be given back; its lease will end: %s", self._data["id"], error)

    # working

    async def _work(self) -> None:
        try:
            input_ = self._handler.input.decode(self._data["input"])
        except CannotDecode as error:
            await self._fail({"type": VALIDATION, "status": 400, "title": "Validation error", "detail": str(error)})
            return
        job = self._job = Job(self._data, input_, self._report)
        try:
            result = await self._call(job)
        except JobFailed as failure:
            await self._fail(failure.problem() or str(failure), retryable=failure.retryable)
        except JobLost:
            log.info("job %s was given up by its handler: it is no longer this worker's", job.id)
        except Exception as error:
            log.exception("job %s (%s) failed", job.id, job.type)
            detail = f"{type(error).__name__}: {error}"[:DETAIL_CHARACTERS_MAX]
            await self._fail({"type": RUNTIME, "status": 500, "detail": detail.replace("\0", "")}, retryable=True)
        else:
            await self._complete(result)

    async def _complete(self, result: Any) -> None:
        try:
            output = self._handler.output.encode(result)
        except Exception as error:
            log.exception("the result of job %s (%s) can't be sent", self._data["id"], self._data["type"])
            detail = f"the worker's result is not what JSON can hold: {error}"[:DETAIL_CHARACTERS_MAX]
            await self._fail({"type": RUNTIME, "status": 500, "detail": detail.replace("\0", "")})
        else:
            await self._deliver(partial(self._client.complete_job, self._data["id"], self._lease, output))

    async def _call(self, job: Job[Any]) -> Any:
        if not self._handler.blocks:
            return await self._handler.function(job)
        context = contextvars.copy_context()
        return await self._loop.run_in_executor(self._threads, context.run, self._handler.function, job)

    async def _fail(self, error: Json, *, retryable: bool = False) -> None:
        await self._deliver(partial(self._client.fail_job, self._data["id"], self._lease, error, retryable=retryable))

    async def _deliver(self, answer: "partial[Coroutine[Any, Any, Any]]") -> None:
        """Until it has arrived, or the lease has ended and it would be refused."""
        failures = 0
        while not self._giving_up:
            try:
                await answer()
                return
            except (Conflict, NotFound) as error:
                log.warning("the answer to job %s was refused: %s", self._data["id"], error.detail)
                return
            except (ApiError, Unreachable) as error:
                if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
                    raise
                failures += 1
                if clock.monotonic() > self._until:
                    raise
                log.warning("the answer to job %s could not be delivered yet: %s", self._data["id"], error)
            await clock.sleep(clock.jittered(pause(failures)))

    # keeping

    def _report(self, progress: Json) -> None:
        """From any thread."""
        self._progress = progress
        self._loop.call_soon_threadsafe(self._hurry.set)

    async def _keep(self) -> None:
        """Heartbeats at a third of the lease, sooner where there is progress to tell."""
        interval = self._handler.lease / 3
        while True:
            began = clock.monotonic()
            hurried = await self._rest(interval)
            if hurried and (early := PROGRESS_SECONDS - (clock.monotonic() - began)) > 0:
                await clock.sleep(min(early, interval))
            self._hurry.clear()
            progress, self._progress = self._progress, None
            sent = clock.monotonic()
            try:
                await self._client.extend_job(self._data["id"], self._lease, progress)
            except (Conflict, NotFound) as error:
                log.warning("job %s is no longer this worker's: %s", self._data["id"], error.detail)
                self._lose()
                return
            except PerdureError as error:
                log.warning("the lease of job %s could not be extended yet: %s", self._data["id"], error)
                if isinstance(error, ApiError) and error.status == 422:
                    continue  # such as too long a report: the next heartbeat is without
                self._progress = progress if self._progress is None else self._progress
                if clock.monotonic() > self._until:
                    self._lose()
                    return
            else:
                self._until = sent + self._handler.lease

    async def _rest(self, seconds: float) -> bool:
        """Whether it was ended by a report."""
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return False
        return True

    def _lose(self) -> None:
        if self._job is not None:
            self._job.lost = True
        if self._working is not None:
            self._working.cancel()
