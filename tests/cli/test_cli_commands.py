"""The commands over a real `perdure dev`."""

import asyncio
import json
import re
import signal
import uuid
from textwrap import dedent, indent

import pytest
from command import Commands, Terminal

from integration.programs import Program
from perdure.demo.service import Service

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def deployed(perdure):
    """Deploys tasks under a new name, and answers it as ``cli/NAME``."""

    async def deploy(tasks):
        name = f"x{uuid.uuid4().hex[:12]}"
        text = f"document: {{dsl: '1.0.3', namespace: cli, name: {name}, version: '1.0.0'}}\ndo:\n"
        result = await perdure("deploy", perdure.file("w.yaml", text + indent(dedent(tasks), "  ")))
        assert (result.code, result.out) == (0, f"registered cli/{name}:1.0.0\n"), result
        return f"cli/{name}"

    return deploy


ASK = """
- ask:
    call: human-task:1.0.0@default
    with: {title: Shall we?, candidateGroups: [sales], outcomes: [yes, no, approved]}
"""


async def test_deploy_again_changes_nothing(perdure, deployed):
    await deployed("- a: {set: {b: 1}}")
    again = await perdure("deploy", "w.yaml")
    assert again.code == 0
    assert again.out.startswith("unchanged cli/")


async def test_deploy_tells_where_a_definition_is_wrong_and_goes_on_with_the_others(perdure):
    bad = perdure.file(
        "bad.yaml",
        dedent("""\
        document: {dsl: '1.0.3', namespace: cli, name: bad, version: '1.0.0'}
        do:
          - pay:
              call: htpp
              with: {}
          - stop:
              set: {a: 1}
              then: nowhere
        """),
    )
    name = f"x{uuid.uuid4().hex[:12]}"
    good = {"document": {"dsl": "1.0.3", "namespace": "cli", "name": name, "version": "1.0.0"}}
    good["do"] = [{"a": {"set": {"b": 1}}}]
    result = await perdure("deploy", bad, perdure.file("good.json", json.dumps(good)))
    assert result.code == 1
    errors = result.err.splitlines()
    assert len(errors) == 2
    assert re.match(r'bad\.yaml:4:\d+: error: /do/0/pay/call: .*"http"', errors[0])
    assert re.match(r"bad\.yaml:8:\d+: error: /do/1/stop/then: .*nowhere", errors[1])
    assert result.out == f"registered cli/{name}:1.0.0\n"


async def test_deploy_refuses_other_content_under_the_same_version(perdure, deployed):
    name = await deployed("- a: {set: {b: 1}}")
    text = (perdure.directory / "w.yaml").read_text()
    result = await perdure("deploy", perdure.file("other.yaml", text.replace("b: 1", "b: 2")))
    assert result.code == 1
    assert result.err.startswith("other.yaml: error: ")
    assert name.removeprefix("cli/") in result.err


async def test_deploy_check_registers_nothing(perdure):
    name = f"x{uuid.uuid4().hex[:12]}"
    text = (
        f"document: {{dsl: '1.0.3', namespace: cli, name: {name}, version: '1.0.0'}}\ndo: [{{a: {{set: {{b: 1}}}}}}]\n"
    )
    checked = await perdure("deploy", "--check", perdure.file("w.yaml", text))
    assert (checked.code, checked.out) == (0, "valid w.yaml\n")
    assert (await perdure("start", f"cli/{name}")).code == 1


async def test_deploy_from_standard_input_that_is_no_yaml(perdure):
    result = await perdure("deploy", "-", stdin=b"a: [")
    assert result.code == 1
    assert re.match(r"-:\d+:\d+: error: ", result.err)


async def test_start_and_wait_prints_progress_and_output(perdure, deployed):
    name = await deployed("- greet: {set: {text: '${ \"Hello \" + .name }'}}\n- pause: {wait: {milliseconds: 10}}")
    result = await perdure("start", name, "--input", '{"name": "Ada"}', "--wait")
    assert result.code == 0, result
    assert json.loads(result.out.splitlines()[-1]) == {"text": "Hello Ada"}
    assert re.search(r"^\S+ ✓ greet completed", result.out, re.MULTILINE)
    assert re.search(r"^\S+ ✓ pause completed after \d", result.out, re.MULTILINE)


