"""What ``run: shell`` and ``run: script`` have in common: a permitted, bounded program on the worker's machine.

A repeat after a crash runs the program again; ``IDEMPOTENCY_KEY`` in its environment is the same then.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from perdure.activities import child
from perdure.activities.contract import Call, CallFailed, trace_of_call
from perdure.activities.http_request import misconfigured
from perdure.activities.outside import Outside
from perdure.codec import Json, text_of
from perdure.engine.errors import standard

IDEMPOTENCY_KEY = "IDEMPOTENCY_KEY"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


async def perform(outside: Outside, call: Call, words: Callable[[Path], Awaitable[list[str]]]) -> Json:
    """Run the program that `words` prepares in a directory; answers the process result. Raises `CallFailed`."""
    redact = outside.secrets.redact_text
    try:
        async with child.directory("run") as place:
            program = child.Program(await words(place), stdin_of(call.request), environment_of(call))
            async with outside.programs:
                trace_of_call().sends()
                result = await child.run(program, place, outside.settings)
    except CallFailed as failure:
        raise outside.caller.redacted(failure.error) from None
    return {"code": result.code, "stdout": redact(result.stdout), "stderr": redact(result.stderr)}


def require_permission(permitted: bool | None, what: str, setting: str) -> None:
    """Raises `CallFailed` where the operator does not let workers run such things."""
    if not permitted:
        detail = f"This worker may not run {what}. The operator allows it with {setting}=true."
        raise CallFailed(standard("authorization", detail))


def stdin_of(request: Json) -> bytes:
    """Text as it is, every other value as JSON, nothing where there is none."""
    value = request.get("stdin")
    return b"" if value is None else text_of(value).encode()


def arguments_of(request: Json) -> list[str]:
    """The arguments as text."""
    arguments = request.get("arguments") or []
    if not isinstance(arguments, list):
        raise misconfigured(f"`arguments` must be an array; found {type(arguments).__name__}.")
    return [text_of(argument) for argument in arguments]


def environment_of(call: Call) -> dict[str, str]:
    """The author's variables as text (null leaves one out), and the key that stays the same in every repeat."""
    variables = call.request.get("environment") or {}
    if not isinstance(variables, dict):
        raise misconfigured(f"`environment` must be an object; found {type(variables).__name__}.")
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise misconfigured(f"{name!r} can't be the name of an environment variable.")
    given = {name: text_of(value) for name, value in variables.items() if value is not None}
    return {IDEMPOTENCY_KEY: call.idempotency_key, **given}


def required_text(request: Json, name: str) -> str:
    """A member that must be a string and not empty."""
    value = request.get(name)
    if not isinstance(value, str) or not value.strip():
        raise misconfigured(f"`{name}` must be a string that is not empty.")
    return value
