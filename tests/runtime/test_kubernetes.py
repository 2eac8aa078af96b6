"""`run: container` from the definition to the trail, its Jobs run by a stand-in for a cluster (servers/kubernetes.py)."""

import asyncio
import sys

import pytest

from servers.kubernetes import NAMESPACE, Kubernetes

from .conftest import WHO, open_platform


@pytest.fixture
async def cluster():
    stand_in = Kubernetes()
    async with stand_in.serving() as port:
        stand_in.kubeconfig(port)
        yield stand_in


def on(cluster):
    config = str(cluster.directory / "kubeconfig")
    kubernetes = {"kubernetes_namespace": NAMESPACE, "kubernetes_config": config}
    return {"run_container": True, "container_engine": "kubernetes", **kubernetes}


def container(command, **more):
    return {"r": {"run": {"container": {"image": "busybox:1", "command": command}, **more}}}


@pytest.mark.parametrize(
    ("return_", "output"),
    [
        ("stdout", "out\nerr\n"),
        ("stderr", ""),
        ("code", 0),
        ("none", None),
        ("all", {"code": 0, "stdout": "out\nerr\n", "stderr": ""}),
    ],
)
async def test_what_is_returned(database, cluster, return_, output):
    async with open_platform(database, **on(cluster)) as platform:
        view = await platform.run(f"returns-{return_}", [container("echo out; echo err >&2", **{"return": return_})])
        assert (view.status, view.output) == ("completed", output)


async def test_another_exit_code_is_an_error_with_what_was_written(database, cluster):
    async with open_platform(database, **on(cluster)) as platform:
        view = await platform.run("fails", [container("echo no such order >&2; exit 4")])
        assert (view.status, view.error.status) == ("faulted", 500)
        assert "exit code 4: no such order" in view.error.detail


async def test_what_is_not_awaited_goes_on_and_cancelling_ends_what_is(database, cluster):
    async with open_platform(database, call_lease_seconds=1, **on(cluster)) as platform:
        view = await platform.run("detached", [container("exit 3", **{"await": False})], {"n": 1})
        assert (view.status, view.output) == ("completed", {"n": 1})
        async with asyncio.timeout(20):
            while "dev.perdure.run.ended" not in await platform.history(view):
                await asyncio.sleep(0.02)
        started = cluster.started
        await platform.deploy("long", [container("sleep 300")])
        view = await platform.start("long")
        async with asyncio.timeout(20):
            while cluster.started == started:
                await asyncio.sleep(0.02)
        (job,) = [
            job for job in cluster.jobs.values() if job["metadata"]["labels"]["dev.perdure/process"] == str(view.id)
        ]
        await platform.service.command(WHO, view.id, "cancel", None)
        async with asyncio.timeout(20):
            while job["metadata"]["name"] in cluster.jobs:
                await asyncio.sleep(0.02)
        assert await platform.stranded() == []


async def test_a_missing_extra_is_a_warning(database, cluster, monkeypatch):
    source = (
        b"document: {dsl: 1.0.3, namespace: test, name: warned, version: 1.0.0}\n"
        b"do:\n- c: {run: {container: {image: a}}}\n"
    )
    async with open_platform(database, working=False, **on(cluster)) as platform:
        assert (await platform.service.register_definition(WHO, source, "application/yaml")).warnings == ()
        monkeypatch.setitem(sys.modules, "kubernetes_asyncio", None)
        (warning,) = (await platform.service.register_definition(WHO, source, "application/yaml")).warnings
        assert (warning.pointer, "pip install 'perdure[kubernetes]'" in warning.detail) == ("/do/0/c", True)
    async with open_platform(database, working=False, run_container=True) as platform:
        assert (await platform.service.register_definition(WHO, source, "application/yaml")).warnings == ()