async def test_start_prints_the_id_and_nothing_else(perdure, deployed):
    name = await deployed("- a: {set: '${ . }'}")
    perdure.file("input.json", '{"n": 1}')
    started = await perdure("start", name + ":1.0.0", "-i", "@input.json", "--key", "k-1", "--tag", "a=b")
    assert started.code == 0
    shown = await perdure("show", str(uuid.UUID(started.out.strip())), "--watch", "--json")
    assert shown.json["output"] == {"n": 1}
    assert (shown.json["key"], shown.json["tags"]) == ("k-1", {"a": "b"})
    assert [found["name"] for found in shown.json["activities"]] == ["a"]


async def test_start_with_null_as_input(perdure, deployed):
    name = await deployed("- a: {set: {was: '${ . }'}}")
    started = await perdure("start", name, "--input", "null", "--wait", "--json")
    assert (started.json["input"], started.json["output"]) == (None, {"was": None})


async def test_start_and_wait_fails_where_the_process_faults(perdure, deployed):
    name = await deployed("""
    - fail:
        raise:
          error: {type: https://example.com/errors/broke, status: 500, title: It broke, detail: quite}
    """)
    result = await perdure("start", name, "--wait")
    assert result.code == 1
    assert "✗ fail faulted" in result.out
    assert "broke 500: quite" in result.err
    assert "at /do/0/fail" in result.err


async def test_idempotent_start_answers_the_first_process(perdure, deployed):
    name = await deployed("- a: {wait: {minutes: 5}}")
    first = await perdure("start", name, "--idempotency-key", name)
    again = await perdure("start", name, "--idempotency-key", name)
    assert first.out == again.out != ""
    third = await perdure("start", name, "--key", "k")
    existing = await perdure("start", name, "--key", "k", "--on-conflict", "existing")
    assert existing.out == third.out != first.out
    refused = await perdure("start", name, "--key", "k", "--on-conflict", "reject")
    assert refused.code == 1
    assert refused.err


async def test_a_person_decides(perdure, deployed):
    name = await deployed(ASK)
    id_ = (await perdure("start", name, "--key", "o'brien")).out.strip()
    listed = await perdure.until(
        lambda result: id_ in result.out and result.json["items"], "tasks", "--process", id_, "--json"
    )
    (task,) = listed.json["items"]
    assert (task["title"], task["status"]) == ("Shall we?", "open")

    shown = await perdure("show", id_)
    assert shown.code == 0
    assert re.search(r"└─ ◷ ask  call .*waits for a person", shown.out)
    inbox = await perdure("tasks")
    assert task["id"] in inbox.out
    assert "sales" in inbox.out

    wrong = await perdure("complete", task["id"], "--outcome", "perhaps")
    assert wrong.code == 1
    assert "perhaps" in wrong.err
    done = await perdure("complete", task["id"], "-o", "approved", "-c", "fine", "-d", '{"n": 1}', "-u", "ada")
    assert (done.code, done.out) == (0, f"{task['id']} approved\n"), done
    again = await perdure("complete", task["id"], "-o", "no")
    assert again.code == 1

    ended = await perdure("show", id_, "--watch", "--json")
    output = ended.json["output"]
    assert (output["outcome"], output["comment"], output["completedBy"]) == ("approved", "fine", "ada")
    assert output["data"] == {"n": 1}
    assert task["id"] not in (await perdure("tasks")).out

    trail = await perdure("history", id_)
    assert re.search(r"human-task completed +ask +ada", trail.out)
    entries = (await perdure("history", id_, "--json")).json["items"]
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    lines = trail.out.splitlines()
    assert [int(line.split()[0]) for line in lines] == [entry["sequence"] for entry in entries]
    assert (await perdure("history", id_, "--watch")).out.splitlines() == lines


async def test_an_event_releases_a_process(perdure, deployed):
    event_type = f"example.{uuid.uuid4().hex}"
    name = await deployed(f"- hear: {{listen: {{to: {{one: {{with: {{type: {event_type}}}}}}}}}}}")
    id_ = (await perdure("start", name)).out.strip()
    await perdure.until(lambda result: result.json["waitingFor"], "show", id_, "--json")
    assert "waits for an event" in (await perdure("show", id_)).out
    sent = await perdure("emit", event_type, "--data", '{"n": 7}', "--id", "e-1", "--source", "/test", "--subject", "s")
    assert (sent.code, sent.out) == (0, "e-1\n")
    ended = await perdure("show", id_, "--watch", "--json")
    assert ended.json["output"] == [{"n": 7}]


