"""`map` of the default catalog."""

from typing import Any

import pytest
from driver import Run

from perdure.engine import state as states
from perdure.engine.effects import CancelChild, StartChild
from perdure.engine.errors import Error
from perdure.engine.facts import ChildEnded


def mapping(rest: str = "", items: str = "${ .items }") -> str:
    process = "{namespace: n, name: child, version: latest}"
    return f"do: [m: {{call: 'map:1.0.0@default', with: {{items: '{items}', process: {process}{rest}}}}}]"


def inputs(run: Run) -> list[Any]:
    """Of the children that run, in order of their start."""
    return [child.input for child in run.children.values()]


def end(run: Run, item: Any, status: str = "completed", output: Any = None, error: Error | None = None) -> Run:
    child = next(id_ for id_, child in run.children.items() if child.input == item)
    del run.children[child]
    return run.take(ChildEnded(run.activity("m").id, child, status, output, error))


def test_outputs_come_in_the_order_of_the_items() -> None:
    run = Run(mapping()).start({"items": ["a", "b", "c"]})
    assert inputs(run) == ["a", "b", "c"]
    child = next(iter(run.children.values()))
    assert (child.namespace, child.name, child.version, child.await_) == ("n", "child", "latest", True)
    assert [(wait.reason, wait.reference) for wait in run.step.waiting] == [("child", "/do/0/m")]
    end(run, "c", output=3)
    end(run, "a", output=1)
    assert run.status == "waiting"
    assert end(run, "b", output=2).output == [1, 2, 3]


def test_no_items() -> None:
    assert Run(mapping()).start({"items": []}).output == []


def test_no_more_children_at_once_than_asked_for() -> None:
    run = Run(mapping(", concurrency: 2")).start({"items": [1, 2, 3, 4]})
    assert inputs(run) == [1, 2]
    assert inputs(end(run, 2)) == [1, 3]
    assert inputs(end(run, 1)) == [3, 4]
    end(run, 4, output="d")
    assert end(run, 3, output="c").output == [None, None, "c", "d"]


def test_the_concurrency_may_be_computed_and_is_ten_otherwise() -> None:
    assert len(inputs(Run(mapping(", concurrency: '${ .n }'")).start({"items": list(range(20)), "n": 3}))) == 3
    assert len(inputs(Run(mapping()).start({"items": list(range(20))}))) == 10


def test_the_first_fault_cancels_the_rest() -> None:
    run = Run(mapping(", concurrency: 2")).start({"items": [1, 2, 3]})
    (other,) = [id_ for id_, child in run.children.items() if child.input == 2]
    end(run, 1, "faulted", error=Error("http://e", 409, "T", "D", "/do/5/inner"))
    assert CancelChild(other) in run.step.effects
    assert not any(isinstance(effect, StartChild) for effect in run.step.effects)
    assert run.error == Error("http://e", 409, "T", "item 0: D", "/do/0/m")


def test_a_cancelled_child_is_a_fault() -> None:
    run = end(Run(mapping()).start({"items": [1]}), 1, "cancelled")
    assert (run.error.type.rsplit("/")[-1], run.error.instance) == ("runtime", "/do/0/m")


def test_collecting() -> None:
    run = Run(mapping(", concurrency: 1, onError: collect")).start({"items": [1, 2, 3]})
    end(run, 1, output="one")
    end(run, 2, "faulted", error=Error("http://e", 409, "T", "D", "/do/5/inner"))
    output = end(run, 3, "cancelled").output
    error = {"type": "http://e", "status": 409, "title": "T", "detail": "D", "instance": "/do/5/inner"}
    assert output[:2] == [{"status": "completed", "output": "one"}, {"status": "faulted", "error": error}]
    assert output[2]["status"] == "cancelled"
    assert output[2]["error"]["status"] == 500


def test_another_attempt_has_other_children() -> None:
    run = Run(f"do: [t: {{try: [{mapping()[5:-1]}], catch: {{retry: {{}}}}}}]").start({"items": [1]})
    (first,) = run.children
    end(run, 1, "faulted", error=Error("http://e", 409))
    (second,) = run.children
    assert first != second
    assert end(run, 1, output=5).output == [5]


def test_a_timeout_cancels_all_children() -> None:
    run = Run("timeout: {after: PT1M}\n" + mapping()).start({"items": [1, 2]})
    children = set(run.children)
    run.fire("timeout")
    assert {effect.child for effect in run.step.effects if isinstance(effect, CancelChild)} == children


BAD = {
    "items": ({"items": 5}, "", "with.items to yield an array, found a number"),
    "concurrency": ({"items": [], "n": 0}, ", concurrency: '${ .n }'", "a number from 1 to 1000, found 0"),
    "on error": ({"items": [], "n": "x"}, ", onError: '${ .n }'", "fail or collect, found 'x'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case: str) -> None:
    input_, rest, words = BAD[case]
    run = Run(mapping(rest)).start(input_)
    assert (run.error.type.rsplit("/")[-1], run.error.instance) == ("configuration", "/do/0/m")
    assert words in run.error.detail


def test_the_state_does_not_grow_with_the_items_behind_it() -> None:
    run = Run(mapping(", concurrency: 3")).start({"items": [{"text": "x" * 100, "n": n} for n in range(600)]})
    sizes = []
    for n in range(550):
        end(run, {"text": "x" * 100, "n": n}, output={"text": "y" * 300})
        sizes.append(len(states.encode(run.step.state)))
    assert max(sizes[500:]) <= max(sizes[:50]) + 20
