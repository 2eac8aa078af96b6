"""`run: shell` and `run: script` from the definition to the trail, and what cancelling does to a program."""

import asyncio
from pathlib import Path

import psutil

from .conftest import WHO, open_platform


def shell(command, **more):
    return {"r": {"run": {"shell": {"command": command, **more.pop("shell", {})}, **more}}}


async def test_shell_and_script(database):
    script = {
        "language": "python",
        "code": "import sys; print(sys.stdin.read().upper(), end='')",
        "stdin": "${ .text }",
    }
    async with open_platform(database, run_shell=True, run_script=True) as platform:
        do = [shell("echo $1", shell={"arguments": ["${ .name }"]}), {"s": {"set": {"text": "${ . }"}}}]
        view = await platform.run("runs", [*do, {"u": {"run": {"script": script}}}], {"name": "ada"})
        assert (view.status, view.output) == ("completed", "ADA\n")
        activities = (await platform.service.activities(WHO, view.id, limit=10, cursor=None)).items
        assert [(activity.kind, activity.status) for activity in activities] == [
            ("run", "completed"),
            ("set", "completed"),
            ("run", "completed"),
        ]


async def test_what_is_not_allowed_is_warned_of_and_faults(database):
    async with open_platform(database) as platform:
        source = (
            b"document: {dsl: 1.0.3, namespace: test, name: forbidden, version: 1.0.0}\n"
            b"do:\n- r: {run: {shell: {command: ls}}}\n- c: {run: {container: {image: a}}}\n"
        )
        registration = await platform.service.register_definition(WHO, source, "application/yaml")
        warnings = [(warning.pointer, warning.line) for warning in registration.warnings]
        assert warnings == [("/do/0/r", 3), ("/do/1/c", 4)]
        assert "PERDURE_RUN_SHELL=true" in registration.warnings[0].detail
        view = await platform.ended(await platform.start("forbidden"))
        assert (view.status, view.error.status, view.error.instance) == ("faulted", 403, "/do/0/r")


async def test_what_is_not_awaited_goes_on_after_the_process_and_its_end_is_in_the_trail(database, tmp_path):
    async with open_platform(database, run_shell=True) as platform:
        go = tmp_path / "go"
        wait = f"while ! [ -e {go} ]; do sleep 0.02; done; exit 3"
        view = await platform.run("detached", [shell(wait, **{"await": False})], {"n": 1})
        assert (view.status, view.output) == ("completed", {"n": 1})
        go.touch()
        async with asyncio.timeout(20):
            while "dev.perdure.run.ended" not in await platform.history(view):
                await asyncio.sleep(0.02)
        last = (await platform.service.history(WHO, view.id, limit=500, cursor=None)).items[-1]
        assert last.data["code"] == 3
        assert await platform.stranded() == []


async def test_cancelling_a_process_ends_its_program(database, tmp_path: Path):
    async with open_platform(database, run_shell=True, call_lease_seconds=1) as platform:
        file = tmp_path / "pid"
        await platform.deploy("long", [shell(f"echo $$ > {file}; exec sleep 300")])
        view = await platform.start("long")
        async with asyncio.timeout(20):
            while not (file.exists() and file.read_text().strip()):
                await asyncio.sleep(0.02)
        await platform.service.command(WHO, view.id, "cancel", None)
        pid = int(file.read_text())
        async with asyncio.timeout(20):
            while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.02)
