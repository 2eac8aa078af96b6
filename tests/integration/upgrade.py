"""A database of an earlier release, with processes in every kind of waiting: how it is made, and what comes of it.

Written once, from the repository of that release, and never again:

    PYTHONPATH=tests .venv/bin/python -m integration.upgrade
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import yaml

from integration.api import Api, Json, definition
from integration.programs import Program, run
from integration.standin import StandIn
from perdure.engine.ids import callback_token
from perdure.store.postgres.migrations import runner
from servers import PostgresServer

FOLDER = Path(__file__).parent / "golden"
SERVICE_PORT = 19_115
"""Where the service was then: calls that were under way name it, and errors that were met."""
SERVICE = f"http://127.0.0.1:{SERVICE_PORT}"
SETTINGS = {"PERDURE_EGRESS_ALLOW": "127.0.0.0/8", "PERDURE_CALL_LEASE_SECONDS": "2", "PERDURE_SWEEP_SECONDS": "0.5"}
END_SECONDS_MAX = 60.0
PAD = "x" * 400

# The tasks between `BEGIN` and `DONE`, by what the process waits for.
TASKS: dict[str, list[Json]] = yaml.safe_load(
    """
pieces:
- &soon {wait: {seconds: 3}}
- &pause {w: {wait: {milliseconds: 50}}}
- &slow {call: http, with: {method: post, endpoint: 'SERVICE/slow/1000', body: {n: 1}}}
- &flaky {call: http, with: {method: post, endpoint: 'SERVICE/flaky/1', body: {n: 2}}}
- &retry {delay: {seconds: 3}, limit: {attempt: {count: 5}}}
- &human {call: 'human-task:1.0.0@default', with: {title: 'Go on?', candidateGroups: [upgrade]}}
- &job {call: 'job:1.0.0@default', with: {type: upgrade, lease: {seconds: 1}}}
- &half {with: {type: upgrade.half}, correlate: &by {k: {from: .data.k, expect: '${ $context.k }'}}}
- &go {with: {type: upgrade.go}, correlate: *by}
- &event {listen: {to: {one: *go}}}
- &child {namespace: upgrade, name: event, version: 1.0.0, input: '${ $context }'}
- &each {namespace: upgrade, name: timer, version: 1.0.0}
waiting:
  timer: [w: *soon]
  retry: [t: {try: [c: *flaky], catch: {retry: *retry}}]
  call: [c: *slow]
  event: [l: *event]
  events: [l: {listen: {to: {all: [*half, *go]}}, foreach: {item: e, do: [*pause, n: {set: {n: '${ $e.n }'}}]}}]
  callback: [c: {call: 'callback:1.0.0@default', with: {}}]
  human-task: [h: *human]
  claimed: [h: *human]
  job: [j: *job]
  leased: [j: *job]
  child: [r: {run: {workflow: *child}}]
  map: [m: {call: 'map:1.0.0@default', with: {items: '${ [range(3) | {k: .}] }', concurrency: 2, process: *each}}]
  fork:
  - f:
      fork:
        branches:
        - a: {for: {in: '${ [1, 2] }'}, do: [l: *event, w: *soon]}
        - b: *human
        - c: {try: [j: *job], catch: {}}
  function: [d: {call: 'doubled:1.0.0@default', with: {n: 21}}]
  suspended: [w: *soon]
  faulted: [j: *job]
  owed: [s: {set: {n: 1}}]
  later: [s: {set: {n: 1}}]
