"""``run: container`` on Kubernetes, over real HTTP: on a stand-in for a cluster (servers/kubernetes.py), not on one."""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from calling import traced
from kubernetes_asyncio.config import incluster_config

from perdure import clock
from perdure.activities.contract import GIVEN_UP, Call, CallFailed
from perdure.activities.kubernetes import cluster, manifest, performer
from perdure.activities.kubernetes.performer import KubernetesPerformer
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings
from servers.certificates import issue
from servers.kubernetes import NAMESPACE, Kubernetes

SECRETS = Secrets({"PERDURE_SECRET_TOKEN": "tok-1234567890"})


class Runner:
    """One worker."""

    def __init__(self, stand_in: Kubernetes, port: int, **settings: Any) -> None:
        given = {
            "run_container": True,
            "container_engine": "kubernetes",
            "kubernetes_namespace": NAMESPACE,
            "kubernetes_config": str(stand_in.kubeconfig(port)),
            **settings,
        }
        self.stand_in, self.port = stand_in, port
        self.performer = KubernetesPerformer(Outside(Settings(_env_file=None, **given), SECRETS))
        self.activity = uuid4()

    def call(self, attempt: int = 1, **request: Any) -> Call:
        request = {"image": "busybox:1", "name": f"test-{self.activity}", **request}
        return Call(UUID(int=1), self.activity, attempt, "container", "/do/0/r", request, "default", "key/1")

    async def __call__(self, attempt: int = 1, **request: Any) -> Any:
        return await self.performer.perform(self.call(attempt, **request))

    async def fails(self, **request: Any) -> tuple[str, str]:
        with pytest.raises(CallFailed) as caught:
            await self(**request)
        error = caught.value.error
        return error.type.rsplit("/", 1)[-1], error.detail or ""

    @property
    def job(self) -> dict[str, Any] | None:
        return self.stand_in.jobs.get(manifest.name_of(self.call()))

    @property
    def nothing_left(self) -> bool:
        return not (self.stand_in.jobs or self.stand_in.pods or self.stand_in.secrets)

    async def started(self, count: int = 1) -> None:
        await until(lambda: self.stand_in.started == count)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
