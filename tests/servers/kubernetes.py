"""A stand-in for a Kubernetes cluster: as much of its API as Jobs need, over real HTTP, in this process.

It is no cluster and proves nothing of one. It keeps Jobs, Pods, Secrets and Events of one namespace, refuses what the
published schemas do not know, and runs a pod's container as a local process: no image, no isolation, no memory limit.
What a container would see mounted is in a directory whose path is put in its command. Of what clusters do it has: names
that are taken, access rules, watches, followed logs, deadlines, time to live, and pods that are orphaned unless the
deletion says otherwise.
"""

import asyncio
import contextlib
import json
import re
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import kubernetes_validate
import yaml
from aiohttp import web

from servers.kubernetes_machinery import Machinery, now, status_of
from servers.server import POLL_SECONDS, free_port

NAMESPACE = "jobs"
TOKEN = "cluster-token"

_BATCH = f"/apis/batch/v1/namespaces/{NAMESPACE}"
_CORE = f"/api/v1/namespaces/{NAMESPACE}"


class Kubernetes(Machinery):
    """Its API, and what tests set and look at."""

    def __init__(self) -> None:
        super().__init__()
        self.token = TOKEN
        self.fail: Callable[[web.Request], int | None] = lambda request: None
        """The status to refuse a request with."""
        self.rules = documented_rules()
        """What the worker may do."""
        self.requests: list[str] = []

    @contextlib.asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Serve on this port."""
        app = web.Application(middlewares=[self._gate], client_max_size=2**22)
        app.add_routes(
            [
                web.post(f"{_BATCH}/jobs", self._create_job),
                web.get(f"{_BATCH}/jobs/{{name}}", self._get_job),
                web.patch(f"{_BATCH}/jobs/{{name}}", self._patch_job),
                web.delete(f"{_BATCH}/jobs/{{name}}", self._delete_job),
                web.post(f"{_CORE}/secrets", self._create_secret),
                web.delete(f"{_CORE}/secrets/{{name}}", self._delete_secret),
                web.get(f"{_CORE}/pods", self._list_pods),
                web.get(f"{_CORE}/pods/{{name}}/log", self._log),
                web.get(f"{_CORE}/events", self._list_events),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        port = free_port()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
            yield port
        finally:
            for task in self.tasks:
                task.cancel()
            for name in list(self.pods):
                await self.delete_pod(name)
            await asyncio.gather(*self.tasks, return_exceptions=True)
            await runner.cleanup()
            shutil.rmtree(self.directory, ignore_errors=True)

    def kubeconfig(self, port: int) -> Path:
        """As `kubectl` would read it."""
        path = self.directory / "kubeconfig"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "u", "user": {"token": self.token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(json.dumps(config))
        return path

    @web.middleware
    async def _gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _refusal(401, "Unauthorized")
        group, resource, verb = _asked(request)
        if not any(group in r["apiGroups"] and resource in r["resources"] and verb in r["verbs"] for r in self.rules):
            return _refusal(403, f"{resource} is forbidden: cannot {verb}")
        status = self.fail(request)
        if status is not None:
            return _refusal(status, "as the test wants it")
        try:
            return await handler(request)
        except KeyError as error:
            return _refusal(404, f"{error} not found")

    async def _create_job(self, request: web.Request) -> web.Response:
        job, refusal = await self._made(request, self.jobs)
        if refusal is not None:
            return refusal
        self.task(self.control(job))
        return web.json_response(job, status=201)

    async def _create_secret(self, request: web.Request) -> web.Response:
        secret, refusal = await self._made(request, self.secrets)
        return refusal or web.json_response(secret, status=201)

    async def _made(self, request: web.Request, kept: dict[str, Any]) -> tuple[dict[str, Any], web.Response | None]:
        """The object that was sent, as it is kept from now on."""
        sent = await request.json()
        name = sent["metadata"]["name"]
        try:
            kubernetes_validate.validate(sent, kubernetes_validate.latest_version(), strict=True)
        except kubernetes_validate.ValidationError as error:
            return {}, _refusal(422, str(error))
        if name in kept:
            return {}, _refusal(409, f"{name} already exists")
        sent["metadata"] |= {"uid": str(uuid4()), "creationTimestamp": now(), "namespace": NAMESPACE}
        kept[name] = sent
        return sent, None

    async def _get_job(self, request: web.Request) -> web.Response:
        return web.json_response(self.jobs[request.match_info["name"]])

    async def _patch_job(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/merge-patch+json"
        job = self.jobs[request.match_info["name"]]
        job["spec"] |= (await request.json())["spec"]
        self.task(self.expire(job))
        return web.json_response(job)

    async def _delete_job(self, request: web.Request) -> web.Response:
        options = await request.json() if request.body_exists else {}
        job = self.jobs.pop(request.match_info["name"])
        if options.get("propagationPolicy", "Orphan") != "Orphan":
            for name in self.pods_of(job):
                await self.delete_pod(name)
        return web.json_response({"kind": "Status", "status": "Success"})

    async def _delete_secret(self, request: web.Request) -> web.Response:
        del self.secrets[request.match_info["name"]]
        return web.json_response({"kind": "Status", "status": "Success"})

    async def _list_pods(self, request: web.Request) -> web.StreamResponse:
        wanted = dict(pair.split("=") for pair in request.query["labelSelector"].split(","))
        if request.query.get("watch") == "true":
            return await self._watch(request, wanted)
        items = [pod for pod in self.pods.values() if wanted.items() <= pod["metadata"]["labels"].items()]
        version = {"resourceVersion": str(len(self.changes))}
        return web.json_response({"kind": "PodList", "metadata": version, "items": items})

    async def _watch(self, request: web.Request, wanted: dict[str, str]) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        at = int(request.query["resourceVersion"])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(int(request.query["timeoutSeconds"])):
                while True:
                    while len(self.changes) == at:
                        await asyncio.sleep(POLL_SECONDS)
                    name, at = self.changes[at], at + 1
                    pod = self.pods.get(name)
                    if pod is None or wanted.items() <= pod["metadata"]["labels"].items():
                        change = {"type": "DELETED" if pod is None else "MODIFIED", "object": pod}
                        await response.write(json.dumps(change).encode() + b"\n")
        return response

    async def _log(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        pod, limit = self.pods[name], int(request.query["limitBytes"])
        if name not in self.logs:
            return _refusal(400, f"container {request.query['container']!r} is waiting to start")
        response = web.StreamResponse()
        await response.prepare(request)
        sent = 0
        while True:
            ended = name not in self.pods or "running" not in status_of(pod)["state"]
            data = bytes(self.logs[name][sent:limit])
            sent += len(data)
            if data:
                await response.write(data)
            if ended or sent == limit or request.query.get("follow") != "true":
                return response
            await asyncio.sleep(POLL_SECONDS)

    async def _list_events(self, request: web.Request) -> web.Response:
        about = request.query["fieldSelector"].split(",")[0].removeprefix("involvedObject.name=")
        items = [event for event in self.events if event["involvedObject"]["name"] == about]
        return web.json_response({"kind": "EventList", "metadata": {}, "items": items})


def documented_rules() -> list[dict[str, Any]]:
    """Those of the role that docs/operations.md tells the operator to make."""
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    (role,) = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "kind: Role" in block]
    kubernetes_validate.validate(document := yaml.safe_load(role), kubernetes_validate.latest_version(), strict=True)
    rules: list[dict[str, Any]] = document["rules"]
    return rules


def _asked(request: web.Request) -> tuple[str, str, str]:
    """API group, resource and verb, as access rules name them."""
    group = "batch" if request.path.startswith("/apis/batch/") else ""
    resource, *more = request.path.partition(f"/namespaces/{NAMESPACE}/")[2].split("/")
    resource = "/".join([resource, *more[1:]])
    if request.method != "GET":
        return group, resource, {"POST": "create"}.get(request.method, request.method.lower())
    return group, resource, "get" if more else "watch" if request.query.get("watch") == "true" else "list"


def _refusal(status: int, message: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
    return web.json_response(body, status=status)
