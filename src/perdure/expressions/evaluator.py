"""Evaluates templates: what `plain` can compute in this process, everything else in the `sandbox`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from perdure import clock
from perdure.codec import Json, decode_shallow, encode
from perdure.definition.template import (
    ArrayTemplate,
    Expression,
    Interpolation,
    Literal,
    ObjectTemplate,
    Template,
    expressions_of,
)
from perdure.engine.asks import AskFailed, Evaluate
from perdure.engine.errors import standard
from perdure.expressions import plain, worker
from perdure.expressions.contract import Authorize, NotInline
from perdure.expressions.sandbox import KILLED, KILLED_OUTSIDE, Answer, Program, Sandbox
from perdure.secrets import SecretMissing, Secrets
from perdure.settings import Settings

LEAVES_CACHED_MAX = 20_000
TEMPLATES_CACHED_MAX = 10_000

CHECKS_PER_REQUEST = 50
CHECK_SECONDS_MAX = 20.0
"""How long all expressions of one definition may take to compile."""

QUOTED_CHARACTERS_MAX = 200
MESSAGE_CHARACTERS_MAX = 500

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_SECRET = re.compile(r'\$secrets\b(?:\s*\.?\s*(?:\[\s*)?"([^"\\]*)"(?:\s*\])?|\s*\.([A-Za-z_][A-Za-z0-9_]*))?')
_UNDEFINED = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*) is not defined")
_SYNTAX = re.compile(r"jq: error: (.*?) at <top-level>, line (\d+)(?:, column (\d+))?", re.DOTALL)

SECRETS = "secrets"
AUTHORIZATION = "authorization"
CONFIDENTIAL = frozenset({SECRETS, AUTHORIZATION})

Variables: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One expression, analysed once.

    `names` are the variables it may mention. `secret_names` are the secrets that it names; None where it
    also uses ``$secrets`` as a whole.
    """

    expression: Expression
    inline: plain.Function | None
    names: tuple[str, ...]
    secret_names: tuple[str, ...] | None


class JqEvaluator:
    """The implementation of `contract.Evaluator`."""

    def __init__(self, settings: Settings, secrets: Secrets, authorize: Authorize = lambda authorization: None) -> None:
        self._secrets = secrets
        self._authorize = authorize
        self._depth_max = settings.payload_depth_max
        self._sandbox = Sandbox(
            slots=settings.expression_workers,
            seconds_max=settings.expression_seconds_max,
            memory_bytes_max=settings.expression_memory_bytes_max,
            output_bytes_max=settings.payload_bytes_max,
        )
        self._leaves: dict[Expression, Leaf] = {}
        # By identity: templates belong to cached programs and are costly to hash. The template is kept, so
        # that no other object can get its id.
        self._templates: dict[int, tuple[Template, tuple[Leaf, ...]]] = {}

    async def start(self) -> None:
        await self._sandbox.start()

    async def stop(self) -> None:
        await self._sandbox.stop()

    def evaluate_inline(self, ask: Evaluate) -> Json:
        template = ask.template
        if isinstance(template, Expression):
            return self._inline(self._leaf(template), ask)
        values = [self._inline(leaf, ask) for leaf in self._leaves_of(template)]
        return _assembled(template, iter(values))

    async def evaluate(self, ask: Evaluate) -> Json:
        values: list[Json] = []
        pending: list[tuple[int, Leaf]] = []
        for position, leaf in enumerate(self._leaves_of(ask.template)):
            try:
                values.append(self._inline(leaf, ask))
            except NotInline:
                values.append(None)
                pending.append((position, leaf))
        if pending:
            answers = await self._evaluate_in_sandbox([leaf for _, leaf in pending], ask)
            for (position, _), value in zip(pending, answers, strict=True):
                values[position] = value
        return _assembled(ask.template, iter(values))

    async def check(self, expressions: Iterable[Expression]) -> list[tuple[Expression, str]]:
        by_text: dict[str, list[Expression]] = {}
        for expression in expressions:
            by_text.setdefault(expression.text, []).append(expression)
        texts = list(by_text)
        deadline = clock.monotonic() + CHECK_SECONDS_MAX
        problems: list[tuple[Expression, str]] = []
        for start in range(0, len(texts), CHECKS_PER_REQUEST):
            batch = texts[start : start + CHECKS_PER_REQUEST]
            for text, message in zip(batch, await self._check_batch(batch, deadline), strict=True):
                if message is not None:
                    problems += [(expression, message) for expression in by_text[text]]
        return problems

    async def _check_batch(self, texts: list[str], deadline: float) -> list[str | None]:
        if clock.monotonic() > deadline:
            return [f"not checked: the expressions take more than {CHECK_SECONDS_MAX:g} seconds"] * len(texts)
        answers = await self._sandbox.check([(text, _names(text)) for text in texts])
        messages = [None if a.status == worker.VALUE else _message(a) for a in answers]
        killed = [i for i, a in enumerate(answers) if a.status in (KILLED, KILLED_OUTSIDE)]
        if len(killed) > 1:  # the first one is to blame; the others have not been looked at
            rest = texts[killed[1] :]
            messages[killed[1] :] = await self._check_batch(rest, deadline)
        return messages

    def _inline(self, leaf: Leaf, ask: Evaluate) -> Json:
        if leaf.inline is None:
            raise NotInline
        variables = self._variables(leaf, ask)
        for name in leaf.names:
            if name not in variables:
                return _fallback_or_fail(leaf, f"${name} is not available here")
        try:
            return leaf.inline(ask.input, variables)
        except RecursionError:
            raise NotInline from None

    async def _evaluate_in_sandbox(self, leaves: list[Leaf], ask: Evaluate) -> list[Json]:
        bound: dict[str, Json] = {}
        programs: list[Program] = []
        for leaf in leaves:
            variables = self._variables(leaf, ask)
            names = tuple(name for name in leaf.names if name in variables)
            bound.update((name, variables[name]) for name in names)
            programs.append((leaf.expression.text, names))
        try:
            document = encode([ask.input, bound])
        except (ValueError, RecursionError, UnicodeError) as error:
            return [_fail(leaf, f"its input is no JSON: {error}") for leaf in leaves]
        answers = await self._sandbox.evaluate(programs, document)
        return [self._value(leaf, answer) for leaf, answer in zip(leaves, answers, strict=True)]

    def _value(self, leaf: Leaf, answer: Answer) -> Json:
        if answer.status == worker.VALUE:
            try:
                return decode_shallow(answer.text, self._depth_max)
            except ValueError as error:
                return _fallback_or_fail(leaf, f"its value is out of bounds: {error}")
        message = _message(answer)
        if not CONFIDENTIAL.isdisjoint(leaf.names) and answer.status == worker.FAILED:
            message = "jq's message is withheld, as it may quote a secret"
        message = self._secrets.redact_text(message)
        if answer.status in (KILLED, KILLED_OUTSIDE):
            return _fail(leaf, message)
        return _fallback_or_fail(leaf, message)

    def _variables(self, leaf: Leaf, ask: Evaluate) -> Variables:
        """What the expression may see, with ``$secrets`` holding no more than it names. Raises `AskFailed`."""
        variables = ask.variables
        if ask.authorization is not None and AUTHORIZATION in leaf.names:
            variables = {**variables, AUTHORIZATION: self._authorize(ask.authorization)}
        if ask.secrets is not None and SECRETS in leaf.names:
            names = sorted(ask.secrets) if leaf.secret_names is None else leaf.secret_names
            secrets = {name: self._secret(leaf, name, ask.secrets) for name in names}
            variables = {**variables, SECRETS: secrets}
        return variables

    def _secret(self, leaf: Leaf, name: str, listed: frozenset[str]) -> Json:
        quoted = _quoted(leaf)
        if name not in listed:
            detail = f"{quoted} asks for the secret {name!r}, which use.secrets does not list."
            raise AskFailed(standard("authorization", detail))
        try:
            return self._secrets.get(name)
        except SecretMissing as error:
            raise AskFailed(standard("authorization", f"{quoted}: {error}")) from None

    def _leaf(self, expression: Expression) -> Leaf:
        leaf = self._leaves.get(expression)
        if leaf is None:
            if len(self._leaves) >= LEAVES_CACHED_MAX:
                self._leaves.clear()
            leaf = self._leaves[expression] = _analysed(expression)
        return leaf

    def _leaves_of(self, template: Template) -> tuple[Leaf, ...]:
        known = self._templates.get(id(template))
        if known is None:
            if len(self._templates) >= TEMPLATES_CACHED_MAX:
                self._templates.clear()
            leaves = tuple(self._leaf(expression) for expression in expressions_of(template))
            known = self._templates[id(template)] = (template, leaves)
        return known[1]


