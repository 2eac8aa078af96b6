"""What is refused: each fault with its pointer, place and words. ``«`` marks where the fault is in the text."""

import json

import pytest
from definition_cases import HEAD, loaded, problems_of

from perdure.definition.checks.report import PROBLEMS_MAX, TASKS_MAX
from perdure.definition.loader import load
from perdure.definition.problems import DefinitionInvalid

FUNCTIONS = '"a2a", "asyncapi", "grpc", "http", "mcp", "openapi"'
KINDS = '"call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait"'
DIRECTIVE = "expected continue, exit, end, or a task of the same list"


def task(text):
    """A definition whose one task is this."""
    return f"do:\n- t: {{{text}}}"


def http(text):
    return task(f"call: http, with: {{method: get, {text}}}")


def endpoint(text):
    return http(f"endpoint: {{uri: 'https://example.com', {text}}}")


def check_only_problem(text, pointer, detail, head=HEAD):
    whole = head + text
    before, _, after = whole.partition("«")
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    with pytest.raises(DefinitionInvalid) as invalid:
        load((before + after).encode(), "application/yaml")
    assert [(p.pointer, p.detail) for p in invalid.value.problems] == [(pointer, detail)]
    assert (invalid.value.problems[0].line, invalid.value.problems[0].column) == place


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        (
            "do: «{t: {set: {a: 1}}}",
            "/do",
            "expected an array of tasks, found an object; write each task as an item: - name: {…}",
        ),
        ("do:\n- «just text", "/do/0", 'expected a task under its name, found the string "just text"'),
        ("do:\n- «{}", "/do/0", "expected one property, the task under its name, found none"),
        (
            "do:\n- «t:\n  set: {a: 1}",
            "/do/0",
            'expected one property, the task under its name, found 2: "t", "set"; '
            "indent what belongs to the task below its name",
        ),
        ("do:\n- t: «5", "/do/0/t", "expected a task, which is an object, found the number 5"),
        ("do:\n- t: «~", "/do/0/t", "expected a task, which is an object, found nothing (null)"),
        ("do:\n- {«'': {set: {a: 1}}}", "/do/0/", "expected the name of the task, found an empty one"),
        (
            "do:\n- a: {set: {a: 1}}\n- b: {set: {a: 1}}\n- «a: {set: {a: 1}}",
            "/do/2/a",
            'expected different names in one list, found "a" again (first at /do/0/a)',
        ),
        ("do:\n- t: «{cal: http}", "/do/0/t", f'expected one of {KINDS}, found "cal"; did you mean "call"?'),
        ("do:\n- t: «{}", "/do/0/t", f"expected one of {KINDS}, found none of them"),
        ("do:\n- t: «{set: {a: 1}, do: []}", "/do/0/t", 'expected one kind of task, found "do" and "set"'),
        (
            task("set: {a: 1}, «ouput: {as: .a}"),
            "/do/0/t/ouput",
            'unknown property "ouput"; did you mean "output"?',
        ),
        (task("set: {a: 1}, then: «u"), "/do/0/t/then", f'{DIRECTIVE}, found "u"'),
        (
            "do:\n- pay: {set: {a: 1}}\n- b: {do: [{c: {set: {a: 1}, then: «pay}}]}",
            "/do/1/b/do/0/c/then",
            f'{DIRECTIVE}, found "pay"',
        ),
        (
            "do:\n- pay: {set: {a: 1}, then: «ship}\n- shipp: {set: {a: 1}}",
            "/do/0/pay/then",
            f'{DIRECTIVE}, found "ship"; did you mean "shipp"?',
        ),
        (
            task("set: {a: 1}, if: «5"),
            "/do/0/t/if",
            "expected an expression, which is a string, found the number 5; put it in quotes",
        ),
        (task("set: {a: 1}, if: «''"), "/do/0/t/if", "expected an expression, found none"),
        (task("set: {a: 1}, metadata: «x"), "/do/0/t/metadata", 'expected an object, found the string "x"'),
        (
            task("set: {a: 1}, timeout: «x"),
            "/do/0/t/timeout",
            'expected a name under use.timeouts, found "x"; there is nothing under use.timeouts',
        ),
        (
            task("set: {a: 1}, timeout: «{}"),
            "/do/0/t/timeout",
            'expected the property "after", which is missing',
        ),
        (
            task("set: {a: 1}, output: {schema: «{}}"),
            "/do/0/t/output/schema",
            'expected exactly one of "document", "resource", found none of them',
        ),
        (
            task("set: {a: 1}, input: {schema: {document: {properties: {a: {type: «strng}}}}}"),
            "/do/0/t/input/schema/document/properties/a/type",
            "not a JSON Schema: expected one of array, boolean, integer, null, number, object, string, "
            "or an array of them, as type",
        ),
        (
            task("set: {a: 1}, export: {as: «5}"),
            "/do/0/t/export/as",
            "expected an expression, or an object with expressions, found the number 5; put it in quotes",
        ),
    ],
)
def test_tasks(text, pointer, detail):
    check_only_problem(text, pointer, detail)


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        (task("set: «{}"), "/do/0/t/set", "expected at least one property to set, found none"),
        (task("set: «5"), "/do/0/t/set", "expected an object, or an expression, found the number 5"),
        (
            task("set: {a: «'${ .b'}"),
            "/do/0/t/set/a",
            'the expression that begins "${ .b" is not closed by "}"; to have "${" as text, write ${ "${" }',
        ),
        (task("wait: «PT"), "/do/0/t/wait", 'expected an ISO 8601 duration such as PT30S or P1DT12H, found "PT"'),
        (
            task("wait: «{}"),
            "/do/0/t/wait",
            "expected a duration with at least one unit such as seconds, found an empty object",
        ),
        (task("wait: {«second: 1}"), "/do/0/t/wait/second", 'unknown property "second"; did you mean "seconds"?'),
        (
            task("wait: {seconds: «-1}"),
            "/do/0/t/wait/seconds",
            "expected a whole number, not below 0 and within 1000 years, found the number -1",
        ),
        (
            task("wait: {seconds: «'${ .n }'}"),
            "/do/0/t/wait/seconds",
            "expected a whole number, found an expression; write the whole duration as one expression, "
            'such as ${ "PT\\(.n)S" }',
        ),
        (
            task("wait: «5"),
            "/do/0/t/wait",
            'expected a duration: ISO 8601 text such as "PT30S", or an object such as {seconds: 30}, '
            "found the number 5",
        ),
        (task("switch: «[]"), "/do/0/t/switch", "expected at least one case, found none"),
        (
            task("switch: [«{a: {then: end}, b: {then: end}}]"),
            "/do/0/t/switch/0",
            "expected one property, the case under its name, found 2 properties",
        ),
        (task("switch: [{a: «{when: .x}}]"), "/do/0/t/switch/0/a", 'expected the property "then", which is missing'),
        (
            task("switch: [{a: {then: end}}, {«b: {then: exit}}]"),
            "/do/0/t/switch/1/b",
            'expected one default case, without when; "a" is another',
        ),
        (task("switch: [{a: {when: .x, then: «gone}}]"), "/do/0/t/switch/0/a/then", f'{DIRECTIVE}, found "gone"'),
        ("do:\n- t: «{for: {in: .x}}", "/do/0/t", 'expected the property "do", which is missing'),
        (
            task("for: {in: .x, each: «$a}, do: []"),
            "/do/0/t/for/each",
            "expected the name of a variable (letters, digits and _, not beginning with a digit), "
            'found "$a"; write "a"',
        ),
        (
            task("for: «{in: .x, at: item}, do: []"),
            "/do/0/t/for",
            'expected different variables, found "item" as each and at',
        ),
        (
            task("for: {in: «'x ${ .a }'}, do: []"),
            "/do/0/t/for/in",
            "expected one expression, in ${ } as a whole or without, found expressions among other text; "
            'build text within the expression: "\\(.name) …"',
        ),
        (task("fork: «{compete: true}"), "/do/0/t/fork", 'expected the property "branches", which is missing'),
        (
            task("fork: {branches: [{a: {set: {x: 1}, then: «b}}, {b: {set: {x: 1}}}]}"),
            "/do/0/t/fork/branches/0/a/then",
            f'{DIRECTIVE}, found "b"',
        ),
        (
            task("fork: {branches: [], compete: «'true'}"),
            "/do/0/t/fork/compete",
            'expected true or false, found the string "true"; remove the quotes',
        ),
        ("do:\n- t: «{try: []}", "/do/0/t", 'expected the property "catch", which is missing'),
        (
            "use: {retries: {often: {}}}\n" + task("try: [], catch: {retry: «oftn}"),
            "/do/0/t/catch/retry",
            'expected a name under use.retries, found "oftn"; did you mean "often"?',
        ),
        (
            task("try: [], catch: {retry: {backoff: «{linear: {}, constant: {}}}}"),
            "/do/0/t/catch/retry/backoff",
            'expected exactly one of "constant", "exponential", "linear", found "constant" and "linear"',
        ),
        (
            task("try: [], catch: {retry: {limit: {attempt: {count: «1.5}}}}"),
            "/do/0/t/catch/retry/limit/attempt/count",
            "expected a whole number not below 0, found the number 1.5",
        ),
        (
            task("try: [], catch: {retry: {jitter: «{from: PT0S}}}"),
            "/do/0/t/catch/retry/jitter",
            'expected the property "to", which is missing',
        ),
        (
            task("try: [], catch: {errors: {with: «{}}}"),
            "/do/0/t/catch/errors/with",
            "expected at least one of type, status, instance, title, details; found none",
        ),
        (
            task("raise: {error: «lost}"),
            "/do/0/t/raise/error",
            'expected a name under use.errors, found "lost"; there is nothing under use.errors',
        ),
        (
            task("raise: {error: {type: «lost, status: 500}}"),
            "/do/0/t/raise/error/type",
            'expected a URI such as https://example.com/orders/{id}, or an expression in ${ }, found "lost"',
        ),
        (
            task("raise: {error: {type: 'https://example.com/e', status: «'500'}}"),
            "/do/0/t/raise/error/status",
            'expected a whole number, found the string "500"',
        ),
        (
            task("raise: {error: {type: 'https://example.com/e', status: 500, instance: «here}}"),
            "/do/0/t/raise/error/instance",
            'expected a JSON Pointer, which begins with /, or an expression, found the string "here"',
        ),
        (
            task("emit: {event: {with: «{type: a}}}"),
            "/do/0/t/emit/event/with",
            'expected the property "source", which is missing',
        ),
        (
            task("emit: {event: {with: {type: a, source: 'urn:x', time: «noon}}}"),
            "/do/0/t/emit/event/with/time",
            'expected a time such as "2026-01-31T12:00:00Z", or an expression, found the string "noon"',
        ),
        (
            task("listen: {to: «{one: {with: {type: a}}, any: []}}"),
            "/do/0/t/listen/to",
            'expected exactly one of "all", "any", "one", found "any" and "one"',
        ),
        (
            task("listen: {to: {one: {with: {type: a}}, «until: .x}}"),
            "/do/0/t/listen/to/until",
            'expected "until" only beside "any", and not within another "until"',
        ),
        (
            task("listen: {to: {any: [], until: {any: [], «until: .x}}}"),
            "/do/0/t/listen/to/until/until",
            'expected "until" only beside "any", and not within another "until"',
        ),
        (
            task("listen: {to: {one: {with: «{}}}}"),
            "/do/0/t/listen/to/one/with",
            "expected at least one attribute such as type, found none",
        ),
        (
            task("listen: {to: {one: {with: {type: a}, correlate: {k: «{expect: x}}}}}"),
            "/do/0/t/listen/to/one/correlate/k",
            'expected the property "from", which is missing',
        ),
        (
            task("listen: {to: {any: []}, read: «date}"),
            "/do/0/t/listen/read",
            'expected one of "data", "envelope", "raw", found "date"; did you mean "data"?',
        ),
        (
            task("run: «{await: true}"),
            "/do/0/t/run",
            'expected exactly one of "container", "script", "shell", "workflow", found none of them',
        ),
        (
            task("run: {workflow: «{namespace: a, name: b}}"),
            "/do/0/t/run/workflow",
            'expected the property "version", which is missing',
        ),
        (
            task("run: {workflow: {namespace: a, name: «'${ .n }', version: latest}}"),
            "/do/0/t/run/workflow/name",
            'expected plain text, without expressions, found the string "${ .n }"',
        ),
        (
            task("run: {workflow: {namespace: a, name: b, version: «newest}}"),
            "/do/0/t/run/workflow/version",
            "expected a semantic version such as 1.2.0 or 1.2.0-rc.1, of at most 128 characters, "
            'found "newest"; or write "latest"',
        ),
        (
            task("run: {container: {image: a, lifetime: «{cleanup: eventually}}}"),
            "/do/0/t/run/container/lifetime",
            'expected "after" if, and only if, cleanup is "eventually"',
        ),
        (
            task("run: {script: «{language: js}}"),
            "/do/0/t/run/script",
            'expected exactly one of "code", "source", found none of them',
        ),
    ],
)
def test_task_kinds(text, pointer, detail):
    check_only_problem(text, pointer, detail)


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        (
            "do:\n- a: {set: {x: 1}}\n- b: {set: {x: 1}}\n- pay:\n    call: «htpp",
            "/do/2/pay/call",
            f'expected one of {FUNCTIONS}, name:version@catalog, or a URI, found "htpp"; did you mean "http"?',
        ),
        (
            "use: {functions: {charge: {set: {a: 1}}}}\n" + task("call: «chrge"),
            "/do/0/t/call",
            f'expected one of {FUNCTIONS}, "charge", name:version@catalog, or a URI, '
            'found "chrge"; did you mean "charge"?',
        ),
        (
            task("call: «human_task"),
            "/do/0/t/call",
            f"expected one of {FUNCTIONS}, name:version@catalog, or a URI, "
            'found "human_task"; did you mean "human-task:1.0.0@default"?',
        ),
        (task("call: «5"), "/do/0/t/call", "expected the name of a function, found the number 5"),
        (
            "use: {catalogs: {ours: {endpoint: 'https://example.com'}}}\n" + task("call: «log:1.0.0@our"),
            "/do/0/t/call",
            'expected one of the catalogs "default", "ours", found "our"; did you mean "ours"?',
        ),
        (
            task("call: «log@default"),
            "/do/0/t/call",
            'expected name:version@catalog, found "log@default", which has no version',
        ),
        ("do:\n- t: «{call: http}", "/do/0/t", 'expected the property "with", which is missing'),
        (
            task("call: http, with: «{endpoint: 'https://example.com'}"),
            "/do/0/t/with",
            'expected the property "method", which is missing',
        ),
        (
            http("endpoint: «example.com"),
            "/do/0/t/with/endpoint",
            'expected a URI such as https://example.com/orders/{id}, or an expression in ${ }, found "example.com"',
        ),
        (
            http("endpoint: «'https://example.com/{id'"),
            "/do/0/t/with/endpoint",
            'expected each { to be closed by a } in the URI, found "https://example.com/{id"',
        ),
        (
            http("endpoint: «5"),
            "/do/0/t/with/endpoint",
            "expected a URI, or an object with the property uri, found the number 5",
        ),
        (http("endpoint: «{}"), "/do/0/t/with/endpoint", 'expected the property "uri", which is missing'),
        (
            http("endpoint: 'https://example.com', headers: «.h"),
            "/do/0/t/with/headers",
            'expected an object with headers, or an expression in ${ } that yields one, found the string ".h"',
        ),
        (
            http("endpoint: 'https://example.com', headers: {a: «[]}"),
            "/do/0/t/with/headers/a",
            "expected a string, found an array",
        ),
        (
            http("endpoint: 'https://example.com', output: «json"),
            "/do/0/t/with/output",
            'expected one of "raw", "content", "response", found "json"',
        ),
        (
            http("endpoint: 'https://example.com', «methods: x"),
            "/do/0/t/with/methods",
            'unknown property "methods"; did you mean "method"?',
        ),
        (
            endpoint("authentication: {use: «bank}"),
            "/do/0/t/with/endpoint/authentication/use",
            'expected a name under use.authentications, found "bank"; there is nothing under use.authentications',
        ),
        (
            endpoint("authentication: «{}"),
            "/do/0/t/with/endpoint/authentication",
            'expected exactly one of "basic", "bearer", "certificate", "digest", "oauth2", "oidc", "use", '
            "found none of them",
        ),
        (
            endpoint("authentication: {basic: {use: «login}}"),
            "/do/0/t/with/endpoint/authentication/basic/use",
            'expected a secret that use.secrets lists, found "login"; list it there',
        ),
        (
            endpoint("authentication: {basic: {username: u, password: «12345}}"),
            "/do/0/t/with/endpoint/authentication/basic/password",
            "expected a string, found a number; put it in quotes",
        ),
        (
            endpoint("authentication: {oauth2: {grant: «code}}"),
            "/do/0/t/with/endpoint/authentication/oauth2/grant",
            'expected one of "authorization_code", "client_credentials", "password", "refresh_token", '
            '"urn:ietf:params:oauth:grant-type:token-exchange", found "code"',
        ),
        (
            task("call: asyncapi, with: «{document: {endpoint: 'https://a.example'}, operation: o}"),
            "/do/0/t/with",
            'expected exactly one of "message", "subscription", found none of them',
        ),
        (
            task(
                "call: grpc, with: {proto: {endpoint: 'file://a'}, method: m, "
                "service: {name: a, host: b, port: «70000}}"
            ),
            "/do/0/t/with/service/port",
            "expected a whole number from 0 to 65535, found the number 70000",
        ),
        (
            task("call: a2a, with: «{method: tasks/get}"),
            "/do/0/t/with",
            'expected "agentCard" or "server", found neither',
        ),
        (
            task("call: mcp, with: {method: tools/call, transport: «{}}"),
            "/do/0/t/with/transport",
            'expected exactly one of "http", "stdio", found none of them',
        ),
        (
            task("call: openapi, with: {document: {endpoint: 'https://a.example'}, operationId: «5}"),
            "/do/0/t/with/operationId",
            "expected a string, found the number 5; put it in quotes",
        ),
        ("do:\n- t: «{call: 'job:1.0.0@default'}", "/do/0/t", 'expected the property "type", which is missing'),
        (
            task("call: 'job:1.0.0@default', with: {type: a, «inputs: 1}"),
            "/do/0/t/with/inputs",
            'unknown property "inputs"; did you mean "input"?',
        ),
        (
            task("call: 'job:1.0.0@default', with: {type: «''}"),
            "/do/0/t/with/type",
            "expected the type of the job, found an empty string",
        ),
        (
            task("call: 'job:1.0.0@default', with: {type: a, lease: «0}"),
            "/do/0/t/with/lease",
            "expected 0.1 to 86400 seconds, found the number 0",
        ),
        (
            task("call: 'job:1.0.0@default', with: {type: a, lease: «soon}"),
            "/do/0/t/with/lease",
            'expected an ISO 8601 duration such as PT30S or P1DT12H, found "soon"',
        ),
        (
            task("call: 'job:1.0.0@default', with: {type: a, priority: «high}"),
            "/do/0/t/with/priority",
            'expected a whole number from -1000000000 to 1000000000, found the string "high"',
        ),
        ("do:\n- t: «{call: 'human-task:1.0.0@default'}", "/do/0/t", 'expected the property "title", which is missing'),
        (
            task("call: 'human-task:1.0.0@default', with: {title: a, «outcome: [b]}"),
            "/do/0/t/with/outcome",
            'unknown property "outcome"; did you mean "outcomes"?',
        ),
        (
            task("call: 'human-task:1.0.0@default', with: {title: a, outcomes: [b, «b]}"),
            "/do/0/t/with/outcomes/1",
            'expected different outcomes, found the string "b" twice',
        ),
        (
            task("call: 'human-task:1.0.0@default', with: {title: a, assignees: «ann}"),
            "/do/0/t/with/assignees",
            'expected an array of strings, or an expression that yields one, found the string "ann"',
        ),
        (
            task("call: 'human-task:1.0.0@default', with: {title: a, form: {type: «objct}}"),
            "/do/0/t/with/form/type",
            "not a JSON Schema: expected one of array, boolean, integer, null, number, object, string, "
            "or an array of them, as type",
        ),
        (
            task("call: 'callback:1.0.0@default', with: {request: «{method: get}}"),
            "/do/0/t/with/request",
            'expected the property "endpoint", which is missing',
        ),
        (
            task("call: 'callback:1.0.0@default', with: {«url: x}"),
            "/do/0/t/with/url",
            'unknown property "url"; expected "request"',
        ),
    ],
)
def test_calls(text, pointer, detail):
    check_only_problem(text, pointer, detail)


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        (
            "«document: {dsl: '1.0.3', namespace: a, name: b, version: 1.0.0}\ndoo: []",
            "",
            'expected the property "do", which is missing; rename "doo"?',
        ),
        ("«[]", "", "expected a definition, which is an object with document and do, found an array"),
        ("do: []\ndocument: «5", "/document", "expected an object, found the number 5"),
        (
            "do: []\ndocument: {dsl: '1.0.3', namespace: «-a, name: b, version: 1.0.0}",
            "/document/namespace",
            "expected a name of letters, digits and -, with a letter or digit at both ends, of at most 63 "
            'characters, found the string "-a"',
        ),
        (
            "do: []\ndocument: {dsl: «1.1.0, namespace: a, name: b, version: 1.0.0}",
            "/document/dsl",
            'expected a DSL version 1.0.x such as "1.0.3", found "1.1.0"',
        ),
        (
            "do: []\ndocument: {dsl: 1.0.3, namespace: a, name: b, version: «1.0}",
            "/document/version",
            "expected a semantic version such as 1.2.0, found the number 1.0; put it in quotes",
        ),
        (
            "do: []\ndocument: {dsl: 1.0.3, namespace: a, name: b, version: 1.0.0, «label: x}",
            "/document/label",
            'unknown property "label"; expected "dsl", "namespace", "name", "version", "title", "summary", '
            '"tags", "metadata"',
        ),
    ],
)
def test_heads(text, pointer, detail):
    check_only_problem(text, pointer, detail, head="")


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        (
            "do: []\ntimeout: «x",
            "/timeout",
            'expected a name under use.timeouts, found "x"; there is nothing under use.timeouts',
        ),
        ("do: []\nuse: {«function: {}}", "/use/function", 'unknown property "function"; did you mean "functions"?'),
        ("do: []\nuse: {secrets: [«5]}", "/use/secrets/0", "expected a string, found the number 5; put it in quotes"),
        (
            "do: []\nuse: {timeouts: {a: «PT5S}}",
            "/use/timeouts/a",
            'expected a timeout such as {after: {seconds: 30}}, found the string "PT5S"',
        ),
        ("do: []\nuse: {errors: {a: «{status: 1}}}", "/use/errors/a", 'expected the property "type", which is missing'),
        (
            "do: []\nuse: {authentications: {a: «{use: b}}}",
            "/use/authentications/a",
            'expected exactly one of "basic", "bearer", "certificate", "digest", "oauth2", "oidc", found none of them',
        ),
        (
            "do: []\nuse: {functions: {a: {call: http, with: {method: get, endpoint: «x}}}}",
            "/use/functions/a/with/endpoint",
            'expected a URI such as https://example.com/orders/{id}, or an expression in ${ }, found "x"',
        ),
        (
            "do: []\nuse: {extensions: [{a: {extend: «al}}]}",
            "/use/extensions/0/a/extend",
            'expected one of "call", "composite", "emit", "extension", "for", "listen", "raise", "run", "set", '
            '"switch", "try", "wait", "all", found "al"; did you mean "all"?',
        ),
        ("do: []\nuse: {catalogs: {a: «{}}}", "/use/catalogs/a", 'expected the property "endpoint", which is missing'),
        ("do: []\nschedule: «{}", "/schedule", "expected one of every, cron, after, on; found none"),
        (
            "do: []\nevaluate: {mode: «lose}",
            "/evaluate/mode",
            'expected one of "strict", "loose", found "lose"; did you mean "loose"?',
        ),
    ],
)
def test_workflows(text, pointer, detail):
    check_only_problem(text, pointer, detail)


