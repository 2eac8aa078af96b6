"""Scenario files: what they say, what playing them finds, and that it finds what is wrong."""

from functools import partial
from pathlib import Path

import pytest
import yaml

from perdure import wiring
from perdure.scenarios import files
from perdure.scenarios.export import Unexportable, scenario_of
from perdure.scenarios.files import FileUnusable
from perdure.settings import Settings

HEAD = {"dsl": "1.0.3", "namespace": "test", "name": "tested", "version": "1.0.0"}


def get(**more):
    return {"call": "http", "with": {"method": "get", "endpoint": "https://a.example/x"}, **more}


@pytest.fixture
def play(tmp_path: Path):
    """Plays scenarios of a definition given by its tasks; answers the failures of each, and what is not covered."""

    async def played(do, *scenarios, definitions=(), functions=None, **top):
        definition = {"document": HEAD, "do": do, **top}
        named = [{"name": f"s{number}", **scenario} for number, scenario in enumerate(scenarios)]
        file = tmp_path / "scenarios.yaml"
        text = {"definition": definition, "definitions": list(definitions), "scenarios": named}
        text["functions"] = functions or {}
        file.write_text(yaml.safe_dump(text, sort_keys=False))
        result = await files.play(file, partial(wiring.open_evaluator, Settings(_env_file=None)))
        return [outcome.failures for outcome in result.outcomes], result.coverage.untaken

    return played


async def test_what_is_expected_is_compared(play):
    do = [{"a": get()}, {"b": {"set": {"n": "${ .n + 1 }"}}}]
    answers = {"/do/0/a": {"output": {"n": 1}, "after": "PT5S"}}
    good = {"output": {"n": 2}, "path": ["a", "/do/1/b"], "duration": "PT5S", "status": "completed", "events": []}
    wrong = [{"output": {"n": 3}}, {"path": ["b"]}, {"duration": "PT6S"}, {"status": "faulted"}, {"events": [{}]}]
    expectations = [good, *wrong]
    failures, untaken = await play(do, *({"answers": answers, "expect": expect} for expect in expectations))
    assert failures[0] == []
    assert all(found for found in failures[1:])
    assert 'found {"n":2}' in failures[1][0]
    assert untaken == ()


async def test_months_take_no_time(play):
    do = [{"w": {"wait": "P6M"}}, {"h": {"call": "human-task:1.0.0@default", "with": {"title": "T"}}}]
    scenario = {"answers": {"/do/1/h": {"outcome": "approved", "after": "P2M"}}, "until": "P9M"}
    late = {"answers": {"/do/1/h": {"outcome": "approved", "after": "P4M"}}, "until": "P9M"}
    failures, _ = await play(do, scenario, late)
    assert failures[0] == []
    assert "waits for a human-task, and the scenario has nothing more" in failures[1][0]


async def test_attempts_and_iterations_are_answered_in_order(play):
    attempt = {"try": [{"a": get()}], "catch": {"retry": {"delay": "PT1S", "limit": {"attempt": {"count": 3}}}}}
    do = [{"f": {"for": {"in": "${ [1, 2] }"}, "do": [{"t": attempt}, {"s": {"set": "${ . }"}}]}}]
    place = "/do/0/f/do/0/t/try/0/a"
    answers = [{"error": {"status": 503}}, {"output": "one"}, {"output": "two"}]
    good = {"answers": {place: answers}, "expect": {"output": "two", "duration": "PT1S"}}
    short = {"answers": {place: answers[:2]}}
    failures, untaken = await play(do, good, short)
    assert failures == [[], [f"{place} asks for an answer for the 3. time, the scenario has 2"]]
    assert untaken == ()


async def test_what_the_scenario_does_not_answer_is_named(play):
    failures, untaken = await play([{"a": get()}, {"b": {"set": {"x": 1}}}], {})
    assert failures == [["no answer for /do/0/a, which asks for GET https://a.example/x"]]
    assert untaken == ("/do/1/b",)


