"""What no database can hold is the author's error, told where it is made."""

import pytest

NAP = {"nap": {"wait": {"milliseconds": 5}}}
NUL = '${ "a\\u0000b" }'
LONG = '${ [range(5000)] | map("\\(. * 7919 % 9973)") | join("-") }'

UNSTORABLE = {
    "title": {"call": "human-task:1.0.0@default", "with": {"title": NUL}},
    "description": {"call": "human-task:1.0.0@default", "with": {"title": "t", "description": NUL}},
    "group": {"call": "human-task:1.0.0@default", "with": {"title": "t", "candidateGroups": [NUL]}},
    "two groups in one": {
        "call": "human-task:1.0.0@default",
        "with": {"title": "t", "assignees": ['${ "a\\u001fb" }']},
    },
    "type": {"emit": {"event": {"with": {"source": "urn:x", "type": NUL}}}},
    "source": {"emit": {"event": {"with": {"source": '${ "urn:a\\u0000b" }', "type": "x"}}}},
    "long source": {"emit": {"event": {"with": {"source": LONG, "type": "x"}}}},
    "long id": {"emit": {"event": {"with": {"source": "urn:x", "type": "x", "id": LONG}}}},
    "extension": {"emit": {"event": {"with": {"source": "urn:x", "type": "x", "extra": NUL}}}},
}


@pytest.mark.parametrize("name", UNSTORABLE)
async def test_text_that_no_database_can_hold_is_the_authors_error(platform, name):
    await platform.deploy("unstorable", [NAP, {"bad": UNSTORABLE[name]}])
    process = await platform.ended(await platform.start("unstorable"))
    assert (process.status, process.error.instance) == ("faulted", "/do/1/bad")
    assert process.error.type.endswith("/configuration")


async def test_a_listener_for_a_type_too_long_to_exist_just_waits(platform):
    to = {"one": {"with": {"type": "t" + "".join(str(n * 7919 % 9973) for n in range(5000))}}}
    await platform.deploy("deaf", [NAP, {"hear": {"listen": {"to": to}}}])
    await platform.waiting(await platform.start("deaf"), "event")
