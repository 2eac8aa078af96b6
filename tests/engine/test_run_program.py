"""`run: container`, `run: script`, `run: shell`."""

from typing import Any

import pytest
from driver import Run

from perdure.engine.effects import CancelCall, PerformCall
from perdure.engine.errors import standard
from perdure.engine.facts import RunEnded

ENDED = {"code": 0, "stdout": "out\n", "stderr": "err\n"}


def running(
    rest: str = "", what: str = "shell: {command: 'echo ${ .n }', stdin: '${ . }', arguments: [a, '${ .n }']}"
) -> str:
    return f"do: [r: {{run: {{{what}{rest}}}}}]"


def end(run: Run, **result: Any) -> Run:
    return run.succeed("r", {**ENDED, **result})


def test_the_arguments_are_evaluated() -> None:
    run = Run(running()).start({"n": 1})
    call = run.call("r")
    assert (call.function, call.detached) == ("shell", False)
    assert call.request == {"command": "echo 1", "stdin": {"n": 1}, "arguments": ["a", 1]}
    assert [wait.reason for wait in run.step.waiting] == ["call"]


def test_code_is_never_searched_for_expressions() -> None:
    what = "script: {language: js, code: 'console.log(`${ n }`)'}"
    run = Run(running(what=what)).start({"n": 1})
    assert run.call("r").request == {"language": "js", "code": "console.log(`${ n }`)"}


RETURNS: dict[str, Any] = {"stdout": "out\n", "stderr": "err\n", "code": 0, "all": ENDED, "none": None}


@pytest.mark.parametrize("return_", RETURNS)
def test_return(return_: str) -> None:
    assert end(Run(running(f", return: {return_}")).start({"n": 1})).output == RETURNS[return_]


@pytest.mark.parametrize(("return_", "output"), [("code", 3), ("stderr", "err\n"), ("all", {**ENDED, "code": 3})])
def test_an_exit_code_that_is_asked_for_is_no_error(return_: str, output: Any) -> None:
    assert end(Run(running(f", return: {return_}")).start({"n": 1}), code=3).output == output


@pytest.mark.parametrize("return_", ["stdout", "none"])
def test_another_exit_code_is_an_error_where_nothing_else_would_tell(return_: str) -> None:
    run = end(Run(running(f", return: {return_}")).start({"n": 1}), code=3)
    assert (run.error.status, run.error.instance) == (500, "/do/0/r")
    assert run.error.type.endswith("/runtime")
    assert run.error.detail == "the shell ended with exit code 3: err"


def test_a_failed_run_may_be_tried_again() -> None:
    run = Run(f"do: [t: {{try: [{running()[5:-1]}], catch: {{retry: {{}}}}}}]").start({"n": 1})
    end(run, code=1)
    assert run.call("r").attempt == 2
    assert end(run).output == "out\n"


def test_what_is_not_awaited_outputs_its_input_and_its_end_is_written_down() -> None:
    run = Run(running(", await: false")).start({"n": 1})
    assert run.output == {"n": 1}
    (effect,) = [effect for effect in run.step.effects if isinstance(effect, PerformCall)]
    assert effect.detached
    run.take(RunEnded(effect.activity, effect.reference, code=4))
    run.take(RunEnded(effect.activity, effect.reference, error=standard("authorization", "no")))
    notes = [entry.data for entry in run.history if entry.type == "dev.perdure.run.ended"]
    assert [(note["activity"], note["reference"], note.get("code")) for note in notes] == [
        (str(effect.activity), "/do/0/r", 4),
        (str(effect.activity), "/do/0/r", None),
    ]
    assert notes[1]["error"]["detail"] == "no"


def test_a_container_gets_the_name_that_the_reference_recommends() -> None:
    run = Run(running(what="container: {image: alpine}")).start({"n": 1})
    name = run.call("r").request["name"]
    assert name == f"{run.program.name}-{run.activity('r').id}.{run.program.namespace}-r"
    run = Run(running(what="container: {image: alpine, name: '${ .n }'}")).start({"n": 1})
    assert run.call("r").request["name"] == 1


def test_a_timeout_cancels_the_run() -> None:
    run = Run("do: [r: {timeout: {after: PT1M}, run: {shell: {command: x}}}]").start({"n": 1})
    activity = run.activity("r").id
    run.fire("timeout")
    assert CancelCall(activity) in run.step.effects
    assert run.error.type.endswith("/timeout")


def test_a_run_that_could_not_be_performed_faults() -> None:
    run = Run(running()).start({"n": 1})
    run.fail("r", standard("authorization", "no"))
    assert (run.error.detail, run.error.instance) == ("no", "/do/0/r")
