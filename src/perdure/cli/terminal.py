"""Where the commands write: answers to standard output, everything said beside them to standard error."""

import shutil
import sys
from typing import TextIO

from rich.console import Console

from perdure.client.models import Json
from perdure.codec import encode

HEADING_COLUMNS = 72
PLAIN_COLUMNS = 200
"""Width of lines where nobody's window limits it, as in a file or a pipe."""


def answers() -> Console:
    return _console(sys.stdout)


def notes() -> Console:
    return _console(sys.stderr)


def ascii_only(console: Console) -> bool:
    """Whether the terminal can't show more than ASCII."""
    return not console.encoding.lower().startswith("utf")


def note(*lines: str, style: str = "") -> None:
    """Say something beside the answer."""
    console = notes()
    for line in lines:
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def heading(console: Console, title: str) -> None:
    console.print()
    console.print(title, style="bold")
    console.print(("-" if ascii_only(console) else "─") * min(console.width, HEADING_COLUMNS), style="dim")


def failure(*lines: str) -> None:
    """Say what went wrong, the first line loudest."""
    note(*lines[:1], style="bold red")
    note(*lines[1:])


def print_json(value: Json) -> None:
    """Exactly this JSON: indented for a person, on one line for a program."""
    if not sys.stdout.isatty():
        sys.stdout.write(encode(value).decode() + "\n")
        return
    answers().print_json(encode(value).decode(), highlight=True)


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else max(shutil.get_terminal_size((PLAIN_COLUMNS, 50)).columns, 80)
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