async def run(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runner]:
    monkeypatch.setattr(cluster, "TRY_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(cluster, "WATCH_SECONDS", 1)
    stand_in = Kubernetes()
    async with stand_in.serving() as port, opened(stand_in, port) as runner:
        yield runner


@contextlib.asynccontextmanager
async def opened(stand_in: Kubernetes, port: int, **settings: Any) -> AsyncIterator[Runner]:
    runner = Runner(stand_in, port, **settings)
    try:
        yield runner
    finally:
        await runner.performer.stop()


async def test_the_example_of_the_reference(run: Runner) -> None:
    command = 'input=$(cat)\necho "STDIN was: $input"\necho "ARGS are $1 $2"\necho err >&2\nexit 3'
    result = await run(command=command, stdin="Hello World", arguments=["Foo", "$$ $(IDEMPOTENCY_KEY)"])
    stdout = "STDIN was: Hello World\nARGS are Foo $$ $(IDEMPOTENCY_KEY)\nerr\n"
    assert result == {"code": 3, "stdout": stdout, "stderr": ""}, "a pod's log has both outputs in one"
    assert run.job is not None, "the default lifetime is never to delete it"
    assert "ttlSecondsAfterFinished" not in run.job["spec"]
    assert not run.stand_in.secrets


async def test_the_trace_tells_when_its_job_was_created(run: Runner) -> None:
    before = clock.monotonic()
    with traced() as trace:
        await run(image="hello:1")
    assert trace.sent is not None and trace.sent > before
    assert (trace.by, trace.status) == (None, None)


async def test_arguments_alone_and_environment(run: Runner) -> None:
    environment = {"MINE": {"a": 1}, "T": "tok-1234567890"}
    result = await run(arguments=["/bin/sh", "-c", 'echo "$MINE $IDEMPOTENCY_KEY $T"'], environment=environment)
    assert result == {"code": 0, "stdout": '{"a":1} key/1 ***\n', "stderr": ""}


async def test_the_images_own_command(run: Runner) -> None:
    assert (await run(image="hello:1"))["stdout"] == "hello\n"


async def test_a_lifetime_that_ends_at_once(run: Runner) -> None:
    await run(command="echo", lifetime={"cleanup": "always"})
    assert run.nothing_left


async def test_a_lifetime_that_ends_later(run: Runner) -> None:
    await run(command="echo", lifetime={"cleanup": "eventually", "after": {"minutes": 30}})
    assert run.job is not None and run.job["spec"]["ttlSecondsAfterFinished"] == 1800
    run.activity = uuid4()
    await run(command="echo", lifetime={"cleanup": "eventually", "after": {"milliseconds": 1}})
    await until(lambda: run.job is None)


async def test_whoever_takes_over_waits_for_the_same_job(run: Runner, tmp_path: Path) -> None:
    command = f"while ! [ -e {tmp_path}/go ]; do sleep 0.02; done; cat"
    first = asyncio.create_task(run(command=command, stdin="once"))
    await run.started()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    async with opened(run.stand_in, run.port) as other:
        other.activity = run.activity
        second = asyncio.create_task(other(command=command, stdin="once"))
        await until(lambda: sum(line.startswith("POST") for line in run.stand_in.requests) == 4)
        (tmp_path / "go").touch()
        assert (await second)["stdout"] == "once"
    assert (await run(command=command, stdin="once"))["stdout"] == "once", "nor is one that has ended run again"
    assert run.stand_in.started == 1
    assert (await run(attempt=2, command="echo 2"))["stdout"] == "2\n"
    assert run.stand_in.started == 2


async def test_a_cancelled_call_takes_its_job_with_it(run: Runner) -> None:
    running = asyncio.create_task(run(command="sleep 300"))
    await run.started()
    running.cancel(GIVEN_UP)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert run.nothing_left


async def test_a_call_that_is_cancelled_while_its_job_is_made_leaves_none(run: Runner) -> None:
    running = asyncio.create_task(run(command="sleep 300"))
    await until(lambda: bool(run.stand_in.requests))
    running.cancel(GIVEN_UP)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert run.nothing_left


async def test_a_time_limit(run: Runner) -> None:
    async with opened(run.stand_in, run.port, run_seconds_max=1) as short:
        name, detail = await short.fails(command="sleep 300")
    assert (name, "longer than 1 seconds (PERDURE_RUN_SECONDS_MAX)" in detail) == ("timeout", True)
    assert run.nothing_left


async def test_a_limit_of_output_holds_while_it_is_written(run: Runner) -> None:
    async with opened(run.stand_in, run.port, run_output_bytes_max=2000) as short:
        name, detail = await short.fails(command="yes")
        assert (name, "PERDURE_RUN_OUTPUT_BYTES_MAX" in detail) == ("runtime", True)
        assert run.nothing_left
        short.activity = uuid4()
        assert len((await short(command="yes | head -c 2000"))["stdout"]) == 2000


async def test_what_can_not_be_pulled_or_started_is_told_and_does_not_hang(run: Runner) -> None:
    name, detail = await run.fails(image="registry.example/no-such:1", command="echo")
    assert (name, "ErrImagePull: failed to pull image 'registry.example/no-such:1'" in detail) == (
        "communication",
        True,
    )
    assert run.nothing_left
    name, detail = await run.fails(arguments=["/no/such/program"])
    assert (name, "StartError" in detail) == ("configuration", True)
    assert run.nothing_left


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("schedulable", "Unschedulable: 0/1 nodes are available: 1 Insufficient memory."),
        ("admitted", "FailedCreate: exceeded quota."),
    ],
)
async def test_what_never_begins_says_why(run: Runner, lacking: str, said: str) -> None:
    setattr(run.stand_in, lacking, False)
    async with opened(run.stand_in, run.port, run_seconds_max=2) as short:
        name, detail = await short.fails(command="echo")
    assert (name, said in detail) == ("timeout", True)
    assert run.nothing_left


async def test_a_cluster_that_does_not_end_it_in_time(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performer, "GRACE_SECONDS", -599.5)
    assert (await run.fails(command="sleep 300"))[0] == "timeout"
    assert run.nothing_left


