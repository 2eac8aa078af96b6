"""Input, output, export, context, schemas, and what expressions may see."""

import pytest
from driver import PROCESS, Run, program_of

OUTPUTS = {
    "input.from": ("do: [a: {input: {from: .x}, set: '${ . }'}]", {"x": 1}, 1),
    "input.from of the process": ("input: {from: .x}\ndo: [a: {set: '${ . }'}]", {"x": 1}, 1),
    "output.as sees the raw output": ("do: [a: {set: {y: 2}, output: {as: .y}}]", {}, 2),
    "output.as sees the input": (
        "do: [a: {input: {from: .x}, set: '${ 1 }', output: {as: '[., $input]'}}]",
        {"x": 5},
        [1, 5],
    ),
    "output.as as an object": ("do: [a: {set: {y: 2}, output: {as: {z: '${ .y }'}}}]", {}, {"z": 2}),
    "output.as of the process": ("output: {as: '[., $context]'}\ndo: [a: {set: '${ 1 }'}]", {"x": 5}, [1, {"x": 5}]),
    "the context begins as the transformed input": (
        "input: {from: .x}\ndo: [a: {set: '${ 1 }'}, b: {set: '${ $context }'}]",
        {"x": {"c": 1}},
        {"c": 1},
    ),
    "export replaces the context": (
        "do: [a: {set: {r: 1}, export: {as: '$context + {e: ., o: $output}'}}, b: {set: '${ $context }'}]",
        {"x": 0},
        {"x": 0, "e": {"r": 1}, "o": {"r": 1}},
    ),
    "export sees the transformed output": (
        "do: [a: {set: {r: 1}, output: {as: .r}, export: {as: .}}, b: {set: '${ [., $context] }'}]",
        {},
        [1, 1],
    ),
    "input in a definition is the transformed one": (
        "do: [a: {input: {from: .x}, set: {a: '${ $input }', b: '${ $task.input }'}}]",
        {"x": 1},
        {"a": 1, "b": {"x": 1}},
    ),
    "raw output": (
        "do: [a: {set: '${ 1 }', output: {as: '. + 1'}, export: {as: '[., $task.output]'}}, b: {set: '${ $context }'}]",
        {},
        [2, 1],
    ),
    "task": (
        "do: [a: {set: '${ $task | [.name, .reference, .definition.metadata.m] }', metadata: {m: 7}}]",
        {},
        ["a", "/do/0/a", 7],
    ),
    "workflow": (
        "input: {from: .x}\ndo: [a: {set: '${ $workflow | [.id, .input, .definition.document.name, .startedAt] }'}]",
        {"x": 1},
        [
            str(PROCESS),
            {"x": 1},
            "tested",
            {"iso8601": "2026-01-01T00:00:00Z", "epoch": {"seconds": 1767225600, "milliseconds": 1767225600000}},
        ],
    ),
    "runtime": ("do: [a: {set: '${ $runtime | [.name, .version] }'}]", {}, ["perdure", "0.0"]),
    "text with expressions": ("do: [a: {set: 'hello ${ .n }!'}]", {"n": "you"}, "hello you!"),
    "secrets": ("use: {secrets: [S]}\ndo: [a: {set: '${ $secrets.S }'}]", {}, "hush"),
    "loose": (
        "evaluate: {mode: loose}\ndo: [a: {set: {x: .n, y: not an expression}}]",
        {"n": 1},
        {"x": 1, "y": "not an expression"},
    ),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output(name: str) -> None:
    definition, input_, expected = OUTPUTS[name]
    assert Run(definition, secrets={"S": "hush"}).start(input_).output == expected


UNSEEN = {
    "output in a definition": "do: [a: {set: '${ $output }'}]",
    "input in input.from": "do: [a: {input: {from: $input}, set: '${ 1 }'}]",
    "input in if": "do: [a: {if: $input, set: '${ 1 }'}]",
    "output in output.as": "do: [a: {set: '${ 1 }', output: {as: $output}}]",
    "input in the process's output.as": "output: {as: $input}\ndo: [a: {set: '${ 1 }'}]",
    "task in the process's output.as": "output: {as: $task}\ndo: [a: {set: '${ 1 }'}]",
    "context in the process's input.from": "input: {from: $context}\ndo: [a: {set: '${ 1 }'}]",
    "an item outside its loop": "do: [a: {for: {in: '[1]'}, do: [{b: {set: '${ 1 }'}}]}, c: {set: '${ $item }'}]",
    "an item in for.in": "do: [a: {for: {in: '[$item]'}, do: [{b: {set: '${ 1 }'}}]}]",
    "an error outside its catch": "do: [a: {try: [{b: {set: '${ 1 }'}}], catch: {}}, c: {set: '${ $error }'}]",
    "callback outside the request": "do: [a: {set: '${ $callback.url }'}]",
}


@pytest.mark.parametrize("name", UNSEEN)
def test_an_argument_that_may_not_be_seen_is_an_expression_error(name: str) -> None:
    run = Run(UNSEEN[name]).start({})
    assert run.error.type.endswith("/expression")
    assert run.error.status == 400


FAULTS = {
    "process input": ("input: {schema: {document: {type: array}}}\ndo: [a: {set: '${ 1 }'}]", "validation", "/", {}),
    "process output": (
        "output: {schema: {document: {type: array}}}\ndo: [a: {set: '${ 1 }'}]",
        "validation",
        "/",
        {"a": "completed"},
    ),
    "process input.from": ("input: {from: error}\ndo: [a: {set: '${ 1 }'}]", "expression", "/", {}),
    "process output.as": ("output: {as: error}\ndo: [a: {set: '${ 1 }'}]", "expression", "/", {"a": "completed"}),
    "task input": (
        "do: [a: {input: {schema: {document: {type: array}}}, set: '${ 1 }'}]",
        "validation",
        "/do/0/a",
        {"a": "faulted"},
    ),
    "task output": (
        "do: [a: {output: {schema: {document: {type: array}}}, set: '${ 1 }'}]",
        "validation",
        "/do/0/a",
        {"a": "faulted"},
    ),
    "export": (
        "do: [a: {export: {schema: {document: {type: array}}, as: .}, set: '${ 1 }'}]",
        "validation",
        "/do/0/a",
        {"a": "faulted"},
    ),
    "if": ("do: [a: {if: error, set: '${ 1 }'}]", "expression", "/do/0/a", {"a": "faulted"}),
    "definition": ("do: [a: {set: '${ error }'}]", "expression", "/do/0/a", {"a": "faulted"}),
    "output.as of an enclosing task": (
        "do: [a: {do: [{b: {set: '${ 1 }'}}], output: {as: error}}]",
        "expression",
        "/do/0/a",
        {"a": "faulted", "b": "completed"},
    ),
    "for.in": ("do: [a: {for: {in: .x}, do: [{b: {set: '${ 1 }'}}]}]", "expression", "/do/0/a", {"a": "faulted"}),
    "wait": ("do: [a: {wait: '${ 1 }'}]", "expression", "/do/0/a", {"a": "faulted"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str) -> None:
    definition, error, instance, statuses = FAULTS[name]
    run = Run(definition).start({})
    assert run.error.type == f"https://serverlessworkflow.io/spec/1.0.0/errors/{error}"
    assert (run.error.status, run.error.instance) == (400, instance)
    assert run.error.detail
    assert run.statuses() == statuses


def test_violations_are_told() -> None:
    schema = "{type: object, required: [a], properties: {b: {type: string}}}"
    run = Run(f"input: {{schema: {{document: {schema}}}}}\ndo: [a: {{set: '${{ 1 }}'}}]").start({"b": 1})
    assert '"a" is a required property' in run.error.detail
    assert "/b: " in run.error.detail


def test_raw_input_is_validated_before_it_is_transformed() -> None:
    run = Run("do: [a: {input: {schema: {document: {type: object}}, from: .x}, set: '${ . }'}]").start({"x": 1})
    assert run.output == 1


def test_a_payload_that_passes_through_is_stored_once() -> None:
    tasks = ", ".join(f"t{i}: {{wait: PT1S}}" for i in range(5))
    run = Run(f"do: [{tasks}]").start({"big": "x" * 1000})
    for _ in range(5):
        run.fire()
    assert len(run.payloads) == 1
    assert {activity.input for activity in run.activities.values()} == {run.activity("t0").output}
    assert run.loads == 0


def test_only_variables_that_are_mentioned_are_supplied() -> None:
    run = Run("do: [a: {set: '${ .x }'}, b: {set: '${ $context }'}]").start({"x": 1})
    assert [sorted(ask.variables) for ask in run.evaluations] == [[], ["context"]]
    assert [ask.secrets for ask in run.evaluations] == [None, None]


def test_an_exported_context_is_seen_by_all_branches() -> None:
    run = Run(
        """
        do:
          - a: {set: '${ 1 }', export: {as: '{n: .}'}}
          - f: {fork: {branches: [{x: {set: '${ $context.n }'}}, {y: {set: '${ $context.n + 1 }'}}]}}
        """
    ).start()
    assert run.output == [1, 2]


def test_programs_are_shared() -> None:
    program = program_of("do: [a: {set: '${ . }'}]")
    assert [Run(program).start(n).output for n in (1, 2)] == [1, 2]


def test_the_epoch_is_in_the_second_that_the_text_shows() -> None:
    run = Run("do: [a: {set: '${ $task.startedAt }'}]").after(0.999_6)
    assert run.start().output == {
        "iso8601": "2026-01-01T00:00:00.999600Z",
        "epoch": {"seconds": 1767225600, "milliseconds": 1767225600999},
    }


AUTHENTICATED = """
use: {authentications: {shop: {basic: {username: '${ .user }', password: secret}}}}
do:
  - a:
      call: http
      with:
        method: get
        endpoint: {uri: 'http://x', authentication: {use: shop}}
        headers: {X-Who: '${ $authorization.basic.username }'}
      output: {as: '${ $authorization }'}
      export: {as: '{seen: $authorization}'}
  - b: {set: '${ [., $context, $authorization] }'}
"""


def test_the_authorization_is_that_of_the_task() -> None:
    """The driver of these tests answers the policy itself; who resolves it is the evaluator's business."""
    run = Run(AUTHENTICATED).start({"user": "ada"})
    assert run.call("a").request["headers"] == {"X-Who": "ada"}
    policy = {"basic": {"username": "ada", "password": "secret"}}
    assert run.succeed("a").output == [policy, {"seen": policy}, None]
