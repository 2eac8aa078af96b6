"""Calls of functions that are tasks: they run within the call's activity."""

from driver import Run, program_of

from perdure.definition.loader import compile_document
from perdure.definition.pins import FUNCTION, Pin

GREET = """
use:
  functions:
    greet:
      input: {schema: {document: {type: object, required: [name], properties: {name: {type: string}}}}}
      set: {text: '${ "Hello, " + .name }'}
      output: {as: .text}
do:
- one: {call: greet, with: {name: '${ .who }'}}
- two: {call: greet, with: {name: Bob}, input: {from: '{}'}, output: {as: '{said: .}'}, export: {as: .}}
- three: {set: {said: '${ $context.said }'}}
"""


def test_the_arguments_are_the_input_and_the_output_is_the_call_s():
    run = Run(GREET).start({"who": "Ann"})
    assert run.output == {"said": "Hello, Bob"}
    assert [(a.name, a.kind, a.reference, a.status) for a in run.activities.values() if a.name in ("one", "greet")] == [
        ("one", "call", "/do/0/one", "completed"),
        ("greet", "set", "/use/functions/greet", "completed"),
        ("greet", "set", "/use/functions/greet", "completed"),
    ]
    first, second = run.named("greet")
    assert first.id != second.id and first.parent == run.activity("one").id
    assert run.value(run.activity("one").output) == "Hello, Ann"
    assert run.value(first.input) == {"name": "Ann"}


def test_an_error_names_the_task_of_the_function():
    run = Run(GREET).start({"who": 5})
    assert run.error.instance == "/use/functions/greet"
    assert run.error.type.endswith("/validation")
    assert run.activity("one").status == "faulted"


def test_without_arguments_the_input_is_an_empty_object():
    run = Run("use: {functions: {f: {set: {got: '${ . }'}}}}\ndo:\n- t: {call: f, input: {from: '{n: 1}'}}").start()
    assert run.output == {"got": {}}


def test_a_function_may_call_functions_and_itself():
    run = Run(
        """
        use:
          functions:
            countdown:
              do:
              - again: {if: .n > 0, call: countdown, with: {n: '${ .n - 1 }', log: '${ .log + [.n] }'}}
              - done: {set: '${ if type == "object" then .log else . end }'}
        do:
        - t: {call: countdown, with: {n: 3, log: []}}
        """
    ).start()
    assert run.output == [3, 2, 1]
    assert len(run.named("countdown")) == 4


def test_endless_recursion_is_an_error():
    run = Run("use: {functions: {f: {do: [g: {call: f}]}}}\ndo:\n- t: {call: f}").start()
    assert run.error.type.endswith("/runtime")
    assert "nested more than" in run.error.detail


def test_a_function_knows_its_arguments_not_the_variables_around_its_call():
    run = Run(
        """
        use: {functions: {f: {set: {item: '${ $item }', given: '${ .given }'}}}}
        do:
        - t: {for: {in: '[1]'}, do: [c: {call: f, with: {given: '${ $item }'}}]}
        """
    ).start()
    assert run.status == "faulted" and "$item" in run.error.detail


def test_directives_of_a_function():
    run = Run(
        "use: {functions: {f: {set: {n: 1}, then: exit}}}\ndo:\n- t: {call: f}\n- u: {set: {m: '${ .n }'}}"
    ).start()
    assert run.output == {"m": 1}
    run = Run("use: {functions: {f: {set: {n: 1}, then: end}}}\ndo:\n- t: {call: f}\n- u: {set: {m: 2}}").start()
    assert run.output == {"n": 1}


def test_a_skipped_function_gives_its_input():
    run = Run("use: {functions: {f: {if: .go, set: {n: 1}}}}\ndo:\n- t: {call: f, with: {go: false}}").start()
    assert run.output == {"go": False}
    assert run.activity("f").status == "skipped"


HTTP = """
use:
  functions:
    fetch: {call: http, with: {method: get, endpoint: 'http://a.example/{id}'}, timeout: {after: PT5S}}
do:
- t:
    try: [c: {call: fetch, with: {id: 7}}]
    catch: {retry: {limit: {attempt: {count: 2}}}}
"""


def test_a_retried_call_keeps_its_activity_and_with_it_the_idempotency_key():
    run = Run(HTTP).start()
    first = run.call("fetch")
    assert first.request["uri"] == "http://a.example/7"
    run.fail("fetch")
    second = run.call("fetch")
    assert (second.activity, second.attempt) == (first.activity, 2)
    assert run.succeed("fetch", {"ok": True}).output == {"ok": True}


def test_an_operator_retries_within_the_function():
    run = Run(HTTP.replace("count: 2", "count: 0")).start()
    first = run.call("fetch")
    run.fail("fetch")
    assert run.error.instance == "/use/functions/fetch"
    from perdure.engine.facts import RetryRequested

    run.take(RetryRequested("ops"))
    again = run.call("fetch")
    assert (again.activity, again.attempt) == (first.activity, 2)
    assert run.succeed("fetch", 1).output == 1


def test_a_timeout_within_the_function_can_be_caught_outside():
    run = Run(HTTP.replace("retry: {limit: {attempt: {count: 2}}}", "do: [d: {set: {late: true}}]")).start()
    assert run.fire("timeout").output == {"late": True}
    assert not run.open


def test_a_cancelled_process_cancels_within_the_function():
    from perdure.engine.facts import CancelRequested

    run = Run(HTTP).start().take(CancelRequested("ops"))
    assert run.status == "cancelled" and not run.open
    assert {a.status for a in run.activities.values()} == {"cancelled"}


def pinned(text, *functions):
    program = program_of(text)
    pins = [
        Pin(n, FUNCTION, key, "https://a.example", document, own="@default" in key)
        for n, (key, document) in enumerate(functions)
    ]
    return compile_document(program.document, pins)


CATALOGUED = "use: {functions: {own: {set: {b: 2}}}}\ndo:\n- t: {call: 'f:1.0.0@default'}\n- u: {call: own}"


def test_a_function_that_was_not_found_is_a_configuration_error():
    run = Run(CATALOGUED).start()
    assert run.error.type.endswith("/configuration")
    assert run.error.instance == "/do/0/t"
    assert "register the very same definition again" in run.error.detail
    assert run.program.missing == {"f:1.0.0@default"}


def test_a_pinned_function_runs_and_stands_behind_all_other_tasks():
    bare = program_of(CATALOGUED)
    program = pinned(CATALOGUED, ("f:1.0.0@default", {"do": [{"x": {"call": "g:1.0.0@default"}}]}))
    assert [t.name for t in program.tasks] == [t.name for t in bare.tasks] + ["f:1.0.0@default", "x"]
    assert program.missing == {"g:1.0.0@default"}
    both = pinned(
        CATALOGUED,
        ("f:1.0.0@default", {"do": [{"x": {"call": "g:1.0.0@default"}}]}),
        ("g:1.0.0@default", {"set": {"a": 1}}),
    )
    assert [t.reference for t in both.tasks[: len(program.tasks)]] == [t.reference for t in program.tasks]
    run = Run(both).start()
    assert run.output == {"b": 2}
    assert run.value(run.activity("g:1.0.0@default").output) == {"a": 1}


def test_a_pinned_function_is_never_evaluated_loosely():
    text = "evaluate: {mode: loose}\ndo:\n- t: {call: 'https://a.example/f.yaml', with: {n: '1 + 1'}}"
    run = Run(pinned(text, ("https://a.example/f.yaml", {"set": {"n": "${ .n }", "text": "1 + 1"}}))).start()
    assert run.output == {"n": 2, "text": "1 + 1"}
