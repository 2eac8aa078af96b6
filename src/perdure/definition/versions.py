"""Semantic versions: their syntax and their order (Semantic Versioning 2.0.0, sections 2 to 11)."""

import re
from dataclasses import dataclass
from typing import TypeAlias

LENGTH_MAX = 128
"""Longer versions are refused."""

LATEST = "latest"
"""In place of a version: the highest stable one."""

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_SYNTAX = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?"
)

Identifier: TypeAlias = tuple[int, int, str]
Key: TypeAlias = tuple[tuple[int, int, int], bool, tuple[Identifier, ...], str]


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version, taken apart."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()
    build: str = ""

    @property
    def is_stable(self) -> bool:
        """Whether it is no pre-release."""
        return not self.prerelease

    @property
    def key(self) -> Key:
        """Sorts as the standard orders versions. Build metadata, which it ignores, only breaks ties."""
        return (
            (self.major, self.minor, self.patch),
            self.is_stable,
            tuple(_rank(identifier) for identifier in self.prerelease),
            self.build,
        )


def parse(text: str) -> Version:
    """The version that the text says. Raises `ValueError` where it says none."""
    match = _SYNTAX.fullmatch(text) if len(text) <= LENGTH_MAX else None
    if match is None:
        raise ValueError(
            "expected a semantic version such as 1.2.0 or 1.2.0-rc.1, "
            f'of at most {LENGTH_MAX} characters, found "{text[:40]}"'
        )
    major, minor, patch, prerelease, build = match.groups()
    return Version(int(major), int(minor), int(patch), tuple(prerelease.split(".")) if prerelease else (), build or "")


def key(text: str) -> Key:
    """The sort key of a version in text. Raises `ValueError` where it is none."""
    return parse(text).key


def is_stable(text: str) -> bool:
    """Whether the version is no pre-release. Raises `ValueError` where the text is none."""
    return parse(text).is_stable


def _rank(identifier: str) -> Identifier:
    """Numbers come before words, and are compared as numbers (section 11.4)."""
    return (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)
