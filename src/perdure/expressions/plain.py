"""Evaluates plain jq programs in this process: total, without effects, in time linear to their input.

A program becomes a tree of closures once. Three bounds keep the result and the time linear, whatever the
program: each part knows how often its input may recur in its output (`_AMPLIFICATION_MAX`), a body that is
run for each element of a collection sees of the variables only short scalars, and the number of parts is
bounded. What is beyond them is left to the sandbox, which has limits of its own.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from perdure.codec import Json
from perdure.expressions import syntax, values
from perdure.expressions.contract import NotInline
from perdure.expressions.syntax import Node, Unsupported
from perdure.expressions.values import Wrong, truthy

Variables: TypeAlias = Mapping[str, Json]
Function: TypeAlias = Callable[[Json, Variables], Json]
"""The value of a program for an input (``.``) and all its variables. Raises `NotInline`."""

_PARTS_MAX = 300
_AMPLIFICATION_MAX = 32
_LOOP_STRING_CHARACTERS_MAX = 256
_LOOP_CONSTANT_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class _Part:
    """A compiled node. With `many`, the function answers the list of all outputs.

    `dots` and `variables` say how often, at most, the input and each variable recur in the output.
    """

    run: Function
    many: bool = False
    dots: int = 0
    variables: int = 0


def compiled(text: str) -> tuple[Function | None, tuple[str, ...] | None]:
    """The program as a function, and the variables that it needs; both None where it is not plain."""
    try:
        compiler = _Compiler()
        part = compiler.compile(syntax.parse(text))
    except (Unsupported, RecursionError):
        return None, None
    return (_first(part.run) if part.many else part.run), tuple(compiler.names)


def _first(run: Function) -> Function:
    def first(dot: Json, variables: Variables) -> Json:
        for value in run(dot, variables):
            return value
        raise NotInline  # no output: the sandbox finds the words

    return first


_OPERATORS: Mapping[str, Callable[[Json, Json], Json]] = {
    "+": values.add,
    "-": values.subtract,
    "*": values.multiply,
    "/": values.divide,
    "%": values.modulo,
}

_COMPARISONS: Mapping[str, Callable[[Json, Json], bool]] = {
    "==": values.equal,
    "!=": lambda left, right: not values.equal(left, right),
    "<": values.less,
    ">": lambda left, right: values.less(right, left),
    "<=": lambda left, right: not values.less(right, left),
    ">=": lambda left, right: not values.less(left, right),
}

_SCALAR: Mapping[str, Callable[[Json], Json]] = {
    "not": lambda value: not truthy(value),
    "length": values.length,
    "type": values.type_name,
    "tonumber": values.to_number,
    "floor": values.floor,
    "ceil": values.ceil,
    "any": lambda value: any(map(truthy, values.elements(value))),
    "all": lambda value: all(map(truthy, values.elements(value))),
}
"""Functions without arguments whose result does not grow with their input."""

_WHOLE: Mapping[str, Callable[[Json], Json]] = {
    "keys": values.keys,
    "add": values.total,
    "tostring": values.text,
    "tojson": values.json_text,
    "ascii_downcase": values.lower,
    "ascii_upcase": values.upper,
    "first": lambda value: values.index(value, 0),
    "last": lambda value: values.index(value, -1),
}
"""Functions without arguments whose result is at most about as long as their input."""

_ENTRIES_AMPLIFICATION = 4

_WITH_STRING: Mapping[str, Callable[[Json, Json], Json]] = {
    "has": values.has,
    "startswith": values.starts_with,
    "endswith": values.ends_with,
    "ltrimstr": values.trim_start,
    "rtrimstr": values.trim_end,
    "split": values.split,
    "join": values.join,
}
"""Functions of the input and of one value."""


class _Compiler:
    """Compiles one program. `names` collects its variables."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self._parts = 0
        self._loops = 0

    def compile(self, node: Node) -> _Part:
        self._parts += 1
        if self._parts > _PARTS_MAX:
            raise Unsupported
        part = self._compile(node)
        if part.dots + part.variables > _AMPLIFICATION_MAX:
            raise Unsupported
        return part

    def _compile(self, node: Node) -> _Part:
        match node:
            case syntax.Identity():
                return _Part(lambda dot, _: dot, dots=1)
            case syntax.Constant(value):
                if self._loops and type(value) is str and len(value) > _LOOP_CONSTANT_CHARACTERS_MAX:
                    raise Unsupported
                return _Part(lambda _dot, _variables: value)
            case syntax.Variable() | syntax.Index():
                return self._path(node)
            case syntax.Iterate(target):
                return self._iterate(target)
            case syntax.Optional(body, last_step):
                return self._optional(body, last_step)
            case syntax.Pipe(left, right):
                return self._pipe(left, right)
            case syntax.Comma(left, right):
                return self._comma(left, right)
            case syntax.Binary(operator, left, right):
                return self._binary(operator, left, right)
            case syntax.Negate(body):
                run = self._single(body).run
                return _Part(lambda dot, variables: values.negate(run(dot, variables)))
            case syntax.Array(body):
                return self._array(body)
            case syntax.Object(members):
                return self._object(members)
            case syntax.Text(parts):
                return self._text(parts)
            case syntax.If(condition, then, otherwise):
                return self._if(condition, then, otherwise)
            case syntax.Call(name, arguments):
                return self._call(name, arguments)

    def _single(self, node: Node) -> _Part:
        part = self.compile(node)
        if part.many:
            raise Unsupported
        return part

    def _body(self, node: Node) -> _Part:
        """A node that is run for each element of a collection."""
        self._loops += 1
        part = self.compile(node)
        self._loops -= 1
        return part

    def _path(self, node: Node) -> _Part:
        """``.a.b``, ``$x.a["b"]``: the bulk of all expressions, so the constant keys are taken in one go."""
        keys: list[str] = []
        while isinstance(node, syntax.Index) and isinstance(node.key, syntax.Constant):
            if type(node.key.value) is not str:
                break
            keys.insert(0, node.key.value)
            node = node.target
        match node:
            case syntax.Identity():
                return _Part(_dot_path(tuple(keys)), dots=1)
            case syntax.Variable(name):
                self.names[name] = None
                run = _variable_path(name, tuple(keys))
                return _Part(_small(run)) if self._loops else _Part(run, variables=1)
            case syntax.Index(target, key) if not keys:
                return self._index(target, key)
        return self._keys(self.compile(node), tuple(keys))

    def _keys(self, target: _Part, keys: tuple[str, ...]) -> _Part:
        find, run = _dot_path(keys), target.run
        if target.many:
            return _Part(
                lambda dot, variables: [find(value, variables) for value in run(dot, variables)],
                True,
                target.dots,
                target.variables,
            )
        return _Part(lambda dot, variables: find(run(dot, variables), variables), False, target.dots, target.variables)

    def _index(self, target_node: Node, key_node: Node) -> _Part:
        target, key = self._single(target_node), self._single(key_node)
        run, run_key = target.run, key.run
        return _Part(
            lambda dot, variables: values.index(run(dot, variables), run_key(dot, variables)),
            False,
            target.dots,
            target.variables,
        )

    def _iterate(self, node: Node) -> _Part:
        target = self.compile(node)
        run = target.run
        if target.many:
            return _Part(
                lambda dot, variables: [item for value in run(dot, variables) for item in values.elements(value)],
                True,
                target.dots,
                target.variables,
            )
        return _Part(lambda dot, variables: values.elements(run(dot, variables)), True, target.dots, target.variables)

    def _optional(self, node: Node, last_step: bool) -> _Part:
        if last_step and isinstance(node, syntax.Index):
            return self._optional_index(node)
        if last_step and isinstance(node, syntax.Iterate):
            return self._optional_iterate(node)
        part = self._single(node)  # a failure among many outputs would have to keep those before it
        run = part.run

        def attempt(dot: Json, variables: Variables) -> Json:
            try:
                return [run(dot, variables)]
            except Wrong:
                return []

        return _Part(attempt, True, part.dots, part.variables)

    def _optional_index(self, node: syntax.Index) -> _Part:
        target, key = self.compile(node.target), self._single(node.key)
        run, run_key = _listed(target), key.run

        def attempt(dot: Json, variables: Variables) -> Json:
            found = []
            for value in run(dot, variables):
                with suppress(Wrong):
                    found.append(values.index(value, run_key(dot, variables)))
            return found

        return _Part(attempt, True, target.dots, target.variables)

    def _optional_iterate(self, node: syntax.Iterate) -> _Part:
        target = self.compile(node.target)
        run = _listed(target)

        def attempt(dot: Json, variables: Variables) -> Json:
            found: list[Json] = []
            for value in run(dot, variables):
                with suppress(Wrong):
                    found += values.elements(value)
            return found

        return _Part(attempt, True, target.dots, target.variables)

    def _pipe(self, left_node: Node, right_node: Node) -> _Part:
        left = self.compile(left_node)
        right = self._body(right_node) if left.many else self.compile(right_node)
        first, then = left.run, right.run
        dots, variables = left.dots * right.dots, right.variables + right.dots * left.variables

        def each(dot: Json, variables: Variables) -> Json:
            return [then(value, variables) for value in first(dot, variables)]

        def each_many(dot: Json, variables: Variables) -> Json:
            return [out for value in first(dot, variables) for out in then(value, variables)]

        if left.many:
            return _Part(each_many if right.many else each, True, dots, variables)
        return _Part(lambda dot, variables: then(first(dot, variables), variables), right.many, dots, variables)

    def _comma(self, left_node: Node, right_node: Node) -> _Part:
        left, right = self.compile(left_node), self.compile(right_node)
        first, second = _listed(left), _listed(right)
        return _Part(
            lambda dot, variables: [*first(dot, variables), *second(dot, variables)],
            True,
            left.dots + right.dots,
            left.variables + right.variables,
        )

    def _binary(self, operator: str, left_node: Node, right_node: Node) -> _Part:
        if operator == "//":
            return self._alternative(left_node, right_node)
        left, right = self._single(left_node), self._single(right_node)
        first, second = left.run, right.run
        if operator == "and":
            return _Part(lambda dot, v: truthy(first(dot, v)) and truthy(second(dot, v)))
        if operator == "or":
            return _Part(lambda dot, v: truthy(first(dot, v)) or truthy(second(dot, v)))
        if operator in _COMPARISONS:
            return _Part(_applied(_COMPARISONS[operator], first, second))
        return _Part(
            _applied(_OPERATORS[operator], first, second),
            False,
            left.dots + right.dots,
            left.variables + right.variables,
        )

    def _alternative(self, left_node: Node, right_node: Node) -> _Part:
        left, right = self._single(left_node), self.compile(right_node)
        first, second, many = left.run, right.run, right.many

        def either(dot: Json, variables: Variables) -> Json:
            value = first(dot, variables)
            if truthy(value):
                return [value] if many else value
            return second(dot, variables)

        return _Part(either, many, max(left.dots, right.dots), max(left.variables, right.variables))

    def _array(self, node: Node | None) -> _Part:
        if node is None:
            return _Part(lambda _dot, _variables: [])
        body = self.compile(node)
        run = body.run
        if body.many:
            return _Part(run, False, body.dots, body.variables)
        return _Part(lambda dot, variables: [run(dot, variables)], False, body.dots, body.variables)

    def _object(self, nodes: tuple[tuple[Node, Node], ...]) -> _Part:
        members = [(self._single(key), self._single(value)) for key, value in nodes]
        dots = sum(key.dots + value.dots for key, value in members)
        variables = sum(key.variables + value.variables for key, value in members)
        if all(isinstance(key, syntax.Constant) for key, _ in nodes):
            fixed = [(str(key.run(None, {})), value.run) for key, value in members]
            return _Part(lambda dot, v: {key: run(dot, v) for key, run in fixed}, False, dots, variables)
        runs = [(key.run, value.run) for key, value in members]

        def build(dot: Json, variables: Variables) -> Json:
            result = {}
            for run_key, run in runs:
                key = run_key(dot, variables)
                if type(key) is not str:
                    raise Wrong
                result[key] = run(dot, variables)
            return result

        return _Part(build, False, dots, variables)

    def _text(self, nodes: tuple[str | Node, ...]) -> _Part:
        parts = [_Part(_constant(node)) if isinstance(node, str) else self._single(node) for node in nodes]
        runs = [part.run for part in parts]
        return _Part(
            lambda dot, variables: "".join([values.text(run(dot, variables)) for run in runs]),
            False,
            sum(part.dots for part in parts),
            sum(part.variables for part in parts),
        )

    def _if(self, condition_node: Node, then_node: Node, otherwise_node: Node) -> _Part:
        condition, then, otherwise = (
            self._single(condition_node),
            self.compile(then_node),
            self.compile(otherwise_node),
        )
        many = then.many or otherwise.many
        test = condition.run
        yes, no = (_listed(then), _listed(otherwise)) if many else (then.run, otherwise.run)
        return _Part(
            lambda dot, variables: (yes if truthy(test(dot, variables)) else no)(dot, variables),
            many,
            max(then.dots, otherwise.dots),
            max(then.variables, otherwise.variables),
        )

    def _call(self, name: str, arguments: tuple[Node, ...]) -> _Part:
        if not arguments:
            return self._nullary(name)
        if len(arguments) > 1:
            raise Unsupported
        if name in _WITH_STRING:
            argument = self._single(arguments[0])
            apply, run = _WITH_STRING[name], argument.run
            return _Part(lambda dot, variables: apply(dot, run(dot, variables)), dots=1)
        return self._higher_order(name, arguments[0])

    def _nullary(self, name: str) -> _Part:
        if name == "empty":
            return _Part(lambda _dot, _variables: [], many=True)
        if name == "to_entries":
            return _Part(lambda dot, _: values.entries(dot), dots=_ENTRIES_AMPLIFICATION)
        if name in _SCALAR:
            apply = _SCALAR[name]
            return _Part(lambda dot, _: apply(dot))
        if name in _WHOLE:
            apply_whole = _WHOLE[name]
            return _Part(lambda dot, _: apply_whole(dot), dots=1)
        raise Unsupported

    def _higher_order(self, name: str, node: Node) -> _Part:
        if name == "select":
            run = self._single(node).run
            return _Part(lambda dot, v: [dot] if truthy(run(dot, v)) else [], many=True, dots=1)
        if name not in ("map", "any", "all"):
            raise Unsupported
        body = self._body(node)
        if name == "map":
            runs = _listed(body) if body.many else None
            run = body.run
            if runs is None:
                return _Part(lambda dot, v: [run(item, v) for item in values.elements(dot)], dots=body.dots)
            return _Part(lambda dot, v: [out for item in values.elements(dot) for out in runs(item, v)], dots=body.dots)
        if body.many:
            raise Unsupported
        decide, run = (any if name == "any" else all), body.run
        return _Part(lambda dot, v: decide(truthy(run(item, v)) for item in values.elements(dot)))


def _constant(value: str) -> Function:
    return lambda _dot, _variables: value


def _listed(part: _Part) -> Function:
    run = part.run
    return run if part.many else lambda dot, variables: [run(dot, variables)]


def _applied(apply: Callable[[Json, Json], Json], first: Function, second: Function) -> Function:
    return lambda dot, variables: apply(first(dot, variables), second(dot, variables))


def _dot_path(keys: tuple[str, ...]) -> Function:
    def find(value: Json, _: Variables) -> Json:
        for key in keys:
            if type(value) is dict:
                value = value.get(key)
            elif value is not None:
                raise Wrong
        return value

    return find


def _variable_path(name: str, keys: tuple[str, ...]) -> Function:
    find = _dot_path(keys)
    return lambda _, variables: find(variables[name], variables)


def _small(run: Function) -> Function:
    """The same, but only for scalars that may recur for each element of a collection."""

    def small(dot: Json, variables: Variables) -> Json:
        value = run(dot, variables)
        if type(value) is list or type(value) is dict:
            raise NotInline
        if type(value) is str and len(value) > _LOOP_STRING_CHARACTERS_MAX:
            raise NotInline
        return value

    return small
