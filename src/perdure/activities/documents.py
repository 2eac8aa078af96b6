"""Fetched documents as values: JSON or YAML, whatever they call themselves. Read once, kept while they are in use.

Aliases of YAML stay shared, so that a short document can't grow; whoever walks one bounds the walk.
"""

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import yaml

from perdure.activities.contract import Call, CallFailed
from perdure.activities.resources import Resource, Resources
from perdure.codec import Json, decode_shallow
from perdure.engine.errors import standard
from perdure.settings import Settings

KEPT_BYTES_MAX = 32 * 1024 * 1024
"""Together, as text. As values they take several times that."""

THREAD_BYTES_MIN = 64 * 1024
"""Longer documents are read beside the event loop."""


@dataclass(frozen=True, slots=True)
class Document:
    """`uri` is where it was found: what its relative references start from. The value must not be changed."""

    uri: str
    value: Json


class Documents:
    """Fetches documents by `Resources`. One per worker."""

    def __init__(self, resources: Resources, settings: Settings) -> None:
        self._resources = resources
        self._depth_max = settings.payload_depth_max
        self._kept: OrderedDict[bytes, tuple[int, Json]] = OrderedDict()
        self._kept_bytes = 0

    async def fetch(self, endpoint: Json, call: Call) -> Document:
        """The document at an evaluated ``endpoint``. Raises `CallFailed`, also where it is neither JSON nor YAML."""
        resource = await self._resources.fetch(endpoint, call)
        kept = self._kept.get(resource.digest)
        if kept is not None:
            self._kept.move_to_end(resource.digest)
            return Document(resource.uri, kept[1])
        value = await self._read(resource)
        self._keep(resource.digest, len(resource.body), value)
        return Document(resource.uri, value)

    async def _read(self, resource: Resource) -> Json:
        try:
            if len(resource.body) < THREAD_BYTES_MIN:
                return read(resource.body, self._depth_max)
            return await asyncio.to_thread(read, resource.body, self._depth_max)
        except ValueError as error:
            detail = f"{resource.uri} is neither JSON nor YAML: {error}."
            raise CallFailed(standard("configuration", detail)) from None

    def _keep(self, key: bytes, size: int, value: Json) -> None:
        if key not in self._kept:
            self._kept[key] = (size, value)
            self._kept_bytes += size
        while self._kept_bytes > KEPT_BYTES_MAX:
            _, (dropped, _) = self._kept.popitem(last=False)
            self._kept_bytes -= dropped


def read(body: bytes, depth_max: int) -> Json:
    """The value that JSON or YAML text says. Raises `ValueError`."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        try:
            return decode_shallow(body.removeprefix(b"\xef\xbb\xbf"), depth_max)
        except ValueError as error:
            problem: ValueError = error  # perhaps YAML in JSON's clothes
    else:
        problem = ValueError("it is empty")
    try:
        value = yaml.load(body, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise ValueError(_told(error)) from None
    if value is None:
        raise problem
    return value


def _told(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} at line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    return str(error)[:200] or type(error).__name__


class _Loader(yaml.CSafeLoader):
    """Plain scalars by the core schema of YAML 1.2, where PyYAML follows YAML 1.1: no dates, ``on`` is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


_TAG = "tag:yaml.org,2002:"
_PLAIN: tuple[tuple[str, str, str], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]{1,1000}|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
)
for _name, _pattern, _first in _PLAIN:
    _compiled: Any = re.compile(f"(?:{_pattern})$")
    _Loader.add_implicit_resolver(_TAG + _name, _compiled, [c.strip("\0") for c in _first])
_Loader.add_constructor(_TAG + "int", _integer)
