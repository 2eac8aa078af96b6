"""`fork`."""

import pytest
from driver import Run

from perdure.engine import state as states
from perdure.engine.facts import CancelRequested, ResumeRequested, RetryRequested, SuspendRequested
from perdure.engine.tasks.fork import BRANCHES_AT_ONCE

TWO_CALLS = """
do:
  - f:
      fork:
        compete: %s
        branches:
          - a: {call: http, with: {method: get, endpoint: 'http://a'}}
          - b: {do: [{c: {call: http, with: {method: get, endpoint: 'http://b'}}}, {d: {set: '${ {d: .} }'}}]}
"""


def test_all_branches_are_joined_in_order() -> None:
    run = Run(TWO_CALLS % "false").start({"i": 1})
    assert run.status == "running"
    run.succeed("c", 2)
    assert run.activity("b").status == "completed"
    run.succeed("a", 1)
    assert run.output == [1, {"d": 2}]


@pytest.mark.parametrize(("compete", "output"), [("false", []), ("true", {"i": 1})])
def test_without_branches_nothing_is_joined_and_nobody_wins(compete: str, output: object) -> None:
    assert Run(f"do: [f: {{fork: {{compete: {compete}, branches: []}}}}]").start({"i": 1}).output == output


def test_every_branch_gets_the_input_of_the_fork() -> None:
    run = Run("do: [f: {input: {from: .x}, fork: {branches: [{a: {set: '${ [.] }'}}, {b: {set: '${ . }'}}]}}]")
    assert run.start({"x": 1}).output == [[1], 1]


def test_the_first_to_complete_wins() -> None:
    run = Run(TWO_CALLS % "true").start()
    run.succeed("c", 2)
    assert run.output == {"d": 2}
    assert run.statuses() == {"f": "completed", "a": "cancelled", "b": "completed", "c": "completed", "d": "completed"}
    assert not run.calls


def test_a_race_in_memory_has_one_winner() -> None:
    branches = ", ".join(
        f"{{{c}: {{set: {{colors: '${{ .colors + [\"{c}\"] }}'}}}}}}" for c in ("red", "green", "blue")
    )
    run = Run(f"do: [race: {{fork: {{compete: true, branches: [{branches}]}}}}]").start()
    assert run.output == {"colors": ["red"]}
    assert run.statuses() == {"race": "completed", "red": "completed", "green": "cancelled", "blue": "cancelled"}


def test_a_call_that_lost_before_it_was_made_is_not_made() -> None:
    call = "{call: http, with: {method: get, endpoint: 'http://a'}}"
    run = Run(f"do: [f: {{fork: {{compete: true, branches: [{{a: {call}}}, {{b: {{set: '${{ 1 }}'}}}}]}}}}]")
    run.start()
    assert run.output == 1
    assert run.step.effects == []


def test_a_fault_in_a_branch_cancels_the_others() -> None:
    run = Run(TWO_CALLS % "false").start().fail("a")
    assert run.error.instance == "/do/0/f/fork/branches/0/a"
    assert run.statuses() == {"f": "faulted", "a": "faulted", "b": "cancelled", "c": "cancelled"}
    assert not run.calls


def test_a_fault_in_a_competing_branch_faults_the_race() -> None:
    assert Run(TWO_CALLS % "true").start().fail("a").status == "faulted"


def test_exit_ends_the_branch() -> None:
    first = "{do: [{x: {set: '${ 1 }', then: exit}}, {y: {set: '${ 2 }'}}]}"
    run = Run(f"do: [f: {{fork: {{branches: [{{a: {first}}}, {{b: {{set: '${{ 3 }}', then: exit}}}}]}}}}]")
    assert run.start().output == [1, 3]


def test_branches_wait_beside_each_other() -> None:
    run = Run("do: [f: {fork: {branches: [{a: {wait: PT2S}}, {b: {wait: PT1S}}]}}]").start()
    assert run.status == "waiting"
    assert [(w.reference, w.reason, (w.until - run.now).seconds) for w in run.step.waiting if w.until] == [
        ("/do/0/f/fork/branches/0/a", "timer", 2),
        ("/do/0/f/fork/branches/1/b", "timer", 1),
    ]
    run.fire()
    assert run.statuses() == {"f": "running", "a": "waiting", "b": "completed"}
    run.fire()
    assert run.output == [{}, {}]


def wide(count: int, first: str = "set: {n: 0}") -> str:
    rest = ", ".join(f"{{b{n}: {{set: {{n: {n}}}}}}}" for n in range(1, count))
    return f"do: [{{w: {{fork: {{branches: [{{b0: {{{first}}}}}, {rest}]}}}}}}]"


@pytest.mark.parametrize(
    "count", [BRANCHES_AT_ONCE - 1, BRANCHES_AT_ONCE, BRANCHES_AT_ONCE + 1, 3 * BRANCHES_AT_ONCE + 7]
)
@pytest.mark.parametrize("activities_max", [1, 17, 200, 10_000])
def test_wide_forks_join_all_branches_in_order(count: int, activities_max: int) -> None:
    run = Run(wide(count), activities_max=activities_max).start()
    assert run.output == [{"n": n} for n in range(count)]
    assert len({activity.id for activity in run.activities.values()}) == count + 1


def test_the_state_of_a_wide_fork_holds_what_has_begun() -> None:
    run = Run(wide(5_000), activities_max=200).start(drain=False)
    small = Run(wide(500), activities_max=200).start(drain=False)
    assert len(states.decode(run.state).frames) == len(states.decode(small.state).frames) <= BRANCHES_AT_ONCE + 1
    assert len(run.step.waiting) <= BRANCHES_AT_ONCE + 1


def test_all_branches_begin_though_none_completes() -> None:
    tasks = ", ".join(f"{{b{n}: {{call: http, with: {{method: get, endpoint: 'http://x/{n}'}}}}}}" for n in range(250))
    run = Run(f"do: [{{w: {{fork: {{branches: [{tasks}]}}}}}}]", activities_max=60).start()
    assert len(run.calls) == 250
    assert run.status == "running"


CALL = "call: http, with: {method: get, endpoint: 'http://x'}"


def test_branches_that_have_not_begun_do_so_after_a_fault_and_its_retry() -> None:
    run = Run(wide(250, CALL), activities_max=20).start(drain=False).fail("b0")
    assert run.status == "faulted"
    run.take(RetryRequested("ann")).succeed("b0", {"n": 0})
    assert run.output == [{"n": n} for n in range(250)]


def test_branches_that_have_not_begun_never_do_once_the_fork_is_over() -> None:
    run = Run(wide(250, CALL), activities_max=20).start(drain=False).take(CancelRequested("ann"))
    assert run.status == "cancelled"
    assert len(run.activities) <= BRANCHES_AT_ONCE + 1
    caught = (
        "do: [{t: {try: [{w: {fork: {branches: [{b0: {"
        + CALL
        + "}}, "
        + ", ".join(f"{{b{n}: {{set: {{n: {n}}}}}}}" for n in range(1, 250))
        + "]}}}], catch: {do: [{c: {set: {caught: true}}}]}}}]"
    )
    run = Run(caught, activities_max=20).start(drain=False).fail("b0")
    assert run.output == {"caught": True}
    assert len(run.activities) <= BRANCHES_AT_ONCE + 4


def test_a_suspended_fork_begins_the_rest_when_it_is_resumed() -> None:
    run = Run(wide(250), activities_max=20).start(drain=False).take(SuspendRequested("ann"))
    assert run.status == "suspended"
    assert run.take(ResumeRequested("ann")).output == [{"n": n} for n in range(250)]
