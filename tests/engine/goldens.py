"""Processes as they were stored, kept in git: what this release and all later ones must read and go on with.

A file holds a definition with its pins, and for each step of a process of it: the facts as they lay in the inbox, the
state as it lay in the process row, and the payloads that were stored with it. Beside them is, for each version of the
stored form, what it consists of. Files are written once and never again:

    PYTHONPATH=tests:tests/engine .venv/bin/python -m goldens
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import golden_runs
import msgspec
import yaml
from driver import ENDED, PROCESS, START, Run, decide, evaluate

from perdure.codec import decode, encode
from perdure.definition.loader import compile_document, load
from perdure.definition.pins import FUNCTION, Pin
from perdure.definition.program import Program
from perdure.engine import state as states
from perdure.engine.asks import Ask, Evaluate
from perdure.engine.errors import Error
from perdure.engine.facts import AnyFact
from perdure.engine.refs import inline_value, key_of
from perdure.engine.state import State
from perdure.engine.step import Limits, Process, Step
from perdure.store.facts import decode_fact, encode_fact

FOLDER = Path(__file__).parent / "golden"
STEPS_MAX = 1_000


class Stage(msgspec.Struct, rename="camel"):
    """One step, and how the process was stored after it. `facts` is empty where the process owed itself the step."""

    at: datetime
    facts: list[str]
    state: bytes
    payloads: dict[str, str]
    status: str


class Golden(msgspec.Struct, rename="camel", omit_defaults=True):
    """One process from its start to its end. `references` are those of the tasks, which states name by number;
    `accepted` are payloads that were stored before the first step.
    """

    document: Any
    pins: list[Pin]
    references: list[str]
    activities_max: int
    stages: list[Stage]
    output: Any
    error: str | None
    accepted: dict[str, str] = {}

    @property
    def program(self) -> Program:
        return compile_document(self.document, self.pins)


def read(path: Path) -> Golden:
    return msgspec.json.decode(path.read_bytes(), type=Golden)


def paths() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def form_path() -> Path:
    return FOLDER / f"form-{states.VERSION}.txt"


def form() -> str:
    """What states consist of as this release stores them: each class with its tag and its fields, in their order."""
    kinds = (State, states.Timer, states.Doubt, Error, *get_args(states.AnyFrame))
    described = ((kind.__struct_config__.tag, kind.__name__, ", ".join(kind.__struct_fields__)) for kind in kinds)
    return "".join(f"{tag} {name}: {fields}\n" for tag, name, fields in described)


# going on


class Successor:
    """A process of this release that begins where a stored one stood."""

    def __init__(self, golden: Golden, stages_done: int) -> None:
        done = golden.stages[:stages_done]
        self._golden = golden
        self._program = golden.program
        self._state: State | None = states.decode(done[-1].state) if done else None
        stored = [golden.accepted, *(stage.payloads for stage in done)]
        self._payloads = {bytes.fromhex(key): text for payloads in stored for key, text in payloads.items()}
        self._left = golden.stages[stages_done:]
        self._now = done[-1].at if done else START

    def to_the_end(self) -> tuple[str, Any, str | None]:
        """Lets happen what happened then; answers status, output and the error's type at the end."""
        step = self._step(()) if self._state is not None and self._state.ready else None
        for stage in self._left:
            self._now = stage.at
            if stage.facts:
                step = self._step([decode_fact(text.encode()) for text in stage.facts])
        if step is None:  # it was at its end
            assert self._state is not None
            return self._state.status, self._value(self._state.output), _type(self._state)
        return step.status, self._value(step.output), _type(step)

    def _step(self, facts: Sequence[AnyFact]) -> Step:
        """With the steps that the process then owes itself. Each state goes through its stored form."""
        process, limits = Process(PROCESS, START, b"s" * 32), Limits(self._golden.activities_max)
        for _ in range(STEPS_MAX):
            step = decide(self._program, process, self._state, facts, self._now, limits, self._answer)
            self._payloads.update((key, data.decode()) for key, data in step.payloads.items())
            self._state = states.decode(states.encode(step.state))
            if not step.more:
                return step
            facts = ()
        raise AssertionError("it owes itself ever more steps")

    def _answer(self, ask: Ask) -> Any:
        if isinstance(ask, Evaluate):
            return evaluate(ask, {})
        return {key: decode(self._payloads[key]) for key in ask.keys}

    def _value(self, ref: bytes | None) -> Any:
        if ref is None or self._state is None or self._state.status != "completed":
            return None
        key = key_of(ref)
        return inline_value(ref) if key is None else decode(self._payloads[key])


def _type(end: State | Step) -> str | None:
    return None if end.error is None else end.error.type


# writing


class Recorded(Run):
    """A run that keeps how it was stored after each step."""

    def __init__(self, program: Program, activities_max: int) -> None:
        super().__init__(program, activities_max=activities_max)
        self.stages: list[Stage] = []

    def _step(self, facts: Sequence[AnyFact]) -> None:
        super()._step(facts)
        assert self.state is not None
        self.stages.append(
            Stage(
                self.now,
                [encode_fact(fact).decode() for fact in facts],
                self.state,
                {key.hex(): data.decode() for key, data in self.step.payloads.items()},
                self.step.status,
            )
        )


def record(name: str) -> Golden:
    """The run of this name, lived by this release."""
    text, script = golden_runs.RUNS[name]
    head = {"dsl": "1.0.3", "namespace": "golden", "name": name, "version": "1.0.0"}
    document = load(encode({"document": head} | yaml.safe_load(text)), "application/json").document
    functions = golden_runs.PINS.get(name, {})
    pins = [Pin(number, FUNCTION, key, key, task, True) for number, (key, task) in enumerate(functions.items())]
    program = compile_document(document, pins)
    run = Recorded(program, golden_runs.ACTIVITIES_MAX.get(name, 200))
    script(run)
    assert run.status in ENDED, f"{name} has to come to an end, it is {run.status}: {run.open}"
    output = run.output if run.status == "completed" else None
    references = [task.reference for task in program.tasks]
    accepted = {key.hex(): data.decode() for key, data in run.accepted.items()}
    return Golden(document, pins, references, run.limits.activities_max, run.stages, output, _type(run.step), accepted)


def missing() -> Iterator[tuple[str, Path]]:
    """The runs that have no file."""
    for name in golden_runs.RUNS:
        path = FOLDER / f"{name}.json"
        if not path.exists():
            yield name, path


if __name__ == "__main__":
    for name, path in missing():
        path.write_bytes(msgspec.json.format(msgspec.json.encode(record(name)), indent=1) + b"\n")
        print(f"wrote {path}")
    if not form_path().exists():
        form_path().write_text(form())
        print(f"wrote {form_path()}")
