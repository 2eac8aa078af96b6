"""What earlier releases have stored: it loads, and the processes go on to their planned end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import goldens
import msgspec
import pytest
from goldens import Golden, Successor

from perdure.engine import state as states
from perdure.engine.facts import AnyFact
from perdure.engine.state import AnyFrame, State
from perdure.store.facts import decode_fact, encode_fact

WRITE = "PYTHONPATH=tests:tests/engine .venv/bin/python -m goldens"


@pytest.fixture(params=goldens.paths(), ids=lambda path: path.stem)
def golden(request: pytest.FixtureRequest) -> Golden:
    return goldens.read(request.param)


def test_states_go_on_to_the_end(golden: Golden) -> None:
    end = (golden.stages[-1].status, golden.output, golden.error)
    for stages_done in range(len(golden.stages) + 1):
        assert Successor(golden, stages_done).to_the_end() == end, f"after {stages_done} steps"


def test_tasks_keep_their_numbers(golden: Golden) -> None:
    assert [task.reference for task in golden.program.tasks] == golden.references


def test_what_was_stored_is_stored_alike(golden: Golden) -> None:
    """This release may add to what it reads, and loses nothing of it."""
    for stage in golden.stages:
        state = states.decode(stage.state)
        assert states.decode(states.encode(state)) == state
        for text in stage.facts:
            fact = decode_fact(text.encode())
            assert decode_fact(encode_fact(fact)) == fact
            assert msgspec.json.decode(text).items() <= msgspec.json.decode(encode_fact(fact)).items()


def test_another_stored_form_has_another_version() -> None:
    """By the version, workers of the release before know what to leave alone."""
    path = goldens.form_path()
    assert path.exists(), f"keep what this version of the stored form consists of: {WRITE}"
    assert goldens.form() == path.read_text(), "states are stored in another form: raise VERSION in engine/state.py"
    versions = {stage.state[1] for path in goldens.paths() for stage in goldens.read(path).stages}
    assert max(versions) == states.VERSION, f"add a run to golden_runs.py, then: {WRITE}"


def test_there_is_a_golden_file_of_everything() -> None:
    """Of each kind of frame and fact, with something in each field."""
    seen = {name for path in goldens.paths() for name in _seen(path)}
    kinds = [*get_args(AnyFrame), *get_args(AnyFact), State, states.Timer]
    wanted = {name for kind in kinds for name in (kind.__name__, *_named(kind))}
    forgotten = wanted - seen
    assert not forgotten, f"add a run to golden_runs.py that stores {sorted(forgotten)}, then: {WRITE}"
    assert not list(goldens.missing()), f"write the files of new runs: {WRITE}"


def _seen(path: Path) -> Iterator[str]:
    """The fields that have something other than their default in this file."""
    for stage in goldens.read(path).stages:
        yield from _fields(states.decode(stage.state))
        for text in stage.facts:
            yield from _fields(decode_fact(text.encode()))


def _fields(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _fields(item)
    if not isinstance(value, msgspec.Struct):
        return
    yield type(value).__name__
    for name, field in _named(type(value)).items():
        found = getattr(value, field.name)
        if found != _default(field):
            yield name
            yield from _fields(found)


def _named(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields by the class that they come from, and their own name: one that is inherited is in each subclass."""
    bases = [base for base in reversed(kind.__mro__) if issubclass(base, msgspec.Struct) and base is not msgspec.Struct]
    named = {}
    for field in msgspec.structs.fields(kind):
        owner = next(base for base in bases if field.name in base.__struct_fields__)
        named[f"{owner.__name__}.{field.name}"] = field
    return named


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
