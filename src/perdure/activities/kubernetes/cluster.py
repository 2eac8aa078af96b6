"""One namespace of a cluster, by its API. Only here is `kubernetes_asyncio` used, which the extra brings."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import aiohttp

from perdure import clock
from perdure.activities.container_engine import TooMuch
from perdure.activities.contract import CallFailed
from perdure.activities.http_request import misconfigured
from perdure.activities.kubernetes.manifest import CONTAINER
from perdure.settings import Settings

ANSWER_SECONDS_MAX = 30.0
FOLLOW_SECONDS_MAX = 60.0
WATCH_SECONDS = 3
"""Of pods alone: what only the Job tells is seen so much later at most."""
TRY_SECONDS_MAX = 60.0
"""How long an operation is tried again while the cluster can't be reached or is overrun."""
TRY_AGAIN_SECONDS = 1.0
MESSAGE_CHARACTERS_MAX = 500

_T = TypeVar("_T")


class Refused(Exception):
    """The cluster answered with an error. `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message[:MESSAGE_CHARACTERS_MAX]}")
        self.status = status


class Unreachable(Exception):
    """There was no answer, or only that of a cluster in trouble, however often it was tried."""


class Cluster:
    """Operations raise `Refused`, or `Unreachable` after a while. Each may be repeated, so each is tried again."""

    def __init__(self, settings: Settings) -> None:
        self._kubeconfig = settings.kubernetes_config
        self._batch = f"/apis/batch/v1/namespaces/{settings.kubernetes_namespace}"
        self._core = f"/api/v1/namespaces/{settings.kubernetes_namespace}"
        self._api: Any = None

    async def open(self) -> None:
        """Raises `CallFailed` (configuration) where there is no library, or nothing that says where the cluster is."""
        try:
            from kubernetes_asyncio.client import ApiClient, Configuration
        except ImportError as error:
            detail = f"Kubernetes needs libraries that this worker lacks ({error}): pip install 'perdure[kubernetes]'"
            raise misconfigured(detail) from None
        configuration = Configuration()
        await self._configure(configuration)
        try:
            self._api = ApiClient(configuration)
        except (OSError, ValueError) as error:  # certificates and keys
            raise _unusable(error) from None

    async def close(self) -> None:
        if self._api is not None:
            await self._api.close()

    async def create_secret(self, manifest: Mapping[str, Any]) -> None:
        """One that is there already stays."""
        await self._create(f"{self._core}/secrets", manifest)

    async def create_job(self, manifest: Mapping[str, Any]) -> None:
        """One that is there already stays, and goes on."""
        await self._create(f"{self._batch}/jobs", manifest)

    async def job(self, name: str) -> Mapping[str, Any] | None:
        """None where there is none."""
        try:
            found: Mapping[str, Any] = await self._ask("GET", f"{self._batch}/jobs/{name}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    async def pods(self, selector: str) -> tuple[Sequence[Mapping[str, Any]], str]:
        """Those with these labels, and the version of this list, which `changed` takes."""
        listed = await self._ask("GET", f"{self._core}/pods", query={"labelSelector": selector})
        return listed["items"], listed["metadata"]["resourceVersion"]

    async def changed(self, selector: str, version: str) -> None:
        """Returns once one of these pods is not as in that version, or after some seconds."""
        query = {"labelSelector": selector, "resourceVersion": version, "watch": "true"}
        query["timeoutSeconds"] = str(WATCH_SECONDS)
        with _given_up_quietly():
            async with self._response("GET", f"{self._core}/pods", query=query) as response:
                await response.content.readany()

    async def follow(self, pod: str, bytes_max: int) -> None:
        """Returns when the container has ended, or after a while. Raises `TooMuch` once it has written more."""
        path, query = self._log(pod, bytes_max)
        with _given_up_quietly():
            async with self._response(
                "GET", path, query={**query, "follow": "true"}, seconds=FOLLOW_SECONDS_MAX
            ) as said:
                await _bounded(said, bytes_max)

    async def log(self, pod: str, bytes_max: int) -> bytes:
        """What the container has written. Raises `TooMuch` where that is longer."""
        path, query = self._log(pod, bytes_max)
        return await self._ask("GET", path, query=query, read=partial(_bounded, bytes_max=bytes_max))

    async def warning(self, job: str) -> str:
        """What the cluster last warned of about a Job."""
        query = {"fieldSelector": f"involvedObject.name={job},type=Warning"}
        events = (await self._ask("GET", f"{self._core}/events", query=query))["items"]
        last = max(events, key=lambda event: event.get("lastTimestamp") or "", default=None)
        return "" if last is None else f"{last['reason']}: {last['message']}"

    async def expire(self, job: str, seconds: int) -> None:
        """Have the cluster delete a Job so long after its end."""
        with _nothing_there():
            await self._ask("PATCH", f"{self._batch}/jobs/{job}", {"spec": {"ttlSecondsAfterFinished": seconds}})

    async def delete_job(self, name: str) -> None:
        """With its pods, which are killed."""
        with _nothing_there():
            await self._ask("DELETE", f"{self._batch}/jobs/{name}", {"propagationPolicy": "Background"})

    async def delete_secret(self, name: str) -> None:
        with _nothing_there():
            await self._ask("DELETE", f"{self._core}/secrets/{name}")

    async def _configure(self, configuration: Any) -> None:
        """Where the cluster is, and who we are; tokens of a kubeconfig end, and are made anew by this."""
        from kubernetes_asyncio import config

        try:
            if self._kubeconfig is None:
                config.load_incluster_config(configuration)
            else:
                await config.load_kube_config(
                    self._kubeconfig, client_configuration=configuration, persist_config=False
                )
        except Exception as error:  # whatever a broken file leads to
            raise _unusable(error) from None

    def _log(self, pod: str, bytes_max: int) -> tuple[str, dict[str, str]]:
        return f"{self._core}/pods/{pod}/log", {"container": CONTAINER, "limitBytes": str(bytes_max + 1)}

    async def _create(self, path: str, manifest: Mapping[str, Any]) -> None:
        try:
            await self._ask("POST", path, manifest)
        except Refused as refused:
            if refused.status != 409:
                raise

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        read: Callable[[aiohttp.ClientResponse], Awaitable[_T]] | None = None,
    ) -> _T | Any:
        """What `read` makes of the answer, by default its JSON."""
        until, renewed = clock.monotonic() + TRY_SECONDS_MAX, False
        while True:
            try:
                async with self._response(method, path, body, query=query) as response:
                    return await (read or _json)(response)
            except Refused as refused:
                if refused.status == 401 and not renewed:
                    renewed = True
                    await self._configure(self._api.configuration)
                    continue
                if refused.status < 500 and refused.status != 429:
                    raise
                problem = str(refused)
            except (aiohttp.ClientError, OSError) as error:
                problem = str(error) or type(error).__name__
            if clock.monotonic() > until:
                raise Unreachable(problem)
            await clock.sleep(clock.jittered(TRY_AGAIN_SECONDS))

    @contextlib.asynccontextmanager
    async def _response(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS_MAX,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Raises `Refused`, `aiohttp.ClientError` and `TimeoutError`."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        response: aiohttp.ClientResponse = await self._api.call_api(
            path,
            method,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json, */*", "Content-Type": kind},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=seconds,
        )
        try:
            if response.status >= 400:
                raise Refused(response.status, _message(await response.content.read(8 * MESSAGE_CHARACTERS_MAX)))
            yield response
        finally:
            response.close()


@contextlib.contextmanager
def _given_up_quietly() -> Iterator[None]:
    """Whatever ends such a wait, another look tells more; only what is not allowed stays so."""
    try:
        yield
    except Refused as refused:
        if refused.status == 403:
            raise
    except (aiohttp.ClientError, OSError):
        pass


@contextlib.contextmanager
def _nothing_there() -> Iterator[None]:
    """What is gone already need not be deleted."""
    try:
        yield
    except Refused as refused:
        if refused.status != 404:
            raise


async def _json(response: aiohttp.ClientResponse) -> Any:
    return json.loads(await response.read())


async def _bounded(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > bytes_max:
            raise TooMuch
    return bytes(data)


def _message(answer: bytes) -> str:
    text = answer.decode("utf-8", "replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text


def _unusable(error: Exception) -> CallFailed:
    return misconfigured(
        f"Nothing usable says where the cluster is: {error} PERDURE_KUBERNETES_CONFIG names a kubeconfig; without it "
        "the worker has to run in the cluster, with a service account."
    )
