"""The in-process evaluator against jq: whatever it answers, jq answers the same."""

import contextlib
import functools
import json

import jq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.codec import decode, encode
from perdure.expressions import plain
from perdure.expressions.contract import NotInline
from perdure.expressions.worker import source

VARIABLES = ("input", "context")


@functools.lru_cache(maxsize=2000)
def _program(text):
    return jq.compile(source(text, VARIABLES))


def by_jq(text, dot, variables):
    """The JSON of the first output, or None where there is none or jq fails."""
    try:
        outcome = next(iter(_program(text).input_text(encode([dot, variables]).decode())), None)
    except ValueError:
        return None
    return None if outcome is None else encode(decode(outcome))


def inline(text, dot, variables):
    """The JSON of the value, or None where the sandbox has to tell."""
    function, names = plain.compiled(text)
    if function is None or not set(names) <= set(variables):
        return None
    try:
        return encode(function(dot, variables))
    except NotInline:
        return None


DATA = {
    "a": {"b": {"c": 1}, "x y": "ü", "n": None, "t": True},
    "items": [
        {"sku": "A", "qty": 2, "price": 19.99, "tags": ["x"]},
        {"sku": "B", "qty": 0, "price": 5, "tags": []},
    ],
    "name": "Ada",
    "list": [3, 1.5, -2],
    "big": 9007199254740993,
    "huge": 123456789012345678901234567890,
    "one": 1.0,
}

MUST_BE_INLINE = [
    ".",
    ".a",
    ".a.b.c",
    '.a."x y"',
    '.a["x y"]',
    ".nope.deeper.still",
    ".items[0].sku",
    ".items[-1].sku",
    ".items[7]",
    "$input",
    "$input.a.b",
    "$context.user.name",
    "{}",
    "[]",
    "[.a.b.c, 2, $input.name]",
    '{name: .name, "the list": .list, (.name): 1, $input, a}',
    "{order: {id: .a.b.c}, ok: true}",
    '"Hello \\(.name), you have \\(.list | length) at \\(.items[0].price)"',
    '"tab\\tquote\\"\\u00e9\\ud83d\\ude00"',
    ".a.b.c + 1",
    ".list[0] - .list[1] * 2",
    ".items[0].price / 3",
    "7 % 3, -7 % 3",
    "-.list[0]",
    '.name + "!"',
    ".list + [1]",
    ".a + {z: 1}",
    "null + 1",
    ".a.b.c == 1",
    ".one == 1",
    '.name != "Ada"',
    '.list[0] > 2 and .name == "Ada"',
    ".name < 5 or .list >= .name",
    '.missing // "default"',
    ".a.n // false // 3",
    'if .a.t then "yes" else "no" end',
    "if .a.n then 1 elif .a.t then 2 else 3 end",
    "if .a.n then 1 end",
    ".items | length",
    ".name | length",
    ".a | keys",
    ".items | map(.qty)",
    ".items | map(.qty * .price)",
    ".items | map(select(.qty > 0)) | length",
    "[.items[] | select(.qty > 0) | .sku]",
    "[.items[].price]",
    "[.items[].price] | add",
    '[.items[].sku] | join(", ")',
    "[.items[].tags[]]",
    ".items | any(.qty == 0)",
    ".items | all(.qty == 0)",
    "[.items[] | .sku == $input.name]",
    "[true, false] | any, all",
    ".a.t | not",
    ".list[1] | tostring",
    ".a | tojson",
    ".big | tostring",
    ".huge",
    ".one | tostring",
    '"12" | tonumber',
    '.name | ascii_downcase | startswith("a")',
    '.name | endswith("a")',
    '.name | ltrimstr("A") | rtrimstr("a")',
    '"a,b,c" | split(",")',
    '"a,b,c" / ","',
    '.a | has("b")',
    ".items | has(1)",
    ".name | type",
    ".items | first | .sku",
    ".items | last | .sku",
    ".a.b | to_entries",
    ".name.first?, 1",
    "[.name.first?]",
    "[.name[]?]",
    "[.items[]?.sku]",
    "1.5 | floor, ceil",
    ".a | .b | .c",
    "( .a.b ).c",
    ".items[.a.b.c].sku",
    "[.list[0], .list[1]] | .[1]",
    '.items[0]["sku"]',
    ".items.[0].sku",
    "{a: .x // 1, b: 1 + 2 | . * 2}",
    "[1, 2] | map([., .])",
]


@pytest.mark.parametrize("text", MUST_BE_INLINE)
def test_plain_expressions_need_no_sandbox_and_agree_with_jq(text):
    variables = {"input": {"a": {"b": 7}, "name": "A"}, "context": {"user": {"name": "Zoë"}}}
    value = inline(text, DATA, variables)
    assert value is not None
    assert value == by_jq(text, DATA, variables)


