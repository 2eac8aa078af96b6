"""`test` and `export`: scenarios of definitions."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from perdure.cli import exits, terminal
from perdure.cli.render import problems
from perdure.cli.render import scenarios as render
from perdure.client import AsyncClient
from perdure.client.models import Fault


def test(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Scenario files (YAML).")],
    full: Annotated[
        bool, typer.Option("--full", help="Fail where a task, case or catch is taken by no scenario.")
    ] = False,
) -> None:
    """Play scenarios of a definition: canned answers, a virtual clock, the real engine. Needs no server."""
    passed = [_play(file, full) for file in files]
    if not all(passed):
        raise typer.Exit(exits.FAILED)


def export(
    process: Annotated[str, typer.Argument(metavar="ID", help="A process that has ended.")],
    scenario: Annotated[bool, typer.Option("--scenario", help="As a scenario file for `perdure test`.")] = False,
) -> None:
    """Turn a real process into a scenario that plays it again."""
    from perdure.scenarios.export import Unexportable, scenario_of

    if not scenario:
        exits.fail("Say what to export: --scenario", code=exits.USAGE)

    async def work(client: AsyncClient) -> str:
        found = await client.process(process)
        name = found["definition"]
        definition = await client.definition(name["namespace"], name["name"], name["version"])
        activities, history = await client.all_activities(process), await client.all_history(process)
        return scenario_of(found, definition, activities, history)

    try:
        terminal.answers().print(exits.call(work), end="", markup=False, highlight=False, soft_wrap=True)
    except Unexportable as problem:
        exits.fail(str(problem))


def _play(file: Path, full: bool) -> bool:
    """Play one file and say how that went; the files after it get their turn all the same."""
    from perdure import hosting, wiring
    from perdure.scenarios.files import FileUnusable, play

    settings = exits.settings()
    try:
        played = asyncio.run(play(file, partial(wiring.open_evaluator, settings)))
    except FileUnusable as unusable:
        faults = [
            Fault(pointer=problem.pointer, detail=problem.detail, line=problem.line, column=problem.column)
            for problem in unusable.problems
        ]
        terminal.note(*problems.faults(unusable.file, faults))
        return False
    except hosting.CannotStart as problem:
        exits.fail(str(problem))
    for line in render.played(str(file), played):
        terminal.answers().print(line, markup=False, highlight=False, soft_wrap=True)
    complete = not (full and played.coverage.untaken)
    return complete and not any(outcome.failures for outcome in played.outcomes)