""".replace("SERVICE", SERVICE)
)["waiting"]
BEGIN = {"begin": {"set": "${ . }", "export": {"as": "{k: .k}"}}}
DONE = {"done": {"set": {"k": "${ $context.k }", "got": "${ . }"}}}

DOUBLED = {"do": [{"w": {"wait": {"seconds": 3}}}, {"d": {"set": {"n": "${ .n * 2 }"}}}]}
EXTENSIONS = {"use": {"extensions": [{"around": {"extend": "wait", "after": [{"note": {"set": {"noted": True}}}]}}]}}
SCHEDULES: dict[str, Json] = {
    "every": {"every": {"seconds": 20}},
    "on": {"on": {"all": [{"with": {"type": "upgrade.half"}}, {"with": {"type": "upgrade.go"}}]}},
}

EVENT = {"n": 7, "pad": PAD}
OUTPUTS: dict[str, Json] = {
    "retry": {"n": 2},
    "call": {"n": 1},
    "callback": {"paid": True},
    "job": {"by": "today"},
    "leased": {"by": "today"},
    "faulted": {"by": "today"},
    "map": [{"k": number, "got": {"k": number}} for number in range(3)],
    "function": {"n": 42},
    "owed": {"n": 1},
    "later": {"n": 1},
    "events": [{"n": 6}, {"n": 7}],
}
"""What the tasks give, where that is worth a look."""


@asynccontextmanager
async def platform(dsn: str, *kinds: str) -> AsyncIterator[tuple[Api, list[Program]]]:
    """Services on the database, and a client with a key of its own."""
    environment = {**SETTINGS, "PERDURE_DATABASE_URL": dsn}
    made = await run("keys", "create", "--name", "upgrade", environment=environment)
    programs = [Program(kind, environment=environment) for kind in kinds]
    async with AsyncExitStack() as stack:
        for program in programs:
            stack.push_async_callback(program.close)
            await program.start()
        yield await stack.enter_async_context(Api(programs[0].url, key=made.split()[-1])), programs


# then


async def populate(dsn: str) -> None:
    """Processes of all kinds, up to where they wait. The last ones are accepted when no worker is there."""
    async with StandIn(port=SERVICE_PORT) as service, platform(dsn, "api", "worker") as (api, programs):
        await _deploy(api)
        later = {"startAt": (datetime.now(UTC) + timedelta(seconds=20)).isoformat()}
        first = [kind for kind in TASKS if kind not in ("owed", "call")]
        ids = {kind: await _start(api, kind, **(later if kind == "later" else {})) for kind in first}
        await api.emit("upgrade.half", {"k": "events", "n": 6}, id="half")
        await _halfway(api, ids)
        await api.emit("upgrade.half", {"k": "none"}, id="other-half")
        ids["call"] = await _start(api, "call")
        while not any(request.path.startswith("/slow") for request in service.requests):
            await asyncio.sleep(0.01)
        await programs[1].kill()
        await _start(api, "owed")


async def _deploy(api: Api) -> None:
    answer = await api.call("POST", "/v1/functions?name=doubled&version=1.0.0", DOUBLED)
    answer.expect(200, 201)
    for kind, tasks in TASKS.items():
        more = EXTENSIONS if kind == "timer" else {}
        await api.deploy(definition(kind, [BEGIN, *tasks, DONE], namespace="upgrade", **more))
    for kind, schedule in SCHEDULES.items():
        document = definition(kind, [{"s": {"set": {"n": 1}}}], namespace="upgrade", schedule=schedule)
        await api.deploy(document)


async def _start(api: Api, kind: str, **more: Json) -> str:
    process: str = (await api.start(f"upgrade/{kind}", {"k": kind, "pad": PAD}, key=kind, **more))["id"]
    return process


async def _halfway(api: Api, ids: dict[str, str]) -> None:
    """What has to happen before the others wait for the second half."""
    await api.consumes(ids["events"], 1)
    await api.waits_for(ids["claimed"], "human-task")
    (claimed,) = [task for task in await api.items("/v1/human-tasks") if task["process"] == ids["claimed"]]
    await api.post(f"/v1/human-tasks/{claimed['id']}/claim", {"user": "ann"})
    for kind, reason in (("leased", "job"), ("faulted", "job"), ("job", "job"), ("fork", "job")):
        await api.waits_for(ids[kind], reason)
    jobs = (await api.post("/v1/jobs/activate", {"type": "upgrade", "max": 10}))["jobs"]
    for job in jobs:
        lease = {"lease": job["lease"]["token"]}
        if job["process"] == ids["faulted"]:
            await api.call("POST", f"/v1/jobs/{job['id']}/fail", {**lease, "error": "no", "retryable": False})
        elif job["process"] != ids["leased"]:
            await api.call("POST", f"/v1/jobs/{job['id']}/release", lease)
    await api.post(f"/v1/processes/{ids['suspended']}/suspend", {})
    reasons = {"event": "event", "callback": "callback", "human-task": "human-task", "child": "child", "map": "child"}
    for kind, reason in {**reasons, "retry": "retry", "function": "timer", "later": "timer"}.items():
        await api.waits_for(ids[kind], reason)


async def write() -> Path:
    """The database as text, at the newest schema of this release."""
    path = FOLDER / f"{runner.shipped()[-1].number:04}.sql"
    assert not path.exists(), f"{path} is there, and is never written again"
    postgres = PostgresServer()
    await postgres.start()
    try:
        await run("migrate", environment={"PERDURE_DATABASE_URL": postgres.url})
        await populate(postgres.url)
        path.write_text(await postgres.dump_text())
    finally:
        await postgres.close()
    return path


# now


async def restore(dsn: str, path: Path, service_port: int) -> None:
    """The service listens on another port now, so that the test needs none that may be taken."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_moved(path.read_text(), service_port))
    finally:
        await connection.close()


