"""`why` and `doctor`: why a process is where it is, and which would wait for ever."""

from typing import Annotated

import typer

from perdure.cli import exits, terminal, values
from perdure.cli.commands.processes import AsJson, Id
from perdure.client import AsyncClient
from perdure.client.models import Finding

OneId = Annotated[str | None, typer.Argument(parser=values.id_, metavar="[ID]", help="Only this process.")]


def why(process: Id, as_json: AsJson = False) -> None:
    """Say what a process waits for, and what will wake it."""
    found = exits.call(lambda client: client.why(process))
    if as_json:
        terminal.print_json(found)
        return
    answers = terminal.answers()
    sentences = [wait["sentence"] for wait in found["waits"]]
    if not sentences or not found["sentence"].startswith(sentences[0]):  # else it only sums them up
        sentences.insert(0, found["sentence"])
    for sentence in sentences:
        answers.print(sentence, soft_wrap=True, highlight=False)
    if found["total"] > len(found["waits"]):
        terminal.note(f"And {found['total'] - len(found['waits'])} more.", style="dim")


def doctor(
    process: OneId = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Record again what follows from the state of the process alone.")
    ] = False,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart", help="With ID: begin anew what can't be had again otherwise, calls with the same key."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find processes that nothing will wake. Exits 0 if there is none, or all are repaired."""
    if restart and process is None:
        raise typer.BadParameter("expected the ID of a process beside --restart")

    async def work(client: AsyncClient) -> tuple[int, list[Finding]]:
        examined, findings, after = 0, list[Finding](), None
        while True:
            found = await client.examine(process, after=after, repair=repair, restart=restart)
            examined += found["examined"]
            findings += found["findings"]
            after = found["next"]
            if after is None:
                return examined, findings

    examined, findings = exits.call(work)
    if as_json:
        terminal.print_json({"examined": examined, "findings": findings})
    else:
        _print(examined, findings)
    if not all(finding["repaired"] for finding in findings):
        raise typer.Exit(exits.FAILED)


def _print(examined: int, findings: list[Finding]) -> None:
    answers = terminal.answers()
    for finding in findings:
        done = "repaired" if finding["repaired"] else "needs you"
        answers.print(f"{finding['process']}  {finding['status']}, {done}", soft_wrap=True, highlight=False)
        answers.print(f"  not recorded: {', '.join(finding['missing'])}", soft_wrap=True, highlight=False)
        answers.print(f"  {finding['explanation']}", soft_wrap=True, highlight=False)
    looked = f"Looked at {examined} process{'' if examined == 1 else 'es'} that had not ended"
    if not findings:
        answers.print(f"{looked}: something recorded will wake each of them.")
    else:
        left = sum(not finding["repaired"] for finding in findings)
        answers.print(f"{looked}: {len(findings) - left} repaired, {left} left.")