async def test_errors(play):
    do = [{"a": get()}]
    error = {"type": "authorization", "title": "No", "detail": "not you"}
    answers = {"/do/0/a": {"error": error}}
    good = {"answers": answers, "expect": {"error": {**error, "status": 403, "instance": "/do/0/a"}}}
    other = {"answers": answers, "expect": {"error": {"status": 500}}}
    unexpected = {"answers": answers}
    failures, _ = await play(do, good, other, unexpected)
    assert failures[0] == []
    assert 'expected the error {"status":500}' in failures[1][0]
    assert "expected the status completed, found faulted" in failures[2][0]


async def test_events_come_when_they_are_awaited_or_at_a_time(play):
    listen = {"listen": {"to": {"one": {"with": {"type": "paid"}}}}}
    do = [
        {"w": {"wait": "PT1M"}},
        {"l": listen},
        {"e": {"emit": {"event": {"with": {"source": "urn:x", "type": "done"}}}}},
    ]
    event = {"type": "paid", "data": {"n": 1}}
    awaited = {"events": [event], "expect": {"duration": "PT1M", "events": [{"type": "done"}]}}
    timed = {"events": [{**event, "at": "PT1H"}], "expect": {"duration": "PT1H"}}
    early = {"events": [{**event, "at": "PT5S"}]}
    failures, _ = await play(do, awaited, timed, early)
    assert failures[:2] == [[], []]
    assert "/do/1/l waits for a event" in failures[2][0]


async def test_a_process_hears_its_own_events(play):
    emit = {"emit": {"event": {"with": {"source": "urn:x", "type": "ping", "data": 5}}}}
    branches = [{"l": {"listen": {"to": {"one": {"with": {"type": "ping"}}}}}}, {"e": emit}]
    failures, _ = await play([{"f": {"fork": {"branches": branches}}}], {})
    assert failures == [[]]


async def test_children_run_for_real_or_are_answered(play):
    run = {"run": {"workflow": {"namespace": "test", "name": "child", "version": "1.0.0", "input": {"n": 1}}}}
    child = {"document": {**HEAD, "name": "child"}, "do": [{"a": get()}, {"s": {"set": {"got": "${ . }"}}}]}
    real = {"answers": {"test/child:/do/0/a": {"output": 7}}, "expect": {"output": {"got": 7}}}
    failures, _ = await play([{"r": run}], real, definitions=[child])
    assert failures == [[]]
    canned = {"answers": {"/do/0/r": {"output": 8}}, "expect": {"output": 8}}
    faulted = {"answers": {"/do/0/r": {"error": {"status": 409}}}, "expect": {"error": {"status": 409}}}
    failures, _ = await play([{"r": run}], canned, faulted, {})
    assert failures[:2] == [[], []]
    assert "the process test/child:1.0.0 (list it under `definitions`)" in failures[2][0]


async def test_jobs(play):
    do = [{"j": {"call": "job:1.0.0@default", "with": {"type": "charge", "input": "${ .n }"}}}]
    good = {"answers": {"/do/0/j": {"output": 5, "after": "PT1M"}}, "expect": {"output": 5, "duration": "PT1M"}}
    bad = {
        "answers": {"/do/0/j": {"error": {"status": 402, "title": "Declined"}}},
        "expect": {"error": {"status": 402}},
    }
    failures, _ = await play(do, good, bad, {})
    assert failures == [[], [], ["no answer for /do/0/j, which asks for a job of the type charge"]]


async def test_functions_from_elsewhere_are_given_in_the_file(play):
    do = [{"c": {"call": "twice:1.0.0@default", "with": {"n": "${ .n }"}}}]
    function = {"input": {"schema": {"document": {"required": ["n"]}}}, "set": {"n": "${ .n * 2 }"}}
    scenario = {"input": {"n": 4}, "expect": {"output": {"n": 8}}}
    failures, untaken = await play(do, scenario, functions={"twice:1.0.0@default": function})
    assert (failures, untaken) == ([[]], ())
    with pytest.raises(FileUnusable) as caught:
        await play(do, scenario)
    assert "twice:1.0.0@default" in caught.value.problems[0].detail


