"""Checks that the documents say nothing that isn't there.

Relative links and their anchors resolve. Every ``make`` target, ``perdure`` command and option, path, setting
and metric in code exists. ``docs/operations.md`` has every setting with its default. Every definition in a YAML
block can be registered and run.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token
from typer.core import TyperGroup

from perdure.cli.main import app
from perdure.definition.loader import load
from perdure.definition.problems import DefinitionInvalid, DefinitionUndecodable, Problem
from perdure.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SETTINGS_DOCUMENT = "docs/operations.md"
FAMILIES = ("PERDURE_SECRET_",)
"""Prefixes of settings whose full names users choose."""
BASES = ("", "src/perdure", "tests", "tests/conformance", "docs")
FOLDERS_SKIPPED = {".venv", ".perdure", ".git", "mutants", "node_modules"}

_parser = MarkdownIt("commonmark").enable("table")
_commands = typer.main.get_command(app)


def documents() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.md") if not FOLDERS_SKIPPED & set(path.relative_to(ROOT).parts))


@cache
def tokens(path: Path) -> tuple[Token, ...]:
    """The document's tokens, in order, with inline ones unfolded after their block."""
    flat: list[Token] = []
    for token in _parser.parse(path.read_text(encoding="utf-8")):
        flat.append(token)
        flat.extend(token.children or ())
    return tuple(flat)


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors that code hosts make of headings: lower case, punctuation dropped, spaces as hyphens."""
    found = set()
    for opening, heading in pairwise(tokens(path)):
        if opening.type == "heading_open":
            text = "".join(child.content for child in heading.children or ())
            found.add(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return frozenset(found)


def link_faults(path: Path) -> Iterator[str]:
    for token in tokens(path):
        target = str(token.attrs.get("href") or token.attrs.get("src") or "")
        if not target or re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"link to {target}: there is no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"link to {target}: there is no such heading"


def code_lines(path: Path) -> Iterator[str]:
    """Each line of code in the document, inline or in blocks, continued lines joined."""
    for token in tokens(path):
        if token.type in {"code_inline", "fence", "code_block"}:
            yield from token.content.replace("\\\n", " ").splitlines()


def make_faults(line: str) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    command = re.match(r"(?:\$ )?make ([a-z][a-z-]*)", line)
    if command and command[1] not in targets:
        yield f"`{line}`: the Makefile has no target {command[1]}"


def perdure_faults(line: str) -> Iterator[str]:
    command = re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?perdure (.*)", line)
    if command is None:
        return
    words = shlex.split(re.sub(r"[\[\]|…<>&]", " ", command[1]), comments=True, posix=False)
    current = _commands
    for word in words:
        if word.startswith("--"):
            options = {name for parameter in current.params for name in parameter.opts} | {"--help"}
            if word.split("=")[0] not in options:
                yield f"`{line}`: {current.name} has no option {word}"
        elif isinstance(current, TyperGroup) and re.fullmatch(r"[a-z-]+", word):
            if word not in current.commands:
                yield f"`{line}`: there is no command {word}"
                return
            current = current.commands[word]


def definition_faults(path: Path) -> Iterator[str]:
    for token in tokens(path):
        if token.type != "fence" or not token.content.startswith("document:\n"):
            continue
        where = f"definition in line {(token.map or [0])[0] + 1}"
        problems: tuple[Problem, ...] = ()
        try:
            load(token.content.encode(), "application/yaml")
        except DefinitionInvalid as invalid:
            problems = invalid.problems
        except DefinitionUndecodable as undecodable:
            problems = (undecodable.problem,)
        for problem in problems:
            yield f"{where}: {problem.pointer}: {problem.detail}"


@cache
def setting_names() -> frozenset[str]:
    return frozenset(f"PERDURE_{name.upper()}" for name in Settings.model_fields)


def setting_faults(line: str) -> Iterator[str]:
    for name in re.findall(r"PERDURE_[A-Z_]*[A-Z]", line):
        if name not in setting_names() and not name.startswith(FAMILIES):
            yield f"`{line}`: there is no setting {name}"


def metric_faults(line: str) -> Iterator[str]:
    defined = (ROOT / "src/perdure/telemetry.py").read_text(encoding="utf-8")
    for name in re.findall(r"\bperdure_[a-z_]+[a-z]", line):
        if f'"{name}"' not in defined:
            yield f"`{line}`: there is no metric {name}"


def path_faults(line: str) -> Iterator[str]:
    """Paths with a folder and a known ending, said from the root or from a room's or the tests' folder."""
    if re.fullmatch(r"[a-z][\w-]*(?:/[\w.-]+)*(?:/|/[\w-]+\.(?:py|md|sql|sh|toml|yaml))", line) and not any(
        (ROOT / base / line).exists() for base in BASES
    ):
        yield f"`{line}`: there is no such path"


def completeness_faults() -> Iterator[str]:
    text = (ROOT / SETTINGS_DOCUMENT).read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(PERDURE_[A-Z_]+)` \| `?([^|`]*)`? \|", text, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        setting = f"PERDURE_{name.upper()}"
        default = {None: "unset", "": "empty"}.get(field.default, str(field.default))
        if setting not in rows:
            yield f"{SETTINGS_DOCUMENT}: the setting {setting} is missing"
        elif not _same(rows[setting].strip(), default):
            yield f"{SETTINGS_DOCUMENT}: {setting} says {rows[setting].strip()}, the default is {default}"


def _same(documented: str, default: str) -> bool:
    """Equal as text, or as numbers."""
    try:
        return float(documented) == float(default)
    except ValueError:
        return documented == default


def faults() -> Iterator[str]:
    for path in documents():
        here = path.relative_to(ROOT)
        for fault in (*link_faults(path), *definition_faults(path)):
            yield f"{here}: {fault}"
        for line in code_lines(path):
            for check in (make_faults, perdure_faults, setting_faults, metric_faults, path_faults):
                for fault in check(line.strip()):
                    yield f"{here}: {fault}"
    yield from completeness_faults()


def main() -> int:
    found = list(faults())
    for fault in found:
        print(fault)
    print(f"{len(documents())} documents checked, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
