"""Extensions: what runs around the tasks that they extend."""

import pytest
from driver import Run

from perdure.engine.facts import RetryRequested

LOGGED = """
use:
  extensions:
  - log:
      extend: all
      before: [start: {emit: {event: {with: {source: 'urn:log', type: started, data: '${ $task.reference }'}}}}]
      after: [end: {emit: {event: {with: {source: 'urn:log', type: ended, data: '${ $task.output }'}}}}]
do:
- a: {set: {n: '${ .n + 1 }'}}
- b: {set: {n: '${ .n + 1 }'}}
"""


def published(run):
    return [(event["type"], event["data"]) for event in run.published]


def names(run):
    return [a.name for a in sorted(run.activities.values(), key=lambda a: a.order)]


def test_what_runs_around_a_task_leaves_its_data_alone():
    run = Run(LOGGED).start({"n": 1})
    assert run.output == {"n": 3}
    assert published(run) == [
        ("started", "/do/0/a"),
        ("ended", {"n": 2}),
        ("started", "/do/1/b"),
        ("ended", {"n": 3}),
    ]
    assert names(run) == ["start", "a", "end", "start", "b", "end"]
    assert {a.parent for a in run.activities.values()} == {None}
    assert run.named("start")[0].reference == "/use/extensions/0/log/before/0/start"


def test_the_definition_of_the_extended_task_is_at_hand():
    run = Run(
        """
        use:
          extensions:
          - spy:
              extend: set
              when: $task.set.kind == "good" and $task.name == "b" and $task.definition.set.kind == "good"
              before: [note: {do: [deep: {emit: {event: {with: {source: 'urn:x', type: seen, data: '${ $task }'}}}}]}]
        do:
        - a: {set: {kind: good}}
        - b: {set: {kind: good}, metadata: {m: 1}}
        - c: {set: {kind: bad}}
        """
    ).start()
    ((_, task),) = published(run)
    assert (task["name"], task["reference"], task["metadata"]) == ("b", "/do/1/b", {"m": 1})
    assert task["input"] == {"kind": "good"} and "output" not in task


MOCK = """
use:
  extensions:
  - mockService:
      extend: call
      when: $task.with.endpoint | startswith("https://mocked.example")
      before:
      - intercept: {set: {pet: {name: Rex}}, then: exit}
      - never: {set: {x: 1}}
      after: [afterwards: {set: {x: 2}}]
do:
- get:
    call: http
    with: {method: get, endpoint: 'https://mocked.example/pets/1'}
    output: {as: .pet}
    export: {as: '{last: .name}'}
- last: {set: {is: '${ $context.last }', was: '${ . }'}}
"""


def test_exit_bypasses_the_task_and_gives_what_stands_for_its_raw_output():
    run = Run(MOCK).start()
    assert not run.calls
    assert run.output == {"is": "Rex", "was": {"name": "Rex"}}
    assert run.statuses() == {"intercept": "completed", "get": "completed", "last": "completed"}


def test_a_task_whose_condition_does_not_hold_is_not_extended():
    run = Run(LOGGED.replace("- a: {", "- a: {if: .n > 5, ")).start({"n": 1})
    assert run.output == {"n": 2}
    assert names(run) == ["a", "start", "b", "end"]
    skipped = run.activity("a")
    assert (skipped.status, skipped.kind, skipped.reference) == ("skipped", "set", "/do/0/a")
    assert run.types().count("task.skipped") == 1


NESTED = """
use:
  extensions:
  - outer:
      extend: all
      before: [b1: {emit: {event: {with: {source: 'urn:x', type: b1}}}}]
      after: [a1: {emit: {event: {with: {source: 'urn:x', type: a1}}}}]
  - inner:
      extend: set
      before: [b2: {emit: {event: {with: {source: 'urn:x', type: b2}}}%s}]
      after: [a2: {emit: {event: {with: {source: 'urn:x', type: a2}}}}]
do:
- t: {set: {n: 1}}
"""


def test_the_first_extension_is_the_outermost():
    run = Run(NESTED % "").start()
    assert [event["type"] for event in run.published] == ["b1", "b2", "a2", "a1"]


def test_exit_bypasses_what_is_within_not_what_is_around():
    run = Run(NESTED % ", then: exit").start()
    assert [event["type"] for event in run.published] == ["b1", "b2", "a1"]


def test_directives_act_once_the_extensions_are_through():
    run = Run(LOGGED.replace("- a: {", "- a: {then: end, ")).start({"n": 1})
    assert run.output == {"n": 2}
    assert published(run) == [("started", "/do/0/a"), ("ended", {"n": 2})]
    run = Run(
        """
        use: {extensions: [e: {extend: switch, after: [x: {emit: {event: {with: {source: 'urn:x', type: x}}}}]}]}
        do:
        - choose: {switch: [c: {when: .go, then: there}]}
        - here: {set: {at: here}, then: end}
        - there: {set: {at: there}}
        """
    ).start({"go": True})
    assert run.output == {"at": "there"}
    assert len(run.published) == 1


def test_end_in_an_extension_ends_the_process():
    run = Run(LOGGED.replace("}}}}]\n      after", "}}}, then: end}]\n      after")).start({"n": 1})
    assert run.output["type"] == "started"
    assert names(run) == ["start"]