async def test_suspend_resume_and_cancel(perdure, deployed):
    name = await deployed("- pause: {wait: {minutes: 5}}")
    id_ = (await perdure("start", name)).out.strip()
    await perdure.until(lambda result: result.json["status"] == "waiting", "show", id_, "--json")
    suspended = await perdure("suspend", id_, "--reason", "lunch")
    assert (suspended.code, suspended.out) == (0, f"{id_} suspended\n")
    assert (await perdure("suspend", id_)).code == 1
    assert id_ in (await perdure("ps", "--status", "suspended", "--name", name.removeprefix("cli/"))).out
    assert "(lunch): nothing new begins" in (await perdure("why", id_)).out
    resumed = await perdure("resume", id_, "--json")
    assert resumed.json["id"] == id_
    assert " at /do/0/pause until " in (await perdure("why", id_)).out
    doctor = await perdure("doctor", id_)
    assert (doctor.code, doctor.out.startswith("Looked at 1 process")) == (0, True)
    cancelled = await perdure("cancel", id_)
    assert (cancelled.code, cancelled.out) == (0, f"{id_} cancelled\n")
    assert (await perdure("resume", id_)).code == 1
    assert "lunch" in (await perdure("history", id_)).out
    assert "⊘ pause" in (await perdure("show", id_)).out


async def test_retry_goes_on_where_it_faulted(perdure, deployed):
    async def answer(request):
        return (500, {}) if request.attempt == 1 else (200, {"attempt": request.attempt})

    async with Service("flaky", {"POST /": answer}) as service:
        name = await deployed(f"- ask: {{call: http, with: {{method: post, endpoint: '{service.url}/'}}}}")
        faulted = await perdure("start", name, "--wait", "--json")
        assert (faulted.code, faulted.json["status"]) == (1, "faulted")
        id_ = faulted.json["id"]
        assert (await perdure("retry", id_)).code == 0
        ended = await perdure("show", id_, "--watch", "--json")
    assert ended.json["output"] == {"attempt": 2}
    assert [(found["name"], found["attempt"]) for found in ended.json["activities"]] == [("ask", 2)]


async def test_ps_pages_and_filters(perdure, deployed):
    name = await deployed("- a: {set: {b: 1}}")
    ids = [(await perdure("start", name, "--tag", f"n={n}")).out.strip() for n in range(3)]
    filters = ("--name", name.removeprefix("cli/"))
    first = (await perdure("ps", *filters, "--limit", "2", "--json")).json
    second = (await perdure("ps", *filters, "--cursor", first["next"], "--json")).json
    assert [item["id"] for item in (*first["items"], *second["items"])] == ids[::-1]
    assert second["next"] is None
    tagged = (await perdure("ps", *filters, "--tag", "n=1", "--json")).json
    assert [item["id"] for item in tagged["items"]] == [ids[1]]
    none = await perdure("ps", *filters, "--key", "nobody's")
    assert (none.code, none.out, none.err) == (0, "", "No processes like that.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("start", "noslash"), "NAMESPACE/NAME"),
        (("start", "a/b", "--input", "{"), "expected JSON or @FILE"),
        (("start", "a/b", "--tag", "x"), "expected NAME=VALUE"),
        (("deploy",), "FILE"),
        (("deploy", "/nowhere.yaml"), "/nowhere.yaml"),
        (("complete", str(uuid.uuid4())), "--outcome"),
        (("show", "7"), "expected an id"),
        (("ps", "--limit", "0"), "--limit"),
        (("dev", "--port", "99999"), "--port"),
        (("doctor", "--restart"), "the ID of a process"),
        (("bogus",), "bogus"),
    ],
)
async def test_usage(perdure, arguments, said):
    result = await perdure(*arguments)
    assert result.code == 2
    assert said in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ps", "--status", "bogus"), "status: "),
        (("ps", "--created-after", "yesterday"), "createdAfter: "),
        (("ps", "--cursor", "x"), "cursor: "),
        (("tasks", "--process", "1"), "process: "),
    ],
)
async def test_filters_that_the_server_refuses(perdure, arguments, said):
    result = await perdure(*arguments)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(said)
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["show", "history", "suspend", "why", "doctor"])
async def test_what_does_not_exist(perdure, command):
    result = await perdure(command, str(uuid.uuid4()))
    assert (result.code, result.out) == (1, "")
    assert result.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid", "nonsense"])
