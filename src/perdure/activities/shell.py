"""Performs ``run: shell`` (DSL reference, "Shell Process"): the command by ``sh``, its arguments as ``$1``, ``$2`` …"""

from pathlib import Path

from perdure.activities import programs
from perdure.activities.contract import Call
from perdure.activities.outside import Outside
from perdure.codec import Json

SHELL = "/bin/sh"


class ShellPerformer:
    """The implementation of `contract.Performer` for ``shell``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def start(self) -> None:
        """Nothing is kept open between runs."""

    async def stop(self) -> None:
        """Programs under way end with the calls that run them."""

    async def perform(self, call: Call) -> Json:
        programs.require_permission(self._outside.settings.run_shell, "shell commands", "PERDURE_RUN_SHELL")

        async def words(place: Path) -> list[str]:
            command = programs.required_text(call.request, "command")
            return [SHELL, "-c", command, "sh", *programs.arguments_of(call.request)]

        return await programs.perform(self._outside, call, words)
