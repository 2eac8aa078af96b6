"""`try`, `catch`, `retry`, `raise`."""

import pytest
from driver import Run

from perdure.engine.errors import Error, standard

ERROR = "{type: 'https://example.com/e', status: 418, title: T, detail: D}"


def raising(catch: str, error: str = ERROR) -> str:
    return f"do: [t: {{try: [r: {{raise: {{error: {error}}}}}], catch: {catch}}}, after: {{set: {{v: '${{ . }}'}}}}]"


CAUGHT = {
    "everything": "{}",
    "type": "{errors: {with: {type: 'https://example.com/e'}}}",
    "status": "{errors: {with: {status: 418}}}",
    "title and detail": "{errors: {with: {title: T, details: D}}}",
    "instance": "{errors: {with: {instance: /do/0/t/try/0/r}}}",
    "when": "{when: $error.status == 418}",
    "as": "{as: e, when: '$e.status == 418 and $e.instance == \"/do/0/t/try/0/r\"'}",
    "not except": "{exceptWhen: $error.status == 500}",
}
PASSED = {
    "other type": "{errors: {with: {type: 'https://example.com/f'}}}",
    "other status": "{errors: {with: {status: 419}}}",
    "one of two": "{errors: {with: {status: 418, title: U}}}",
    "when not": "{when: $error.status == 500}",
    "except": "{exceptWhen: $error.status == 418}",
}


@pytest.mark.parametrize("name", CAUGHT)
def test_caught(name: str) -> None:
    run = Run(raising(CAUGHT[name])).start({"i": 1})
    assert run.output == {"v": {"i": 1}}
    assert run.statuses() == {"t": "completed", "r": "faulted", "after": "completed"}


@pytest.mark.parametrize("name", PASSED)
def test_passed(name: str) -> None:
    run = Run(raising(PASSED[name])).start()
    assert run.error == Error("https://example.com/e", 418, "T", "D", "/do/0/t/try/0/r")
    assert run.statuses() == {"t": "faulted", "r": "faulted"}


@pytest.mark.parametrize(
    "base",
    [
        "https://serverlessworkflow.io/spec/1.0.0/errors/",
        "https://serverlessworkflow.io/dsl/errors/types/",
        "https://open-workflow-specification.org/spec/1.0.0/errors/",
    ],
)
def test_a_standard_error_has_many_bases(base: str) -> None:
    definition = (
        f"do: [t: {{try: [e: {{set: '${{ error }}'}}], catch: {{errors: {{with: {{type: '{base}expression'}}}}}}}}]"
    )
    assert Run(definition).start(1).output == 1


def test_the_handler_sees_the_error_and_the_input() -> None:
    run = Run(
        raising("{as: err, do: [h: {set: {s: '${ $err.status }', i: '${ . }'}}, k: {set: '${ [., $err.title] }'}]}")
    )
    assert run.start(5).output == {"v": [{"s": 418, "i": 5}, "T"]}
    assert run.activity("h").reference == "/do/0/t/catch/do/0/h"


def test_an_error_in_the_handler_goes_on_outwards() -> None:
    definition = "do: [o: {try: [%s], catch: {do: [h2: {set: '${ $error.status }'}]}}]"
    handler = "{do: [h: {raise: {error: {type: http://x, status: 1}}}]}"
    inner = f"t: {{try: [r: {{raise: {{error: {ERROR}}}}}], catch: {handler}}}"
    assert Run(definition % inner).start().output == 1


def test_what_runs_beside_the_error_is_cancelled() -> None:
    run = Run(
        """
        do:
          - t:
              try:
                - f:
                    fork:
                      branches:
                        - a: {call: http, with: {method: get, endpoint: 'http://a'}}
                        - b: {wait: PT1H}
              catch: {do: [{h: {set: '${ $error.status }'}}]}
        """
    ).start()
    run.fail("a")
    assert run.output == 503
    assert run.statuses() == {"t": "completed", "f": "faulted", "a": "faulted", "b": "cancelled", "h": "completed"}


def test_a_condition_that_fails_is_an_error_of_the_try() -> None:
    run = Run(raising("{when: error}")).start()
    assert (run.error.type.rsplit("/")[-1], run.error.instance) == ("expression", "/do/0/t")
    assert run.statuses() == {"t": "faulted", "r": "faulted"}


