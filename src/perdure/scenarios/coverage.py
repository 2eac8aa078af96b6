"""What no scenario has taken: tasks, cases of switches, catches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from perdure.definition.pointers import child
from perdure.definition.program import Program, Switch, Try
from perdure.engine.draft import TASK_COMPLETED
from perdure.engine.tasks.try_ import ERROR_CAUGHT
from perdure.scenarios.player import path_of
from perdure.scenarios.world import Life


@dataclass(frozen=True, slots=True)
class Coverage:
    """Pointers into the definition, in its order. `total` counts all that could be taken."""

    untaken: tuple[str, ...]
    total: int


def coverage(program: Program, lives: Iterable[Life]) -> Coverage:
    """Over all lives of the definition's processes, children of other definitions left out."""
    own = [life for life in lives if (life.program.namespace, life.program.name) == (program.namespace, program.name)]
    taken = {pointer for life in own for pointer in _taken(life)}
    places = list(_places(program))
    return Coverage(tuple(place for place in places if place not in taken), len(places))


def _places(program: Program) -> Iterator[str]:
    for task in program.tasks:
        yield task.reference
        if isinstance(task, Switch):
            for number, case in enumerate(task.cases):
                yield _case(task, number, case.name)
        elif isinstance(task, Try):
            yield f"{task.reference}/catch"


def _taken(life: Life) -> Iterator[str]:
    yield from path_of(life)
    tasks = {task.reference: task for task in life.program.tasks}
    for entry in life.history:
        if entry.type == ERROR_CAUGHT:
            yield f"{entry.data['task']}/catch"
        elif entry.type == TASK_COMPLETED and "case" in entry.data:
            task = tasks[entry.data["task"]]
            assert isinstance(task, Switch)
            number = next(n for n, case in enumerate(task.cases) if case.name == entry.data["case"])
            yield _case(task, number, entry.data["case"])


def _case(task: Switch, number: int, name: str) -> str:
    return child(child(f"{task.reference}/switch", number), name)