async def test_a_server_that_does_not_answer(tmp_path, url):
    result = await Commands(url, tmp_path)("ps")
    assert (result.code, result.out) == (3, "")
    assert url in result.err
    assert "`perdure dev`" in result.err


async def test_a_setting_that_makes_no_sense(tmp_path):
    result = await Commands("http://127.0.0.1:9", tmp_path, PERDURE_DATABASE_POOL_MAX="many")("migrate")
    assert result.code == 2
    assert "PERDURE_DATABASE_POOL_MAX" in result.err
    assert "Traceback" not in result.err


async def test_a_port_in_use(perdure, dev):
    result = await perdure("dev", "--port", str(dev.port))
    assert result.code == 1
    assert f"127.0.0.1:{dev.port}" in result.err
    assert "Traceback" not in result.err


async def test_following_on_a_terminal(perdure, deployed):
    name = await deployed("- greet: {set: {text: hi}}" + ASK)
    screen = await Terminal.begin(perdure, "start", name, "--wait")
    await screen.until_shown("✓ greet", "◷ ask", "waits for a person")
    listed = await perdure("tasks", "--status", "open", "--json")
    id_ = re.search(r"Process (\S+)", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.shown)).group(1)
    (task,) = [task for task in listed.json["items"] if task["process"] == id_]
    assert (await perdure("complete", task["id"], "-o", "yes")).code == 0
    assert await screen.ended() == 0
    assert '"outcome"' in screen.shown


async def test_interrupting_a_follower_leaves_the_process_alone(perdure, deployed):
    name = await deployed("- pause: {wait: {minutes: 5}}")
    screen = await Terminal.begin(perdure, "start", name, "--wait")
    await screen.until_shown("◷ pause")
    screen.process.send_signal(signal.SIGINT)
    assert await screen.ended() == 130
    assert "Traceback" not in screen.shown
    (found,) = (await perdure("ps", "--name", name.removeprefix("cli/"), "--json")).json["items"]
    assert found["status"] == "waiting"


async def test_killed_and_started_again_it_goes_on(tmp_path):
    program = Program("dev")
    try:
        await program.start()
        perdure = Commands(program.url, tmp_path)
        text = "document: {dsl: '1.0.3', namespace: cli, name: again, version: '1.0.0'}\ndo:\n"
        await perdure("deploy", perdure.file("w.yaml", text + indent(ASK + "- pause: {wait: {seconds: 1}}", "  ")))
        id_ = (await perdure("start", "cli/again")).out.strip()
        listed = await perdure.until(lambda result: result.json["items"], "tasks", "--json")
        follower = await perdure.begin("show", id_, "--watch")
        await asyncio.wait_for(follower.stdout.readline(), 30)

        await program.kill()
        assert await asyncio.wait_for(follower.wait(), 30) == 3
        await follower.communicate()
        assert (await perdure("show", id_)).code == 3
        await program.start()

        assert (await perdure("show", id_, "--json")).json["status"] == "waiting"
        assert (await perdure("complete", listed.json["items"][0]["id"], "-o", "yes")).code == 0
        await program.kill()
        await program.start()
        ended = await perdure("show", id_, "--watch", "--json")
        assert ended.json["status"] == "completed"
        assert [found["name"] for found in ended.json["activities"]] == ["ask", "pause"]
        assert await program.stop() < 10
    finally:
        await program.close()


async def test_a_process_is_exported_as_a_scenario_and_played_again_without_a_server(perdure, deployed):
    definition = await deployed(
        """
        - pick:
            switch:
            - large: {when: .n > 5, then: ask}
            - small: {then: end}
        - ask:
            call: human-task:1.0.0@default
            with: {title: Shall we?}
            output: {as: '${ {decided: .outcome} }'}
        - tell: {set: {said: '${ .decided }', n: 1}}
        """
    )
    started = await perdure("start", definition, "--input", '{"n": 9}')
    process = started.out.split()[0]
    early = await perdure("export", process, "--scenario")
    assert (early.code, "only what has ended" in early.err) == (1, True)
    task = json.loads((await perdure("tasks", "--json")).out)["items"][0]["id"]
    await perdure("complete", task, "--outcome", "approved")
    exported = await perdure("export", process, "--scenario")
    assert exported.code == 0, exported
    played = await perdure("test", perdure.file("again.yaml", exported.out))
    assert played.code == 0, played
    assert played.out.splitlines() == [
        f"passed again.yaml: process {process}",
        "1 passed, 0 failed; 4 of 5 tasks, cases and catches taken",
        "  not taken: /do/0/pick/switch/1/small",
    ]
    assert (await perdure("test", "--full", "again.yaml")).code == 1
    changed = perdure.file("other.yaml", exported.out.replace("said: approved", "said: rejected"))
    failed = await perdure("test", changed)
    assert (failed.code, 'expected the output {"said":"rejected"' in failed.out) == (1, True)


