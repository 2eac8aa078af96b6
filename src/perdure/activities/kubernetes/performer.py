"""Performs ``run: container`` (DSL reference, "Container Process", "Container Lifetime") as a Job of Kubernetes.

The Job's name is the same in every repeat of an attempt: a worker that takes the call over from one that died finds
the Job and waits for it, instead of running it twice.
"""

import asyncio
import contextlib
import importlib

import structlog

from perdure import clock
from perdure.activities import programs
from perdure.activities.container_engine import TooMuch
from perdure.activities.contract import GIVEN_UP, Call, CallFailed, trace_of_call
from perdure.activities.http_request import misconfigured
from perdure.activities.kubernetes import manifest, progress
from perdure.activities.kubernetes.cluster import Cluster, Refused, Unreachable
from perdure.activities.outside import Outside
from perdure.codec import Json
from perdure.engine.errors import standard

GRACE_SECONDS = 15.0
"""The cluster ends a Job whose time is over. After so much more it is ended from here."""
TIDY_SECONDS_MAX = 10.0
LOOK_AGAIN_SECONDS = 0.2

log = structlog.get_logger("perdure.containers")


class KubernetesPerformer:
    """The implementation of `contract.Performer` for ``container``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._settings = outside.settings
        self._cluster: Cluster | None = None
        self._opening = asyncio.Lock()

    async def start(self) -> None:
        """The library is large. Without it the first call says what to install."""
        if self._settings.run_container:
            with contextlib.suppress(ImportError):
                await asyncio.to_thread(importlib.import_module, "kubernetes_asyncio.client")

    async def stop(self) -> None:
        if self._cluster is not None:
            await self._cluster.close()

    async def perform(self, call: Call) -> Json:
        programs.require_permission(self._settings.run_container, "containers", "PERDURE_RUN_CONTAINER")
        try:
            async with self._outside.programs:
                code, output = await self._run(call)
        except CallFailed as failure:
            raise self._outside.caller.redacted(failure.error) from None
        except Refused as refused:
            raise self._failed("configuration", f"The cluster refused it: {refused}.") from None
        except TooMuch:
            limit = f"{self._settings.run_output_bytes_max} bytes (PERDURE_RUN_OUTPUT_BYTES_MAX)"
            raise self._failed("runtime", f"The container wrote more than {limit}.") from None
        except Unreachable as error:
            raise self._failed("communication", f"The cluster can't be reached: {error}.") from None
        # A pod's log does not tell which of its lines went to standard error.
        text = self._outside.secrets.redact_text(output.decode("utf-8", "replace"))
        return {"code": code, "stdout": text, "stderr": ""}

    def _failed(self, name: str, detail: str) -> CallFailed:
        return self._outside.caller.redacted(standard(name, detail))

    async def _run(self, call: Call) -> tuple[int, bytes]:
        """Create it, or find it, see it end, read what it wrote, and let it stay as long as its lifetime says."""
        job, secret = manifest.job_of(call, self._settings), manifest.secret_of(call)
        kept = manifest.seconds_kept(call.request)
        cluster = await self._open()
        creating = asyncio.create_task(self._create(cluster, secret, job))
        try:
            await asyncio.shield(creating)
            ended = await self._ended(cluster, call)
            output = await cluster.log(ended.pod, self._settings.run_output_bytes_max)
        except asyncio.CancelledError as cancelled:
            if cancelled.args == (GIVEN_UP,):
                await asyncio.gather(creating, return_exceptions=True)  # or it would be created after all
                await asyncio.shield(self._tidy(cluster, call, 0))
            creating.cancel()
            raise
        except Exception:
            await asyncio.shield(self._tidy(cluster, call, 0))
            raise
        await asyncio.shield(self._tidy(cluster, call, kept))
        return ended.code, output

    async def _open(self) -> Cluster:
        async with self._opening:
            if self._cluster is None:
                if not self._settings.kubernetes_namespace:
                    raise misconfigured("PERDURE_KUBERNETES_NAMESPACE must name the namespace that Jobs run in.")
                cluster = Cluster(self._settings)
                await cluster.open()
                self._cluster = cluster
        return self._cluster

    async def _create(self, cluster: Cluster, secret: manifest.Manifest, job: manifest.Manifest) -> None:
        await cluster.create_secret(secret)
        trace_of_call().sends()
        await cluster.create_job(job)

    async def _ended(self, cluster: Cluster, call: Call) -> progress.Ended:
        """How it ended. Raises `CallFailed` where it can't, or not in time."""
        why = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.run_seconds_max + GRACE_SECONDS):
                while True:
                    now, version = await self._look(cluster, call)
                    match now:
                        case progress.Ended():
                            return now
                        case progress.Overdue():
                            break
                        case progress.Waiting(why):
                            await cluster.changed(manifest.selector_of(call), version)
                        case progress.Running(pod):
                            why = ""
                            await cluster.follow(pod, self._settings.run_output_bytes_max)
                    await clock.sleep(LOOK_AGAIN_SECONDS)
        raise await self._too_long(cluster, call, why)

    async def _look(self, cluster: Cluster, call: Call) -> tuple[progress.Progress, str]:
        """How far it is. The Job goes on while the API is away. It is read first: its pods are at least as it says."""
        while True:
            try:
                job = await cluster.job(manifest.name_of(call))
                pods, version = await cluster.pods(manifest.selector_of(call))
            except Unreachable as error:
                log.warning("the cluster can't be reached; its Jobs are waited for", reason=str(error))
            else:
                return progress.of(job, pods), version

    async def _too_long(self, cluster: Cluster, call: Call, why: str) -> CallFailed:
        if not why:
            with contextlib.suppress(Refused, Unreachable):  # to read events is a right that need not be given
                why = await cluster.warning(manifest.name_of(call))
        seconds = f"{self._settings.run_seconds_max:g} seconds (PERDURE_RUN_SECONDS_MAX)"
        last = f" What the cluster said last: {why}." if why else ""
        return CallFailed(standard("timeout", f"The Job took longer than {seconds}, its start included.{last}"))

    async def _tidy(self, cluster: Cluster, call: Call, kept: int | None) -> None:
        """Best effort: what is left over does no harm, and bears our labels."""
        name = manifest.name_of(call)
        try:
            async with asyncio.timeout(TIDY_SECONDS_MAX):
                if kept == 0:
                    await cluster.delete_job(name)
                elif kept is not None:
                    await cluster.expire(name, kept)
                await cluster.delete_secret(name)
        except (Refused, Unreachable, TimeoutError) as error:
            log.warning("a Job could not be cleared away", job=name, reason=str(error) or type(error).__name__)
