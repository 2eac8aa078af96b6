"""What is valid, and what is only warned of."""

import pytest
from definition_cases import loaded


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("do:\n- t: {call: 'human-task:2.0.0@default'}", ["/do/0/t/call"]),
        ("do:\n- t: {call: 'https://a.example/f.yaml'}", ["/do/0/t/call"]),
        ("do:\n- t: {call: 'charge:1.0.0@default'}\n- u: {call: 'charge:1.0.0@default'}", ["/do/0/t/call"]),
        (
            "use: {catalogs: {c: {endpoint: 'https://a.example'}}}\ndo:\n- t: {call: 'log:1.0.0@c'}",
            ["/do/0/t/call"],
        ),
        (
            "use: {catalogs: {default: {endpoint: 'https://a.example'}}}\ndo:\n- t: {call: 'human-task:1.0.0@default'}",
            ["/do/0/t/call"],
        ),
        (
            "use: {functions: {f: {call: 'a:1.0.0@default'}, g: {call: 'b:1.0.0@default'}, h: {call: f}}}\n"
            "do:\n- t: {call: h}",
            ["/use/functions/f/call"],
        ),
        (
            "input: {schema: {resource: {endpoint: 'https://a.example'}}}\ndo: []",
            ["/input/schema/resource/endpoint"],
        ),
    ],
)
def test_what_is_needed_from_outside_is_found(text, needs):
    definition = loaded(text)
    assert [need.pointer for need in definition.needs] == needs
    assert definition.needs[0].line is not None
    assert definition.warnings == ()


def test_the_address_of_a_schema_can_not_depend_on_data():
    definition = loaded("input: {schema: {resource: {endpoint: 'https://a.example/{kind}'}}}\ndo: []")
    assert definition.needs == ()
    assert [p.pointer for p in definition.warnings] == ["/input/schema/resource/endpoint"]


def test_what_is_declared_but_not_used_does_no_harm():
    definition = loaded(
        "use:\n"
        "  functions: {f: {run: {shell: {command: ls}}}}\n"
        "  catalogs: {c: {endpoint: 'https://a.example'}}\n"
        "  authentications: {a: {oidc: {authority: 'https://a.example', grant: password}}}\n"
        "do: []"
    )
    assert definition.warnings == ()


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
            "use: {secrets: [s]}\n"
            "do:\n- t: {call: 'human-task:1.0.0@default', with: {title: a, outcomes: ['no', '${ $secrets.s }']}}",
            "/do/0/t/with/outcomes",
            "a secret is shown as ***",
        ),
        (
            "do:\n- t: {call: 'human-task:1.0.0@default', with: {title: a, escalateTo: [b]}}",
            "/do/0/t/with/escalateTo",
            "never escalated",
        ),
        (
            "use: {authentications: {a: {oidc: {grant: password}}}}\ndo: []",
            "/use/authentications/a/oidc",
            '"authority"',
        ),
        ("use: {authentications: {a: {certificate: {}}}}\ndo: []", "/use/authentications/a/certificate", "fail"),
        (
            "do:\n- t: {emit: {event: {with: {source: 'https://a.example', type: b, orderId: 1}}}}",
            "/do/0/t/emit/event/with/orderId",
            "a-z and 0-9",
        ),
        (
            "do:\n- t: {try: [], catch: {when: '${ .status == 503 }'}}",
            "/do/0/t/catch/when",
            "the error is $error.status",
        ),
    ],
)
def test_warnings(text, pointer, words):
    definition = loaded(text)
    assert [p.pointer for p in definition.warnings] == [pointer]
    assert words in definition.warnings[0].detail
    assert definition.warnings[0].line is not None


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
    assert definition.warnings == ()


def test_a_schema_in_another_format_is_warned_of_and_kept():
    definition = loaded("input: {schema: {format: avro, document: {}}}\ndo: []")
    assert [p.pointer for p in definition.warnings] == ["/input/schema/format"]
    assert 'the schema format "avro" is not available; write a JSON Schema' in definition.warnings[0].detail
    assert definition.program.input_schema.unavailable is not None


def test_another_expression_language_is_warned_of_and_its_expressions_are_left_alone():
    definition = loaded("evaluate: {language: cel}\ndo:\n- t: {set: '${ a.b ? \"}\" : }'}")
    assert [p.pointer for p in definition.warnings] == ["/evaluate", "/evaluate/language"]
    assert 'the expression language "cel" is not available' in definition.warnings[1].detail
    assert definition.expressions == ()
    assert definition.program.unavailable is not None


def test_references_out_of_a_schema_are_needed_from_outside():
    definition = loaded("input: {schema: {document: {$ref: 'https://a.example/s.json#/$defs/x'}}}\ndo: []")
    assert [(need.kind, need.key) for need in definition.needs] == [("schema", "https://a.example/s.json")]
    assert "leads outside the document" in definition.program.input_schema.unavailable
