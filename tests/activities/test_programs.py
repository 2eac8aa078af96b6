"""``run: shell`` and ``run: script``, with real programs."""

import asyncio
import os
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
from aiohttp import web
from calling import serving_app, traced

from perdure import clock
from perdure.activities.contract import Call, CallFailed
from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.secrets import Secrets
from perdure.settings import Settings

SECRETS = Secrets({"PERDURE_SECRET_TOKEN": "tok-1234567890"})
ALLOWED = {"run_shell": True, "run_script": True, "egress_allow": "127.0.0.0/8"}


class Runner:
    def __init__(self, **settings: Any) -> None:
        self.registry = Registry(Outside(Settings(_env_file=None, **{**ALLOWED, **settings}), SECRETS))

    async def __call__(self, function: str, **request: Any) -> Any:
        call = Call(UUID(int=1), UUID(int=2), 1, function, "/do/0/r", request, "default", "key/1")
        return await self.registry.perform(call)

    async def fails(self, function: str, **request: Any) -> tuple[str, str]:
        """The name of the standard error, and its words."""
        with pytest.raises(CallFailed) as caught:
            await self(function, **request)
        error = caught.value.error
        return error.type.rsplit("/", 1)[-1], error.detail or ""


@pytest.fixture
async def run() -> AsyncIterator[Runner]:
    runner = Runner()
    await runner.registry.start()
    yield runner
    await runner.registry.stop()


async def test_the_example_of_the_reference(run: Runner) -> None:
    command = 'input=$(cat)\necho "STDIN was: $input"\necho "ARGS are $1 $2"\n'
    result = await run("shell", command=command, stdin="Hello World", arguments=["Foo", "Bar"])
    assert result == {"code": 0, "stdout": "STDIN was: Hello World\nARGS are Foo Bar\n", "stderr": ""}


