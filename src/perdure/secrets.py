"""Secrets that definitions may name: where they come from, and how they are kept out of everything else.

A secret ``NAME`` is the environment variable ``PERDURE_SECRET_NAME``. State, history, logs and errors hold at
most its name.
"""

import re
from collections.abc import Iterator, Mapping

from perdure.codec import Json, decode, encode

PREFIX = "PERDURE_SECRET_"

REDACTED = "***"

REDACTED_CHARACTERS_MIN = 4
"""Shorter secrets are not looked for: they would black out ordinary text."""

PUBLIC_MEMBERS = frozenset({"username", "clientId", "client_id"})
"""Members of an object secret that say who, not what proves it. They occur in ordinary data."""


class SecretMissing(Exception):
    """No environment variable holds the secret. The message names the variable to set."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The secret {name!r} is not set: expected the environment variable {variable_of(name)}.")
        self.name = name


def variable_of(name: str) -> str:
    """The environment variable for a secret name: upper case, with ``-`` and ``.`` as ``_``."""
    return PREFIX + re.sub(r"[-.]", "_", name).upper()


class Secrets:
    """The secrets in `environ`, as they were when this was created."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {
            key.removeprefix(PREFIX): _value(text) for key, text in environ.items() if key.startswith(PREFIX)
        }
        self._pattern = _pattern_of(self._values)

    def get(self, name: str) -> Json:
        """The value of a secret: a JSON object, array or string where the variable holds one, else its text.

        Bare numbers and words stay text: a token of digits is no number. Raises `SecretMissing`.
        """
        for key in (name, variable_of(name).removeprefix(PREFIX)):
            if key in self._values:
                return self._values[key]
        raise SecretMissing(name)

    def redact(self, value: Json) -> Json:
        """The value with every known secret in its strings replaced. The same object where there is none."""
        return value if self._pattern is None else _redacted(value, self._pattern)

    def redact_text(self, text: str) -> str:
        """The text with every known secret replaced."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)


def _value(text: str) -> Json:
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return text
    try:
        return decode(text)
    except ValueError:
        return text


def _pattern_of(values: Mapping[str, Json]) -> re.Pattern[str] | None:
    found = {text for value in values.values() for text in _texts(value)}
    found = {text for text in found if len(text) >= REDACTED_CHARACTERS_MIN}
    found |= {encode(text).decode()[1:-1] for text in found}
    longest_first = sorted(found, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name not in PUBLIC_MEMBERS:
                yield from _texts(member)


def _redacted(value: Json, pattern: re.Pattern[str]) -> Json:
    if isinstance(value, str):
        return pattern.sub(REDACTED, value) if pattern.search(value) else value
    if isinstance(value, list):
        items = [_redacted(item, pattern) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        members = {_redacted(name, pattern): _redacted(item, pattern) for name, item in value.items()}
        same = len(members) == len(value) and all(members.get(name, members) is item for name, item in value.items())
        return value if same else members
    return value