async def test_deploy_a_function_and_what_calls_it(perdure, deployed):
    text = "set:\n  said: ${ .word }\n"
    checked = await perdure("deploy", "--check", "--function", "echo-cli:1.0.0", perdure.file("function.yaml", text))
    assert (checked.code, checked.out) == (0, "valid function.yaml\n")
    caller = (
        "document: {dsl: '1.0.3', namespace: cli, name: early-caller, version: '1.0.0'}\n"
        "do:\n- t: {call: 'echo-cli:1.0.0@default'}\n"
    )
    early = await perdure("deploy", perdure.file("early.yaml", caller))
    assert early.code == 0
    assert "early.yaml:3:13: warning: /do/0/t/call: " in early.err and "POST /v1/functions" in early.err
    made = await perdure("deploy", "--function", "echo-cli:1.0.0", "function.yaml")
    assert (made.code, made.out) == (0, "registered echo-cli:1.0.0@default\n")
    again = await perdure("deploy", "--function", "echo-cli:1.0.0", "function.yaml")
    assert again.out == "unchanged echo-cli:1.0.0@default\n"
    bad = await perdure("deploy", "--function", "echo-cli:2.0.0", perdure.file("bad.yaml", "set: {a: 1}\nx: 1\n"))
    assert bad.code == 1 and "bad.yaml:2:1: error: /x: unknown property" in bad.err
    name = await deployed("- t: {call: 'echo-cli:1.0.0@default', with: {word: hi}}")
    ended = await perdure("start", name, "--wait")
    assert ended.code == 0 and '{"said":"hi"}' in ended.out


@pytest.mark.parametrize(
    "arguments", [("--function", "echo", "a.yaml"), ("--function", "echo:1.0.0", "a.yaml", "b.yaml")]
)
async def test_deploy_a_function_needs_a_name_a_version_and_one_file(perdure, arguments):
    refused = await perdure("deploy", *arguments)
    assert refused.code == 2


async def test_schedules(perdure):
    text = dedent("""\
        document: {dsl: '1.0.3', namespace: cli, name: nightly, version: '1.0.0'}
        schedule: {cron: 30 2 * * *}
        do:
          - a: {set: {b: "${ . }"}}
        """)
    assert (await perdure("deploy", perdure.file("nightly.yaml", text))).code == 0
    listed = await perdure("schedules")
    assert listed.code == 0
    assert "cli/nightly:1.0.0" in listed.out
    assert "30 2 * * *" in listed.out
    (schedule,) = (await perdure("schedules", "--json")).json["items"]
    id_ = schedule["id"]
    paused = await perdure("schedule", "pause", id_, "--reason", "holidays")
    assert (paused.code, paused.out) == (0, f"{id_} paused\n")
    again = await perdure("schedule", "pause", id_)
    assert again.code == 1
    assert "paused" in again.err
    assert (await perdure("schedule", "resume", id_)).out == f"{id_} running\n"
    started = await perdure("schedule", "trigger", id_, "--input", '{"n": 1}')
    process = await perdure.until(
        lambda shown: shown.json["status"] == "completed", "show", started.out.strip(), "--json"
    )
    assert process.json["output"] == {"b": {"n": 1}}
    dates = ("--from", "2026-03-01T00:00:00Z", "--to", "2026-03-03T00:00:00Z")
    assert (await perdure("schedule", "backfill", id_, *dates)).out == "started 2\n"
    assert (await perdure("schedule", "backfill", id_, *dates)).out == "started 0, 2 had run already\n"
    wrong = await perdure("schedule", "backfill", id_, "--from", "2026-03-01T00:00:00Z", "--to", "2999-01-01T00:00:00Z")
    assert wrong.code == 1
    assert "past" in wrong.err