RAISED = {
    "a type with a property of the input": (
        "{type: 'https://example.com/{x}', status: 400}",
        Error("https://example.com/y", 400, None, None, "/do/0/r"),
    ),
    "an expression for the detail": (
        "{type: http://a, status: 400, detail: '${ .x }'}",
        Error("http://a", 400, None, "y", "/do/0/r"),
    ),
    "its own instance": ("{type: http://a, status: 400, instance: /mine}", Error("http://a", 400, None, None, "/mine")),
}


@pytest.mark.parametrize("name", RAISED)
def test_raised(name: str) -> None:
    definition, expected = RAISED[name]
    assert Run(f"do: [r: {{raise: {{error: {definition}}}}}]").start({"x": "y"}).error == expected


def test_a_named_error_is_raised() -> None:
    run = Run(f"use: {{errors: {{mine: {ERROR}}}}}\ndo: [r: {{raise: {{error: mine}}}}]").start()
    assert run.error == Error("https://example.com/e", 418, "T", "D", "/do/0/r")


CALL = "c: {call: http, with: {method: get, endpoint: 'http://x'}}"


def retrying(retry: str, body: str = CALL, rest: str = "") -> str:
    return f"do: [t: {{try: [{body}], catch: {{retry: {retry}{rest}}}}}]"


DELAYS = {
    "constant": ("{delay: {seconds: 3}, backoff: {constant: {}}}", [3, 3, 3, 3]),
    "none given": ("{delay: {seconds: 3}}", [3, 3, 3, 3]),
    "linear": ("{delay: {seconds: 3}, backoff: {linear: {}}}", [3, 6, 9, 12]),
    "exponential": ("{delay: {seconds: 3}, backoff: {exponential: {}}}", [3, 6, 12, 24]),
    "a duration as text": ("{delay: PT0.5S}", [0.5, 0.5]),
}


@pytest.mark.parametrize("name", DELAYS)
def test_delays(name: str) -> None:
    policy, expected = DELAYS[name]
    run = Run(retrying(policy)).start()
    for seconds in expected:
        before = run.now
        run.fail("c")
        assert run.status == "waiting"
        assert [wait.reason for wait in run.step.waiting] == ["retry"]
        run.fire()
        assert (run.now - before).total_seconds() == seconds
    assert run.call("c").attempt == run.activity("t").attempt == len(expected) + 1
    assert len(run.named("c")) == 1
    assert run.succeed("c", 1).output == 1


def test_jitter_is_within_its_range_and_always_the_same() -> None:
    policy = "{delay: {seconds: 10}, jitter: {from: {seconds: 1}, to: {seconds: 3}}}"

    def delays() -> list[float]:
        run, found = Run(retrying(policy)).start(), []
        for _ in range(5):
            before = run.now
            run.fail("c").fire()
            found.append((run.now - before).total_seconds())
        return found

    first = delays()
    assert all(11 <= delay <= 13 for delay in first)
    assert len(set(first)) == 5
    assert first == delays()


def test_the_count_limits_the_retries() -> None:
    run = Run(retrying("{delay: {seconds: 1}, limit: {attempt: {count: 2}}}")).start()
    run.fail("c").fire().fail("c").fire().fail("c")
    assert (run.error.status, run.error.instance) == (503, "/do/0/t/try/0/c")
    assert run.activity("c").attempt == 3


def test_retries_are_exhausted_into_the_handler() -> None:
    run = Run(retrying("{limit: {attempt: {count: 1}}}", rest=", do: [h: {set: '${ $error.status }'}]")).start()
    assert run.fail("c").status == "running"
    assert run.fail("c").output == 503


def test_the_duration_limits_the_retries() -> None:
    run = Run(retrying("{delay: {seconds: 4}, limit: {duration: {seconds: 9}}}")).start()
    run.fail("c").fire().fail("c").fire()
    assert run.fail("c").status == "faulted"


