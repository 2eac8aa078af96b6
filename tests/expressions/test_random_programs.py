"""Programs that nobody would write: each has a value or an error, within its limits, and never a secret."""

import asyncio
import contextlib
import time

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from perdure.codec import encode
from perdure.definition.template import Expression
from perdure.engine.asks import AskFailed, Evaluate
from perdure.expressions.evaluator import JqEvaluator
from perdure.secrets import Secrets
from perdure.settings import Settings

SECRET = "sesame-open-S3cr3t"
SECONDS_MAX = 0.15
PROGRAMS = 1200
DETAIL_CHARACTERS_MAX = 2000

WORDS = [
    ".",
    "..",
    ".a",
    ".a?",
    ".[]",
    ".[0]",
    ".[-1]",
    ".[1:]",
    '.["a"]',
    "|",
    ",",
    "//",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    ":",
    "?",
    "$",
    "@",
    "#",
    '"',
    "\\",
    "\\(",
    "'",
    "`",
    "if",
    "then",
    "elif",
    "else",
    "end",
    "try",
    "catch",
    "as",
    "reduce",
    "foreach",
    "def",
    "f:",
    "f",
    "label",
    "break",
    "import",
    "include",
    "input",
    "inputs",
    "debug",
    "stderr",
    "halt",
    "halt_error",
    "error",
    "env",
    "$ENV",
    "$__loc__",
    "$__prog_args",
    "input_filename",
    "input_line_number",
    "$secrets",
    "$secrets.KEY",
    "$x",
    "$y",
    "limit",
    "first",
    "last",
    "until",
    "while",
    "repeat",
    "recurse",
    "range",
    "infinite",
    "nan",
    "null",
    "true",
    "1",
    "-1",
    "0.5",
    "1e1000",
    "9007199254740993",
    '"a"',
    '"\\u0000"',
    '"\\ud800"',
    "tojson",
    "fromjson",
    "tonumber",
    "tostring",
    "@base64",
    "@base64d",
    "@uri",
    "@html",
    "@sh",
    "@csv",
    "@json",
    "ascii",
    "implode",
    "explode",
    "test",
    "match",
    "sub",
    "gsub",
    "splits",
    "split",
    "join",
    "ltrimstr",
    "keys",
    "values",
    "map",
    "select",
    "path",
    "paths",
    "getpath",
    "setpath",
    "delpaths",
    "to_entries",
    "from_entries",
    "with_entries",
    "walk",
    "transpose",
    "env.PATH",
    "now",
    "mktime",
    "gmtime",
    "strftime",
    "strptime",
    "todate",
    "dateadd",
    "sort",
    "sort_by",
    "group_by",
    "unique",
    "min",
    "max",
    "add",
    "any",
    "all",
    "flatten",
    "floor",
    "sqrt",
    "pow",
    "log",
    "significand",
    "ldexp",
    "tojson",
    'getpath(["a"])',
    'splits("a";null)',
    "ltrimstr(1)",
    "limit(-1;1)",
    "range(10;0;-1)",
    "{a}",
    "{(.):1}",
    '{"a":}',
    "[.[]|.]",
    "(.)",
    "as",
    "[$x,$y]",
    ".",
    "as",
    "{a:$x}",
    "?//",
    "get_search_list",
    "modulemeta",
    "builtins",
    "input_line_number",
    "$__loc__",
    "getpath(1)",
    "error(null)",
    "error({})",
    "ltrimstr",
    "implode([55296])",
    "@text",
    '"x"*1e9',
]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
programs = st.lists(st.sampled_from(WORDS) | st.text(max_size=2), min_size=1, max_size=8).map(" ".join) | st.text(
    max_size=12
)


def drawn(strategy, count):
    """That many examples, always the same."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(strategy)
    def draw(example):
        found.append(example)

    draw()
    return found


@contextlib.asynccontextmanager
async def evaluating():
    limits = {"expression_seconds_max": SECONDS_MAX, "expression_memory_bytes_max": 128 * 1024 * 1024}
    evaluator = JqEvaluator(
        Settings(_env_file=None, expression_workers=2, **limits), Secrets({"PERDURE_SECRET_KEY": SECRET})
    )
    await evaluator.start()
    try:
        yield evaluator
    finally:
        await evaluator.stop()


async def outcome(evaluator, text, dot, secrets):
    """The value as JSON, or the words of the error."""
    ask = Evaluate(Expression(text, pointer="/do/0/x/set/a"), dot, {"x": 1}, secrets=frozenset(secrets))
    try:
        return encode(await evaluator.evaluate(ask)).decode()
    except AskFailed as failed:
        assert failed.error.type.rpartition("/")[2] in ("expression", "authorization", "configuration"), text
        assert failed.error.detail and len(failed.error.detail) < DETAIL_CHARACTERS_MAX, text
        return failed.error.detail


@pytest.mark.parametrize("secrets", [["KEY"], []], ids=["listed", "not listed"])
async def test_each_has_a_value_or_an_error(secrets):
    examples = drawn(st.tuples(programs, values), PROGRAMS // 2)
    began = time.monotonic()
    async with evaluating() as evaluator:
        said = []
        for start in range(0, len(examples), 20):
            said += await asyncio.gather(
                *(outcome(evaluator, text, dot, secrets) for text, dot in examples[start : start + 20])
            )
        assert await evaluator.evaluate(Evaluate(Expression("1 + 1"), None, {}, None)) == 2
        problems = await evaluator.check([Expression(text, pointer="/x") for text, _ in examples])
    assert all(message for _, message in problems)
    if not secrets:
        assert not any(SECRET in text for text in said)
    assert not any("/usr" in text or "PYTHON" in text for text in said), "nothing of the machine"
    assert time.monotonic() - began < PROGRAMS * SECONDS_MAX
