"""Expressions in strings, durations, versions and schemas: the small languages within a definition."""

from itertools import pairwise

import pytest

from perdure.definition import durations, interpolation, schemas, versions
from perdure.definition.program import Duration
from perdure.definition.template import (
    ArrayTemplate,
    Expression,
    Interpolation,
    Literal,
    ObjectTemplate,
    expressions_of,
    variables_of,
)


def whole(text, fallback=None):
    return Expression(text, "/p", fallback)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("plain", Literal("plain")),
        ("a {b} $c", Literal("a {b} $c")),
        ("${ .a }", whole(".a")),
        ("  ${.a}\n", whole(".a")),
        ("${ {a: {b: 1}} }", whole("{a: {b: 1}}")),
        ('${ "}" }', whole('"}"')),
        ('${ "\\"}" }', whole('"\\"}"')),
        ('${ "\\\\" }', whole('"\\\\"')),
        ('${ "\\(.a | {b: "}"} | .b) }" }', whole('"\\(.a | {b: "}"} | .b) }"')),
        ('${ "${" }', whole('"${"')),
        ("${ .a # not } here\n }", whole(".a # not } here")),
        ("${ .a # goes on \\\n } still\n }", whole(".a # goes on \\\n } still")),
        ("${ .a # goes on \\\r\n } still\r\n }", whole(".a # goes on \\\r\n } still")),
        ("${ .a # ends \\\\\n }", whole(".a # ends \\\\")),
        ('${ ."#" }', whole('."#"')),
        ("${ [.[] | {a}] | first }", whole("[.[] | {a}] | first")),
        ("Hello ${ .name }!", Interpolation(("Hello ", whole(".name"), "!"))),
        ("${ .a }${ .b }", Interpolation((whole(".a"), whole(".b")))),
        ("${ .a } ${ .b }", Interpolation((whole(".a"), " ", whole(".b")))),
        ("$${ .a }", Interpolation(("$", whole(".a")))),
    ],
)
def test_expressions_are_found_in_text(text, template):
    assert interpolation.text_template(text, "/p") == template


@pytest.mark.parametrize("text", ["${", "${ .a", 'x ${ "} ', "${ .a # } ", "${ {a: 1 }", '${ "\\(.a } '])
def test_an_expression_that_is_not_closed_is_refused(text):
    with pytest.raises(interpolation.ExpressionMalformed, match="not closed"):
        interpolation.text_template(text, "/p")


@pytest.mark.parametrize("text", ["${}", "x ${ } y"])
def test_an_empty_expression_is_refused(text):
    with pytest.raises(interpolation.ExpressionMalformed, match="found none"):
        interpolation.text_template(text, "/p")


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (".a > 1", ".a > 1"),
        ("${ .a > 1 }", ".a > 1"),
        ('"${" + .a', '"${" + .a'),
        (".a # costs ${ money }", ".a # costs ${ money }"),
        ("  .a\n", ".a"),
    ],
)
def test_fields_of_expressions_take_them_with_and_without_braces(text, program):
    assert interpolation.expression(text, "/p") == whole(program)
    assert interpolation.expression_template(text, "/p") == whole(program)


@pytest.mark.parametrize("text", ["a ${ .b }", "${ .a } and ${ .b }", "", "  "])
def test_a_condition_is_one_expression(text):
    with pytest.raises(interpolation.ExpressionMalformed):
        interpolation.expression(text, "/p")


def test_a_transformation_may_be_text_with_expressions():
    assert interpolation.expression_template("Hi ${ .a }", "/p") == Interpolation(("Hi ", whole(".a")))


def test_templates_keep_literal_parts_whole():
    value = {"a": [1, {"b": "x"}], "c": "${ $context.d }", "e": ["${ .f }", None]}
    found = interpolation.template_of(value, "")
    assert found == ObjectTemplate(
        (
            ("a", Literal([1, {"b": "x"}])),
            ("c", Expression("$context.d", "/c")),
            ("e", ArrayTemplate((Expression(".f", "/e/0"), Literal(None)))),
        )
    )
    assert [e.pointer for e in expressions_of(found)] == ["/c", "/e/0"]
    assert variables_of(found) == {"context"}
    assert interpolation.template_of({"a": [1]}, "") == Literal({"a": [1]})


