"""Checks of a whole definition (DSL reference, "Workflow")."""

import re
from contextlib import suppress

from perdure.codec import Json
from perdure.definition import versions
from perdure.definition.checks import faults, schedule
from perdure.definition.checks.authentication import policy
from perdure.definition.checks.report import EnoughFound, Report, quoted
from perdure.definition.checks.runs import NAME
from perdure.definition.checks.shapes import anything, array, mapping, members, object_, quotes_hint, string, word
from perdure.definition.checks.tasks import task, task_list
from perdure.definition.checks.text import expression
from perdure.definition.checks.values import endpoint, input_, output, timeout, timeout_object
from perdure.definition.document import Document
from perdure.definition.pointers import child
from perdure.definition.uses import Uses, foreign_language, is_loose, unknown_language

DSL_VERSION = "1.0.3"
"""The version of the DSL that is implemented; all 1.0.x are read as it."""

_EXTENDED = (
    "call",
    "composite",
    "emit",
    "extension",
    "for",
    "listen",
    "raise",
    "run",
    "set",
    "switch",
    "try",
    "wait",
    "all",
)


def check(document: Document) -> Report:
    """Everything that can be said about a definition before it runs."""
    value = document.value
    foreign = foreign_language(value) is not None
    report = Report(Uses.of(value), loose=is_loose(value), foreign=foreign, document=document)
    with suppress(EnoughFound):
        _workflow(value, "", report)
    return report


def check_function(document: Document, uses: Uses | None) -> Report:
    """As `check`, for a function that is a document of its own; `uses` as in `functions.load`."""
    report = Report(uses or Uses(), published=uses is None, document=document)
    with suppress(EnoughFound):
        task(document.value, "", report, ())
    return report


def _name(value: Json, pointer: str, report: Report) -> None:
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        report.expected(
            "a name of letters, digits and -, with a letter or digit at both ends, of at most 63 characters",
            value,
            pointer,
            quotes_hint(value),
        )


def _dsl(value: Json, pointer: str, report: Report) -> None:
    version = _parsed(value, pointer, report)
    if version is not None and ((version.major, version.minor) != (1, 0) or version.prerelease):
        report.problem(pointer, f'expected a DSL version 1.0.x such as "{DSL_VERSION}", found {quoted(str(value))}')


def _version(value: Json, pointer: str, report: Report) -> None:
    _parsed(value, pointer, report)


def _parsed(value: Json, pointer: str, report: Report) -> versions.Version | None:
    if not isinstance(value, str):
        report.expected("a semantic version such as 1.2.0", value, pointer, quotes_hint(value))
        return None
    try:
        return versions.parse(value)
    except ValueError as error:
        report.problem(pointer, str(error))
        return None


_document = members(
    {"dsl": _dsl, "namespace": _name, "name": _name, "version": _version},
    {"title": string, "summary": string, "tags": object_, "metadata": schedule.metadata},
)


def _functions(value: Json, pointer: str, report: Report) -> None:
    mapping(anything)(value, pointer, report)
    for name, function in value.items() if isinstance(value, dict) else ():
        with report.function(name):
            task(function, child(pointer, name), report, ())


_extension = members({"extend": word(*_EXTENDED)}, {"when": expression, "before": task_list, "after": task_list})


def _extension_item(value: Json, pointer: str, report: Report) -> None:
    if not isinstance(value, dict) or len(value) != 1:
        report.expected("one property, the extension under its name", value, pointer)
        return
    mapping(_extension)(value, pointer, report)


def _secrets(value: Json, pointer: str, report: Report) -> None:
    array(string)(value, pointer, report)


_use = members(
    optional={
        "authentications": mapping(policy),
        "catalogs": mapping(members({"endpoint": endpoint})),
        "errors": mapping(faults.error),
        "extensions": array(_extension_item),
        "functions": _functions,
        "retries": mapping(faults.retry),
        "secrets": _secrets,
        "timeouts": mapping(timeout_object),
    }
)

_evaluate_members = members(optional={"language": string, "mode": word("strict", "loose")}, open_=True)


def _evaluate(value: Json, pointer: str, report: Report) -> None:
    """In the reference, but not in the published schema: other runtimes may refuse it."""
    report.warn(
        pointer, "evaluate is not part of the published schema of the DSL; other runtimes may ignore it", at_key=True
    )
    _evaluate_members(value, pointer, report)
    language = foreign_language({"evaluate": value})
    if language is not None:
        report.unavailable(child(pointer, "language"), *unknown_language(language))


_workflow = members(
    {"document": _document, "do": task_list},
    {
        "input": input_,
        "use": _use,
        "timeout": timeout,
        "output": output,
        "schedule": schedule.schedule,
        "evaluate": _evaluate,
    },
    open_=True,
    what="a definition, which is an object with document and do",
)
