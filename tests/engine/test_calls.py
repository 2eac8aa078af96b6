"""`call`: http, human-task, callback."""

import pytest
from driver import ENVIRONMENT, Run

from perdure.engine.effects import CancelCall, CloseCallback, EscalateHumanTask
from perdure.engine.errors import standard
from perdure.engine.facts import ActivityFailed, ActivitySucceeded, CallbackReceived
from perdure.engine.ids import callback_token

DEFAULTS = {"output": "content", "redirect": False}

REQUESTS = {
    "plain": ("{method: get, endpoint: 'http://x/y'}", {"method": "GET", "uri": "http://x/y"} | DEFAULTS),
    "template": (
        "{method: post, endpoint: {uri: 'http://x/{id}/{a.b}/{missing}/{flag}'}}",
        {"method": "POST", "uri": "http://x/a%2Fb%20%C3%A4/1.5//true"} | DEFAULTS,
    ),
    "an expression is no template": (
        "{method: get, endpoint: '${ \"http://x/{id}\" }'}",
        {"method": "GET", "uri": "http://x/{id}"} | DEFAULTS,
    ),
    "expressions among text": (
        "{method: get, endpoint: 'http://${ .host }/{id}'}",
        {"method": "GET", "uri": "http://{h}/a%2Fb%20%C3%A4"} | DEFAULTS,
    ),
    "everything": (
        """{
          method: put,
          endpoint: {uri: 'http://x', authentication: {basic: {username: '${ .host }', password: p}}},
          headers: {A: '${ .n }', B: b, C: '${ null }'},
          query: {q: '${ [1, 2] }'},
          body: {n: '${ .n }'},
          output: response,
          redirect: true
        }""",
        {
            "method": "PUT",
            "uri": "http://x",
            "headers": {"A": "1", "B": "b"},
            "query": {"q": [1, 2]},
            "body": {"n": 1},
            "output": "response",
            "redirect": True,
            "authentication": {"basic": {"username": "{h}", "password": "p"}},
        },
    ),
    "the authority of a policy": (
        """{method: get, endpoint: {uri: 'http://x', authentication:
        {oauth2: {authority: 'http://auth/{id}', username: '{id}'}}}}""",
        {
            "method": "GET",
            "uri": "http://x",
            "authentication": {"oauth2": {"authority": "http://auth/a%2Fb%20%C3%A4", "username": "{id}"}},
        }
        | DEFAULTS,
    ),
    "headers as an expression": (
        "{method: get, endpoint: 'http://x', headers: '${ {h: .n} }'}",
        {"method": "GET", "uri": "http://x", "headers": {"h": "1"}} | DEFAULTS,
    ),
}
INPUT = {"id": "a/b ä", "a.b": 1.5, "flag": True, "host": "{h}", "n": 1, "deep": {}}


@pytest.mark.parametrize("name", REQUESTS)
def test_request(name: str) -> None:
    arguments, expected = REQUESTS[name]
    run = Run(f"do: [c: {{call: http, with: {arguments}}}]").start(INPUT)
    assert run.call("c").request == expected
    assert (run.status, run.activity("c").status) == ("running", "running")
    assert [wait.reason for wait in run.step.waiting] == ["call"]


