"""Decoding of YAML and JSON: values, places, and everything that is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.definition import document, tree
from perdure.definition.document import parse
from perdure.definition.problems import DefinitionUndecodable

YAML = "application/yaml"
JSON = "application/json"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: 1", {"on": 1}),
        ("a: yes", {"a": "yes"}),
        ("a: 010", {"a": 10}),
        ("a: 0o17", {"a": 15}),
        ("a: 0xfF", {"a": 255}),
        ("a: -5", {"a": -5}),
        ("a: +5", {"a": 5}),
        ("a: 9007199254740993", {"a": 9007199254740993}),
        ("a: 123456789012345678901234567890", {"a": 123456789012345678901234567890}),
        ("a: 1.50", {"a": 1.5}),
        ("a: .5", {"a": 0.5}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: 2026-01-31", {"a": "2026-01-31"}),
        ("a: 2026-01-31T10:00:00Z", {"a": "2026-01-31T10:00:00Z"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: null", {"a": None}),
        ("a: 'null'", {"a": "null"}),
        ("a: True", {"a": True}),
        ("a: 1.0.3", {"a": "1.0.3"}),
        ("404: x\ntrue: y\n~: z", {"404": "x", "true": "y", "~": "z"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("- [1, 2]\n- {a: b}", [[1, 2], {"a": "b"}]),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
        ('{"a":\t"\\u00e9"}', {"a": "é"}),
        ("\ufeffa: 1", {"a": 1}),
        ("'<<': 1", {"<<": 1}),
        ("%YAML 1.1\n---\na: no", {"a": "no"}),
    ],
)
def test_yaml_is_read_by_the_core_schema_of_yaml_1_2(text, value):
    found = parse(text.encode(), YAML).value
    assert found == value
    assert json.dumps(found) == json.dumps(value)  # 1 and True, 1 and 1.0 are told apart


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "empty"),
        ("# nothing", 1, 1, "empty"),
        ("a: 1\nb: 2\na: 3", 3, 1, 'the member "a" stands twice, first in line 1'),
        ("a: &x [1, *x]", 1, 11, "within the value that it repeats"),
        ("a: *x", 1, 4, '"*x" has no anchor'),
        ("a: !!python/object:os.system {}", 1, 4, "expected no tags"),
        ("a: !!str 5", 1, 4, "expected no tags"),
        ("a: 1\n---\nb: 2", 2, 1, "expected one document"),
        ("a: .inf", 1, 4, "put it in quotes"),
        ("a: .NaN", 1, 4, "put it in quotes"),
        ("a: 1e999", 1, 4, "double precision"),
        ("a: " + "9" * 1001, 1, 4, "at most 1000 digits"),
        ("<<: {a: 1}", 1, 1, "merge keys"),
        ("? [a]\n: 1", 1, 3, "expected a name"),
        ("&k a: 1", 1, 1, "without anchors"),
        ("a: &k b\n*k : 1", 2, 1, "expected a name, found an alias"),
        ("a: [1, 2", 2, 1, "not YAML"),
        ("a:\n  b: 1\n c: 2", 3, 2, "not YAML"),
        ("a: {b: ${ .c }}", 1, 9, "put text with ${ } in quotes"),
        ("a: ${ {b: 1} }", 1, 9, "put text with ${ } in quotes"),
        ("a: b\x07", 1, 5, "control character"),
        ('a: "\\0"', 1, 4, "U+0000"),
        ("[" * 100_000, 1, tree.DEPTH_MAX + 1, "nested too deep"),
        ("\n".join("  " * i + "- " for i in range(70)), 65, 129, "nested too deep"),
        ("? " + "a" * 1025 + "\n: 1", 1, 3, "names of at most 1024"),
    ],
)
def test_unreadable_yaml_is_refused_where_the_fault_is(text, line, column, words):
    with pytest.raises(DefinitionUndecodable) as refused:
        parse(text.encode(), YAML)
    problem = refused.value.problem
    assert words in problem.detail
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "found the end"),
        ("  \n x", 2, 2, "expected a JSON value, found 'x'"),
        ('{"a": 1,\n "a": 2}', 2, 2, 'the member "a" stands twice, first in line 1'),
        ("[1, ]", 1, 5, "expected a JSON value"),
        ("[1 2]", 1, 4, 'expected "," or "]"'),
        ('{"a" 1}', 1, 6, 'expected ":"'),
        ("{a: 1}", 1, 2, "name in double quotes"),
        ('{"a": 1} {}', 1, 10, "expected the end"),
        ("[NaN]", 1, 2, "expected a JSON value"),
        ("[Infinity]", 1, 2, "expected a JSON value"),
        ("[1e400]", 1, 2, "double precision"),
        ("[01]", 1, 3, 'expected ","'),
        ("[-]", 1, 2, "expected a JSON value"),
        ("[tru]", 1, 2, "expected a JSON value"),
        ('["abc', 1, 2, "unterminated"),
        ('["a\nb"]', 1, 4, "control character"),
        ('["\\x"]', 1, 3, "escape"),
        ('["\\ud800"]', 1, 2, "unpaired surrogates"),
        ('["\\u0000"]', 1, 2, "U+0000"),
        ("[" * 100_000, 1, tree.DEPTH_MAX + 1, "nested too deep"),
        ('{"a":' * 100_000, 1, 5 * tree.DEPTH_MAX + 1, "nested too deep"),
    ],
)
def test_unreadable_json_is_refused_where_the_fault_is(text, line, column, words):
    with pytest.raises(DefinitionUndecodable) as refused:
        parse(text.encode(), JSON)
    problem = refused.value.problem
    assert words in problem.detail
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize("media_type", [YAML, JSON])
def test_bytes_that_are_not_utf_8_are_refused(media_type):
    with pytest.raises(DefinitionUndecodable, match="expected UTF-8") as refused:
        parse("ok: é\nx: ".encode() + b"\xff", media_type)
    assert (refused.value.problem.line, refused.value.problem.column) == (2, 4)


def test_size_is_bounded():
    with pytest.raises(DefinitionUndecodable, match=f"at most {document.BYTES_MAX} bytes"):
        parse(b" " * (document.BYTES_MAX + 1), YAML)


def test_media_types():
    assert parse(b"{}", "application/json; charset=utf-8").value == {}
    assert parse(b"a: 1", "text/yaml").value == {"a": 1}
    with pytest.raises(DefinitionUndecodable, match='found "text/html"'):
        parse(b"{}", "text/html")


@pytest.mark.parametrize("width", [9, 2])
def test_a_yaml_bomb_is_refused_without_being_expanded(width):
    lines = [f"a0: &a0 [{', '.join(['lol'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, 60)]
    with pytest.raises(DefinitionUndecodable, match="too large with its aliases written out|nest too deep"):
        parse("\n".join(lines).encode(), YAML)


def test_an_alias_to_long_text_counts_its_characters():
    text = "a: &a " + "x" * 500_000 + "\nb: [" + ", ".join(["*a"] * 20) + "]"
    with pytest.raises(DefinitionUndecodable, match="8388608 characters"):
        parse(text.encode(), YAML)


def test_places_of_values_and_names():
    found = parse(b"a:\n  - b: 1\n    c/d: [x, y]\n", YAML)
    assert found.locate("") == (1, 1)
    assert found.locate("/a") == (2, 3)
    assert found.locate_key("/a") == (1, 1)
    assert found.locate("/a/0/b") == (2, 8)
    assert found.locate_key("/a/0/b") == (2, 5)
    assert found.locate("/a/0/c~1d/1") == (3, 14)
    assert found.locate_key("/a/0") == (2, 5)
    assert found.locate("/a/1") is None
    assert found.locate("/nothing/below") is None


def test_places_in_json():
    found = parse('{\n "é": {"a~b": [1,\n  2]}}'.encode(), JSON)
    assert found.locate("/é/a~0b/1") == (3, 3)
    assert found.locate_key("/é/a~0b") == (2, 8)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_values, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_all_json_is_read_as_it_was_written(value, indent, escaped):
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)
    assert json.dumps(parse(text.encode(), JSON).value) == json.dumps(value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    for media_type in (YAML, JSON):
        try:
            parse(text.encode("utf-8", "surrogatepass"), media_type)
        except DefinitionUndecodable as refused:
            assert refused.problem.line is not None