def test_all_problems_are_told_at_once_in_the_order_of_the_text():
    found = problems_of(
        "use: {secrets: [1]}\ndo:\n- a: {wait: x, then: c}\n- b: {call: htpp, foo: 1}\ntimeout: never\n"
    )
    assert [p.pointer for p in found] == [
        "/use/secrets/0",
        "/do/0/a/wait",
        "/do/0/a/then",
        "/do/1/b/call",
        "/do/1/b/foo",
        "/timeout",
    ]


def test_the_number_of_problems_is_bounded():
    found = problems_of("do:\n" + "\n".join(f"- t{n}: {{}}" for n in range(3000)))
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1].detail == "these are the first 100 problems; there may be more"


def test_the_number_of_tasks_is_bounded():
    def definition(count):
        head = {"dsl": "1.0.3", "namespace": "a", "name": "b", "version": "1.0.0"}
        tasks = [{f"t{n}": {"do": []}} for n in range(count)]
        return json.dumps({"document": head, "do": tasks}).encode()

    load(definition(TASKS_MAX), "application/json")
    with pytest.raises(DefinitionInvalid, match=f"at most {TASKS_MAX} tasks"):
        load(definition(TASKS_MAX + 1), "application/json")


def test_names_with_slashes_are_escaped_in_pointers():
    (problem,) = problems_of("do:\n- a/b~c: {wait: x}")
    assert problem.pointer == "/do/0/a~1b~0c/wait"


def test_long_values_are_cut_in_messages():
    (problem,) = problems_of(f"do:\n- t: {{wait: {'x' * 5000}}}")
    assert len(problem.detail) < 200


def test_an_accepted_definition_has_no_problems():
    assert loaded("do: []").warnings == ()
