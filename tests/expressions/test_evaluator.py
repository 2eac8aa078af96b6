"""The evaluator as a whole, with real sandbox processes."""

import asyncio
import contextlib
import os
import signal
import time

import pytest

from perdure.definition.template import ArrayTemplate, Expression, Interpolation, Literal, ObjectTemplate
from perdure.engine.asks import AskFailed, Evaluate
from perdure.expressions.contract import EvaluatorUnavailable, NotInline
from perdure.expressions.evaluator import JqEvaluator
from perdure.secrets import Secrets
from perdure.settings import Settings

SECRETS = Secrets({"PERDURE_SECRET_API_KEY": "sesame-open", "PERDURE_SECRET_LOGIN": '{"user": "ada-l"}'})

SLOW = "last(repeat(1))"


@contextlib.asynccontextmanager
async def evaluating(**changes):
    settings = {
        "expression_seconds_max": 1.0,
        "expression_memory_bytes_max": 128 * 1024 * 1024,
        "expression_workers": 2,
        **changes,
    }
    evaluator = JqEvaluator(Settings(_env_file=None, **settings), SECRETS)
    await evaluator.start()
    try:
        yield evaluator
    finally:
        await evaluator.stop()


@pytest.fixture(scope="module")
async def evaluator():
    async with evaluating() as evaluator:
        yield evaluator


def ask(template, dot=None, secrets=None, **variables):
    if isinstance(template, str):
        template = Expression(template, pointer="/do/0/x/set/a")
    return Evaluate(template, dot, variables, secrets=None if secrets is None else frozenset(secrets))


async def failure(evaluator, ask_):
    with pytest.raises(AskFailed) as caught:
        await evaluator.evaluate(ask_)
    error = caught.value.error
    return error.type.rpartition("/")[2], error.status, error.detail


@pytest.mark.parametrize(
    "text, dot, value",
    [
        (". as $x | $x + 1", 1, 2),
        ("[limit(3; repeat(.))]", "a", ["a", "a", "a"]),
        ("1, error", None, 1),
        ("reduce .[] as $n (0; . + $n)", [1, 2, 3], 6),
        ("def twice: . * 2; twice", 4, 8),
        ("[.] | .[0]", 9007199254740993, 9007199254740993),
        ("{big: .} | tojson | fromjson", 123456789012345678901234567890, {"big": 123456789012345678901234567890}),
        ("$input.a + $context.b | @text", None, "3"),
        ("{} # a comment", None, {}),
        ("$ENV, env | length", None, 0),
        ("if . then 1 end", None, None),
        ('test("^a")', "abc", True),
        ('[1, 2] | debug | map(. * 2 | debug("n", .) | stderr)', None, [2, 4]),
        ('"\\u0000 é 😀" | explode | implode', None, "\x00 é 😀"),
    ],
)
async def test_values(evaluator, text, dot, value):
    assert await evaluator.evaluate(ask(text, dot, input={"a": 1}, context={"b": 2})) == value


@pytest.mark.parametrize(
    "text, dot, said",
    [
        (".a.b", {"a": "text"}, 'Cannot index string with string ("b")'),
        ('error("sold out")', None, "sold out"),
        ("empty", None, "has no output"),
        ("(1", None, "syntax error"),
        ("$nope", None, "$nope is not available here"),
        (". as $x | $nope", None, "$nope is not available here"),
        ("$secrets.API_KEY", None, "$secrets is not available here"),
        ("nonsense(1)", None, "nonsense/1 is not defined"),
        ('import "a" as a; .', None, "unexpected import"),
        ('include "a"; .', None, "unexpected include"),
        ("input", None, "input is not available"),
        ("[inputs]", None, "inputs is not available"),
        ("halt", None, "halt is not available"),
        ('"/etc/passwd" | modulemeta', None, "modulemeta is not available"),
    ],
)
async def test_failures_say_what_and_where(evaluator, text, dot, said):
    name, status, detail = await failure(evaluator, ask(text, dot))
    assert (name, status) == ("expression", 400)
    assert said in detail
    assert f"`{text}` at /do/0/x/set/a" in detail


async def test_an_error_is_reported_at_the_authors_own_line(evaluator):
    _, _, detail = await failure(evaluator, ask("1 +\n  nonsense"))
    assert "line 2, column 3" in detail


async def test_a_template_is_evaluated_leaf_by_leaf(evaluator):
    template = ObjectTemplate(
        (
            ("fixed", Literal({"a": 1})),
            ("inline", Expression(".name")),
            ("jq", Expression('[.name | scan("[a-z]")]')),
            ("text", Interpolation(("Dear ", Expression(".name"), ", ", Expression(". as $x | $x.n"), "!"))),
            ("list", ArrayTemplate((Expression("$input.n"), Literal(None), Expression("[range(2)]")))),
        )
    )
    value = await evaluator.evaluate(ask(template, {"name": "Ada", "n": [1.5, "x"]}, input={"n": 7}))
    assert value == {
        "fixed": {"a": 1},
        "inline": "Ada",
        "jq": ["d", "a"],
        "text": 'Dear Ada, [1.5,"x"]!',
        "list": [7, None, [0, 1]],
    }
    assert list(value) == ["fixed", "inline", "jq", "text", "list"]


