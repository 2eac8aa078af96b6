"""Compilation: what the engine is given."""

import json
from pathlib import Path

import pytest
from definition_cases import loaded

from perdure.definition.loader import compile_document, load
from perdure.definition.program import (
    Backoff,
    Call,
    Do,
    Duration,
    For,
    Fork,
    Listen,
    Program,
    Raise,
    RunWorkflow,
    Set,
    Strategy,
    Switch,
    Task,
    Try,
    Wait,
)
from perdure.definition.template import ArrayTemplate, Expression, Interpolation, Literal, ObjectTemplate

DOCUMENTS = Path(__file__).parent / "documents"


@pytest.fixture(scope="module")
def definition():
    return load((DOCUMENTS / "loan-application.yaml").read_bytes(), "application/yaml")


@pytest.fixture(scope="module")
def program(definition) -> Program:
    assert definition.program is not None
    return definition.program


def task(program: Program, reference: str) -> Task:
    return next(task for task in program.tasks if task.reference == reference)


def test_the_head(definition, program):
    assert (definition.namespace, definition.name) == ("lending", "loan-application")
    assert definition.version == program.version == "2.1.0-rc.1+build.7"
    assert definition.title == "Loan application"
    assert definition.summary == "From the customer's wish to the money on the account.\n"
    assert definition.warnings == ()
    assert definition.locate("/do/0/remember/set/amount") == (65, 17)
    assert program.secrets == {"ratingKey", "bankLogin"}
    assert program.timeout == Duration(months=3)
    assert program.document == definition.document


def test_tasks_stand_in_document_order(program):
    assert [task.index for task in program.tasks] == list(range(len(program.tasks)))
    assert [task.reference for task in program.tasks] == [
        "/do/0/remember",
        "/do/1/rate",
        "/do/1/rate/try/0/askRating",
        "/do/1/rate/catch/do/0/giveUp",
        "/do/2/branch",
        "/do/3/both",
        "/do/3/both/fork/branches/0/person",
        "/do/3/both/fork/branches/1/partner",
        "/do/4/refuse",
        "/do/5/decide",
        "/do/5/decide/do/0/each",
        "/do/5/decide/do/0/each/do/0/greet",
        "/do/5/decide/do/0/each/do/1/pause",
        "/do/5/decide/do/1/announce",
        "/do/6/signed",
        "/do/6/signed/foreach/do/0/thank",
        "/do/7/drain",
    ]
    assert program.body.positions["branch"] == 2
    assert program.body.tasks[2] is program.tasks[4]


def test_references_lead_to_the_definition_of_the_task(program):
    for each in program.tasks:
        value = program.document
        for token in each.reference[1:].split("/"):
            value = value[int(token)] if isinstance(value, list) else value[token]
        assert value is each.definition


def test_what_every_task_has(program):
    remember = task(program, "/do/0/remember")
    assert remember.condition == Expression(".amount > 0", "/do/0/remember/if")
    assert remember.export_as == Expression("$context + { amount: .amount }", "/do/0/remember/export/as")
    assert remember.metadata == {"audit": True}
    assert remember.then == "continue"
    ask = task(program, "/do/1/rate/try/0/askRating")
    assert ask.timeout == Duration(seconds=30.5)
    assert ask.output_as == Expression(".content.score", "/do/1/rate/try/0/askRating/output/as")
    assert ask.output_schema is not None
    assert ask.output_schema.validate("x") == [("", '"x" is not of type "integer"')]


def test_the_workflow_data(program):
    assert program.input_schema is not None
    assert program.input_schema.validate({"amount": -1})[0][0] == "/amount"
    assert isinstance(program.input_from, Expression)
    assert program.output_as == ObjectTemplate((("decision", Expression(".decision", "/output/as/decision")),))
    assert program.output_schema is not None
    assert program.output_schema.validate(None) == []


def test_set(program):
    remember = task(program, "/do/0/remember")
    assert isinstance(remember, Set)
    place = "/do/0/remember/set"
    assert remember.value == ObjectTemplate(
        (
            ("amount", Expression(".amount", f"{place}/amount")),
            (
                "note",
                Interpolation(
                    (
                        "For ",
                        Expression(".applicant.name", f"{place}/note"),
                        ", ",
                        Expression(".amount", f"{place}/note"),
                        " in all",
                    )
                ),
            ),
            (
                "limits",
                ArrayTemplate(
                    (
                        Literal(1),
                        Expression(".amount * 2", f"{place}/limits/1"),
                        ObjectTemplate((("deep", Expression('{a: "}"}', f"{place}/limits/2/deep")),)),
                    )
                ),
            ),
            ("plain", Literal("text with { braces }")),
        )
    )


