"""A secret goes where the author sends it and nowhere else: not into logs, answers, events, metrics, the database.

It is looked for as it is, in JSON, in URLs and in base64, as a service behind a call would echo it.
"""

import asyncio
import json

import asyncpg
import pytest
from aiohttp import web
from secret_hunt import SECRETS, TOKEN, Echo, Told, platform


@pytest.fixture
async def echo():
    echo = Echo()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", echo.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    echo.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield echo
    await runner.cleanup()


@pytest.fixture
async def told(database, echo, monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"PERDURE_SECRET_{name}", value if isinstance(value, str) else json.dumps(value))
    async with platform(database) as client:
        told = Told(client, database)
        hook = {"url": f"{echo.base}/events", "filter": {"types": ["*"]}}
        told.hook = (await told.call("POST", "/v1/webhooks", json=hook))["id"]
        yield told


def calls(echo, path, authentication, **more):
    endpoint = {"uri": f"{echo.base}/{path}", "authentication": authentication}
    return {"call": "http", "with": {"method": "post", "endpoint": endpoint, **more}}


def caught(task):
    """The error, whatever it is, as output."""
    return {"try": [{"it": task}], "catch": {"as": "error", "do": [{"show": {"set": {"error": "${ $error }"}}}]}}


BASIC, BEARER, DIGEST = {"basic": {"use": "LOGIN"}}, {"bearer": {"use": "TOKEN"}}, {"digest": {"use": "LOGIN"}}


async def test_what_is_used_by_name_is_nowhere_else(told, echo, capsys):
    """Not even in the database."""
    policies = {"basic": BASIC, "bearer": BEARER, "digest": DIGEST}
    do = []
    for name, policy in policies.items():
        for path in ("echo", "fail", "headers", "moved", "garbled", "cut"):
            do.append({f"{name}-{path}": caught(calls(echo, path, policy))})
            do.append({f"{name}-{path}-all": caught(calls(echo, path, policy, output="response", redirect=True))})
        do.append({f"{name}-nobody": caught({**calls(echo, "x", policy), "with": _nowhere(policy)})})
    oauth = {
        "authority": echo.base,
        "grant": "client_credentials",
        "client": {"id": "c", "secret": "${ $secrets.TOKEN }"},
    }
    oauth["endpoints"] = {"token": "/token"}
    do.append({"oauth": caught(calls(echo, "echo", {"oauth2": oauth}))})
    do.append({"use": caught(calls(echo, "echo", {"oauth2": {"use": "OAUTH"}}))})
    assert (await told.run("used", do))["status"] == "completed"
    async with asyncio.timeout(20):
        while len([text for text in echo.callbacks if "workflow.completed" in text]) < 1:
            await asyncio.sleep(0.02)
    await told.call("GET", f"/v1/webhooks/{told.hook}/deliveries")
    await told.rest(database=True)
    told.texts["log"] = "".join(capsys.readouterr())
    told.texts["webhook"] = "\n".join(echo.callbacks)
    assert sum(TOKEN in str(said) for said in echo.told) >= 6, "it was used"
    assert told.leaks() == {}


def _nowhere(policy):
    return {"method": "get", "endpoint": {"uri": "http://127.0.0.1:1/x", "authentication": policy}}