@pytest.mark.parametrize(
    ("extend", "extended"),
    [
        ("all", ["loop", "both", "x", "y", "try", "call", "f", "z", "run"]),
        ("set", ["x", "y", "f"]),
        ("composite", ["both"]),
        ("for", ["loop"]),
        ("try", ["try"]),
        ("call", ["call"]),
        ("wait", []),
        ("extension", []),
    ],
)
def test_what_is_extended(extend, extended):
    run = Run(
        """
        use:
          functions: {f: {set: {n: 1}}}
          extensions: [e: {extend: EXTEND, before: [note: {emit: {event: {with:
            {source: 'urn:x', type: t, data: '${ $task.name }'}}}}]}]
        do:
        - loop: {for: {in: '[1]'}, do: [both: {fork: {branches: [x: {set: {n: 1}}, y: {set: {n: 2}}]}}]}
        - try: {try: [call: {call: f}], catch: {}}
        - z: {listen: {to: {all: []}}}
        - run: {run: {workflow: {namespace: a, name: b, version: latest}, await: false}}
        """.replace("EXTEND", extend)
    ).start()
    assert run.status == "completed"
    assert sorted(event["data"] for event in run.published) == sorted(extended)


def test_functions_that_an_extension_calls_are_not_extended():
    run = Run(
        """
        use:
          functions: {note: {do: [tell: {emit: {event: {with: {source: 'urn:x', type: t, data: '${ .of }'}}}}]}}
          extensions: [e: {extend: all, before: [say: {call: note, with: {of: '${ $task.name }'}}]}]
        do:
        - a: {set: {n: 1}}
        """
    ).start()
    assert [event["data"] for event in run.published] == ["a"]
    assert names(run) == ["say", "note", "tell", "a"]


def test_an_extension_of_extensions_describes_the_task_of_the_extension():
    run = Run(
        """
        use:
          extensions:
          - inner: {extend: set, before: [say: {emit: {event: {with: {source: 'urn:x', type: t, data: '${ $task.name }'}}}}]}
          - outer:
              extend: extension
              before: [meta: {emit: {event: {with: {source: 'urn:x', type: m, data: '${ $task.name }'}}}}]
        do:
        - a: {set: {n: 1}}
        """
    ).start()
    assert published(run) == [("m", "say"), ("t", "a")]


def test_an_error_in_an_extension_is_one_of_what_it_extends():
    run = Run(
        """
        use: {extensions: [e: {extend: set, before: [bad: {raise: {error: {type: 'https://a.example/x', status: 500}}}]}]}
        do:
        - t: {try: [a: {set: {n: 1}}], catch: {as: e, do: [b: {wait: PT1S}]}}
        """
    ).start()
    assert run.statuses() == {"t": "running", "bad": "faulted", "b": "waiting"}
    run.fire()
    assert run.status == "completed"


def test_a_condition_that_can_not_be_evaluated_does_not_hold_and_is_told_in_the_audit_trail():
    run = Run(
        """
        use: {extensions: [e: {extend: set, when: .n | startswith("x"), before: [p: {set: {n: 2}, then: exit}]}]}
        do:
        - a: {set: {n: 1}}
        """
    ).start({"n": 7})
    assert run.output == {"n": 1}
    (entry,) = (entry for entry in run.history if entry.type == "dev.perdure.extension.skipped")
    assert (entry.data["task"], entry.data["extension"]) == ("/do/0/a", "e")
    assert "startswith" in entry.data["error"]["detail"]


def test_a_failing_condition_of_the_task_is_recorded_with_the_task():
    run = Run(LOGGED.replace("- a: {", "- a: {if: .n | error, ")).start({"n": 1})
    assert run.error.instance == "/do/0/a"
    assert [(a.reference, a.kind, a.status) for a in run.activities.values()] == [("/do/0/a", "set", "faulted")]


CALLS = """
use: {extensions: [e: {extend: call, before: [pre: {call: http, with: {method: get, endpoint: 'http://log.example'}}]}]}
do:
- t:
    try: [c: {call: http, with: {method: get, endpoint: 'http://a.example'}, timeout: {after: PT5S}}]
    catch: {retry: {limit: {attempt: {count: 1}}}}
"""


def test_retried_activities_keep_their_ids():
    run = Run(CALLS).start()
    before = run.call("pre").activity
    run.succeed("pre")
    call = run.call("c")
    run.fire("timeout")
    assert (run.call("pre").activity, run.call("pre").attempt) == (before, 2)
    run.succeed("pre")
    assert (run.call("c").activity, run.call("c").attempt) == (call.activity, 2)
    assert run.succeed("c", 7).output == 7


def test_an_operator_retries_the_extended_task_alone():
    run = Run(CALLS.replace("count: 1", "count: 0")).start().succeed("pre").fail("c")
    assert run.status == "faulted"
    run.take(RetryRequested("ops"))
    assert [call.reference for call in run.calls.values()] == ["/do/0/t/try/0/c"]
    assert run.succeed("c", 7).output == 7


def test_an_attempt_that_takes_too_long_is_an_error_of_the_extended_task():
    text = CALLS.replace("count: 1", "count: 0, duration: PT1S")
    run = Run(text).start().succeed("pre").fire("timeout")
    assert run.error.instance == "/do/0/t/try/0/c"
    assert run.activity("c").status == "faulted"


def test_loops_and_jumps_make_new_activities():
    run = Run(
        """
        use: {extensions: [e: {extend: set, before: [p: {wait: PT1S}]}]}
        do:
        - a: {set: '${ . + 1 }'}
        - again: {switch: [more: {when: '. < 3', then: a}]}
        - loop: {for: {in: '[1, 2]'}, do: [b: {set: '${ $item }'}]}
        """
    ).start(1)
    while run.status != "completed":
        run.fire()
    assert run.output == 2
    assert [a.iteration for a in run.named("b")] == [(0,), (1,)]
    assert len({a.id for a in run.activities.values()}) == len(run.activities)
    assert len(run.named("p")) == 4