def test_a_named_authentication_is_replaced_by_its_policy(program):
    ask = task(program, "/do/1/rate/try/0/askRating")
    assert isinstance(ask, Call)
    assert ask.function == "http"
    assert isinstance(ask.arguments, ObjectTemplate)
    token = Expression(".key", "/use/authentications/rating/bearer/token")
    bearer = ObjectTemplate((("bearer", ObjectTemplate((("token", token),))),))
    uri = Literal("https://rating.example.com/people/{applicant}")
    assert dict(ask.arguments.members)["endpoint"] == ObjectTemplate((("uri", uri), ("authentication", bearer)))
    partner = task(program, "/do/3/both/fork/branches/1/partner")
    assert isinstance(partner, Call)
    assert partner.function == "callback"
    assert isinstance(partner.arguments, ObjectTemplate)
    request = dict(partner.arguments.members)["request"]
    assert isinstance(request, ObjectTemplate)
    assert dict(request.members)["endpoint"] == Literal(
        {"uri": "https://partner.example.com/ask", "authentication": {"basic": {"use": "bankLogin"}}}
    )


def test_human_task(program):
    person = task(program, "/do/3/both/fork/branches/0/person")
    assert isinstance(person, Call)
    assert person.function == "human-task"
    assert isinstance(person.arguments, ObjectTemplate)
    arguments = dict(person.arguments.members)
    assert arguments["outcomes"] == Literal(["granted", "refused"])
    assert arguments["due"] == Literal("P2D")


def test_try_with_a_named_retry_policy(program):
    rate = task(program, "/do/1/rate")
    assert isinstance(rate, Try)
    catch = rate.catch
    assert catch.as_ == "failure"
    assert catch.filter["status"] == 503
    assert catch.when == Expression("$failure.status != 404", "/do/1/rate/catch/when")
    assert catch.body is not None
    assert [t.name for t in catch.body.tasks] == ["giveUp"]
    retry = catch.retry
    assert retry is not None
    assert retry.when == Expression("$failure.status >= 500", "/use/retries/patiently/when")
    assert retry.except_when == Expression("$failure.status == 501", "/use/retries/patiently/exceptWhen")
    assert retry.delay == Duration(seconds=1.5)
    assert retry.backoff == Backoff("exponential", {})
    assert (retry.attempt_count, retry.attempt_duration, retry.duration) == (
        5,
        Duration(seconds=30),
        Duration(seconds=600),
    )
    assert retry.jitter_from == Duration()
    assert retry.jitter_to == Expression('"PT\\(.spread)S"', "/use/retries/patiently/jitter/to")


def test_flow(program):
    branch = task(program, "/do/2/branch")
    assert isinstance(branch, Switch)
    assert [(case.name, case.when and case.when.text, case.then) for case in branch.cases] == [
        ("good", ".score > 700", "decide"),
        ("hopeless", ".score < 10", "refuse"),
        ("otherwise", None, "continue"),
    ]
    both = task(program, "/do/3/both")
    assert isinstance(both, Fork)
    assert both.compete
    assert both.then == "decide"
    each = task(program, "/do/5/decide/do/0/each")
    assert isinstance(each, For)
    assert (each.each, each.at, each.collection.text) == ("guarantor", "position", ".guarantors")
    assert each.while_ == Expression(".open", "/do/5/decide/do/0/each/while")
    pause = task(program, "/do/5/decide/do/0/each/do/1/pause")
    assert isinstance(pause, Wait)
    assert pause.duration == Duration(seconds=3600)


def test_a_named_error(program):
    refuse = task(program, "/do/4/refuse")
    assert isinstance(refuse, Raise)
    assert isinstance(refuse.error, ObjectTemplate)
    detail = dict(refuse.error.members)["detail"]
    assert isinstance(detail, Expression)
    assert detail.pointer == "/use/errors/tooPoor/detail"


def test_run(program):
    greet = task(program, "/do/5/decide/do/0/each/do/0/greet")
    assert isinstance(greet, RunWorkflow)
    assert (greet.namespace, greet.workflow, greet.version) == ("lending", "greet", "latest")
    assert (greet.await_, greet.return_) == (False, "none")


def test_listen(program):
    signed = task(program, "/do/6/signed")
    assert isinstance(signed, Listen)
    assert (signed.read, signed.strategy.mode) == ("envelope", "any")
    (pattern,) = signed.strategy.filters
    assert pattern.attributes["type"] == Literal("com.example.signature.v1")
    assert pattern.attributes["data"] == Expression(".valid", "/do/6/signed/listen/to/any/0/with/data")
    assert [(c.name, c.from_.text, c.expect) for c in pattern.correlations] == [
        (
            "loan",
            ".data.loan",
            Expression("$workflow.id", "/do/6/signed/listen/to/any/0/correlate/loan/expect"),
        ),
        ("place", ".subject", None),
    ]
    assert isinstance(signed.strategy.until, Strategy)
    assert signed.strategy.until.mode == "one"
    assert signed.foreach is not None
    assert (signed.foreach.item, signed.foreach.at) == ("signature", "number")
    assert signed.foreach.output_as == Expression("$signature.data", "/do/6/signed/foreach/output/as")
    drain = task(program, "/do/7/drain")
    assert isinstance(drain, Listen)
    assert drain.strategy.filters == ()
    assert drain.strategy.until == Expression("(. | length) > 3", "/do/7/drain/listen/to/until")


