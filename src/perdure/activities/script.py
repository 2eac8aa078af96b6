"""Performs ``run: script`` (DSL reference, "Script Process"): JavaScript by Node.js, Python by CPython."""

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from perdure.activities import programs
from perdure.activities.contract import Call, CallFailed
from perdure.activities.outside import Outside
from perdure.codec import Json
from perdure.engine.errors import standard

LANGUAGES: Mapping[str, str] = {"javascript": "javascript", "js": "javascript", "python": "python"}
"""The languages of the DSL, by the names that its documents use for them."""

_ES_MODULE = re.compile(r"""^\s*(import\s*[\w*{"']|export\s)""", re.MULTILINE)


class ScriptPerformer:
    """The implementation of `contract.Performer` for ``script``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def start(self) -> None:
        """Nothing is kept open between runs."""

    async def stop(self) -> None:
        """Programs under way end with the calls that run them."""

    async def perform(self, call: Call) -> Json:
        programs.require_permission(self._outside.settings.run_script, "scripts", "PERDURE_RUN_SCRIPT")

        async def words(place: Path) -> list[str]:
            code = await self._code(call)
            interpreter, name = self._interpreter(call.request.get("language"), code)
            (place / name).write_bytes(code)
            return [*interpreter, str(place / name), *programs.arguments_of(call.request)]

        return await programs.perform(self._outside, call, words)

    async def _code(self, call: Call) -> bytes:
        source = call.request.get("source")
        if source is None:
            return programs.required_text(call.request, "code").encode()
        return (await self._outside.resources.fetch(source.get("endpoint"), call)).body

    def _interpreter(self, language: Json, code: bytes) -> tuple[list[str], str]:
        """The command and the name of the file that it is given."""
        settings = self._outside.settings
        match LANGUAGES.get(str(language).lower()):
            case "javascript":
                module = _ES_MODULE.search(code.decode("utf-8", "replace"))
                return [_found(settings.run_node, "PERDURE_RUN_NODE")], "script.mjs" if module else "script.cjs"
            case "python":
                python = settings.run_python or getattr(sys, "_base_executable", None) or sys.executable
                return [_found(python, "PERDURE_RUN_PYTHON"), "-I"], "script.py"
        known = ", ".join(LANGUAGES)
        raise CallFailed(standard("configuration", f"`language` must be one of {known}; found {language!r}."))


def _found(program: str, setting: str) -> str:
    path = shutil.which(program)
    if path is None:
        detail = f"There is no program {program!r} on this worker. Install it, or name another with {setting}."
        raise CallFailed(standard("configuration", detail))
    return path