BAD_REQUESTS = {
    "not a scalar": ("{method: get, endpoint: 'http://x/{deep}'}", "expression", "{deep}"),
    "method": ("{method: '${ .n }', endpoint: 'http://x'}", "configuration", "with.method"),
    "endpoint": ("{method: get, endpoint: '${ .n }'}", "configuration", "with.endpoint"),
    "headers": ("{method: get, endpoint: 'http://x', headers: '${ 1 }'}", "configuration", "with.headers"),
    "header": ("{method: get, endpoint: 'http://x', headers: {h: '${ [] }'}}", "configuration", "header h"),
    "query": ("{method: get, endpoint: 'http://x', query: '${ 1 }'}", "configuration", "with.query"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_request(name: str) -> None:
    arguments, type_, words = BAD_REQUESTS[name]
    error = Run(f"do: [c: {{call: http, with: {arguments}}}]").start(INPUT).error
    assert (error.type.rsplit("/")[-1], error.instance) == (type_, "/do/0/c")
    assert words in error.detail


def test_an_answer_is_the_output() -> None:
    run = Run("do: [c: {call: http, with: {method: get, endpoint: 'http://x'}, output: {as: .id}}]").start()
    assert run.succeed("c", {"id": 3}).output == 3


def test_a_failure_is_an_error_of_the_task() -> None:
    error = Run("do: [c: {call: http, with: {method: get, endpoint: 'http://x'}}]").start().fail("c").error
    assert (error.status, error.instance, error.detail) == (503, "/do/0/c", "no")


HUMAN = "do: [h: {call: 'human-task:1.0.0@default', with: %s%s}]"


def test_a_human_task_is_opened_with_its_arguments() -> None:
    arguments = """{
      title: 'Approve ${ .n }', description: d,
      assignees: [ann], candidateGroups: '${ [\"g\"] }', excludeUsers: [bob],
      outcomes: [yes!, no!], form: {type: object}, due: PT1H, escalateTo: [boss]
    }"""
    run = Run(HUMAN % (arguments, "")).start({"n": 7})
    (task,) = run.human_tasks.values()
    assert (task.title, task.description, task.assignees) == ("Approve 7", "d", ("ann",))
    assert (task.candidate_groups, task.exclude_users, task.outcomes) == (("g",), ("bob",), ("yes!", "no!"))
    assert task.form == {"type": "object"}
    assert task.due is not None
    assert (task.due - run.now).seconds == 3600
    assert run.status == run.activity("h").status == "waiting"
    assert [(wait.reason, wait.until) for wait in run.step.waiting] == [("human-task", task.due)]
    run.fire("due")
    assert run.step.effects == [EscalateHumanTask(task.activity, ("boss",))]
    run.decide("yes!")
    assert run.output["outcome"] == "yes!"
    decided = next(entry for entry in run.history if entry.type == "dev.perdure.human-task.completed")
    assert (decided.actor, decided.data["outcome"]) == ("ann", "yes!")


def test_a_human_task_has_defaults() -> None:
    run = Run(HUMAN % ("{title: T}", "")).start()
    (task,) = run.human_tasks.values()
    assert (task.outcomes, task.due, run.timers) == (("approved", "rejected"), None, {})


def test_a_human_task_times_out() -> None:
    run = Run(HUMAN % ("{title: T}", ", timeout: {after: PT1M}")).start().fire("timeout")
    assert (run.error.status, run.human_tasks) == (408, {})


@pytest.mark.parametrize(
    "arguments",
    [
        "{title: '${ 1 }'}",
        "{title: T, assignees: '${ 1 }'}",
        "{title: T, due: '${ \"soon\" }'}",
        "{title: T, form: '${ 1 }'}",
    ],
)
def test_bad_arguments_of_a_human_task(arguments: str) -> None:
    assert Run(HUMAN % (arguments, "")).start().error.type.endswith("/configuration")


CALLBACK = """
do:
  - c:
      call: callback:1.0.0@default
      with:
        request:
          method: post
          endpoint: http://x/{id}
          body: {url: '${ $callback.url }', token: '${ $callback.token }'}
"""


def test_a_callback_tells_its_url_and_waits_for_it() -> None:
    run = Run(CALLBACK).start({"id": 1})
    token = callback_token(run.process.seed, run.activity("c").id)
    (opened,) = run.callbacks.values()
    assert opened.token == token
    call = run.call("c")
    assert (call.function, call.request["uri"]) == ("http", "http://x/1")
    assert call.request["body"] == {"url": f"{ENVIRONMENT.public_url}/v1/callbacks/{token}", "token": token}
    assert [wait.reason for wait in run.step.waiting] == ["callback"]
    run.succeed("c", "accepted")
    assert run.status == "waiting"
    assert run.call_back({"paid": True}).output == {"paid": True}


def test_a_callback_that_outruns_the_answer_wins() -> None:
    run = Run(CALLBACK).start()
    call = run.call("c")
    run.call_back("early")
    assert run.output == "early"
    assert run.step.effects == [CancelCall(call.activity)]
    run.take(ActivitySucceeded(call.activity, 1, "late"), ActivityFailed(call.activity, 1, standard("runtime", "")))
    assert run.output == "early"
    assert len(run.refusals()) == 2


def test_a_request_that_fails_closes_the_callback() -> None:
    run = Run(CALLBACK).start()
    activity = run.call("c").activity
    run.fail("c")
    assert run.error.status == 503
    assert run.step.effects == [CloseCallback(activity)]
    run.take(CallbackReceived(activity, "late"))
    assert run.refusals() == ["the process is faulted"]


def test_a_callback_without_request() -> None:
    run = Run("do: [c: {call: 'callback:1.0.0@default', with: {}}]").start()
    assert not run.calls
    assert run.call_back(None).output is None


def test_tokens_can_not_be_guessed_from_ids() -> None:
    run = Run(CALLBACK).start()
    activity = run.activity("c").id
    assert callback_token(b"a" * 32, activity) != callback_token(b"b" * 32, activity)
    assert len(callback_token(b"a" * 32, activity)) == 43


def test_a_task_that_nobody_else_may_decide_is_overdue_all_the_same() -> None:
    run = Run("do: [c: {call: 'human-task:1.0.0@default', with: {title: T, due: PT1H}}]").start()
    run.fire("due")
    assert "dev.perdure.human-task.overdue" in [entry.type for entry in run.history]
    assert not any(isinstance(effect, EscalateHumanTask) for effect in run.step.effects)
    assert run.decide("approved").output["outcome"] == "approved"