async def test_a_pod_that_is_taken_away_is_an_error_and_no_exit_code(run: Runner) -> None:
    running = asyncio.create_task(run.fails(command="sleep 300"))
    await run.started()
    await run.stand_in.delete_pod(next(iter(run.stand_in.pods)))
    name, detail = await running
    assert (name, "BackoffLimitExceeded" in detail) == ("runtime", True)


async def test_an_api_that_is_away_for_a_while_costs_time_only(
    run: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failures = iter([503, 429, 500])
    run.stand_in.fail = lambda request: next(failures, None)
    running = asyncio.create_task(run(command=f"while ! [ -e {tmp_path}/go ]; do sleep 0.02; done; echo done"))
    await run.started()
    monkeypatch.setattr(cluster, "TRY_SECONDS_MAX", 0.05)
    run.stand_in.fail = lambda request: 503
    seen = len(run.stand_in.requests)
    (tmp_path / "go").touch()
    await until(lambda: len(run.stand_in.requests) > seen + 20)
    run.stand_in.fail = lambda request: None
    assert (await running)["stdout"] == "done\n"
    assert run.stand_in.started == 1


async def test_a_cluster_that_can_not_be_reached(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "TRY_SECONDS_MAX", 0.05)
    async with opened(run.stand_in, 1) as lost:
        name, detail = await lost.fails(command="echo")
    assert (name, "can't be reached" in detail) == ("communication", True)


async def test_what_the_cluster_does_not_allow(run: Runner) -> None:
    run.stand_in.fail = lambda request: 403 if request.method == "POST" and request.path.endswith("/jobs") else None
    name, detail = await run.fails(command="echo")
    assert (name, "403" in detail) == ("configuration", True)
    run.stand_in.fail = lambda request: 403 if request.path.endswith("/log") else None
    assert (await run.fails(command="echo"))[0] == "configuration"
    assert run.nothing_left


async def test_without_the_right_to_read_events_only_the_reason_is_missing(run: Runner) -> None:
    run.stand_in.rules = [rule for rule in run.stand_in.rules if "events" not in rule["resources"]]
    run.stand_in.admitted = False
    async with opened(run.stand_in, run.port, run_seconds_max=0.5) as short:
        assert (await short.fails(command="echo"))[0] == "timeout"


async def test_a_token_that_has_ended_is_read_anew(run: Runner) -> None:
    await run(command="echo")
    run.stand_in.token = "another"
    assert "Unauthorized" in (await run.fails(command="echo"))[1]
    run.stand_in.kubeconfig(run.port)
    assert (await run(command="echo 1", attempt=2))["code"] == 0


async def test_within_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service account's files and variables say where the cluster is, which speaks TLS."""
    issue(tmp_path, "localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    stand_in = Kubernetes()
    (tmp_path / "token").write_text(stand_in.token)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "authority.pem"))
    async with stand_in.serving(tls) as port, opened(stand_in, port, kubernetes_config=None) as run:
        name, detail = await run.fails(command="echo")
        assert (name, "PERDURE_KUBERNETES_CONFIG" in detail) == ("configuration", True)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "localhost")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
        assert (await run(command="echo within"))["stdout"] == "within\n"


async def test_what_the_operator_has_to_set(run: Runner, tmp_path: Path) -> None:
    async with opened(run.stand_in, run.port, run_container=None) as forbidden:
        assert (await forbidden.fails(command="echo"))[0] == "authorization"
    async with opened(run.stand_in, run.port, kubernetes_namespace=None) as homeless:
        name, detail = await homeless.fails(command="echo")
        assert (name, "PERDURE_KUBERNETES_NAMESPACE" in detail) == ("configuration", True)
    (tmp_path / "broken").write_text("clusters: [")
    for path in (tmp_path / "broken", tmp_path / "absent"):
        async with opened(run.stand_in, run.port, kubernetes_config=str(path)) as lost:
            name, detail = await lost.fails(command="echo")
            assert (name, "PERDURE_KUBERNETES_CONFIG" in detail) == ("configuration", True)
    assert not run.stand_in.requests


async def test_without_the_extra_it_says_what_to_install(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes_asyncio.client", None)
    await run.performer.start()
    name, detail = await run.fails(command="echo")
    assert (name, "pip install 'perdure[kubernetes]'" in detail) == ("configuration", True)
