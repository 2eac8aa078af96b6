"""What is valid but can't be run yet, and what is only warned of."""

import pytest
from definition_cases import loaded

YET = "can't be run by this version of Perdure yet"


@pytest.mark.parametrize(
    ("text", "pointer", "what"),
    [
        (
            "do:\n- t: {call: openapi, with: {document: {endpoint: 'https://a.example'}, operationId: o}}",
            "/do/0/t/call",
            "call: openapi",
        ),
        ("do:\n- t: {call: 'job:1.0.0@default', with: {type: charge}}", "/do/0/t/call", "call: job:1.0.0@default"),
        ("do:\n- t: {call: 'human-task:2.0.0@default'}", "/do/0/t/call", "call: human-task:2.0.0@default"),
        (
            "do:\n- t: {call: 'https://a.example/f.yaml'}",
            "/do/0/t/call",
            "call: URI (a function of an external catalog)",
        ),
        (
            "use: {functions: {f: {set: {a: 1}}}}\ndo:\n- t: {call: f}",
            "/do/0/t/call",
            "call: f (a function of use.functions)",
        ),
        ("do:\n- t: {run: {shell: {command: ls}}}", "/do/0/t/run/shell", "run: shell"),
        ("use: {extensions: [{e: {extend: all}}]}\ndo: []", "/use/extensions", "use: extensions"),
        (
            "input: {schema: {resource: {endpoint: 'https://a.example'}}}\ndo: []",
            "/input/schema/resource",
            "schema: resource (an external schema)",
        ),
        ("input: {schema: {format: avro, document: {}}}\ndo: []", "/input/schema/format", "schema format: avro"),
        ("evaluate: {language: cel}\ndo: []", "/evaluate/language", 'evaluate: language "cel"'),
        (
            "use: {authentications: {a: {digest: {username: u, password: p}}}}\ndo:\n"
            "- t: {call: http, with: {method: get, endpoint: {uri: 'https://a.example', authentication: {use: a}}}}",
            "/do/0/t/with/endpoint/authentication",
            "authentication: digest",
        ),
        (
            "do:\n- t: {call: 'callback:1.0.0@default', with: {request: {method: get, "
            "endpoint: {uri: 'https://a.example', authentication: {certificate: {}}}}}}",
            "/do/0/t/with/request/endpoint/authentication",
            "authentication: certificate",
        ),
    ],
)
def test_what_is_not_built_yet_is_named(text, pointer, what):
    definition = loaded(text)
    assert [(p.pointer, p.detail) for p in definition.unsupported] == [(pointer, f"{what} {YET}")]
    assert definition.unsupported[0].line is not None
    assert definition.program is None


def test_what_is_declared_but_not_used_does_no_harm():
    definition = loaded(
        "use:\n"
        "  functions: {f: {run: {shell: {command: ls}}}}\n"
        "  catalogs: {c: {endpoint: 'https://a.example'}}\n"
        "  authentications: {a: {oidc: {}}}\n"
        "do: []"
    )
    assert definition.unsupported == ()
    assert definition.program is not None


@pytest.mark.parametrize(
    ("text", "pointer", "words"),
    [
        ("do: []\nevaluate: {mode: strict}", "/evaluate", "not part of the published schema"),
        ("do: []\nxtra: 1", "/xtra", 'unknown property "xtra"'),
        ("do: []\ntimeuot: PT5S", "/timeuot", 'did you mean "timeout"?'),
        ("do:\n- t: {try: [], catch: {errors: {with: {detail: x}}}}", "/do/0/t/catch/errors/with/detail", '"details"'),
        ("do:\n- end: {set: {a: 1}}", "/do/0/end", "flow directive"),
        ("do:\n- t: {listen: {to: {all: []}}}", "/do/0/t/listen/to/all", "completes at once"),
        (
            "do:\n- t: {call: http, with: {method: get, endpoint: 'https://a.example/{?q}'}}",
            "/do/0/t/with/endpoint",
            "simple expansion",
        ),
        (
            "do:\n- t: {call: 'human-task:1.0.0@default', with: {title: a, escalateTo: [b]}}",
            "/do/0/t/with/escalateTo",
            "never escalated",
        ),
        (
            "do:\n- t: {emit: {event: {with: {source: 'https://a.example', type: b, orderId: 1}}}}",
            "/do/0/t/emit/event/with/orderId",
            "a-z and 0-9",
        ),
    ],
)
def test_warnings(text, pointer, words):
    definition = loaded(text)
    assert [p.pointer for p in definition.warnings] == [pointer]
    assert words in definition.warnings[0].detail
    assert definition.warnings[0].line is not None
    assert definition.program is not None


@pytest.mark.parametrize(
    "text",
    [
        # The reference has these, the published schema lacks them.
        "do:\n- t: {call: http, with: {method: get, endpoint: 'https://a.example', query: {n: 5, tags: [a, b]}}}",
        "do:\n- t: {call: http, with: {method: get, endpoint: 'https://a.example', headers: {X-Count: 5}}}",
        "do:\n- t: {run: {workflow: {namespace: a, name: b, version: latest, input: [1]}}}",
        "use: {authentications: {a: {bearer: {token: x}}}}\n"
        "do:\n- t: {call: http, with: {method: get, endpoint: {uri: 'https://a.example', authentication: a}}}",
        "do:\n- t: {set: {a: 1}, timeout: {after: P2W}}",
        "do:\n- t: {emit: {event: {with: {source: 'urn:example:shop', type: a}}}}",
        "do:\n- t: {call: http, with: {method: get, endpoint: 'https://a.example/${ .id }'}}",
    ],
)
def test_what_the_reference_adds_to_the_schema_is_accepted(text):
    definition = loaded(text)
    assert definition.program is not None
    assert definition.warnings == ()