def expressions():
    """Tasks that have the secret say itself: as data, in names, in what fails because of it."""
    token, password = "$secrets.TOKEN", "$secrets.LOGIN.password"
    for number, secret in enumerate((token, password)):
        texts = {
            "as-number": f"{secret} | tonumber",
            "as-error": f"error({secret})",
            "as-error-object": f"error({{a: {secret}}})",
            "as-index": f"[1] | .[{secret}]",
            "added": f"{secret} + 1",
            "as-date": f"{secret} | fromdate",
            "as-json": f"{secret} | fromjson",
            "as-pattern": f'"x" | test({secret} + "(")',
            "encoded": f"{secret} | @base64, @uri, @json, @html | tostring",
            "many": f"[{secret}, ({secret} | @base64), ({secret} | @uri), ({secret} | tojson)]",
            "as-name": f"{{({secret}): 1}}",
            "all": "$secrets",
            "computed": '$secrets[("TOK" + "EN")]',
        }
        for name, text in texts.items():
            yield f"{name}-{number}", {"set": {"x": "${ " + text + " }"}}
        data = {"export": {"as": "${ {held: " + secret + "} }"}, "set": {"a": "${ " + secret + " }"}}
        yield f"kept-{number}", data
        for name, text in {"tonumber": "$context.held | tonumber", "index": "[1][$context.held]"}.items():
            yield f"later-{name}-{number}", {"set": {"x": "${ " + text + " }"}}
        detail = "${ " + secret + " }"
        yield f"raised-{number}", {"raise": {"error": {"type": "https://e.test/x", "status": 400, "detail": detail}}}
        schema = {
            "schema": {"format": "json", "document": {"type": "object", "properties": {"x": {"type": "integer"}}}}
        }
        yield f"invalid-{number}", {"input": {"from": "${ {x: " + secret + "} }", **schema}, "set": {"a": 1}}
        yield f"emitted-{number}", {"emit": {"event": {"with": {"source": "x:y", "type": "t", "data": {"d": detail}}}}}
        yield f"waited-{number}", {"wait": "${ " + secret + " }"}
        yield (
            f"shell-{number}",
            {"run": {"shell": {"command": "printenv S >&2; printenv S; exit 3", "environment": {"S": detail}}}},
        )


def sent(echo):
    """Calls that have secrets in places of their own."""
    token = "${ $secrets.TOKEN }"
    for path in ("echo", "fail", "headers", "garbled"):
        for output in ("content", "response", "raw"):
            more = {"headers": {"X-Key": token, "Cookie": token}, "query": {"key": token}, "body": {"k": token}}
            call = {"method": "post", "endpoint": {"uri": f"{echo.base}/{path}"}, "output": output, **more}
            yield f"{path}-{output}", {"call": "http", "with": call}
    for place in ("http://127.0.0.1:1/{k}", "http://u:{k}@127.0.0.1:1/", "{k}", "ftp://{k}/", "http://{k}.invalid/"):
        uri = '${ "' + place.replace("{k}", '" + $secrets.TOKEN + "') + '" }'
        yield f"to-{place}".replace("{k}", "k"), {"call": "http", "with": {"method": "get", "endpoint": {"uri": uri}}}
    yield "method", {"call": "http", "with": {"method": token, "endpoint": {"uri": echo.base}}}
    yield (
        "header",
        {"call": "http", "with": {"method": "get", "endpoint": {"uri": echo.base}, "headers": {"X": token + "\n"}}},
    )


async def test_what_expressions_say_is_in_the_database_only(told, echo, capsys):
    """Where the author has put it: what is data is data."""
    for number, (name, task) in enumerate([*expressions(), *sent(echo)]):
        if "kept" in name or "later" in name:
            continue
        await told.run(f"said-{number}", [{"one": caught(task)}])
        await told.run(f"fails-{number}", [{"one": task}])
    kept = {name: task for name, task in expressions() if "kept" in name or "later" in name}
    await told.run("kept", [{name: task if "kept" in name else caught(task)} for name, task in kept.items()])
    await told.call("GET", f"/v1/webhooks/{told.hook}/deliveries")
    await told.rest(database=False)
    told.texts["log"] = "".join(capsys.readouterr())
    told.texts["webhook"] = "\n".join(echo.callbacks)
    assert told.leaks() == {}