async def test_transformed_answers_secrets_and_commands(play):
    do = [{"a": get(output={"as": "${ .inner }"})}, {"s": {"set": {"k": "${ $secrets.k }"}}}, {"w": {"wait": "PT1M"}}]
    raw = {"answers": {"/do/0/a": {"output": {"inner": 1}}}, "secrets": {"k": "v"}, "expect": {"output": {"k": "v"}}}
    transformed = {**raw, "answers": {"/do/0/a": {"transformed": 1}}}
    cancel = {**raw, "commands": [{"command": "cancel", "at": "PT5S"}], "expect": {"status": "cancelled"}}
    pause = {
        **raw,
        "commands": [{"command": "suspend", "at": "PT5S"}, {"command": "resume", "at": "PT5M"}],
        "expect": {"duration": "PT5M"},
    }
    failures, _ = await play(do, raw, transformed, cancel, pause, use={"secrets": ["k"]})
    assert failures == [[], [], [], []]


async def test_what_nothing_has_taken(play):
    switch = {"switch": [{"small": {"when": ".n < 5", "then": "end"}}, {"big": {"then": "t"}}]}
    do = [{"s": switch}, {"t": {"try": [{"a": get()}], "catch": {"do": [{"c": {"set": {"caught": True}}}]}}}]
    answer = {"/do/1/t/try/0/a": {"output": 1}}
    failures, untaken = await play(do, {"input": {"n": 9}, "answers": answer})
    assert failures == [[]]
    assert untaken == ("/do/0/s/switch/0/small", "/do/1/t/catch", "/do/1/t/catch/do/0/c")
    failures, untaken = await play(
        do, {"input": {"n": 1}}, {"input": {"n": 9}, "answers": {"/do/1/t/try/0/a": {"error": {"status": 500}}}}
    )
    assert (failures, untaken) == ([[], []], ())


async def test_a_loop_without_end_is_told(play, monkeypatch):
    monkeypatch.setattr("perdure.scenarios.world.STEPS_MAX", 50)
    failures, _ = await play([{"a": {"set": {"x": 1}, "then": "a"}}], {})
    assert failures == [["the processes never come to rest"]]


BAD = {
    "scenarios: []\ndefinition: {}": ("/scenarios", "at least one"),
    "definition: {}\nscenarios: [{name: 5}]": ("/scenarios/0/name", "Expected `str`"),
    "definition: {}\nscenarios: [{name: a, answer: {}}]": ("/scenarios/0", "unknown field `answer`"),
    "definition: {}\nscenarios: [{name: a, answers: {/do/0/a: {output: 1, error: {}}}}]": (
        "/scenarios/0/answers/~1do~10~1a",
        "exactly one of",
    ),
    "definition: {}\nscenarios: [{name: a, answers: {/do/0/a: [{output: 1, after: soon}]}}]": (
        "/scenarios/0/answers/~1do~10~1a/0/after",
        "ISO 8601",
    ),
    "definition: {}\nscenarios: [{name: a, commands: [{command: stop}]}]": (
        "/scenarios/0/commands/0/command",
        "suspend, resume, cancel or retry",
    ),
    "definition: {}\nscenarios: [{name: a, start: soon}]": (
        "/scenarios/0/start",
        'a time as RFC 3339 writes it, such as 2026-01-01T00:00:00Z, found "soon"',
    ),
    "definition: {}\nscenarios: [{name: a, start: 2026-01-01}]": ("/scenarios/0/start", 'found "2026-01-01"'),
    "definition: {}\nscenarios: [{name: a, start: '2026-01-01T09:30:00'}]": ("/scenarios/0/start", "RFC 3339"),
    "definition: {}\nscenarios: [{name: a, start: '0001-01-01T00:00:00+01:00'}]": ("/scenarios/0/start", "RFC 3339"),
    "definition: {}\nscenarios: [{name: a, start: '9999-01-01T00:00:00Z'}]": (
        "/scenarios/0/start",
        'of the years 1970 to 7999, found "9999',
    ),
    "definition: {}\nscenarios: [{name: a, expect: {duration: 3 days}}]": (
        "/scenarios/0/expect/duration",
        'an ISO 8601 duration such as PT30S or P1DT12H, found "3 days"',
    ),
    "definition: {}\nscenarios: [{name: a, expect: {duration: null}}]": ("/scenarios/0/expect/duration", "found null"),
    "a: [": ("", "expected"),
}


