"""What jq does with single values: its operators and total functions, for `plain`.

`Wrong` is raised where jq would raise an error, `NotInline` where the answer needs jq itself. Numbers in jq
are doubles, but those that nobody has calculated with keep their digits: results are integers wherever they
are whole, so that a whole float is always one that was written so.
"""

import math
import re
from collections.abc import Callable, Mapping

from perdure.codec import Json, encode
from perdure.expressions.contract import NotInline

EXACT_MAX = 2**53
"""Beyond this, doubles do not hold every integer."""

ENCODED_CHARACTERS_MAX = 64 * 1024
"""The longest JSON text that is made of a value inline: encoding again and again could double its length."""

ELEMENTS_MAX = 10_000
"""Longer collections are not worth the time of this process."""

_RANKS: Mapping[type, int] = {type(None): 0, bool: 1, int: 3, float: 3, str: 4, list: 5, dict: 6}
_NAMES = ("null", "boolean", "boolean", "number", "string", "array", "object")
_SIMPLE_INTEGER = re.compile(r"-?[1-9][0-9]{0,14}|0")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


class Wrong(NotInline):
    """jq fails here. Its own words are best: the sandbox evaluates again unless the program catches it."""


def truthy(value: Json) -> bool:
    return value is not None and value is not False


def is_number(value: Json) -> bool:
    return type(value) is int or type(value) is float


def rank(value: Json) -> int:
    """The position of the value's type in jq's order of types; true is after false."""
    return 2 if value is True else _RANKS[type(value)]


def type_name(value: Json) -> str:
    return _NAMES[rank(value)]


def index(value: Json, key: Json) -> Json:
    """``value[key]``"""
    if type(key) is str:
        if type(value) is dict:
            return value.get(key)
        if value is None:
            return None
        raise Wrong
    if type(key) is int:
        if type(value) is list:
            position = key if key >= 0 else key + len(value)
            return value[position] if 0 <= position < len(value) else None
        if value is None:
            return None
        raise Wrong
    raise NotInline


def elements(value: Json) -> list[Json]:
    """What ``value[]`` yields."""
    if (type(value) is list or type(value) is dict) and len(value) > ELEMENTS_MAX:
        raise NotInline
    if type(value) is list:
        return value
    if type(value) is dict:
        return list(value.values())
    raise Wrong


def equal(left: Json, right: Json) -> bool:
    kind = rank(left)
    if kind != rank(right):
        return False
    if kind == 3:
        _refuse_inexact(left, right)
    elif kind == 5:
        return len(left) == len(right) and all(map(equal, left, right))
    elif kind == 6:
        return left.keys() == right.keys() and all(equal(value, right[name]) for name, value in left.items())
    return bool(left == right)


def less(left: Json, right: Json) -> bool:
    """Whether left comes before right in jq's order of all values."""
    kind = rank(left)
    if kind != rank(right):
        return kind < rank(right)
    if kind == 3:
        _refuse_inexact(left, right)
    elif kind >= 5:
        raise NotInline
    elif kind != 4:
        return False
    return bool(left < right)


def _refuse_inexact(*numbers: Json) -> None:
    for number in numbers:
        if not -EXACT_MAX <= number <= EXACT_MAX:
            raise NotInline


def _number(value: float) -> Json:
    """A calculated number as `codec` would read it from jq's output."""
    if type(value) is float:
        if not math.isfinite(value):
            raise NotInline
        if not value.is_integer():
            return value
        if value == 0 and math.copysign(1, value) < 0:
            raise NotInline
        value = int(value)
    _refuse_inexact(value)
    return value


def _signed(result: float, left: Json, right: Json) -> Json:
    """A product or quotient. Zero has a sign in jq that an integer here has not."""
    if not result and math.copysign(1, left) != math.copysign(1, right):
        raise NotInline
    return _number(result)


def add(left: Json, right: Json) -> Json:
    if left is None:
        return right
    if right is None:
        return left
    if type(left) is str and type(right) is str:
        return left + right
    if is_number(left) and is_number(right):
        _refuse_inexact(left, right)
        return _number(left + right)
    if type(left) is list and type(right) is list:
        return left + right
    if type(left) is dict and type(right) is dict:
        return {**left, **right}
    raise Wrong


def subtract(left: Json, right: Json) -> Json:
    if is_number(left) and is_number(right):
        _refuse_inexact(left, right)
        return _number(left - right)
    if type(left) is list and type(right) is list:
        raise NotInline
    raise Wrong


def multiply(left: Json, right: Json) -> Json:
    if is_number(left) and is_number(right):
        _refuse_inexact(left, right)
        return _signed(left * right, left, right)
    raise NotInline


