"""`run: workflow`."""

from typing import Any

import pytest
from driver import Run

from perdure.engine.effects import CancelChild, StartChild
from perdure.engine.errors import Error
from perdure.engine.facts import ChildEnded


def running(rest: str = "", input_: str = ", input: {n: '${ .n }'}") -> str:
    return f"do: [r: {{run: {{workflow: {{namespace: other, name: child, version: 1.2.3{input_}}}{rest}}}}}]"


def test_a_child_is_started_and_awaited() -> None:
    run = Run(running()).start({"n": 1})
    (child,) = run.children.values()
    assert child == StartChild(run.activity("r").id, child.child, "other", "child", "1.2.3", {"n": 1}, True)
    assert child.child.version == 7
    assert [wait.reason for wait in run.step.waiting] == ["child"]
    assert run.end_child(output={"r": 2}).output == {"r": 2}


def test_a_child_that_is_not_awaited() -> None:
    run = Run(running(", await: false")).start({"n": 1})
    assert run.output == {"n": 1}
    (effect,) = run.step.effects
    assert isinstance(effect, StartChild)
    assert not effect.await_


def test_without_input_the_child_gets_an_empty_object() -> None:
    (child,) = Run(running(input_="")).start({"n": 1}).children.values()
    assert child.input == {}


RETURNS: dict[str, Any] = {
    "stdout": 5,
    "stderr": None,
    "code": 0,
    "all": {"code": 0, "stdout": 5, "stderr": None},
    "none": None,
}


@pytest.mark.parametrize("return_", RETURNS)
def test_return(return_: str) -> None:
    run = Run(running(f", return: {return_}")).start({"n": 1})
    assert run.end_child(output=5).output == RETURNS[return_]


def test_a_child_that_faults_raises_its_error() -> None:
    run = Run(running()).start({"n": 1})
    run.end_child("faulted", error=Error("http://e", 409, "T", "D", "/do/5/inner"))
    assert run.error == Error("http://e", 409, "T", "D", "/do/0/r")


def test_a_child_that_was_cancelled_is_an_error() -> None:
    error = Run(running()).start({"n": 1}).end_child("cancelled").error
    assert (error.type.rsplit("/")[-1], error.instance) == ("runtime", "/do/0/r")


def test_each_attempt_starts_a_child_of_its_own() -> None:
    body = running()[5:-1]
    run = Run(f"do: [t: {{try: [{body}], catch: {{retry: {{}}}}}}]").start({"n": 1})
    (first,) = run.children
    run.end_child("faulted", error=Error("http://e", 409))
    (second,) = run.children
    assert first != second
    run.take(ChildEnded(run.activity("r").id, first, "completed", 1))
    assert run.refusals() == ["the activity does not wait for this process"]
    assert run.end_child(output=2).output == 2


def test_a_timeout_cancels_the_child() -> None:
    run = Run(running() + "\ntimeout: {after: PT1M}").start({"n": 1})
    (child,) = run.children
    run.fire("timeout")
    assert run.error.status == 408
    assert CancelChild(child) in run.step.effects
