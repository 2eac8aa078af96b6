"""Secrets that definitions may name: where they come from, and how they are kept out of everything else.

A secret ``NAME`` is the environment variable ``PERDURE_SECRET_NAME``. State, history, logs and errors hold at
most its name.
"""

import base64
import itertools
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from urllib.parse import quote, quote_plus

from perdure.codec import Json, decode, encode

PREFIX = "PERDURE_SECRET_"

REDACTED = "***"

REDACTED_CHARACTERS_MIN = 4
"""Shorter secrets are not looked for: they would black out ordinary text."""

BASE64_BYTES_MIN = 6
"""What base64 makes of shorter ones occurs in ordinary base64 by chance."""

CUT_OFF = ("…", "...")
"""How texts end that were too long for their place, in the platform's words and in jq's."""

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
        spelled = {
            spelling for value in self._values.values() for text in _texts(value) for spelling in spellings(text)
        }
        self._pattern = _pattern_of(spelled)
        self._starts = _Starts(spelled)

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
        return value if self._pattern is None else _redacted(value, self.redact_text)

    def redact_text(self, text: str) -> str:
        """The text with every known secret replaced, also one that was cut off within: ``pa…``."""
        return text if self._pattern is None else self._starts.redact(self._pattern.sub(REDACTED, text))


def _value(text: str) -> Json:
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return text
    try:
        return decode(text)
    except ValueError:
        return text


def spellings(text: str) -> set[str]:
    """How a text is found within others: as it is, in JSON, in URLs, in base64. Empty for one that is too short."""
    if len(text) < REDACTED_CHARACTERS_MIN:
        return set()
    quoted = {quote(text, safe=safe, errors="replace") for safe in ("", "/", "/:?@!$'()*,;")}
    quoted |= {part.replace("%20", "+") for part in quoted} | {quote_plus(text, errors="replace")}
    quoted |= {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), part) for part in quoted}
    line = "".join(character if character.isprintable() else " " for character in text)  # as errors show it
    shown = repr(text)[1:-1]  # as messages quote it
    return {text, line, shown, encode(text).decode()[1:-1], json.dumps(text)[1:-1], *quoted, *_in_base64(text)}


def _in_base64(text: str) -> Iterator[str]:
    """What of the base64 of a longer text does not depend on what is around this one, for each place it may have."""
    data = text.encode(errors="replace")
    if len(data) < BASE64_BYTES_MIN:
        return
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data).decode()
        inner = whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield from (inner, inner.replace("+", "-").replace("/", "_"))


class _Starts:
    """Finds texts of which only the beginning is there, because what they were in was cut off within them."""

    def __init__(self, texts: Collection[str]) -> None:
        self._by_start: dict[str, list[str]] = {}
        for text in texts:
            self._by_start.setdefault(text[:REDACTED_CHARACTERS_MIN], []).append(text)
        self._pattern = re.compile(f"(?=({'|'.join(map(re.escape, sorted(self._by_start)))}))")

    def redact(self, text: str) -> str:
        if not any(mark in text for mark in CUT_OFF):
            return text
        pieces, done = [], 0
        for match in self._pattern.finditer(text):
            end = self._end(text, match.start(), match[1])
            if end is not None and match.start() >= done:
                pieces += [text[done : match.start()], REDACTED]
                done = end
        return "".join([*pieces, text[done:]])

    def _end(self, text: str, at: int, start: str) -> int | None:
        """Where the text that is cut off stops, if one begins there."""
        for whole in self._by_start[start]:
            same = itertools.takewhile(
                lambda pair: pair[0] == pair[1], zip(whole, text[at : at + len(whole)], strict=False)
            )
            end = at + sum(1 for _ in same)
            if text.startswith(CUT_OFF, end):
                return end
        return None


def _pattern_of(texts: Collection[str]) -> re.Pattern[str] | None:
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
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


def _redacted(value: Json, redact: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        text = redact(value)
        return value if text == value else text
    if isinstance(value, list):
        items = [_redacted(item, redact) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        members = {_redacted(name, redact): _redacted(item, redact) for name, item in value.items()}
        same = len(members) == len(value) and all(members.get(name, members) is item for name, item in value.items())
        return value if same else members
    return value
