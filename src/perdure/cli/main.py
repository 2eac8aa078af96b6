"""The `perdure` command."""

from collections.abc import Callable
from typing import Annotated

import typer

from perdure import __version__
from perdure.cli.commands import definitions, demo, keys, liveness, people, processes, scenarios, schedules, serve

RUN, WORK, OPERATE = "Run the platform", "Start and follow processes", "Operate"

app = typer.Typer(
    help="Durable process orchestration. Settings come from PERDURE_* variables, a .env file, or flags.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"perdure {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Durable process orchestration: Serverless Workflow definitions, run reliably on PostgreSQL.

    Settings come from PERDURE_* variables, a .env file, or flags. `perdure demo` shows it all at work.
    """


COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    RUN: (demo.demo, serve.dev, serve.migrate, serve.api, serve.worker),
    WORK: (
        definitions.deploy,
        scenarios.test,
        scenarios.export,
        processes.start,
        processes.ps,
        processes.show,
        processes.history,
        liveness.why,
        people.tasks,
        people.complete,
        people.emit,
        schedules.schedules,
    ),
    OPERATE: (processes.suspend, processes.resume, processes.cancel, processes.retry, liveness.doctor),
}
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(schedules.app, name="schedule", rich_help_panel=OPERATE)
app.add_typer(keys.app, name="keys", rich_help_panel=OPERATE)


def main() -> None:
    """Run the command that the arguments name."""
    app()