@pytest.mark.parametrize("text", BAD)
async def test_a_bad_file_is_told_with_the_place(tmp_path, text):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(FileUnusable) as caught:
        await files.play(file, partial(wiring.open_evaluator, Settings(_env_file=None)))
    pointer, words = BAD[text]
    problem = caught.value.problems[0]
    assert problem.pointer == pointer
    assert words in problem.detail
    assert problem.line is not None


async def test_a_bad_definition_is_told_with_its_file(tmp_path):
    (tmp_path / "d.yaml").write_text("do: []")
    (tmp_path / "s.yaml").write_text("definition: d.yaml\nscenarios: [{name: a}]")
    with pytest.raises(FileUnusable) as caught:
        await files.play(tmp_path / "s.yaml", partial(wiring.open_evaluator, Settings(_env_file=None)))
    assert caught.value.file == str(tmp_path / "d.yaml")
    (tmp_path / "s.yaml").write_text("definition: none.yaml\nscenarios: [{name: a}]")
    with pytest.raises(FileUnusable, match=r"none\.yaml"):
        await files.play(tmp_path / "s.yaml", partial(wiring.open_evaluator, Settings(_env_file=None)))


def test_what_has_not_ended_is_not_exported():
    with pytest.raises(Unexportable, match="is waiting"):
        scenario_of({"id": "p", "status": "waiting"}, {"document": HEAD, "do": []}, [], [])


def subscribing(subscription, **more):
    arguments = {"document": {"endpoint": "https://a.example/d"}, "operation": "o", "subscription": subscription}
    return {"call": "asyncapi", "with": arguments, **more}


async def test_the_output_of_a_subscription_is_the_messages_that_come(play):
    foreach = {"do": [{"x": {"set": {"n": "${ $item.payload + 1 }"}}}]}
    do = [{"s": subscribing({"filter": "${ .payload > 1 }", "consume": {"amount": 2}, "foreach": foreach})}]
    messages = [1, {"payload": 2, "headers": {"a": "b"}}, 3, 4]
    scenario = {
        "answers": {"/do/0/s": {"output": messages, "after": "PT1M"}},
        "expect": {"output": [{"n": 3}, {"n": 4}]},
    }
    late = {"answers": {"/do/0/s": {"output": [2]}}}
    failures, _ = await play(do, scenario, late, {"answers": {"/do/0/s": {"output": "text"}}})
    assert failures[0] == []
    assert "/do/0/s waits for a event, and the scenario has nothing more" in failures[1][0]
    assert "must be the list of the messages" in failures[2][0]


async def test_a_subscription_that_fails_or_runs_out_of_time(play):
    do = [{"s": subscribing({"consume": {"amount": 2, "for": "PT1H"}})}]
    timed = {
        "answers": {"/do/0/s": {"output": [1], "after": "PT5M"}},
        "expect": {"output": [{"payload": 1, "headers": {}}], "duration": "PT1H"},
    }
    failing = {"answers": {"/do/0/s": {"error": {"status": 503}}}, "expect": {"error": {"type": "communication"}}}
    failures, _ = await play(do, timed, failing)
    assert failures == [[], []]


async def test_publishing_is_answered_by_its_output(play):
    arguments = {"document": {"endpoint": "https://a.example/d"}, "operation": "o", "message": {"payload": {"a": 1}}}
    do = [{"p": {"call": "asyncapi", "with": arguments}}]
    sent = {"payload": {"a": 1}, "headers": {}}
    failures, _ = await play(do, {"answers": {"/do/0/p": {"output": sent}}, "expect": {"output": sent}})
    assert failures == [[]]
