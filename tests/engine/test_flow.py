"""The order of tasks: directives, conditions, switch, end."""

import pytest
from driver import Run

A, B, C = (f"{{set: '${{ . + [\"{name}\"] }}'}}" for name in "abc")

FLOWS = {
    "in order": (f"[a: {A}, b: {B}, c: {C}]", ["a", "b", "c"]),
    "forwards": (f"[a: {{set: '${{ . + [\"a\"] }}', then: c}}, b: {B}, c: {C}]", ["a", "c"]),
    "exit": (f"[a: {{do: [b: {{set: '${{ . + [\"b\"] }}', then: exit}}, x: {A}]}}, c: {C}]", ["b", "c"]),
    "exit at the top": (f"[a: {{set: '${{ . + [\"a\"] }}', then: exit}}, b: {B}]", ["a"]),
    "end": (f"[a: {{do: [b: {{set: '${{ . + [\"b\"] }}', then: end}}, x: {A}]}}, c: {C}]", ["b"]),
    "the then of a composite": (f"[a: {{do: [b: {B}], then: c}}, x: {A}, c: {C}]", ["b", "c"]),
    "backwards": (
        f"[a: {A}, b: {{switch: [again: {{when: length < 3, then: a}}, over: {{then: c}}]}}, c: {C}]",
        ["a", "a", "a", "c"],
    ),
    "skipped": (f"[a: {{if: length > 0, set: '${{ [] }}', then: end}}, b: {B}]", ["b"]),
    "not skipped": (f"[a: {{if: length == 0, set: '${{ [\"x\"] }}', then: end}}, b: {B}]", ["x"]),
    "null does not hold": (f"[a: {{if: '.[0]', set: {{v: 1}}}}, b: {B}]", ["b"]),
    "zero holds": (f"[a: {{if: '0', set: '${{ [1] }}'}}, b: {B}]", [1, "b"]),
    "no case, own then": (f"[s: {{switch: [n: {{when: 'false', then: a}}], then: b}}, a: {A}, b: {B}]", ["b"]),
    "no case": (f"[s: {{switch: [n: {{when: 'false', then: b}}]}}, a: {A}, b: {B}]", ["a", "b"]),
    "default comes last": (
        f"[s: {{switch: [d: {{then: end}}, m: {{when: 'true', then: b}}]}}, a: {A}, b: {B}]",
        ["b"],
    ),
    "default where no case holds": (
        f"[s: {{switch: [m: {{when: 'false', then: end}}, d: {{then: b}}]}}, a: {A}, b: {B}]",
        ["b"],
    ),
    "first case wins": (
        f"[s: {{switch: [m: {{when: 'true', then: b}}, n: {{when: error, then: a}}]}}, a: {A}, b: {B}]",
        ["b"],
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_flow(name: str) -> None:
    tasks, expected = FLOWS[name]
    assert Run(f"do: {tasks}").start([]).output == expected


def test_a_condition_that_fails_is_an_error_of_its_switch() -> None:
    switch = "s: {switch: [c: {when: 'error(\"no\")', then: end}]}"
    run = Run(f"do: [{switch}]").start()
    assert (run.error.instance, run.activity("s").status) == ("/do/0/s", "faulted")
    caught = Run(f"do: [t: {{try: [{switch}], catch: {{as: e, do: [w: {{set: '${{ $e.instance }}'}}]}}}}]").start()
    assert caught.output == "/do/0/t/try/0/s"


def test_a_task_visited_again_is_a_new_activity() -> None:
    run = Run(
        """
        do:
          - count: {set: '${ . + 1 }'}
          - inner: {do: [{leaf: {set: '${ . }'}}]}
          - again: {switch: [{more: {when: . < 3, then: count}}]}
        """
    ).start(0)
    assert run.output == 3
    for name in ("count", "inner", "leaf", "again"):
        assert len({activity.id for activity in run.named(name)}) == 3
        assert [activity.attempt for activity in run.named(name)] == [1, 1, 1]


def test_end_completes_what_encloses_it_and_cancels_what_is_beside_it() -> None:
    run = Run(
        """
        do:
          - f:
              fork:
                branches:
                  - waits: {wait: {days: 1}}
                  - ends: {do: [{last: {set: '${ "done" }', then: end}}]}
        """
    ).start()
    assert run.output == "done"
    assert run.statuses() == {"f": "completed", "waits": "cancelled", "ends": "completed", "last": "completed"}


def test_a_skipped_task_outputs_its_raw_input() -> None:
    run = Run("do: [a: {if: 'false', input: {from: .x}, set: '${ 1 }', output: {as: .y}, export: {as: .z}}]").start(
        {"x": 2}
    )
    assert run.output == {"x": 2}
    assert run.activity("a").status == "skipped"
    assert run.activity("a").started_at is None
    assert "task.skipped" in run.types()


def test_the_trail_of_a_simple_process() -> None:
    run = Run("do: [a: {set: '${ 1 }'}]").start()
    assert run.types() == [
        "workflow.started",
        "task.created",
        "task.started",
        "task.completed",
        "workflow.completed",
    ]
    assert run.history[0].actor == "tester"
    assert run.history[0].data["definition"] == {"namespace": "test", "name": "tested", "version": "1.0.0"}
    assert run.history[1].data == {"task": "/do/0/a"}
    assert {entry.actor for entry in run.history[1:]} == {"perdure"}


def test_a_step_stops_at_its_limit_and_owes_itself_the_rest() -> None:
    definition = "do: [l: {for: {in: '[range(25)]'}, do: [{s: {set: '${ . + $item }'}}]}]"
    run = Run(definition, activities_max=10).start(0, drain=False)
    assert run.step.more
    assert run.status == "running"
    assert [wait.reason for wait in run.step.waiting] == ["step"]
    run.take()
    assert run.output == sum(range(25))
    assert len(run.steps) == 3
    assert [a.order for a in run.named("s")] == list(range(1, 26))
