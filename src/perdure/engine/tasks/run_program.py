"""`run: container`, `run: script`, `run: shell`: programs outside (DSL reference, "Run", "Process Result").

A program that ends with another exit code than 0 is an error where nothing in the output would tell: with
``return: code`` and ``return: all`` the author looks at the code, otherwise the task faults.
"""

import re

from perdure.codec import Json
from perdure.definition.program import RunProgram, Task
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, fault
from perdure.engine.draft import OWN, Draft
from perdure.engine.effects import PerformCall
from perdure.engine.facts import ActivitySucceeded, RunEnded
from perdure.engine.payloads import Flow
from perdure.engine.refs import Ref
from perdure.engine.state import CallFrame, Frame
from perdure.engine.tasks import call
from perdure.engine.uris import UriUnexpandable, expand_endpoints

RUN_ENDED = OWN + "run.ended"

EXCERPT_CHARACTERS_MAX = 500
NAME_CHARACTERS_MAX = 60

_UNFIT = re.compile(r"[^a-zA-Z0-9_.-]+")


def begin(draft: Draft, frame: Frame, task: RunProgram) -> Flow[Ref | None]:
    """Not awaited, the task outputs its transformed input at once."""
    assert isinstance(frame, CallFrame)
    value = yield from evaluate(draft, frame, task.arguments, argument_of(frame), DEFINITION)
    source = yield from draft.payloads.get(argument_of(frame))
    try:
        request = expand_endpoints(task.arguments, value, source)
    except UriUnexpandable as problem:
        raise fault(draft, frame, "expression", f"the endpoint can't be expanded: {problem}") from None
    if task.what == "container" and request.get("name") is None:
        request = {**request, "name": container_name(draft, frame, task)}
    effect = PerformCall(
        frame.id,
        frame.attempt,
        task.what,
        task.reference,
        request,
        detached=not task.await_,
        in_doubt=task.in_doubt.policy if task.await_ else "retry",
    )
    if task.await_:
        call.perform(draft, frame, effect)
        return None
    draft.effect("call", frame.id, effect)
    call.note_request(draft, frame, effect)
    return argument_of(frame)


def container_name(draft: Draft, frame: Frame, task: Task) -> str:
    """The name that the reference recommends; another attempt gets another container."""
    program = draft.program
    attempt = "" if frame.attempt == 1 else f"-{frame.attempt}"
    name = f"{program.name}-{frame.id}{attempt}.{program.namespace}-{task.name[:NAME_CHARACTERS_MAX]}"
    return _UNFIT.sub("-", name)


def succeeded(draft: Draft, frame: CallFrame, task: RunProgram, fact: ActivitySucceeded) -> Ref:
    """The program has ended, with the process result ``{code, stdout, stderr}``. Raises `Fault`."""
    frame.calling = False
    call.note_answer(draft, frame, fact, code=fact.output["code"])
    return draft.store(frame, _returned(draft, frame, task, fact.output))


def _returned(draft: Draft, frame: Frame, task: RunProgram, result: Json) -> Json:
    """What ``return`` asks for."""
    code = result["code"]
    match task.return_:
        case "code":
            return code
        case "all":
            return result
        case "stderr":
            return result["stderr"]
        case _ if code != 0:
            said = " ".join((result["stderr"] or result["stdout"] or "").split())
            words = f": {said[:EXCERPT_CHARACTERS_MAX]}" if said else ""
            raise fault(draft, frame, "runtime", f"the {task.what} ended with exit code {code}{words}")
        case "none":
            return None
        case _:
            return result["stdout"]


def note_end(draft: Draft, fact: RunEnded) -> None:
    """Write down how a program ended that nobody awaited."""
    data: dict[str, Json] = {"activity": str(fact.activity), "reference": fact.reference}
    if fact.error is not None:
        data["error"] = {"type": fact.error.type, "status": fact.error.status, "detail": fact.error.detail}
    else:
        data["code"] = fact.code
    draft.note(RUN_ENDED, None, data)