def divide(left: Json, right: Json) -> Json:
    if is_number(left) and is_number(right):
        _refuse_inexact(left, right)
        if not right:
            raise Wrong
        return _signed(left / right, left, right)
    if type(left) is str and type(right) is str:
        return split(left, right)
    raise Wrong


def modulo(left: Json, right: Json) -> Json:
    if type(left) is int and type(right) is int:
        _refuse_inexact(left, right)
        if not right:
            raise Wrong
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    raise NotInline


def negate(value: Json) -> Json:
    if not is_number(value):
        raise Wrong
    if not value:
        raise NotInline
    return -value


def length(value: Json) -> Json:
    if value is None:
        return 0
    if type(value) is str or type(value) is list or type(value) is dict:
        return len(value)
    if type(value) is int:
        _refuse_inexact(value)
        return abs(value)
    if type(value) is float:
        raise NotInline
    raise Wrong


def keys(value: Json) -> Json:
    if type(value) is dict:
        return sorted(value)
    if type(value) is list:
        return list(range(len(value)))
    raise Wrong


def has(value: Json, key: Json) -> bool:
    if type(value) is dict and type(key) is str:
        return key in value
    if type(value) is list and type(key) is int:
        return 0 <= key < len(value)
    raise NotInline


def total(value: Json) -> Json:
    """``add``: all elements added up, in time linear to them."""
    items = [item for item in elements(value) if item is not None]
    kinds = set(map(type, items))
    if kinds <= {int, float}:
        result: Json = None
        for item in items:
            result = add(result, item)
        return result
    if kinds == {str}:
        return "".join(items)
    if kinds == {list}:
        return [element for item in items for element in item]
    if kinds == {dict}:
        return {name: element for item in items for name, element in item.items()}
    raise NotInline


def json_text(value: Json) -> str:
    """``tojson``, where it is sure to be spelled as jq spells it."""
    _refuse_unsure(value)
    text = encode(value).decode()
    if len(text) > ENCODED_CHARACTERS_MAX:
        raise NotInline
    return text


def _refuse_unsure(value: Json) -> None:
    if type(value) is str:
        if "\x7f" in value:
            raise NotInline
    elif type(value) is float:
        if "e" in encode(value).decode():
            raise NotInline
    elif type(value) is list:
        for item in value:
            _refuse_unsure(item)
    elif type(value) is dict:
        for name, item in value.items():
            _refuse_unsure(name)
            _refuse_unsure(item)


def text(value: Json) -> str:
    """``tostring``"""
    return value if type(value) is str else json_text(value)


def to_number(value: Json) -> Json:
    if is_number(value):
        return value
    if type(value) is str and _SIMPLE_INTEGER.fullmatch(value):
        return int(value)
    raise NotInline


def floor(value: Json) -> Json:
    return _whole(value, math.floor)


def ceil(value: Json) -> Json:
    return _whole(value, math.ceil)


def _whole(value: Json, rounded: Callable[[float], int]) -> Json:
    if not is_number(value):
        raise Wrong
    _refuse_inexact(value)
    result = rounded(value)
    if type(value) is float and not result:  # the sign of zero
        raise NotInline
    return result


def lower(value: Json) -> str:
    return _string(value).translate(_LOWER)


def upper(value: Json) -> str:
    return _string(value).translate(_UPPER)


def starts_with(value: Json, prefix: Json) -> bool:
    return _string(value).startswith(_string(prefix))


def ends_with(value: Json, suffix: Json) -> bool:
    return _string(value).endswith(_string(suffix))


def trim_start(value: Json, prefix: Json) -> str:
    return _plain_string(value).removeprefix(_plain_string(prefix))


def trim_end(value: Json, suffix: Json) -> str:
    return _plain_string(value).removesuffix(_plain_string(suffix))


def split(value: Json, separator: Json) -> list[str]:
    text_, separator = _plain_string(value), _plain_string(separator)
    if not separator:
        raise NotInline
    return text_.split(separator) if text_ else []


def join(value: Json, separator: Json) -> str:
    if len(_plain_string(separator)) > 256:
        raise NotInline
    parts = []
    for item in elements(value):
        if type(item) is list or type(item) is dict:
            raise Wrong
        parts.append("" if item is None else text(item))
    return str(separator).join(parts)


def entries(value: Json) -> Json:
    if type(value) is not dict:
        raise NotInline
    return [{"key": name, "value": item} for name, item in value.items()]


def _string(value: Json) -> str:
    if type(value) is not str:
        raise Wrong
    return value


def _plain_string(value: Json) -> str:
    if type(value) is not str:
        raise NotInline
    return value
