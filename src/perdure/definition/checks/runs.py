"""Checks of what run tasks run (DSL reference, "Run")."""

import re

from perdure.codec import Json
from perdure.definition import versions
from perdure.definition.checks.report import Report, quoted
from perdure.definition.checks.shapes import array, boolean, exactly_one, members, object_, string, word
from perdure.definition.checks.text import template, text
from perdure.definition.checks.values import duration, literal_text, resource

NAME = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
"""The names and namespaces of workflows."""

_KINDS = ("container", "script", "shell", "workflow")


def _environment(value: Json, pointer: str, report: Report) -> None:
    object_(value, pointer, report)
    template(value, pointer, report)


_lifetime_members = members({"cleanup": word("always", "never", "eventually")}, {"after": duration})


def _lifetime(value: Json, pointer: str, report: Report) -> None:
    _lifetime_members(value, pointer, report)
    if isinstance(value, dict) and "cleanup" in value and (value["cleanup"] == "eventually") != ("after" in value):
        report.problem(pointer, 'expected "after" if, and only if, cleanup is "eventually"')


_container = members(
    {"image": text},
    {
        "name": text,
        "command": text,
        "ports": object_,
        "volumes": object_,
        "environment": _environment,
        "stdin": text,
        "arguments": array(text),
        "lifetime": _lifetime,
        "pullPolicy": word("ifNotPresent", "always", "never"),
    },
)

_script_members = members(
    {"language": string},
    {"code": string, "source": resource, "stdin": text, "arguments": array(text), "environment": _environment},
)


def _script(value: Json, pointer: str, report: Report) -> None:
    _script_members(value, pointer, report)
    if isinstance(value, dict):
        exactly_one(value, ("code", "source"), pointer, report)


_shell = members({"command": text}, {"stdin": text, "arguments": array(text), "environment": _environment})


def _workflow_name(value: Json, pointer: str, report: Report) -> None:
    name = literal_text(value, pointer, report)
    if name is not None and not re.fullmatch(NAME, name):
        report.problem(
            pointer, f"expected the name of a workflow (letters, digits and -, at most 63), found {quoted(name)}"
        )


def _workflow_version(value: Json, pointer: str, report: Report) -> None:
    version = literal_text(value, pointer, report)
    if version is None or version == versions.LATEST:
        return
    try:
        versions.parse(version)
    except ValueError as error:
        report.problem(pointer, f'{error}; or write "latest"')


_workflow = members(
    {"namespace": _workflow_name, "name": _workflow_name, "version": _workflow_version}, {"input": template}
)

_run_members = members(
    optional={
        "container": _container,
        "script": _script,
        "shell": _shell,
        "workflow": _workflow,
        "await": boolean,
        "return": word("stdout", "stderr", "code", "all", "none"),
    },
    what=f"an object with one of {', '.join(_KINDS)}",
)


def run(value: Json, pointer: str, report: Report) -> None:
    """``run``: exactly one kind of process, and how it is run."""
    _run_members(value, pointer, report)
    if not isinstance(value, dict):
        return
    exactly_one(value, _KINDS, pointer, report)