@pytest.mark.parametrize(
    "text",
    [
        "def f: 1; f",
        "reduce .[] as $x (0; . + $x)",
        "[range(10)]",
        ".. ",
        "env.PATH",
        "$ENV.PATH",
        "input",
        "now",
        ".a |= 1",
        ".[1:2]",
        '@base64 "x"',
        "try error catch .",
        "1.10",
        "1 == 1 == 1",
        "'a'",
        "(1",
        ".a.",
        "",
        'import "x" as x; 1',
        "[.,.]|[.,.]|[.,.]|[.,.]|[.,.]|[.,.]",
        "." + "[0]" * 400,
        "(" * 60 + "1" + ")" * 60,
        "-" * 100 + "1",
        "1//" * 100 + "1",
    ],
)
def test_what_is_not_plain_is_left_to_jq(text):
    assert plain.compiled(text) == (None, None)


@pytest.mark.parametrize(
    "text, dot",
    [
        (".a", "text"),
        (".a // 1", "text"),
        (".[0]", {}),
        ("keys", 1),
        ("1 / .", 0),
        ("tojson", 1e300),
        (". + 1", 2**60),
        (". * 2", 2**53),
        ("empty", None),
        ('"a" * 1000000000', None),
        ("map([$input])", [1, 2]),
        ("[.[] | $input.long]", [1, 2]),
        ("map(.)", list(range(20_000))),
    ],
)
def test_what_jq_should_word_or_bound_is_left_to_jq(text, dot):
    variables = {"input": {"long": "x" * 1000}, "context": None}
    assert inline(text, dot, variables) is None


def test_a_tower_of_growth_stays_small():
    """Doubling again and again is refused at compilation, not discovered by running out of memory."""
    for step in ("[.,.]", ".+.", "{a:.,b:.}", '"\\(.)\\(.)"', "[.[],.[]]", "tojson"):
        function, _ = plain.compiled("|".join([step] * 60))
        if function is not None:
            with contextlib.suppress(NotInline):
                assert len(encode(function("x" * 10, {}))) < 1_000_000


# generated programs

numbers = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.1, 1.0, -0.0, 1e15, 1e17, 1e-5, 2**53, 2**53 + 1, 100.0]),
)
texts = st.one_of(st.sampled_from(["", "a", "b", "A,b", "ü", "\x7f", '\x00\n"\\', "😀", "12"]), st.text(max_size=5))
names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)

leaves = st.one_of(
    st.sampled_from([".", ".a", ".b.c", ".[0]", ".[-1]", '."a"', '.["b"]', "$input", "$context.a", "[]", "{}"]),
    st.sampled_from(["null", "true", "false", "0", "1", "2.5", "10", '"a"', '"x,y"', '"\\u00e9\\n"', "[1,2]"]),
)
functions = st.sampled_from(
    [
        "not",
        "length",
        "type",
        "tonumber",
        "floor",
        "ceil",
        "any",
        "all",
        "keys",
        "add",
        "tostring",
        "tojson",
        "ascii_downcase",
        "ascii_upcase",
        "first",
        "last",
        "to_entries",
    ]
)


def _grown(inner):
    operators = ["//", "or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "|", ","]
    return st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(operators), inner),
        st.builds("({})".format, inner),
        st.builds("[{}]".format, inner),
        st.builds("-({})".format, inner),
        st.builds("- {}".format, inner),
        st.builds("({}){}".format, inner, st.sampled_from([".a", "[]", "?", "[0]", '."b"', ".a?", "[]?"])),
        st.builds("({})[{}]".format, inner, inner),
        st.builds('{{a: {}, ("b"): ({}), c}}'.format, inner, inner),
        st.builds('"<\\({})|\\({})>"'.format, inner, inner),
        st.builds("if {} then {} else {} end".format, inner, inner, inner),
        st.builds("if {} then {} elif {} then {} end".format, inner, inner, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["map", "select", "any", "all"]), inner),
        st.builds(
            "{}({})".format,
            st.sampled_from(["has", "startswith", "endswith", "ltrimstr", "rtrimstr", "split", "join"]),
            inner,
        ),
        st.builds("{} | {}".format, inner, functions),
        functions,
    )


programs = st.recursive(leaves, _grown, max_leaves=6)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=programs, dot=values, given_input=values, context=values)
def test_generated_programs_agree_with_jq(text, dot, given_input, context):
    _agree(text, dot, given_input, context)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=programs, dot=values, given_input=values, context=values)
def test_many_generated_programs_agree_with_jq(text, dot, given_input, context):
    _agree(text, dot, given_input, context)


def _spelled(encoded):
    """The JSON with large whole numbers as integers: jq may spell 2.3e16 as 23000000000000000."""

    def spelled(value):
        if isinstance(value, float) and abs(value) >= 2**53:
            return int(value)
        if isinstance(value, list):
            return [spelled(item) for item in value]
        if isinstance(value, dict):
            return {name: spelled(item) for name, item in value.items()}
        return value

    return encode(spelled(decode(encoded)))


def _agree(text, dot, given_input, context):
    # Through JSON once, as every value that reaches an expression has been.
    dot, given_input, context = (decode(encode(value)) for value in (dot, given_input, context))
    variables = {"input": given_input, "context": context}
    value = inline(text, dot, variables)
    if value is not None:
        expected = by_jq(text, dot, variables)
        assert expected is not None, json.dumps([text, dot, variables])
        assert _spelled(value) == _spelled(expected), json.dumps([text, dot, variables])
