"""``run: container`` on a real engine: Podman, which the test starts itself with a store of its own.

Where Podman (with BusyBox for the image) is not installed or can't run containers, these tests are reported as not run.
"""

import asyncio
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from calling import traced

from perdure import clock
from perdure.activities.container import CALL, REMOVE_AFTER, ContainerPerformer
from perdure.activities.container_engine import VERSION
from perdure.activities.contract import GIVEN_UP, Call, CallFailed
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings

IMAGE = "localhost/perdure-test:1"
START_SECONDS_MAX = 30.0

CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Podman:
    """The engine, its socket and its image."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "engine.sock"
        (directory / "containers.conf").write_text(CONFIGURATION)
        self._environment = {**os.environ, "CONTAINERS_CONF": str(directory / "containers.conf")}
        runtime = next((name for name in ("runc", "crun") if shutil.which(name)), "crun")
        self._command = [
            *("podman", "--runtime", runtime, "--root", str(directory / "root")),
            *("--runroot", str(directory / "run"), "--storage-driver", "vfs"),
        ]

    def run(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self._command, *words], input=stdin, capture_output=True, timeout=120, env=self._environment, check=False
        )

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        words = [*self._command, "system", "service", "--time=0", f"unix://{self.socket}"]
        with subprocess.Popen(words, env=self._environment, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()
                process.wait()
                self.run("rm", "--all", "--force")


def image() -> bytes:
    """A root file system of BusyBox alone."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add("/bin/busybox", "bin/busybox")
        for name in ("sh", "cat", "echo", "sleep", "env", "yes", "head"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return data.getvalue()


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    if sys.platform != "linux":
        pytest.skip("NOT RUN: containers are tested on Linux only")
    assert shutil.which("podman") and Path("/bin/busybox").exists(), "install podman and busybox-static"
    with tempfile.TemporaryDirectory(prefix="perdure-test-podman-", ignore_cleanup_errors=True) as directory:
        engine = Podman(Path(directory))
        loaded = engine.run("import", "-", IMAGE, stdin=image())
        tried = engine.run("run", "--rm", IMAGE, "/bin/echo", "it runs")
        if tried.stdout != b"it runs\n":
            said = (loaded.stderr + tried.stderr).decode()
            pytest.skip(f"NOT RUN: podman can't run containers on this machine, so they are not tested: {said}")
        with engine.serving():
            yield engine


class Runner:
    def __init__(self, podman: Podman, **settings: Any) -> None:
        given = {"run_container": True, "container_socket": str(podman.socket), **settings}
        self.performer = ContainerPerformer(Outside(Settings(_env_file=None, **given), SECRETS))
        self.activity = uuid4()

    async def __call__(self, *, attempt: int = 1, **request: Any) -> Any:
        request = {"image": IMAGE, "name": f"test-{self.activity}", "pullPolicy": "never", **request}
        call = Call(UUID(int=1), self.activity, attempt, "container", "/do/0/r", request, "default", "key/1")
        return await self.performer.perform(call)

    async def fails(self, **request: Any) -> tuple[str, str]:
        with pytest.raises(CallFailed) as caught:
            await self(**request)
        error = caught.value.error
        return error.type.rsplit("/", 1)[-1], error.detail or ""

    async def state(self, name: str | None = None) -> str | None:
        found = await self.performer._open().find(name or f"test-{self.activity}")
        return None if found is None else found["State"]["Status"]

    async def until_running(self) -> None:
        async with asyncio.timeout(60):
            while await self.state() != "running":
                await asyncio.sleep(0.05)


SECRETS = Secrets({"PERDURE_SECRET_TOKEN": "tok-1234567890"})


@pytest.fixture
async def run(podman: Podman) -> AsyncIterator[Runner]:
    async with opened(podman) as runner:
        yield runner


@contextlib.asynccontextmanager
async def opened(podman: Podman, **settings: Any) -> AsyncIterator[Runner]:
    runner = Runner(podman, **settings)
    async with asyncio.timeout(START_SECONDS_MAX):
        while not podman.socket.is_socket():
            await asyncio.sleep(0.05)
    try:
        yield runner
    finally:
        await runner.performer.stop()


async def test_the_example_of_the_reference(run: Runner) -> None:
    command = 'input=$(cat)\necho "STDIN was: $input"\necho "ARGS are $1 $2"\necho err >&2\nexit 3'
    result = await run(command=command, stdin="Hello World", arguments=["Foo", "Bar"])
    assert result == {"code": 3, "stdout": "STDIN was: Hello World\nARGS are Foo Bar\n", "stderr": "err\n"}
    assert await run.state() == "exited", "the default lifetime is never to delete it"


async def test_the_trace_tells_when_it_was_begun(run: Runner) -> None:
    before = clock.monotonic()
    with traced() as trace:
        await run(arguments=["/bin/echo"])
    assert trace.sent is not None and trace.sent > before
    assert (trace.by, trace.status) == (None, None)


async def test_arguments_alone_and_environment(run: Runner) -> None:
    environment = {"MINE": {"a": 1}, "T": "tok-1234567890"}
    result = await run(arguments=["/bin/sh", "-c", 'echo "$MINE $IDEMPOTENCY_KEY $T"'], environment=environment)
    assert result["stdout"] == '{"a":1} key/1 ***\n'


async def test_a_lifetime_that_ends_at_once(run: Runner) -> None:
    await run(arguments=["/bin/echo"], lifetime={"cleanup": "always"})
    assert await run.state() is None


async def test_a_lifetime_that_ends_later(run: Runner) -> None:
    await run(arguments=["/bin/echo"], lifetime={"cleanup": "eventually", "after": {"minutes": 30}})
    await run.performer.reap_once(datetime.now(UTC) + timedelta(minutes=29))
    assert await run.state() == "exited"
    await run.performer.reap_once(datetime.now(UTC) + timedelta(minutes=31))
    assert await run.state() is None


async def test_whoever_takes_over_waits_for_the_same_container(podman: Podman, run: Runner) -> None:
    first = asyncio.create_task(run(arguments=["/bin/sh", "-c", "sleep 2; echo once"]))
    await run.until_running()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await run.state() == "running"
    async with opened(podman) as other:
        other.activity = run.activity
        assert (await other(arguments=["/bin/echo", "twice"]))["stdout"] == "once\n"


async def test_a_cancelled_call_takes_its_container_with_it(run: Runner) -> None:
    running = asyncio.create_task(run(arguments=["/bin/sleep", "300"]))
    await run.until_running()
    running.cancel(GIVEN_UP)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await run.state() is None


async def test_another_attempt_is_another_container(run: Runner) -> None:
    await run(arguments=["/bin/echo", "1"])
    name, detail = await run.fails(attempt=2, arguments=["/bin/echo", "2"])
    assert (name, "container named" in detail) == ("configuration", True)
    assert (await run(attempt=2, name=f"test-{run.activity}-2", arguments=["/bin/echo", "2"]))["stdout"] == "2\n"


async def test_limits(podman: Podman) -> None:
    async with opened(podman, run_seconds_max=1) as run:
        name, detail = await run.fails(arguments=["/bin/sleep", "300"])
        assert (name, "PERDURE_RUN_SECONDS_MAX" in detail) == ("timeout", True)
        assert await run.state() is None
    async with opened(podman, run_output_bytes_max=2000) as run:
        name, detail = await run.fails(arguments=["/bin/sh", "-c", "yes | head -c 100000"])
        assert (name, "PERDURE_RUN_OUTPUT_BYTES_MAX" in detail) == ("runtime", True)
    async with opened(podman, run_container=None) as run:
        assert (await run.fails(arguments=["/bin/echo"]))[0] == "authorization"


async def test_input_that_nobody_reads_is_within_the_limits(podman: Podman) -> None:
    async with opened(podman, run_seconds_max=1) as run:
        name, detail = await run.fails(arguments=["/bin/sleep", "300"], stdin="x" * 4_000_000)
        assert (name, "PERDURE_RUN_SECONDS_MAX" in detail) == ("timeout", True)
        assert await run.state() is None


async def test_one_that_can_not_be_started_leaves_nothing(run: Runner) -> None:
    name, _ = await run.fails(arguments=["/bin/no-such-program"])
    assert name in ("configuration", "communication")
    assert await run.state() is None


async def test_volumes(podman: Podman, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_text("seen")
    words = ["/bin/cat", "/data/file"]
    async with opened(podman, run_container_volumes=str(tmp_path / "in")) as run:
        assert (await run(arguments=words, volumes={str(tmp_path / "in"): "/data"}))["stdout"] == "seen"
        (tmp_path / "in" / "link").symlink_to("/etc")
        for source in (
            "/etc",
            str(tmp_path),
            f"{tmp_path}/in/../..",
            "../x",
            f"{tmp_path}/inner",
            f"{tmp_path}/in/link",
        ):
            run.activity = uuid4()
            assert (await run.fails(arguments=words, volumes={source: "/data"}))[0] == "authorization"


async def test_what_the_engine_refuses(run: Runner) -> None:
    name, detail = await run.fails(image="localhost/no-such-image:1", arguments=["/bin/echo"])
    assert (name, "no-such-image" in detail) == ("configuration", True)


async def test_no_engine(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, run_container=True, container_socket=str(tmp_path / "none.sock"))
    performer = ContainerPerformer(Outside(settings, SECRETS))
    request = {"image": "x", "name": "y"}
    call = Call(UUID(int=1), UUID(int=2), 1, "container", "/do/0/r", request, "default", "key/1")
    with pytest.raises(CallFailed, match="PERDURE_CONTAINER_SOCKET"):
        await performer.perform(call)


class Engine:
    """An engine that says what it is told to: the containers it has, and what it answers to a wait."""

    def __init__(self) -> None:
        self.containers: dict[str, Any] = {}
        self.removed: list[str] = []
        self.waited: Any = {"StatusCode": 0}

    async def listed(self, _: web.Request) -> web.Response:
        return web.json_response([{"Id": name} for name in self.containers])

    async def shown(self, request: web.Request) -> web.Response:
        found = self.containers.get(request.match_info["name"])
        return web.json_response({"message": "none"}, status=404) if found is None else web.json_response(found)

    async def wait(self, _: web.Request) -> web.Response:
        return web.Response(body=self.waited)

    async def deleted(self, request: web.Request) -> web.Response:
        self.removed.append(request.match_info["name"])
        return web.Response(status=204)

    async def logs(self, _: web.Request) -> web.Response:
        return web.Response(body=b"\1\0\0\0\0\0\0\x09half")


@contextlib.asynccontextmanager
async def pretending() -> AsyncIterator[tuple[Engine, ContainerPerformer]]:
    engine, app = Engine(), web.Application()
    root = f"/{VERSION}/containers"
    app.router.add_get(f"{root}/json", engine.listed)
    app.router.add_get(f"{root}/{{name}}/json", engine.shown)
    app.router.add_post(f"{root}/{{name}}/wait", engine.wait)
    app.router.add_get(f"{root}/{{name}}/logs", engine.logs)
    app.router.add_delete(f"{root}/{{name}}", engine.deleted)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    with tempfile.TemporaryDirectory(prefix="perdure-test-engine-") as directory:
        await web.UnixSite(runner, f"{directory}/engine.sock").start()
        settings = Settings(_env_file=None, run_container=True, container_socket=f"{directory}/engine.sock")
        performer = ContainerPerformer(Outside(settings, SECRETS))
        try:
            yield engine, performer
        finally:
            await performer.stop()
            await runner.cleanup()


def ended(labels: Any) -> Any:
    return {"State": {"Status": "exited", "FinishedAt": "2026-01-01T00:00:00Z"}, "Config": {"Labels": labels}}


async def test_odd_labels_are_none_of_ours() -> None:
    async with pretending() as (engine, performer):
        engine.containers = {
            "null": ended(None),
            "other": ended({}),
            "word": ended({REMOVE_AFTER: "soon"}),
            "huge": ended({REMOVE_AFTER: "1e999"}),
            "none": ended({REMOVE_AFTER: "nan"}),
            "unfinished": {**ended({REMOVE_AFTER: "1"}), "State": {"Status": "exited", "FinishedAt": "?"}},
            "ours": ended({REMOVE_AFTER: "60"}),
        }
        await performer.reap_once(datetime(2026, 1, 2, tzinfo=UTC))
        assert engine.removed == ["ours"]


async def test_deleting_goes_on_whatever_the_engine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pretending() as (engine, performer):
        rounds = asyncio.Queue[float]()

        async def sleep(seconds: float) -> None:
            await rounds.put(seconds)
            await asyncio.Event().wait() if rounds.qsize() > 1 else None

        monkeypatch.setattr(clock, "sleep", sleep)
        engine.containers = {"odd": {"State": None}}
        await performer.start()
        async with asyncio.timeout(10):
            while rounds.qsize() < 2:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("status", "waited"),
    [("running", b"<html>"), ("running", b"{}"), ("running", b"null"), ("exited", b'{"StatusCode": 0}')],
)
async def test_an_engine_that_can_not_be_understood(status: str, waited: bytes) -> None:
    """The last one breaks off in the midst of the output."""
    async with pretending() as (engine, performer):
        call = Call(
            UUID(int=1), UUID(int=2), 1, "container", "/do/0/r", {"image": "x", "name": "y"}, "default", "key/1"
        )
        labels = {CALL: f"{UUID(int=2)}/1"}
        engine.containers = {"y": {"Id": "y", "State": {"Status": status}, "Config": {"Labels": labels}}}
        engine.waited = waited
        with pytest.raises(CallFailed, match="can't be understood") as caught:
            await performer.perform(call)
        assert caught.value.error.type.endswith("/communication")


async def test_a_container_without_labels_has_its_name() -> None:
    async with pretending() as (engine, performer):
        call = Call(
            UUID(int=1), UUID(int=2), 1, "container", "/do/0/r", {"image": "x", "name": "y"}, "default", "key/1"
        )
        engine.containers = {"y": {"Id": "y", "State": {"Status": "running"}, "Config": {"Labels": None}}}
        with pytest.raises(CallFailed, match="There is a container named 'y' already"):
            await performer.perform(call)
