"""What expressions yield goes into columns and indexes, which can't take everything: the author's error, told where
it is made."""

from typing import Any

import pytest

from .conftest import Platform

NAP = {"nap": {"wait": {"milliseconds": 5}}}
NUL = '${ "a\\u0000b" }'
LONG = '${ [range(5000)] | map("\\(. * 7919 % 9973)") | join("-") }'


def emit(**attributes: str) -> dict[str, Any]:
    return {"emit": {"event": {"with": {"source": "urn:x", "type": "x", **attributes}}}}


def ask(**fields: Any) -> dict[str, Any]:
    return {"call": "human-task:1.0.0@default", "with": {"title": "t", **fields}}


UNSTORABLE = {
    "id": emit(id=NUL),
    "long id": emit(id=LONG),
    "source": emit(source='${ "urn:a\\u0000b" }'),
    "long source": emit(source=LONG),
    "type": emit(type=NUL),
    "long type": emit(type=LONG),
    "extension": emit(extra=NUL),
    "title": ask(title=NUL),
    "description": ask(description=NUL),
    "assignee": ask(assignees=[NUL]),
    "two assignees in one": ask(assignees=['${ "a\\u001fb" }']),
    "group": ask(candidateGroups=[NUL]),
    "two groups in one": ask(candidateGroups=['${ "a\\u001fb" }']),
    "outcome": ask(outcomes=[NUL]),
}


@pytest.mark.parametrize("name", UNSTORABLE)
async def test_text_that_no_database_can_hold_is_the_authors_error(platform: Platform, name: str) -> None:
    process = await platform.run("unstorable", [NAP, {"bad": UNSTORABLE[name]}])
    assert process.error is not None
    assert (process.status, process.error.instance) == ("faulted", "/do/1/bad")
    assert process.error.type.endswith("/configuration")


async def test_a_listener_for_a_type_too_long_to_exist_just_waits(platform: Platform) -> None:
    to = {"one": {"with": {"type": "t" + "".join(str(n * 7919 % 9973) for n in range(5000))}}}
    await platform.deploy("deaf", [NAP, {"hear": {"listen": {"to": to}}}])
    await platform.waiting(await platform.start("deaf"), "event")


async def test_what_no_column_holds_may_have_nul(platform: Platform) -> None:
    error = {"type": "https://example.com/e", "status": 400, "title": NUL, "detail": NUL}
    view = await platform.run("nul", [{"a": {"set": {"x": NUL}}}, {"b": {"raise": {"error": error}}}])
    assert view.error is not None
    assert (view.status, view.error.title) == ("faulted", "a\0b")
