"""The challenges of a ``WWW-Authenticate`` header (RFC 9110, section 11.6.1)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

CHALLENGES_MAX = 20

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NEXT = re.compile(
    rf"""[\s,]*(?:
        (?P<name>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>{_TOKEN}))(?=\s*(?:,|$))
      | (?P<scheme>{_TOKEN})(?:\s+(?P<token68>[A-Za-z0-9._~+/-]+=*)(?=\s*(?:,|$)))?(?=\s|,|$)
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in that a service offers. Names are in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


def challenges_of(values: Iterable[str]) -> list[Challenge]:
    """The challenges in order; what can't be read ends its header."""
    found: list[Challenge] = []
    for value in values:
        position = 0
        while len(found) <= CHALLENGES_MAX and (match := _NEXT.match(value, position)):
            position = match.end()
            if match["scheme"]:
                found.append(Challenge(match["scheme"].lower()))
            elif found:
                text = match["token"] if match["quoted"] is None else _ESCAPED.sub(r"\1", match["quoted"])
                found[-1].parameters.setdefault(match["name"].lower(), text)
    return found[:CHALLENGES_MAX]
