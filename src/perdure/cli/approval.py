"""Who decides the human tasks of the demo: the person at the terminal, or the demo itself."""

import asyncio
from collections.abc import Awaitable, Callable

from rich.text import Text

from perdure import clock
from perdure.cli import keyboard
from perdure.client import ApiError, AsyncClient
from perdure.client.models import HumanTask, Process

LOOK_SECONDS = 0.3
USER = "demo"
DECIDE_SECONDS = 2.0
"""How long the demo thinks before it approves."""
OUTCOMES = {"y": "approved", "n": "rejected"}


class Approval:
    """Decides a process's human tasks until cancelled. `footer` says what is going on."""

    def __init__(self, client: AsyncClient, process: str, say: Callable[[str], None]) -> None:
        """`say` prints a line that stays."""
        self._client = client
        self._process = process
        self._say = say
        self._line: Text | None = None

    def footer(self, process: Process) -> Text | None:
        """What to show below the tree while a person is waited for."""
        waits = any(wait["reason"] == "human-task" for wait in process["waitingFor"])
        return self._line if waits else None

    async def by_itself(self) -> None:
        """Approve after a moment, saying so."""
        await self._each(self._approve)

    async def by_person(self) -> None:
        """Ask at the terminal: y or n."""
        with keyboard.keys() as pressed:
            await self._each(lambda task: self._ask(task, pressed))

    async def _each(self, decide: Callable[[HumanTask], Awaitable[None]]) -> None:
        while True:
            page = await self._client.tasks({"process": self._process, "status": "open"})
            for task in page["items"]:
                await decide(task)
            await clock.sleep(LOOK_SECONDS)

    async def _approve(self, task: HumanTask) -> None:
        self._line = Text(f"The demo approves in a moment, as user “{USER}”: {task['title']}", "bold")
        await clock.sleep(DECIDE_SECONDS)
        if await self._complete(task, "approved", "approved by the demo"):
            self._say(f"The demo approved as user “{USER}”: {task['title']}")

    async def _ask(self, task: HumanTask, pressed: "asyncio.Queue[str]") -> None:
        while not pressed.empty():  # pressed before the question was asked
            pressed.get_nowait()
        self._line = Text("Press y to approve, n to reject:  ", "bold yellow") + Text(task["title"], "bold")
        while (outcome := await self._pressed(pressed)) is None:
            if (await self._client.task(task["id"]))["status"] not in {"open", "claimed"}:
                return
        if await self._complete(task, outcome, None):
            self._say(f"You {outcome}: {task['title']}")

    async def _pressed(self, pressed: "asyncio.Queue[str]") -> str | None:
        """The outcome that a key stands for, None if none is pressed for a while."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                while True:
                    outcome = OUTCOMES.get((await pressed.get()).lower())
                    if outcome is not None:
                        return outcome
        except TimeoutError:
            return None

    async def _complete(self, task: HumanTask, outcome: str, comment: str | None) -> bool:
        """Record the decision; False where somebody else was faster."""
        try:
            await self._client.complete(task["id"], outcome, comment=comment, user=USER)
        except ApiError as error:
            if error.status != 409:
                raise
            return False
        return True