def _analysed(expression: Expression) -> Leaf:
    text = expression.text
    inline, used = plain.compiled(text)
    names = _names(text) if used is None else used
    named = [(m[1] or m[2]) for m in _SECRET.finditer(text)]
    secret_names = None if None in named else tuple(dict.fromkeys(named))
    return Leaf(expression, inline, names, secret_names)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def _assembled(template: Template, values: Iterator[Json]) -> Json:
    """The template's value, given the values of its expressions in order."""
    match template:
        case Expression():
            return next(values)
        case Literal(value):
            return value
        case ObjectTemplate(members):
            return {name: _assembled(member, values) for name, member in members}
        case ArrayTemplate(items):
            return [_assembled(item, values) for item in items]
        case Interpolation(parts):
            return "".join(part if isinstance(part, str) else _as_text(next(values)) for part in parts)


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else encode(value).decode()


def _fallback_or_fail(leaf: Leaf, message: str) -> Json:
    if leaf.expression.fallback is not None:
        return leaf.expression.fallback
    return _fail(leaf, message)


def _fail(leaf: Leaf, message: str) -> Json:
    raise AskFailed(standard("expression", f"{_quoted(leaf)} failed: {message}."))


def _quoted(leaf: Leaf) -> str:
    text = leaf.expression.text.strip()
    if len(text) > QUOTED_CHARACTERS_MAX:
        text = text[:QUOTED_CHARACTERS_MAX] + "…"
    place = f" at {leaf.expression.pointer}" if leaf.expression.pointer else ""
    return f"The expression `{text}`{place}"


def _message(answer: Answer) -> str:
    """What jq says, in terms of what the author wrote."""
    text = answer.text.decode("utf-8", "replace").strip().rstrip(".")
    if answer.status == worker.NOTHING:
        return "it has no output, so it has no value (use `// null` or `first(…)` where that may be)"
    if answer.status == worker.INVALID:
        undefined = _UNDEFINED.search(text)
        if undefined:
            return f"${undefined[1]} is not available here"
        syntax = _SYNTAX.search(text)
        if syntax:
            column = f", column {syntax[3]}" if syntax[3] else ""
            text = f"{syntax[1]} (line {int(syntax[2]) - 1}{column})"
    return text if len(text) <= MESSAGE_CHARACTERS_MAX else text[:MESSAGE_CHARACTERS_MAX] + "…"