async def test_inline_never_leaves_this_process(evaluator):
    plain_template = ObjectTemplate((("a", Expression(".x")), ("b", Literal(1))))
    assert evaluator.evaluate_inline(ask(plain_template, {"x": 5})) == {"a": 5, "b": 1}
    with pytest.raises(NotInline):
        evaluator.evaluate_inline(ask(ObjectTemplate((("a", Expression(".x")), ("b", Expression("now")))), {"x": 5}))
    with pytest.raises(NotInline):
        evaluator.evaluate_inline(ask(".a.b", {"a": "text"}))
    with pytest.raises(AskFailed, match=r"\$nope is not available here"):
        evaluator.evaluate_inline(ask("$nope"))


@pytest.mark.parametrize("text", ["plain words", ".a.b", "$nope", "empty", "nonsense", "(1"])
async def test_loose_mode_falls_back_to_the_text(evaluator, text):
    assert await evaluator.evaluate(ask(Expression(text, fallback=text), {"a": "x"})) == text


async def test_loose_mode_does_not_hide_a_limit(evaluator):
    name, _, detail = await failure(evaluator, ask(Expression(SLOW, fallback=SLOW)))
    assert name == "expression" and "longer than 1 seconds" in detail


# secrets


@pytest.mark.parametrize(
    "text, listed, value",
    [
        ("$secrets.API_KEY", ["API_KEY"], "sesame-open"),
        ('$secrets["api-key"]', ["api-key"], "sesame-open"),
        ('$secrets."api.key"', ["api.key"], "sesame-open"),
        ("$secrets.LOGIN.user | ascii_upcase", ["LOGIN"], "ADA-L"),
        ("$secrets | keys", ["LOGIN", "API_KEY"], ["API_KEY", "LOGIN"]),
        ("$secrets | to_entries | map(.key) | sort", ["LOGIN"], ["LOGIN"]),
        ("$secrets.API_KEY | @base64", ["API_KEY", "MISSING"], "c2VzYW1lLW9wZW4="),
    ],
)
async def test_secrets(evaluator, text, listed, value):
    assert await evaluator.evaluate(ask(text, None, listed)) == value


@pytest.mark.parametrize(
    "text, listed, said",
    [
        ("$secrets.API_KEY", [], "use.secrets does not list"),
        ("$secrets.MISSING", ["MISSING"], "PERDURE_SECRET_MISSING"),
        ("$secrets | length", ["MISSING"], "PERDURE_SECRET_MISSING"),
    ],
)
async def test_secrets_that_are_not_to_be_had(evaluator, text, listed, said):
    name, status, detail = await failure(evaluator, ask(text, None, listed))
    assert (name, status) == ("authorization", 403)
    assert said in detail


@pytest.mark.parametrize("text", ["$secrets.API_KEY | error", "$secrets.API_KEY | tonumber", "$secrets.API_KEY.a | 1"])
async def test_no_error_quotes_a_secret(evaluator, text):
    _, _, detail = await failure(evaluator, ask(text, None, ["API_KEY"]))
    assert "sesame" not in detail
    _, _, detail = await failure(evaluator, ask("error", "it was sesame-open"))
    assert "sesame" not in detail


# hostile programs


@pytest.mark.parametrize(
    "text, said",
    [
        (SLOW, "longer than 1 seconds"),
        ("[repeat(1)]", "longer than 1 seconds"),
        ("def f: f; f", "longer than 1 seconds"),
        ('"x" * 100000000 | [., . + .] | length', "memory"),
        ('[limit(10; repeat("x" * 40000000 + "y"))] | length', "memory"),
        ("reduce range(3000) as $i (0; [.])", "nested too deep"),
        ("reduce range(101) as $i (0; [.])", "PERDURE_PAYLOAD_DEPTH_MAX"),
    ],
)
async def test_hostile_programs_harm_only_themselves(evaluator, text, said):
    (name, status, detail), bystander = await asyncio.gather(
        failure(evaluator, ask(text)), evaluator.evaluate(ask("[range(3)]"))
    )
    assert (name, status) == ("expression", 400)
    assert said in detail
    assert bystander == [0, 1, 2]
    assert await evaluator.evaluate(ask("[range(2)]")) == [0, 1]