async def test_what_waits_does_not_say_what_it_knows(told, echo, capsys):
    secret = "${ $secrets.TOKEN }"
    form = {"type": "object", "title": secret, "properties": {"a": {"const": secret}}}
    human = {"title": secret, "description": secret, "form": form}
    request = {"method": "post", "endpoint": echo.base, "headers": {"X-Key": secret}, "body": {"k": secret}}
    to = {"one": {"with": {"type": "t", "source": secret, "subject": secret}}}
    branches = {
        "ask": {"call": "human-task:1.0.0@default", "with": human},
        "call": {"call": "callback:1.0.0@default", "with": {"request": request}},
        "work": {"call": "job:1.0.0@default", "with": {"type": "work", "input": {"k": secret}}},
        "hear": {"listen": {"to": to}},
        "rest": {"wait": {"hours": 1}, "export": {"as": "${ {k: $secrets.TOKEN} }"}},
        "retry": {"try": [{"fail": calls(echo, "fail", BEARER)}], "catch": {"retry": {"delay": {"hours": 1}}}},
    }
    fork = {"fork": {"branches": [{name: task} for name, task in branches.items()]}}
    document = {"dsl": "1.0.3", "namespace": "secret", "name": "waits", "version": "1.0.0"}
    body = {"document": document, "use": {"secrets": sorted(SECRETS)}, "do": [{"all": fork}]}
    assert "errors" not in await told.call("POST", "/v1/definitions", json=body)
    start = {"definition": {"namespace": "secret", "name": "waits"}}
    process = (await told.call("POST", "/v1/processes", json=start))["id"]
    reasons = set()
    async with asyncio.timeout(20):
        while not reasons >= {"human-task", "callback", "job", "event", "timer", "retry"}:
            view = await told.call("GET", f"/v1/processes/{process}")
            reasons = {wait["reason"] for wait in view["waitingFor"]}
            assert view["endedAt"] is None, view
            await asyncio.sleep(0.05)
    for path in ("activities", "history", "why"):
        await told.call("GET", f"/v1/processes/{process}/{path}")
    async with told.client.post("/v1/jobs/activate", json={"type": "work"}) as response:  # the one who may know
        (job,) = (await response.json())["jobs"]
        assert job["input"] == {"k": TOKEN}
    wrong = {"lease": job["lease"]["token"], "error": {"detail": f"can't use {TOKEN}", "title": TOKEN}}
    await told.call("POST", f"/v1/jobs/{job['id']}/fail", json=wrong)
    ended = await told.call("GET", f"/v1/processes/{process}?wait=20")
    assert ended["status"] == "faulted"
    for path in ("activities", "history", "why", "events"):
        await told.call("GET", f"/v1/processes/{process}/{path}")
    await told.call("POST", "/v1/doctor", json={})
    await told.rest(database=False)
    told.texts["log"] = "".join(capsys.readouterr())
    told.texts["webhook"] = "\n".join(echo.callbacks)
    assert told.leaks() == {}