async def test_its_directory_is_deleted_beside_the_event_loop(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    cleanup = tempfile.TemporaryDirectory.cleanup

    def noting(directory: tempfile.TemporaryDirectory[str]) -> None:
        threads.append(threading.current_thread())
        cleanup(directory)

    monkeypatch.setattr(tempfile.TemporaryDirectory, "cleanup", noting)
    result = await run("shell", command="pwd")
    assert not Path(result["stdout"].strip()).exists()
    assert len(threads) == 1 and threads[0] is not threading.current_thread()


async def test_code_and_both_outputs(run: Runner) -> None:
    result = await run("shell", command="echo out; echo err >&2; exit 3")
    assert result == {"code": 3, "stdout": "out\n", "stderr": "err\n"}


async def test_the_trace_tells_when_it_began_and_of_no_host(run: Runner) -> None:
    async def code(_: web.Request) -> web.Response:
        return web.Response(text="import time; print(time.monotonic())")

    app = web.Application()
    app.router.add_get("/code.py", code)
    async with serving_app(app) as base:
        source = {"endpoint": f"{base}/code.py"}
        with traced() as trace:
            before = clock.monotonic()
            result = await run("script", language="python", source=source)
    assert trace.sent is not None and before < trace.sent < float(result["stdout"])
    assert (trace.by, trace.status) == (None, None)
    with traced() as trace:
        await run("shell", command="true")
    assert trace.sent is not None and trace.by is None


async def test_values_that_are_no_text_are_json(run: Runner) -> None:
    result = await run(
        "shell", command='cat; echo; echo "$1" "$V"', stdin={"a": 1}, arguments=[[1]], environment={"V": 2}
    )
    assert result["stdout"] == '{"a":1}\n[1] 2\n'


async def test_it_sees_nothing_of_the_workers_environment(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_SECRET_TOKEN", "tok-1234567890")
    result = await run("shell", command="env | cut -d= -f1 | sort", environment={"MINE": "x", "GONE": None})
    names = set(result["stdout"].split())
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        "HOME",
        "LANG",
        "MINE",
        "PATH",
        "IDEMPOTENCY_KEY",
        "TMPDIR",
    }


async def test_it_runs_in_a_directory_of_its_own_that_is_gone_afterwards(run: Runner) -> None:
    place = (await run("shell", command="echo x > file; pwd"))["stdout"].strip()
    assert not Path(place).exists()


async def test_secrets_are_not_in_what_it_wrote(run: Runner) -> None:
    result = await run("shell", command='echo "$T"; echo "$T" >&2', environment={"T": "tok-1234567890"})
    assert (result["stdout"], result["stderr"]) == ("***\n", "***\n")


async def test_stdin_that_is_not_read_and_is_large(run: Runner) -> None:
    assert (await run("shell", command="exec <&-; echo done", stdin="x" * 3_000_000))["stdout"] == "done\n"


async def test_a_program_that_a_signal_ends(run: Runner) -> None:
    assert (await run("shell", command="kill -9 $$"))["code"] == 137


async def test_what_it_leaves_in_the_background_is_ended(run: Runner) -> None:
    result = await run("shell", command="sleep 300 >/dev/null 2>&1 & echo $!")
    await gone(int(result["stdout"]))


async def test_cancelling_ends_all_that_it_started(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    task = asyncio.create_task(run("shell", command=f"sleep 300 & echo $! > {file}; wait"))
    async with asyncio.timeout(20):
        while not (file.exists() and file.read_text().strip()):
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(int(file.read_text()))


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)


async def test_limits() -> None:
    run = Runner(run_seconds_max=0.5, run_output_bytes_max=2000, run_memory_bytes_max=100_000_000)
    assert await run.fails("shell", command="sleep 60") == (
        "timeout",
        "/bin/sh took longer than 0.5 seconds (PERDURE_RUN_SECONDS_MAX).",
    )
    run = Runner(run_output_bytes_max=2000, run_memory_bytes_max=100_000_000)
    assert await run.fails("shell", command="yes") == (
        "runtime",
        "/bin/sh wrote more than 2000 bytes (PERDURE_RUN_OUTPUT_BYTES_MAX).",
    )
    result = await run("script", language="python", code="x = bytearray(500_000_000)")
    assert result["code"] == 1
    assert "MemoryError" in result["stderr"]


async def test_no_more_run_at_once_than_allowed(tmp_path: Path) -> None:
    run = Runner(run_concurrency_max=2)
    command = f"touch {tmp_path}/$1; ls {tmp_path} | wc -l; sleep 0.05; rm {tmp_path}/$1"
    results = await asyncio.gather(*(run("shell", command=command, arguments=[str(i)]) for i in range(6)))
    assert max(int(result["stdout"]) for result in results) == 2


@pytest.mark.parametrize(("function", "setting"), [("shell", "PERDURE_RUN_SHELL"), ("script", "PERDURE_RUN_SCRIPT")])
@pytest.mark.parametrize("value", [None, False])
async def test_what_the_operator_does_not_allow(function: str, setting: str, value: bool | None) -> None:
    run = Runner(run_shell=value, run_script=value)
    name, detail = await run.fails(function, command="echo", language="python", code="1")
    assert name == "authorization"
    assert f"{setting}=true" in detail


BAD = {
    "no command": ("shell", {"command": ""}, "`command` must be a string"),
    "a command with a NUL": ("shell", {"command": "a\0b"}, "can't be started"),
    "arguments": ("shell", {"command": "x", "arguments": "a"}, "`arguments` must be an array"),
    "environment": ("shell", {"command": "x", "environment": ["a"]}, "`environment` must be an object"),
    "a variable's name": ("shell", {"command": "x", "environment": {"A=B": "c"}}, "can't be the name"),
    "too long": ("shell", {"command": "x", "arguments": ["a" * 3_000_000]}, "can't be started"),
    "a language": ("script", {"language": "cobol", "code": "x"}, "must be one of javascript, js, python"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_arguments(run: Runner, case: str) -> None:
    function, request, words = BAD[case]
    name, detail = await run.fails(function, **request)
    assert name == "configuration"
    assert words in detail


async def test_a_missing_interpreter_is_named() -> None:
    name, detail = await Runner(run_node="no-such-node").fails("script", language="js", code="1")
    assert (name, "PERDURE_RUN_NODE" in detail) == ("configuration", True)


async def test_javascript_as_the_reference_has_it(run: Runner) -> None:
    code = "const [_, __, arg0, arg1] = process.argv;\nconsole.log('arg > ', arg0, arg1)\n"
    result = await run("script", language="javascript", code=code, arguments=["hello", "world"])
    assert result == {"code": 0, "stdout": "arg >  hello world\n", "stderr": ""}


async def test_javascript_modules(run: Runner) -> None:
    code = "import { readFileSync } from 'node:fs';\nconsole.log(readFileSync(0, 'utf8').toUpperCase())"
    assert (await run("script", language="js", code=code, stdin="ä"))["stdout"] == "Ä\n"


async def test_python(run: Runner) -> None:
    code = "import json, os, sys\nprint(json.load(sys.stdin)['a'], sys.argv[1:], os.environ['X'])\nsys.exit(2)"
    result = await run("script", language="python", code=code, stdin={"a": 1}, arguments=["b"], environment={"X": "y"})
    assert result == {"code": 2, "stdout": "1 ['b'] y\n", "stderr": ""}


async def test_a_script_from_elsewhere(run: Runner) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(text="print('fetched')")

    app = web.Application()
    app.router.add_get("/s.py", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        source = {"endpoint": {"uri": f"http://127.0.0.1:{port}/s.py"}}
        assert (await run("script", language="python", source=source))["stdout"] == "fetched\n"
        name, detail = await run.fails("script", language="python", source={"endpoint": f"http://127.0.0.1:{port}/no"})
        assert (name, "404" in detail) == ("communication", True)
    finally:
        await runner.cleanup()


async def test_a_program_ends_with_its_worker(tmp_path: Path) -> None:
    """As when the worker is killed: another may run the program again, so this one must not go on."""
    file = tmp_path / "pid"
    code = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom perdure.activities import child\n"
        "from perdure.settings import Settings\n"
        f"words = ['/bin/sh', '-c', 'sleep 300 & echo $! > {file}; wait']\n"
        "asyncio.run(child.run(child.Program(words), Path(sys.argv[1]), Settings(_env_file=None)))\n"
    )
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(tmp_path))
    async with asyncio.timeout(30):
        while not (file.exists() and file.read_text().strip()):
            await asyncio.sleep(0.01)
    os.kill(owner.pid, 9)
    await owner.wait()
    await gone(int(file.read_text()))
