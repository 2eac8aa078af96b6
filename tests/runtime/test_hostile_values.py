"""What expressions yield goes into columns and indexes of the database, which can't take everything."""

import pytest


def emit(**attributes):
    with_ = {"source": "https://example.com/s", "type": "t", **attributes}
    return {"emit": {"event": {"with": with_}}}


def ask(**with_):
    return {"call": "human-task:1.0.0@default", "with": {"title": "?", **with_}}


NUL = '${ "a\\u0000b" }'
LONG = '${ [range(4000)] | map(tostring) | join(".") }'


@pytest.mark.parametrize(
    "task",
    [
        emit(id=NUL),
        emit(type=NUL),
        emit(id=LONG),
        emit(source=LONG),
        emit(type=LONG),
        ask(title=NUL),
        ask(description=NUL),
        ask(assignees=[NUL]),
        ask(candidateGroups=['${ "a\\u001fb" }', NUL]),
        ask(outcomes=[NUL]),
    ],
    ids=str,
)
async def test_they_fault_their_own_process(platform, task):
    view = await platform.run("hostile", [{"t": task}])
    assert (view.status, view.error.type.rpartition("/")[2]) == ("faulted", "configuration")
    assert view.error.instance == "/do/0/t"


async def test_what_no_column_holds_may_have_nul(platform):
    error = {"type": "https://example.com/e", "status": 400, "title": NUL, "detail": NUL}
    view = await platform.run("nul", [{"a": {"set": {"x": NUL}}}, {"b": {"raise": {"error": error}}}])
    assert (view.status, view.error.title) == ("faulted", "a\0b")