@pytest.mark.parametrize(
    ("condition", "retried"),
    [
        ("when: $error.status == 503", True),
        ("when: $error.status == 500", False),
        ("exceptWhen: $error.status == 503", False),
    ],
)
def test_retry_conditions(condition: str, retried: bool) -> None:
    run = Run(retrying(f"{{delay: {{seconds: 1}}, {condition}}}")).start().fail("c")
    assert (run.status == "waiting") == retried


def test_a_named_policy() -> None:
    run = Run(f"use: {{retries: {{p: {{delay: PT7S}}}}}}\n{retrying('p')}").start().fail("c").fire()
    assert (run.now.second, run.call("c").attempt) == (7, 2)


def test_an_attempt_that_takes_too_long_is_retried() -> None:
    run = Run(retrying("{limit: {attempt: {count: 1, duration: {seconds: 5}}}}")).start()
    first = run.call("c")
    run.fire("timeout")
    assert first.attempt == 1
    assert run.call("c").attempt == 2
    run.fire("timeout")
    assert (run.error.status, run.error.instance) == (408, "/do/0/t/try/0/c")


def test_a_retried_body_begins_again_with_its_input() -> None:
    body = f"a: {{set: {{n: '${{ .n + 1 }}'}}}}, {CALL}"
    run = Run(retrying("{}", body)).start({"n": 1}).fail("c").succeed("c", 5)
    assert run.output == 5
    assert run.activity("a").attempt == 2
    assert run.value(run.activity("a").output) == {"n": 2}


def test_activities_keep_their_ids_in_another_attempt() -> None:
    body = f"a: {{set: '${{ . + 1 }}'}}, w: {{switch: [{{b: {{when: . < 3, then: a}}}}]}}, {CALL}"
    run = Run(retrying("{}", body)).start(0)
    first = {activity.id for activity in run.activities.values()}
    run.fail("c")
    assert {activity.id for activity in run.activities.values()} == first
    assert {activity.attempt for activity in run.activities.values()} == {2}


def test_attempts_in_nested_tries() -> None:
    inner = f"i: {{try: [{CALL}], catch: {{retry: {{limit: {{attempt: {{count: 1}}}}}}}}}}"
    run = Run(retrying("{}", f"a: {{set: {{v: 1}}}}, {inner}")).start()
    run.fail("c").fail("c")
    assert [run.activity(name).attempt for name in "taic"] == [2, 2, 3, 3]
    run.fail("c")
    assert [run.activity(name).attempt for name in "taic"] == [2, 2, 4, 4]
    assert run.succeed("c", 1).output == 1


def test_iterations_within_a_try_are_first_attempts() -> None:
    loop = f"l: {{for: {{in: '[1,2]'}}, do: [{CALL}]}}"
    run = Run(retrying("{}", loop)).start().succeed("c").succeed("c")
    assert [activity.attempt for activity in run.named("c")] == [1, 1]


def test_a_try_within_a_loop_counts_anew() -> None:
    inner = f"i: {{try: [{CALL}], catch: {{retry: {{}}}}}}"
    run = Run(f"do: [l: {{for: {{in: '[1,2]'}}, do: [{inner}]}}]").start()
    run.fail("c").succeed("c").succeed("c")
    assert [activity.attempt for activity in run.named("c")] == [2, 1]


def test_a_late_answer_to_an_earlier_attempt_is_refused() -> None:
    from perdure.engine.facts import ActivitySucceeded

    run = Run(retrying("{}")).start()
    run.fail("c", standard("communication", "no"))
    run.take(ActivitySucceeded(run.activity("c").id, 1, "late"))
    assert run.refusals() == ["it is of attempt 1, the activity is at 2"]
    assert run.succeed("c", "right").output == "right"


def test_retries_without_delay_do_not_hold_up_the_step() -> None:
    run = Run(retrying("{}", "r: {raise: {error: {type: http://x, status: 1}}}"), activities_max=10).start(drain=False)
    assert run.step.more
    assert run.activity("r").attempt == 10


def test_the_trail_of_a_retry() -> None:
    run = Run(retrying("{delay: {seconds: 1}}")).start().fail("c").fire().succeed("c")
    own = run.activity("t").id
    assert [entry.type.split(".")[-2] for entry in run.history if entry.activity == own] == [
        "created",
        "started",
        "error",
        "timer",
        "retried",
        "completed",
    ]
