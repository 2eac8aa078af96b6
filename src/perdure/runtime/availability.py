"""What a valid definition asks for that this installation may not do: told when it is registered, as warnings.

At run time, the worker decides: its installation and its settings count, which may differ from the API's.
"""

import importlib.util
from collections.abc import Iterator, Mapping

from perdure.activities.asyncapi.protocols import table
from perdure.codec import Json
from perdure.definition.problems import Problem
from perdure.definition.program import Call, CallSubscription, Program, RunProgram, Task
from perdure.engine.uris import member
from perdure.settings import Settings

EXTRAS: Mapping[str, tuple[str, str]] = {
    "grpc": ("grpc_tools", "grpc"),
    "kubernetes": ("kubernetes_asyncio", "kubernetes"),
}
"""By function, or what runs containers: the module that it needs, and the extra that brings it."""


def warnings(program: Program, settings: Settings) -> Iterator[Problem]:
    """One for each task that a worker installed and set up as this process would refuse to perform."""
    for task in program.tasks:
        missing = _missing(task, settings)
        if missing is not None:
            yield Problem(task.reference, missing)


def _missing(task: Task, settings: Settings) -> str | None:
    match task:
        case RunProgram(what=what) if not getattr(settings, f"run_{what}"):
            return (
                f"run: {what} is not allowed here, so the task will fault with an authorization error; the operator "
                f"allows it with PERDURE_RUN_{what.upper()}=true"
            )
        case RunProgram(what="container") if settings.container_engine in EXTRAS:
            return _extra(f"run: container on {settings.container_engine.capitalize()}", settings.container_engine)
        case Call(function="mcp") if _starts_program(task) and not settings.run_shell:
            return (
                "call: mcp with stdio starts a program, which is not allowed here, so the task will fault with an "
                "authorization error; the operator allows it with PERDURE_RUN_SHELL=true"
            )
        case Call(function=function) if function in EXTRAS:
            return _extra(f"call: {function}", function)
        case Call(function="asyncapi") | CallSubscription():
            return _protocol(task.definition["with"])
    return None


def _extra(what: str, name: str) -> str | None:
    module, extra = EXTRAS[name]
    if importlib.util.find_spec(module) is not None:
        return None
    return (
        f"{what} needs an extra that is not installed here, so the task will fault with a configuration error; "
        f"install it with: pip install 'perdure[{extra}]'"
    )


def _starts_program(task: Call) -> bool:
    transport = member(task.arguments, "transport")
    return transport is not None and member(transport, "stdio") is not None


def _protocol(arguments: Json) -> str | None:
    """A protocol counts only where the call names no server; which one that has, only its document tells."""
    if "server" in arguments or "protocol" not in arguments:
        return None
    problem = table.missing(arguments["protocol"])
    return None if problem is None else f"call: asyncapi would fault with a configuration error: {problem}"
