"""Checks of what many tasks share: expressions, durations, URIs, endpoints, schemas, input and output."""

from perdure.codec import Json
from perdure.definition import durations, interpolation, pins, schemas
from perdure.definition.checks.authentication import referenceable
from perdure.definition.checks.report import Check, Report, described, quoted, suggestion
from perdure.definition.checks.shapes import anything, exactly_one, members, quotes_hint, string
from perdure.definition.checks.text import expression_or_template, template, text
from perdure.definition.checks.uris import uri
from perdure.definition.pointers import child


def duration(value: Json, pointer: str, report: Report) -> None:
    """DSL reference, "Duration": ISO 8601, an object, or an expression."""
    if isinstance(value, str):
        if interpolation.OPENING in value:
            text(value, pointer, report)
        else:
            _parsed(value, pointer, report)
    elif isinstance(value, dict):
        _duration_object(value, pointer, report)
    else:
        report.expected('a duration: ISO 8601 text such as "PT30S", or an object such as {seconds: 30}', value, pointer)


def _duration_object(value: dict[str, Json], pointer: str, report: Report) -> None:
    if not value:
        report.problem(pointer, "expected a duration with at least one unit such as seconds, found an empty object")
    for unit, amount in value.items():
        if unit not in durations.UNITS:
            report.unknown(unit, pointer, durations.UNITS, fault=True)
        elif isinstance(amount, str) and interpolation.OPENING in amount:
            report.problem(
                child(pointer, unit),
                "expected a whole number, found an expression; write the whole duration as one expression, "
                'such as ${ "PT\\(.n)S" }',
            )
        else:
            try:
                durations.of({unit: amount})
            except ValueError:
                report.expected("a whole number, not below 0 and within 1000 years", amount, child(pointer, unit))


def _parsed(value: str, pointer: str, report: Report) -> None:
    try:
        durations.parse(value)
    except ValueError as error:
        report.problem(pointer, str(error))


def timeout(value: Json, pointer: str, report: Report) -> None:
    """DSL reference, "Timeout": an object, or the name of one under ``use.timeouts``."""
    if isinstance(value, str):
        declared(value, pointer, "timeouts", report)
    else:
        timeout_object(value, pointer, report)


timeout_object = members({"after": duration}, what="a timeout such as {after: {seconds: 30}}")


def declared(name: str, pointer: str, kind: str, report: Report) -> None:
    """The name of a component under ``use``."""
    names = getattr(report.uses, kind)
    if name not in names:
        known = suggestion(name, names) or ("" if names else f"; there is nothing under use.{kind}")
        report.problem(pointer, f"expected a name under use.{kind}, found {quoted(name)}{known}")


_endpoint_object = members({"uri": uri}, {"authentication": referenceable})


def endpoint(value: Json, pointer: str, report: Report) -> None:
    """DSL reference, "Endpoint": a URI, or an object with it."""
    if isinstance(value, dict):
        _endpoint_object(value, pointer, report)
    elif isinstance(value, str):
        uri(value, pointer, report)
    else:
        report.expected("a URI, or an object with the property uri", value, pointer)


resource: Check = members({"endpoint": endpoint}, {"name": string}, what="an external resource with an endpoint")
"""DSL reference, "External Resource"."""

_schema_members = members(optional={"format": string, "document": anything, "resource": resource})


def schema(value: Json, pointer: str, report: Report) -> None:
    """DSL reference, "Schema": inline, or an external resource."""
    _schema_members(value, pointer, report)
    if not isinstance(value, dict):
        return
    kind = exactly_one(value, ("document", "resource"), pointer, report)
    format_ = value.get("format", schemas.JSON)
    if isinstance(format_, str) and format_ != schemas.JSON:
        report.unavailable(child(pointer, "format"), *schemas.unknown_format(format_))
    elif kind == "resource":
        _external_schema(value["resource"], child(pointer, "resource"), report)
    elif kind == "document":
        _inline_schema(value["document"], child(pointer, "document"), report)


def _external_schema(value: Json, pointer: str, report: Report) -> None:
    """It is fetched when the definition is registered, so its address can't depend on data."""
    if not isinstance(value, dict) or "endpoint" not in value:
        return
    if pins.depends_on_data(value["endpoint"]):
        hint = "its address must not contain expressions or {names}, as it is fetched at registration"
        report.unavailable(child(pointer, "endpoint"), pins.schema_missing(value["endpoint"])[0], hint)
        return
    report.need(pins.SCHEMA, pins.schema_key(value["endpoint"]), child(pointer, "endpoint"), value["endpoint"])


def _inline_schema(value: Json, pointer: str, report: Report) -> None:
    """A JSON Schema, whose references may lead to documents that are fetched at registration."""
    try:
        for uri in schemas.outside(value):
            report.need(pins.SCHEMA, uri, pointer, uri)
    except schemas.SchemaInvalid as error:
        report.problem(f"{pointer}{error.pointer}", f"not a JSON Schema: {error}")


def json_schema(value: Json, pointer: str, report: Report) -> None:
    """A JSON Schema that compiles without anything from outside."""
    try:
        schemas.compiled(value)
    except schemas.SchemaInvalid as error:
        report.problem(f"{pointer}{error.pointer}", f"not a JSON Schema: {error}")


def _from_or_as(value: Json, pointer: str, report: Report) -> None:
    if not isinstance(value, str | dict):
        report.expected("an expression, or an object with expressions", value, pointer, quotes_hint(value))
    else:
        expression_or_template(value, pointer, report)


input_ = members(optional={"schema": schema, "from": _from_or_as})
output = members(optional={"schema": schema, "as": _from_or_as})
export = output


def literal_text(value: Json, pointer: str, report: Report) -> str | None:
    """A string that is known beforehand: without expressions. Answers it, or None after a fault."""
    if not isinstance(value, str):
        report.expected("a string", value, pointer, quotes_hint(value))
        return None
    if interpolation.OPENING in value:
        report.problem(pointer, f"expected plain text, without expressions, found {described(value)}")
        return None
    return value


def texts_or_expression(value: Json, pointer: str, report: Report) -> None:
    """An array of strings, or an expression that yields one."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            text(item, child(pointer, index), report)
    elif isinstance(value, str) and interpolation.OPENING in value:
        text(value, pointer, report)
    else:
        report.expected("an array of strings, or an expression that yields one", value, pointer)


def object_or_expression(value: Json, pointer: str, report: Report) -> None:
    """An object with expressions in it, or an expression that yields one."""
    if isinstance(value, dict) or (isinstance(value, str) and interpolation.OPENING in value):
        template(value, pointer, report)
    else:
        report.expected("an object, or an expression in ${ } that yields one", value, pointer)
