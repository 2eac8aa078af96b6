"""`fork`."""

from driver import Run

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
