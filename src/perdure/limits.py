"""Limits of outgoing calls, as the operator writes them in ``PERDURE_CALL_LIMITS``, and which host has which.

``api.example.com=10/s,5; *.slow.example=100/m; 10.0.0.5:8080=,2; *=50/s``: hosts, with a rate, a concurrency, or both.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

SETTING: Final = "PERDURE_CALL_LIMITS"

BURST_SECONDS: Final = 0.2
"""How much of a rate may come at once. Calls are spread, but not so evenly that each late one would be lost."""
CONCURRENCY_MAX: Final = 10_000
RULES_MAX: Final = 1000
NAME_CHARACTERS_MAX: Final = 253
"""Of a host (RFC 1035, section 2.3.4, as it is written)."""

_PERIODS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_RATE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)/([smh])")
_CONCURRENCY: Final = re.compile(r"\d{1,9}")
_LABELS: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_EXAMPLE: Final = "`api.example.com=10/s,5; *.slow.example=100/m; 10.0.0.5:8080=,2`"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many may begin in a second, up to `burst` of them at once, and how many may be under way. None: any number.

    In any period at most ``rate_per_second * seconds + burst`` begin.
    """

    rate_per_second: float | None = None
    concurrency: int | None = None

    @property
    def burst(self) -> float:
        return max(1.0, (self.rate_per_second or 0.0) * BURST_SECONDS)


class CallLimits:
    """What the setting says. Raises `ValueError` where it can't be understood, naming the entry."""

    def __init__(self, text: str) -> None:
        entries = [entry.strip() for entry in text.split(";") if entry.strip()]
        if len(entries) > RULES_MAX:
            raise ValueError(f"{SETTING}: expected up to {RULES_MAX} entries; found {len(entries)}.")
        self._rules: dict[str, Limit] = {}
        for entry in entries:
            pattern, limit = _rule(entry)
            if pattern in self._rules:
                raise ValueError(f"{SETTING}: {pattern} has two limits; give each host one.")
            self._rules[pattern] = limit

    def __bool__(self) -> bool:
        return bool(self._rules)

    def of(self, host: str, port: int) -> tuple[str, Limit] | None:
        """The limit of a host, with the name under which its calls are counted.

        The most specific entry decides: with its port, by its name, by the longest domain, ``*``. Hosts that share
        an entry are counted one by one.
        """
        if not self._rules:
            return None
        host = _known(host)
        if len(host) > NAME_CHARACTERS_MAX or not (_LABELS.fullmatch(host) or _is_address(host)):
            return None  # nothing can be reached by this, and it is no name to count by
        named = f"[{host}]" if ":" in host else host
        for pattern in _patterns(named):
            for place in (f"{pattern}:{port}", pattern):
                if (limit := self._rules.get(place)) is not None:
                    return (f"{named}:{port}" if place != pattern else named), limit
        return None

    @property
    def rules(self) -> Mapping[str, Limit]:
        return self._rules


def _patterns(host: str) -> list[str]:
    labels = host.split(".")
    return [host, *(f"*.{'.'.join(labels[i:])}" for i in range(1, len(labels))), "*"]


def _rule(entry: str) -> tuple[str, Limit]:
    pattern, equals, value = (part.strip() for part in entry.partition("="))
    if not equals:
        raise _error(entry, "it has no `=`")
    return _pattern(entry, pattern), _limit(entry, value)


def _limit(entry: str, value: str) -> Limit:
    rate_text, _, concurrency_text = (part.strip() for part in value.partition(","))
    if not rate_text and not concurrency_text:
        raise _error(entry, "it says neither a rate nor a concurrency")
    rate = concurrency = None
    if rate_text:
        found = _RATE.fullmatch(rate_text)
        rate = float(found[1]) / _PERIODS[found[2]] if found else 0.0
        if rate <= 0:
            raise _error(entry, f"a rate is a number above 0 per s, m or h; found {rate_text!r}")
    if concurrency_text:
        concurrency = int(concurrency_text) if _CONCURRENCY.fullmatch(concurrency_text) else 0
        if not 0 < concurrency <= CONCURRENCY_MAX:
            raise _error(
                entry, f"a concurrency is a whole number from 1 to {CONCURRENCY_MAX}; found {concurrency_text!r}"
            )
    return Limit(rate, concurrency)


def _pattern(entry: str, pattern: str) -> str:
    """The pattern as hosts are compared with it."""
    name, port = _parted(pattern)
    if port and not (port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65_536):
        raise _error(entry, f"a port is a number from 1 to 65535; found {port!r}")
    after = f":{int(port)}" if port else ""
    if name == "*":
        return name + after
    wildcard, bare = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    host = _known(bare.removeprefix("[").removesuffix("]"))
    if not wildcard and ":" in host and _is_address(host):
        return f"[{host}]{after}"
    if not _LABELS.fullmatch(host):
        raise _error(entry, f"{pattern!r} is no host, host:port, *.domain or *")
    return wildcard + host + after


def _parted(pattern: str) -> tuple[str, str]:
    """Host and port. An IPv6 address with a port is in brackets (RFC 3986, section 3.2.2)."""
    if pattern.count(":") > 1 and not pattern.startswith("["):
        return pattern, ""
    bracket = pattern.rfind("]")
    name, colon, port = pattern[bracket + 1 :].partition(":")
    return pattern[: bracket + 1] + name, (port or "?") if colon else ""


def _known(host: str) -> str:
    """The host in the one spelling that all its spellings have in common."""
    host = host.partition("%")[0].rstrip(".").lower()
    if _is_address(host):
        return str(ip_address(host))
    if not host.isascii():
        try:
            return host.encode("idna").decode()
        except UnicodeError:
            return host
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _error(entry: str, reason: str) -> ValueError:
    return ValueError(f"{SETTING}: {entry!r} can't be understood: {reason}. Expected entries like {_EXAMPLE}.")
