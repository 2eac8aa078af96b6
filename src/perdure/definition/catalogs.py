"""Where the functions of a catalog are (DSL, "Catalogs"): the file structure, and raw documents in Git repositories."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from perdure.definition import versions

NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""The names of catalogued functions: lower-case letters, digits and hyphens."""

FILE = "function.yaml"

_DOCUMENT = re.compile(r"\.(ya?ml|json)\Z", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Catalogued:
    """A function as it is called: ``name:version@catalog``."""

    name: str
    version: str
    catalog: str


def parse(function: str) -> Catalogued:
    """Raises `ValueError`, which says what was expected."""
    full, _, catalog = function.rpartition("@")
    name, _, version = full.partition(":")
    check_name(name)
    versions.parse(version)
    return Catalogued(name, version, catalog)


def check_name(name: str) -> None:
    """Raises `ValueError` unless a catalogued function may have the name."""
    if not re.fullmatch(NAME, name):
        raise ValueError(
            "expected the name of a function (lower-case letters, digits and -, with a letter or digit at both ends, "
            f'at most 63), found "{name[:80]}"'
        )


def in_catalog(endpoint: str, function: Catalogued) -> tuple[str, ...]:
    """Where the document of a function may be within the catalog at a URI; the likeliest place first."""
    path = f"functions/{quote(function.name)}/{quote(function.version, safe='+')}/{FILE}"
    return _raw(_below(endpoint, path))


def at(uri: str) -> tuple[str, ...]:
    """Where the document of a function may be that is called by a URI: that of the document, or of its directory."""
    parts = urlsplit(uri)
    if _DOCUMENT.search(parts.path):
        return _raw(uri)
    return (*_raw(_below(uri, FILE)), *_raw(uri))


def _below(uri: str, path: str) -> str:
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{path}", fragment=""))


def _raw(uri: str) -> tuple[str, ...]:
    """The raw documents that the page of a file in a GitHub or GitLab repository shows; others as they are."""
    parts = urlsplit(uri)
    segments = parts.path.strip("/").split("/")
    match parts.hostname:
        case "github.com" | "www.github.com":
            return _github(segments) or (uri,)
        case "gitlab.com":
            return _gitlab(uri, segments)
        case _ if "/-/tree/" in parts.path or "/-/blob/" in parts.path:
            return _gitlab(uri, segments)
        case _:
            return (uri,)


def _github(segments: list[str]) -> tuple[str, ...]:
    match segments:
        case [owner, repository, "tree" | "blob" | "raw", "refs", ("heads" | "tags") as kind, ref, *path]:
            return (_github_raw(owner, repository, f"refs/{kind}/{ref}", path),)
        case [owner, repository, "tree" | "blob" | "raw", ref, *path]:
            # A branch, as the DSL has it; else a tag or a commit.
            refs = (ref,) if _COMMIT.fullmatch(ref) else (f"refs/heads/{ref}", ref)
            return tuple(_github_raw(owner, repository, ref, path) for ref in refs)
        case [owner, repository, *path] if any("@" in segment for segment in path):
            # The DSL's own example: …/functions/validateEmailAddress@v1.0.0 is a directory at a tag.
            where, ref = _split_ref(path)
            return (_github_raw(owner, repository, ref, where),)
        case [owner, repository, *path]:
            return (_github_raw(owner, repository, "HEAD", path),)
        case _:
            return ()


def _split_ref(path: list[str]) -> tuple[list[str], str]:
    """The path without the ``@REF`` that a segment of it ends with, and that."""
    position = next(n for n, segment in enumerate(path) if "@" in segment)
    name, _, ref = path[position].rpartition("@")
    return [*path[:position], name, *path[position + 1 :]], ref


def _github_raw(owner: str, repository: str, ref: str, path: list[str]) -> str:
    repository = repository.removesuffix(".git")
    return "https://raw.githubusercontent.com/" + "/".join((owner, repository, ref, *path))


def _gitlab(uri: str, segments: list[str]) -> tuple[str, ...]:
    parts = urlsplit(uri)
    if "-" in segments:
        dash = segments.index("-")
        if len(segments) > dash + 1 and segments[dash + 1] in ("tree", "blob"):
            segments = [*segments[: dash + 1], "raw", *segments[dash + 2 :]]
    elif "functions" in segments:  # the project's own page: the default branch
        split = segments.index("functions")
        segments = [*segments[:split], "-", "raw", "HEAD", *segments[split:]]
    return (urlunsplit(parts._replace(path="/" + "/".join(segments))),)
