"""Definitions that mean harm: deep, wide, repeated, huge, odd. Each is read or refused, soon and with its place."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.definition.document import BYTES_MAX
from perdure.definition.loader import compile_document, load
from perdure.definition.problems import DefinitionInvalid, DefinitionUndecodable

YAML, JSON = "application/yaml", "application/json"
SECONDS_MAX = 5.0
HEAD = {"document": {"dsl": "1.0.3", "namespace": "a", "name": "b", "version": "1.0.0"}}
FINE = json.dumps({**HEAD, "do": [{"a": {"set": {"x": "${ .x }"}}}, {"b": {"wait": "PT1S"}}]}).encode()

ODD = ["\0", "\ufeff", "\u2028", "\u0085", "\ud800", "\U0010ffff", "\u202e", "\x1b[2J", "\x7f", "é", "e\u0301", "ﬀ"]
BITS = [
    b"",
    *(text.encode("utf-8", "surrogatepass") for text in ODD),
    b"\xff\xfe",
    b"\xc0\x80",
    b"&a [*a]",
    b"*b",
    b"!!python/object/apply:os.system [ls]",
    b"<<: *a",
    b"---\n",
    b"%YAML 9.9\n",
    b"? [a]\n",
    b"\t",
    b"{",
    b"]",
    b"9" * 5000,
    b"1e999999999",
    b"-.inf",
    b"0x" + b"f" * 5000,
    b"0o" + b"7" * 5000,
    b'"\\ud800"',
    b"1_000",
    b"2026-01-01",
]


def outcome(source, media_type):
    """How it ends; anything but a definition or a refusal with a place is an error of ours."""
    began = time.monotonic()
    try:
        definition = load(source, media_type)
    except (DefinitionInvalid, DefinitionUndecodable) as refused:
        problems = refused.problems if isinstance(refused, DefinitionInvalid) else (refused.problem,)
        too_large = problems[0].detail.startswith(f"expected at most {BYTES_MAX} bytes")
        assert problems and all(problem.detail and (too_large or problem.line is not None) for problem in problems)
        assert sum(len(problem.detail) for problem in problems) < 200_000, "an answer, not an echo"
        found = "refused"
    else:
        compile_document(definition.document)
        json.dumps(definition.document).encode("ascii")
        found = "accepted"
    assert time.monotonic() - began < SECONDS_MAX
    return found


@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(FINE)), st.integers(0, 12), st.sampled_from(BITS)), min_size=1, max_size=3)
)
def test_pieces_put_into_a_definition(changes):
    source = FINE
    for at, gone, bit in changes:
        source = source[:at] + bit + source[at + gone :]
    for media_type in (YAML, JSON):
        outcome(source, media_type)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(source):
    for media_type in (YAML, JSON):
        assert outcome(source, media_type) == "refused"


NESTED = {
    "arrays": lambda n: b"[" * n + b"]" * n,
    "objects": lambda n: b'{"a":' * n + b"1" + b"}" * n,
    "open": lambda n: b"[" * n,
    "indented": lambda n: b"".join(b" " * (i % 1000) + b"- \n" for i in range(n)),
    "dashes": lambda n: b"- " * n + b"1",
    "questions": lambda n: b"? " * n + b"1",
    "anchors": lambda n: b"".join(b"&a%d [" % i for i in range(n)) + b"]" * n,
    "tasks": lambda n: FINE[:-2] + b',{"c":{"do":[' * n + b"]}}" * n + b"]}",
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("depth", [30, 3000, 100_000])
def test_nesting(kind, depth):
    for media_type in (YAML, JSON):
        assert outcome(NESTED[kind](depth), media_type) == "refused"


REPEATED = {
    "laughs": "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{o}, *{o}, *{o}]\n" for o, n in zip("abcdefghijklmnop", "bcdefghijklmnopq", strict=True)),
    "long laughs": "a: &a " + "x" * 10_000 + "\nb: [" + "*a, " * 20_000 + "]",
    "itself": "a: &a {b: *a}",
    "itself through another": "a: &a [&b [*a, *b]]",
    "many anchors": "\n".join(f"k{n}: &a{n} 1" for n in range(20_000)),
    "many names": "{" + ",".join(f'"k{n}": 1' for n in range(50_000)) + "}",
    "one name": "{" + ",".join('"k": 1' for _ in range(50_000)) + "}",
    "many documents": "---\na: 1\n" * 10_000,
    "a long name": "? " + "x" * 500_000 + "\n: 1",
    "a long line": "a: '" + "''" * 200_000 + "'",
    "many comments": "# x\n" * 100_000,
    "many blanks": " " * 500_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", REPEATED)
def test_repetition(kind):
    for media_type in (YAML, JSON):
        assert outcome(REPEATED[kind].encode(), media_type) == "refused"


NUMBERS = [
    "9" * 400,
    "-" + "9" * 4300,
    "9" * 5000,
    "1e400",
    "1e-400",
    "1e99999999999",
    "0." + "0" * 5000 + "1",
    "-0",
    "1E5",
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("media_type", [YAML, JSON])
@pytest.mark.parametrize(
    "place",
    ['"set":{"x":%s}', '"wait":%s', '"wait":{"seconds":%s}', '"if":%s,"set":{"a":1}', '"then":%s,"set":{"a":1}'],
)
def test_numbers(number, media_type, place):
    task = "{" + place.replace("%s", number) + "}"
    outcome(FINE[:-2] + b',{"c":' + task.encode() + b"}]}", media_type)


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("media_type", [YAML, JSON])
def test_texts(text, media_type):
    raw = FINE.replace(b".x", text.encode("utf-8", "surrogatepass"))
    named = FINE.replace(b'"x"', b'"' + text.encode("utf-8", "surrogatepass") + b'"')
    escaped = FINE.replace(b'"x"', json.dumps(text).encode()).replace(b"PT1S", json.dumps(text).encode()[1:-1])
    for source in (raw, named, escaped):
        outcome(source, media_type)


@pytest.mark.parametrize(
    "text",
    ["${" * 5000, "${ " + "(" * 20_000 + " }", "${ " + "[" * 20_000 + "]" * 20_000 + " }", "${ " + "-" * 20_000 + "1 }",
     "${ ." + ".a" * 20_000 + " }", "${ " + "1+" * 20_000 + "1 }", "${ " + "if . then " * 5000 + " }", '${ "' + "\\(" * 5000 + " }",
     "${ . " + "| ." * 20_000 + " }", "${ . as [" + "$a," * 5000 + "$a] | 1 }", "${ \0 }", "${ }", "${", "}", "${ #"],
    ids=range(15),
)  # fmt: skip
def test_expressions(text):
    source = json.dumps({**HEAD, "do": [{"a": {"set": {"x": text}}}, {"b": {"if": text, "wait": text}}]})
    for media_type in (YAML, JSON):
        outcome(source.encode(), media_type)