async def test_a_result_has_a_longest_length():
    async with evaluating(payload_bytes_max=1024) as evaluator:
        _, _, detail = await failure(evaluator, ask("[range(999)]"))
        assert "longer than 1024 bytes (PERDURE_PAYLOAD_BYTES_MAX)" in detail
        assert len(await evaluator.evaluate(ask("[range(99)]"))) == 99


async def test_numbers_beyond_all_bounds_are_an_error(evaluator):
    _, _, detail = await failure(evaluator, ask('"1e400" | tonumber'))
    assert "out of range" in detail


async def test_a_program_can_neither_read_files_nor_the_environment(evaluator, monkeypatch):
    monkeypatch.setenv("PERDURE_TEST_MARK", "visible")
    names = "[$ENV, env] | tojson"
    async with evaluating() as fresh:
        assert "visible" not in await fresh.evaluate(ask(names))
        assert await fresh.evaluate(ask('[splits("a")] | length', "bab")) == 2
        pid = fresh._sandbox._idle[0]._process.pid  # the one that has just answered
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert file.read() == b""
        with open(f"/proc/{pid}/limits") as file:
            limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
        assert limits["Max open files"] == ["3", "3"]
        assert limits["Max file size"] == limits["Max processes"] == ["0", "0"]
        assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]


async def test_slow_programs_do_not_hold_up_quick_ones():
    """More endless programs than slots: the others go on all the same."""
    async with evaluating(expression_seconds_max=5.0) as evaluator:
        slow = [asyncio.create_task(evaluator.evaluate(ask(SLOW))) for _ in range(4)]
        begun = time.monotonic()
        values = await asyncio.gather(*(evaluator.evaluate(ask("[range(3)]", n)) for n in range(20)))
        assert values == [[0, 1, 2]] * 20
        assert time.monotonic() - begun < 4
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        assert await evaluator.evaluate(ask("[range(1)]")) == [0]


async def test_a_killed_process_is_replaced_and_its_request_repeated():
    async with evaluating(expression_seconds_max=30) as evaluator:
        for process in list(evaluator._sandbox._idle):
            os.kill(process._process.pid, signal.SIGKILL)
            process._process.wait()
        assert await evaluator.evaluate(ask("[range(1)]")) == [0]
        slow = asyncio.create_task(evaluator.evaluate(ask("[range(300000)] | length")))
        while not evaluator._sandbox._busy:
            await asyncio.sleep(0)
        for process in evaluator._sandbox._busy:
            os.kill(process._process.pid, signal.SIGKILL)
        assert await slow == 300_000


async def test_a_stopped_evaluator_leaves_no_process_behind():
    async with evaluating() as evaluator:
        task = asyncio.create_task(evaluator.evaluate(ask(SLOW)))
        while not evaluator._sandbox._busy:
            await asyncio.sleep(0)
        processes = [p._process for p in (*evaluator._sandbox._busy, *evaluator._sandbox._idle)]
        await evaluator.stop()
        assert all(process.returncode is not None for process in processes)
        with pytest.raises(EvaluatorUnavailable):
            await task
        with pytest.raises(EvaluatorUnavailable):
            await evaluator.evaluate(ask("[range(1)]"))


async def test_a_large_input_and_output_pass(evaluator):
    text = "x" * 2_000_000
    assert await evaluator.evaluate(ask(". as $x | $x + $input", text, input="y")) == text + "y"


async def test_many_at_once(evaluator):
    values = await asyncio.gather(*(evaluator.evaluate(ask(". as $x | [$x, $input]", n, input=-n)) for n in range(300)))
    assert values == [[n, -n] for n in range(300)]


# registration


async def test_check_finds_what_is_no_jq(evaluator):
    good = ["1", ".a | .b", "$anything.goes", "def f: 1; f", ". # x", "[.[] | select(.a)]", "$and"]
    bad = ["", "(1", "1)", ".a) | (.b", "1] | [2", "nonsense(1)", 'import "a" as a; .', "a b", '"open']
    problems = await evaluator.check(Expression(text, pointer=f"/{text}") for text in [*good, *bad, *good])
    assert {expression.text for expression, _ in problems} == set(bad)
    messages = {expression.text: message for expression, message in problems}
    assert messages["nonsense(1)"] == "nonsense/1 is not defined (line 1, column 1)"
    assert all(messages.values())


async def test_check_looks_at_every_place_of_a_text(evaluator):
    problems = await evaluator.check([Expression("(", "/a"), Expression("(", "/b")])
    assert [expression.pointer for expression, _ in problems] == ["/a", "/b"]


async def test_check_goes_on_after_a_text_that_kills_its_process():
    async with evaluating(expression_seconds_max=0.3) as evaluator:
        monstrous = "[" + "1," * 400_000 + "1]"
        problems = await evaluator.check([Expression("1"), Expression(monstrous), Expression("(")])
        assert [expression.text for expression, _ in problems] == [monstrous, "("]