def test_defaults():
    program = loaded(
        "do:\n- f: {for: {in: .x}, do: []}\n- l: {listen: {to: {any: []}}, foreach: {}}\n"
        "- t: {try: [], catch: {}}\n- k: {fork: {branches: []}}\n"
        "- r: {run: {workflow: {namespace: a, name: b, version: 1.0.0}}}\n- c: {call: 'callback:1.0.0@default'}"
    ).program
    assert program is not None
    for_, listen, try_, fork, run, call = program.body.tasks
    assert isinstance(for_, For)
    assert (for_.each, for_.at, for_.while_) == ("item", "index", None)
    assert isinstance(listen, Listen)
    assert listen.read == "data"
    assert listen.foreach is not None
    assert (listen.foreach.item, listen.foreach.at, listen.foreach.body) == ("item", "index", None)
    assert isinstance(try_, Try)
    assert (try_.catch.as_, try_.catch.filter, try_.catch.retry, try_.catch.body) == ("error", {}, None, None)
    assert isinstance(fork, Fork)
    assert not fork.compete
    assert isinstance(run, RunWorkflow)
    assert (run.await_, run.return_, run.input) == (True, "stdout", None)
    assert isinstance(call, Call)
    assert call.arguments == Literal({})


def test_a_stored_document_compiles_to_the_same_program(definition, program):
    again = compile_document(json.loads(json.dumps(definition.document)))
    assert [t.reference for t in again.tasks] == [t.reference for t in program.tasks]
    assert again.expressions == program.expressions
    assert (again.timeout, again.secrets, again.input_from) == (program.timeout, program.secrets, program.input_from)


def test_every_expression_is_found(definition, program):
    assert set(program.expressions) == set(definition.expressions)
    assert len(definition.expressions) == 40


def test_expressions_are_found_in_every_kind_of_task():
    definition = load((DOCUMENTS / "everything-else.yaml").read_bytes(), "application/yaml")
    assert set(definition.program.expressions) <= set(definition.expressions)
    found = {(e.pointer, e.text) for e in definition.expressions}
    assert {
        ("/use/extensions/0/log/when", '$task.name != "quiet"'),
        ("/do/0/openapi/with/parameters/status", ".status"),
        ("/do/3/subscribe/with/subscription/filter", ".open"),
        ("/do/3/subscribe/with/subscription/foreach/do/0/keep/set/kept", "$message"),
        ("/do/5/model/with/parameters", ".parameters"),
        ("/do/7/container/run/container/arguments/1", ".b"),
        ("/do/10/shell/run/shell/command", ".word"),
    } <= found
    assert not any(pointer.startswith("/do/8/script") for pointer, _ in found)  # code has ${ } of its own


def test_loose_evaluation():
    definition = loaded(
        "evaluate: {mode: loose}\n"
        "do:\n- t: {if: .a, set: {x: .b, y: plain words, z: 5}, output: {as: .c}}\n"
        "- u: {wait: PT5S, timeout: {after: PT9S}}\n"
    )
    program = definition.program
    assert program is not None
    first, second = program.body.tasks
    assert first.condition == Expression(".a", "/do/0/t/if")  # a condition that fails is an error
    assert isinstance(first, Set)
    assert first.value == ObjectTemplate(
        (
            ("x", Expression(".b", "/do/0/t/set/x", ".b")),
            ("y", Expression("plain words", "/do/0/t/set/y", "plain words")),
            ("z", Literal(5)),
        )
    )
    assert first.output_as == Expression(".c", "/do/0/t/output/as", ".c")
    assert isinstance(second, Wait)
    assert second.duration == Duration(seconds=5)
    assert [e.text for e in definition.expressions] == [".a"]  # only this one must be well-formed


def test_bodies_in_do_and_set_as_one_expression():
    program = loaded("do:\n- d: {do: [{s: {set: .a.b, then: exit}}]}").program
    assert program is not None
    (do,) = program.body.tasks
    assert isinstance(do, Do)
    (set_,) = do.body.tasks
    assert isinstance(set_, Set)
    assert set_.value == Expression(".a.b", "/do/0/d/do/0/s/set")
    assert set_.then == "exit"
