"""Damaged definitions: each is accepted or refused with places, and what is accepted compiles."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.definition.document import parse
from perdure.definition.loader import compile_document, load
from perdure.definition.problems import DefinitionInvalid, DefinitionUndecodable

DOCUMENTS = [
    parse(file.read_bytes(), "application/yaml").value
    for file in sorted((Path(__file__).parent / "documents").glob("*.yaml"))
]
VALUES = [
    None,
    True,
    5,
    -1,
    1.5,
    "",
    "x",
    "${ .a }",
    "${ .a",
    "PT5S",
    "end",
    [],
    {},
    {"x": 1},
    ["a"],
    [{}],
    {"use": "x"},
]
KEYS = ["foo", "if", "with", "do", "until", "use", "timeout", "then", "for", "set", "as", "from", "any", "one", ""]
SEEDS = 150


def paths(value, path=()) -> Iterator[tuple]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def damaged(random_):
    document = copy.deepcopy(random_.choice(DOCUMENTS))
    for _ in range(random_.choice((1, 1, 2))):
        *path, key = random_.choice([path for path in paths(document) if path])
        parent = at(document, path)
        match random_.randrange(5):
            case 0:
                del parent[key]
            case 1:
                parent[key] = copy.deepcopy(random_.choice(VALUES))
            case 2 if isinstance(parent, dict):
                parent[random_.choice(KEYS)] = copy.deepcopy(random_.choice(VALUES))
            case 3 if isinstance(parent, dict):
                parent[random_.choice(KEYS)] = parent.pop(key)
            case _:
                other = random_.choice([path for path in paths(document) if path])
                parent[key] = copy.deepcopy(at(document, other))
    return document


def check(text):
    try:
        definition = load(text, "application/json")
    except DefinitionInvalid as invalid:
        assert all(problem.line is not None for problem in invalid.problems)
        return False
    except DefinitionUndecodable:
        return False
    found = set(definition.expressions)
    assert set(compile_document(definition.document).expressions) <= found
    return True


def test_damaged_definitions_are_accepted_or_refused_with_places():
    accepted = 0
    for seed in range(SEEDS):
        try:
            accepted += check(json.dumps(damaged(random.Random(seed))).encode())
        except Exception as error:
            raise AssertionError(f"seed {seed} of damaged()") from error
    assert SEEDS / 20 < accepted < SEEDS / 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["document", "do", "call", "set", "with", "for", "a"]), inner, max_size=3)
        ),
        max_leaves=15,
    )
)
def test_any_json_is_refused_with_words(value):
    with pytest.raises((DefinitionInvalid, DefinitionUndecodable)):
        load(json.dumps(value).encode(), "application/json")


@pytest.mark.parametrize("depth", [19, 20, 1000, 20_000])
def test_nesting_never_overflows_the_stack(depth):
    head = '{"document":{"dsl":"1.0.3","namespace":"a","name":"b","version":"1.0.0"},"do":[{"t":'
    text = head + '{"do":[{"t":' * depth + '{"set":{"a":1}}' + "}]}" * depth + "}]}"
    if depth == 19:
        assert len(compile_document(load(text.encode(), "application/json").document).tasks) == 20
    else:
        with pytest.raises(DefinitionUndecodable, match="nested too deep"):
            load(text.encode(), "application/json")