def _moved(dump: str, port: int) -> str:
    """The dump with the service at this port: in text, and in bytes, which stay as long as their headers say."""
    now = f"http://127.0.0.1:{port}"
    assert len(now) == len(SERVICE), f"{now} is not as long as {SERVICE}"
    return dump.replace(SERVICE, now).replace(SERVICE.encode().hex(), now.encode().hex())


async def finish(api: Api, dsn: str) -> dict[str, Json]:
    """Let the world give all the answers that are waited for; answers the processes that were started, by key."""
    held = {process["key"]: process for process in await api.items("/v1/processes") if process["key"]}
    await api.post(f"/v1/processes/{held['suspended']['id']}/resume", {})
    await api.post(f"/v1/processes/{held['faulted']['id']}/retry", {})
    for token in await _tokens(dsn):
        (await api.call("POST", f"/v1/callbacks/{token}", {"paid": True})).expect(200)
    async with _clerk(api):
        return {key: await api.end(process["id"], END_SECONDS_MAX) for key, process in held.items()}


async def _tokens(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select seed, activity from callback c join process p on p.id = c.process")
    finally:
        await connection.close()
    return [callback_token(row["seed"], UUID(str(row["activity"]))) for row in rows]


@asynccontextmanager
async def _clerk(api: Api) -> AsyncIterator[None]:
    """Decides, does jobs and sends events for as long as it is needed."""

    async def work() -> None:
        number = 0
        while True:
            for task in await api.items("/v1/human-tasks", status="open"):
                await _decide(api, task, "bob")
            for task in await api.items("/v1/human-tasks", status="claimed"):
                await _decide(api, task, "ann")
            for job in (await api.post("/v1/jobs/activate", {"type": "upgrade", "max": 10}))["jobs"]:
                body = {"lease": job["lease"]["token"], "output": {"by": "today"}}
                await api.call("POST", f"/v1/jobs/{job['id']}/complete", body)
            for k in TASKS:
                await api.emit("upgrade.go", {"k": k, **EVENT}, id=f"{k}-{number}")
            number += 1
            await asyncio.sleep(0.3)

    working = asyncio.create_task(work())
    try:
        yield
        assert not working.done(), working.result()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _decide(api: Api, task: Any, user: str) -> None:
    answer = await api.call("POST", f"/v1/human-tasks/{task['id']}/complete", {"user": user, "outcome": "approved"})
    assert answer.status in (200, 409), answer


if __name__ == "__main__":
    print(f"wrote {asyncio.run(write())}")
