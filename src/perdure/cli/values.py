"""Arguments of the commands that are more than a word."""

import json
import re
import sys
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import typer

from perdure.client.models import Json
from perdure.codec import decode

_DEFINITION = re.compile(r"(?P<namespace>[^/:\s]+)/(?P<name>[^/:\s]+)(?::(?P<version>[^/:\s]+))?")
SHOWN_CHARACTERS_MAX = 60


class Definition(NamedTuple):
    """A definition as it is named on the command line; no version means the highest stable one."""

    namespace: str
    name: str
    version: str | None


def definition(text: str) -> Definition:
    """``NAMESPACE/NAME`` or ``NAMESPACE/NAME:VERSION``."""
    match = _DEFINITION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"expected NAMESPACE/NAME or NAMESPACE/NAME:VERSION, found {text!r}")
    return Definition(match["namespace"], match["name"], match["version"])


def id_(text: str) -> str:
    """The id of a process or a task."""
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter(f"expected an id as lists show it, found {text!r}") from None


class Given(NamedTuple):
    """A JSON value that was given, which null is too."""

    value: Json


def json_value(text: str) -> Given:
    """JSON, or ``@FILE`` that holds it (``@-``: standard input)."""
    source, where = (_content(text[1:]), text[1:]) if text.startswith("@") else (text, "")
    try:
        return Given(decode(source))
    except ValueError:
        raise typer.BadParameter(_not_json(source, where)) from None


def pairs(texts: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` each."""
    wrong = [text for text in texts if not text.partition("=")[0] or "=" not in text]
    if wrong:
        raise typer.BadParameter(f"expected NAME=VALUE, found {wrong[0]!r}")
    return dict(text.split("=", 1) for text in texts)


def read(path: str) -> bytes:
    """The content of a file, or of standard input for ``-``."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"can't read {path}: {error.strerror}") from None


def _content(path: str) -> str:
    try:
        return read(path).decode()
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path} is not UTF-8 text") from None


def _not_json(source: str, where: str) -> str:
    """Where JSON stops being JSON. The standard library's decoder tells line and column."""
    try:
        json.loads(source)
    except ValueError as error:
        problem = str(error)
    else:
        problem = "not valid JSON"
    shown = source if len(source) <= SHOWN_CHARACTERS_MAX else source[:SHOWN_CHARACTERS_MAX] + "…"
    found = where or repr(shown)
    return f"expected JSON or @FILE; {found}: {problem}"
