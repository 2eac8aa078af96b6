"""Checks of URIs and templates of them (DSL reference, "URI Template")."""

import re

from perdure.codec import Json
from perdure.definition.checks.report import Report, quoted
from perdure.definition.checks.text import is_known, text

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")
_ANY_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_BRACES = re.compile(r"\{([^{}]*)\}")
_OPERATORS = tuple("+#./;?&=,!@|")


def uri(value: Json, pointer: str, report: Report) -> None:
    """A URI, a template of one (DSL reference, "URI Template"), or an expression."""
    text(value, pointer, report)
    if not is_known(value, report):
        return
    if _URI.fullmatch(value):
        _uri_template(value, pointer, report)
    else:
        expected = "a URI such as https://example.com/orders/{id}, or an expression in ${ }"
        report.problem(pointer, f"expected {expected}, found {quoted(value)}")


def _uri_template(value: str, pointer: str, report: Report) -> None:
    names = _BRACES.findall(value)
    rest = _BRACES.sub("", value)
    if "{" in rest or "}" in rest:
        report.problem(pointer, f"expected each {{ to be closed by a }} in the URI, found {quoted(value)}")
    for name in names:
        if not name:
            report.problem(pointer, f"expected a name between {{ and }} in the URI, found {quoted(value)}")
        elif name.startswith(_OPERATORS):
            report.warn(
                pointer, f"{{{name[:40]}}} is taken as a name; only simple expansion such as {{id}} is supported"
            )


def any_uri(value: Json, pointer: str, report: Report) -> None:
    """A URI with any scheme, or an expression: what CloudEvents want as ``source``."""
    text(value, pointer, report)
    if is_known(value, report) and not _ANY_URI.fullmatch(value):
        expected = "a URI such as https://example.com/shop, or an expression in ${ }"
        report.problem(pointer, f"expected {expected}, found {quoted(value)}")