async def test_whom_a_human_task_is_for_and_how_it_is_answered_does_not_say_it(told, echo, capsys):
    """Though it is what the answers are compared with."""
    secret, password = "${ $secrets.TOKEN }", "${ $secrets.LOGIN.password }"
    human = {
        "title": "t",
        "assignees": [secret, "mia"],
        "candidateGroups": [secret],
        "excludeUsers": '${ ["not-" + $secrets.TOKEN] }',
        "outcomes": [secret, "no"],
        "escalateTo": [f"over-{secret}"],
        "due": "PT0.1S",
        "form": {"type": "object", "properties": {"a": {"const": secret}, "b": {"enum": [password]}}},
    }
    document = {"dsl": "1.0.3", "namespace": "secret", "name": "people", "version": "1.0.0"}
    task = {"call": "human-task:1.0.0@default", "with": human}
    body = {"document": document, "use": {"secrets": sorted(SECRETS)}, "do": [{"ask": task}]}
    warned = await told.call("POST", "/v1/definitions?dryRun=true", json=body)
    assert [found["pointer"].rpartition("/")[2] for found in warned["warnings"]] == [
        "assignees", "candidateGroups", "excludeUsers", "outcomes", "escalateTo",
    ]  # fmt: skip
    await told.call("POST", "/v1/definitions", json=body)
    start = {"definition": {"namespace": "secret", "name": "people"}}
    process = (await told.call("POST", "/v1/processes", json=start))["id"]
    async with asyncio.timeout(20):
        while "human-task.escalated" not in (said := str(await told.call("GET", f"/v1/processes/{process}/history"))):
            assert "workflow.faulted" not in said
            await asyncio.sleep(0.05)
    (shown,) = (await told.call("GET", f"/v1/human-tasks?process={process}"))["items"]
    assert (shown["assignees"], shown["excludeUsers"]) == (["***", "mia"], ["not-***"])
    assert (sorted(shown["candidateGroups"]), shown["outcomes"]) == (["***", "over-***"], ["***", "no"])
    here = f"/v1/human-tasks/{shown['id']}"
    (found,) = (await told.call("GET", f"/v1/human-tasks?assignee={TOKEN}"))["items"]
    assert found["id"] == shown["id"]
    assert (await told.call("POST", f"{here}/claim", json={"user": f"not-{TOKEN}"}))["status"] == 403
    assert (await told.call("POST", f"{here}/claim", json={"user": TOKEN}))["assignee"] == "***"
    assert (await told.call("POST", f"{here}/release", json={"user": "mia"}))["status"] == 409
    for wrong in ({"outcome": "yes"}, {"outcome": TOKEN, "data": {"a": 1}}, {"outcome": "no", "data": {"b": 1}}):
        refused = await told.call("POST", f"{here}/complete", json={"user": TOKEN, **wrong})
        assert (refused["status"], "***" in str(refused)) == (422, True), refused
    decided = await told.call("POST", f"{here}/complete", json={"user": TOKEN, "outcome": TOKEN, "data": {"a": TOKEN}})
    assert (decided["status"], decided["outcome"]) == ("completed", "***")
    ended = await told.call("GET", f"/v1/processes/{process}?wait=20")
    assert ended["status"] == "completed", ended
    for path in ("activities", "history", "why", "events"):
        await told.call("GET", f"/v1/processes/{process}/{path}")
    await told.call("GET", f"/v1/webhooks/{told.hook}/deliveries")
    await told.rest(database=False)
    told.texts["log"] = "".join(capsys.readouterr())
    told.texts["webhook"] = "\n".join(echo.callbacks)
    assert told.leaks() == {}


async def test_secrets_that_are_not_listed_are_not_there(told):
    """Neither by name, nor by a name that is made up as it goes, nor with all, nor from a function or child."""
    texts = (
        "$secrets.TOKEN", '$secrets["TOKEN"]', '$secrets["TOK" + "EN"]', "$secrets | tostring", "[$secrets[]]",
        "$secrets | to_entries", ". as $x | $secrets", "$__prog_args", "env", "$ENV.PERDURE_SECRET_TOKEN", "input_filename",
        "$secrets as {TOKEN: $t} | $t", "$runtime, $workflow, $task, $context, $input | tostring", "getpath([\"TOKEN\"])",
    )  # fmt: skip
    shown = []
    for number, text in enumerate(texts):
        for names in ([], ["LOGIN"]):
            document = {"dsl": "1.0.3", "namespace": "none", "name": f"n{number}-{len(names)}", "version": "1.0.0"}
            do = [{"one": {"set": {"x": "${ " + text + " }"}}}]
            body = {"document": document, "do": do, **({"use": {"secrets": names}} if names else {})}
            registered = await told.call("POST", "/v1/definitions", json=body)
            if "errors" in registered:
                continue
            start = {"definition": {"namespace": "none", "name": document["name"]}}
            process = (await told.call("POST", "/v1/processes", json=start))["id"]
            shown.append(await told.call("GET", f"/v1/processes/{process}?wait=20"))
    assert len(shown) >= len(texts) // 2
    connection = await asyncpg.connect(told.dsn)
    stored = await connection.fetch("select * from payload") + await connection.fetch("select * from activity")
    stored += await connection.fetch("select * from process")
    await connection.close()
    assert TOKEN not in str(stored)
    for process in shown:
        assert "***" not in str(process["output"]) or process["definition"]["name"].endswith("-1")
        if process["error"] is not None:
            assert process["error"]["type"].rpartition("/")[2] in ("authorization", "expression")
