"""``human-task``: the arguments of a question to a person, checked."""

import re

import msgspec

from perdure.codec import Json
from perdure.definition import durations
from perdure.definition.schemas import SchemaInvalid, compiled
from perdure.engine.durations import kind_of

OUTCOMES = ("approved", "rejected")

_KNOWN = frozenset(
    (
        "title",
        "description",
        "assignees",
        "candidateGroups",
        "excludeUsers",
        "outcomes",
        "form",
        "due",
        "escalateTo",
    )
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Question(msgspec.Struct, frozen=True):
    """What `OpenHumanTask` needs, `due` not yet counted from now."""

    title: str
    description: str | None
    assignees: tuple[str, ...]
    candidate_groups: tuple[str, ...]
    exclude_users: tuple[str, ...]
    outcomes: tuple[str, ...]
    form: Json
    due: Json
    escalate_to: tuple[str, ...]


def question_of(value: Json) -> Question:
    """The checked arguments. Raises `ValueError` with what is wrong with them."""
    if not isinstance(value, dict):
        raise ValueError(f"expected with to be an object, found {kind_of(value)}")
    unknown = sorted(value.keys() - _KNOWN)
    if unknown:
        raise ValueError(f"human-task does not know {', '.join(unknown)}; it has {', '.join(sorted(_KNOWN))}")
    title, description, form = value.get("title"), value.get("description"), value.get("form")
    for name, text in (("title", title), ("description", description)):
        if isinstance(text, str) and "\0" in text:
            raise ValueError(f"expected with.{name} to be a text without NUL characters")
    if not isinstance(title, str) or not title:
        raise ValueError(f"expected with.title to be a string that is not empty, found {kind_of(title)}")
    if description is not None and not isinstance(description, str):
        raise ValueError(f"expected with.description to be a string, found {kind_of(description)}")
    if "\0" in title or "\0" in (description or ""):
        raise ValueError("expected with.title and with.description to be without NUL characters")
    if form is not None and not isinstance(form, dict | bool):
        raise ValueError(f"expected with.form to be a JSON Schema, found {kind_of(form)}")
    if form is not None:
        _check_form(form)
    if value.get("due") is not None:
        durations.of(value["due"])
    return Question(
        title,
        description,
        _names(value, "assignees"),
        _names(value, "candidateGroups"),
        _names(value, "excludeUsers"),
        _names(value, "outcomes") or OUTCOMES,
        form,
        value.get("due"),
        _names(value, "escalateTo"),
    )


def _check_form(form: Json) -> None:
    """Here, where the author's task can fault, rather than when a person answers."""
    try:
        compiled(form)
    except SchemaInvalid as error:
        raise ValueError(f"with.form is no valid JSON Schema: {error}") from None


def _names(value: dict[str, Json], name: str) -> tuple[str, ...]:
    """A list of names; a single one may stand for itself."""
    names = value.get(name)
    if names is None:
        return ()
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, list) or not all(isinstance(item, str) and item for item in names):
        raise ValueError(f"expected with.{name} to be an array of strings that are not empty")
    if any(_CONTROL.search(item) for item in names):
        raise ValueError(f"expected with.{name} to be without control characters")
    return tuple(dict.fromkeys(names))