@pytest.mark.parametrize(
    ("text", "template"),
    [
        (".a", whole(".a", ".a")),
        ("${ .a }", whole(".a", "${ .a }")),
        ("${ .a", whole("${ .a", "${ .a")),
        ("x ${ .a }", Interpolation(("x ", whole(".a", "${ .a }")))),
        (" ", Literal(" ")),
    ],
)
def test_loose_evaluation_tries_every_string(text, template):
    assert interpolation.text_template(text, "/p", loose=True) == template


@pytest.mark.parametrize(
    ("text", "months", "seconds"),
    [
        ("PT0S", 0, 0),
        ("PT1.5S", 0, 1.5),
        ("PT15M", 0, 900),
        ("PT1H30M", 0, 5400),
        ("P1D", 0, 86_400),
        ("P1DT12H", 0, 129_600),
        ("P2W", 0, 1_209_600),
        ("P1W1D", 0, 691_200),
        ("P1Y2M", 14, 0),
        ("P0.5Y", 6, 0),
        ("P1.5M", 1, 15 * 86_400),
        ("P1M1DT1S", 1, 86_401),
        ("PT0.25H", 0, 900),
        ("P1000Y", 12_000, 0),
    ],
)
def test_iso_8601_durations(text, months, seconds):
    assert durations.parse(text) == Duration(months, seconds)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "1D", "P1S", "PT1D", "P-1D", "-P1D", "P1,5D", "pt1s", "P1M1Y", "PT1S ", "P1001Y", "PT٣S"],
)
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="expected a"):
        durations.parse(text)


def test_duration_objects():
    value = {"days": 1, "hours": 1, "minutes": 1.0, "seconds": 1, "milliseconds": 1}
    assert durations.of(value) == Duration(0, 90_061.001)
    for wrong in ({}, {"weeks": 1}, {"seconds": -1}, {"seconds": 1.5}, {"seconds": True}, 5, None, {"days": 10**9}):
        with pytest.raises(ValueError, match="expected"):
            durations.of(wrong)


def test_versions_are_ordered_as_the_standard_says():
    ordered = [
        "0.9.9",
        "1.0.0-1",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "2.0.0",
    ]
    assert all(versions.key(lower) < versions.key(higher) for lower, higher in pairwise(ordered))
    assert [v for v in ordered if versions.is_stable(v)] == ["0.9.9", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"]
    assert versions.is_stable("1.0.0+build-7")


@pytest.mark.parametrize("text", ["1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "v1.0.0", "1.0.0 ", "1.0.0-é"])
def test_what_is_no_version(text):
    with pytest.raises(ValueError, match="expected a semantic version"):
        versions.parse(text)


def test_schemas_tell_every_violation_with_its_place():
    schema = schemas.compiled({"properties": {"a/b": {"type": "string"}}, "required": ["c"]})
    assert schema.validate({"a/b": "x", "c": 1}) == []
    assert schema.validate({"a/b": 5}) == [
        ("", '"c" is a required property'),
        ("/a~1b", '5 is not of type "string"'),
    ]


def test_schemas_are_exact_for_large_integers():
    schema = schemas.compiled({"type": "integer", "maximum": 9007199254740992})
    assert schema.validate(9007199254740992) == []
    assert schema.validate(9007199254740993) != []


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ("text", "", "an object"),
        ({"type": "strng"}, "/type", "expected one of array, boolean"),
        ({"properties": {"a": {"pattern": "("}}}, "/properties/a/pattern", "regex"),
        ({"$ref": "https://example.com/x.json"}, "", "leads outside the document"),
        ({"$ref": "file:///etc/passwd"}, "", "leads outside the document"),
        ({"$ref": "#/$defs/missing"}, "", "does not exist"),
        ({"$schema": "https://example.com/own"}, "", "meta-schema"),
    ],
)
def test_what_is_no_schema(document, pointer, words):
    with pytest.raises(schemas.SchemaInvalid, match=words) as refused:
        schemas.compiled(document)
    assert refused.value.pointer == pointer
