"""Checks of the arguments of call tasks (DSL reference, "Call"), one for each function of the DSL."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition import interpolation, pins
from perdure.definition.checks import catalog
from perdure.definition.checks.authentication import referenceable
from perdure.definition.checks.events import iterator
from perdure.definition.checks.report import Check, Report, listed, quoted, suggestion
from perdure.definition.checks.shapes import (
    anything,
    array,
    boolean,
    exactly_one,
    integer,
    mapping,
    matching,
    members,
    object_,
    word,
)
from perdure.definition.checks.text import expression, template, text
from perdure.definition.checks.values import duration, endpoint, object_or_expression, resource
from perdure.definition.pointers import child
from perdure.definition.uses import BUILT_IN, DEFAULT_CATALOG

_OUTPUTS = word("raw", "content", "response")

_PROTOCOLS = (
    "amqp",
    "amqp1",
    "anypointmq",
    "googlepubsub",
    "http",
    "ibmmq",
    "jms",
    "kafka",
    "mercure",
    "mqtt",
    "mqtt5",
    "nats",
    "pulsar",
    "redis",
    "sns",
    "solace",
    "sqs",
    "stomp",
    "ws",
)
_A2A_METHODS = (
    "message/send",
    "message/stream",
    "tasks/get",
    "tasks/list",
    "tasks/cancel",
    "tasks/resubscribe",
    "tasks/pushNotificationConfig/set",
    "tasks/pushNotificationConfig/get",
    "tasks/pushNotificationConfig/list",
    "tasks/pushNotificationConfig/delete",
    "agent/getAuthenticatedExtendedCard",
)
_MCP_METHODS = (
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
    "resources/templates/list",
)


def _scalar(value: Json, pointer: str, report: Report) -> None:
    """The value of a header: text, or a number or boolean that is written as text."""
    if isinstance(value, bool | int | float):
        return
    text(value, pointer, report)


def _named(item: Check, what: str) -> Check:
    """An object with values of one kind, or an expression that yields it."""
    inner = mapping(item)

    def check(value: Json, pointer: str, report: Report) -> None:
        if isinstance(value, dict):
            inner(value, pointer, report)
        elif isinstance(value, str) and (report.loose or interpolation.OPENING in value):
            text(value, pointer, report)
        else:
            report.expected(f"an object with {what}, or an expression in ${{ }} that yields one", value, pointer)

    return check


http: Check = members(
    {"method": text, "endpoint": endpoint},
    {
        "headers": _named(_scalar, "headers"),
        "query": _named(template, "query parameters"),
        "body": template,
        "output": _OUTPUTS,
        "redirect": boolean,
    },
    what="the arguments of an HTTP call",
)
"""DSL reference, "HTTP Call"; also the request of ``callback``."""


def _object_template(value: Json, pointer: str, report: Report) -> None:
    object_(value, pointer, report)
    template(value, pointer, report)


_openapi = members(
    {"document": resource, "operationId": text},
    {"parameters": _object_template, "authentication": referenceable, "output": _OUTPUTS, "redirect": boolean},
)

_grpc = members(
    {
        "proto": resource,
        "service": members(
            {
                "name": text,
                "host": matching(r"[a-zA-Z0-9](?:[a-zA-Z0-9-.]{0,61}[a-zA-Z0-9])?", "the name of a host"),
            },
            {"port": integer(0, 65_535), "authentication": referenceable},
        ),
        "method": text,
    },
    {"arguments": _object_template},
)


_a2a_members = members(
    {"method": word(*_A2A_METHODS)},
    {"agentCard": resource, "server": endpoint, "parameters": object_or_expression},
)


def _a2a(value: Json, pointer: str, report: Report) -> None:
    _a2a_members(value, pointer, report)
    if isinstance(value, dict) and "agentCard" not in value and "server" not in value:
        report.problem(pointer, 'expected "agentCard" or "server", found neither')


_transport_members = members(
    optional={
        "http": members({"endpoint": endpoint}, {"headers": mapping(text)}, open_=True),
        "stdio": members({"command": text}, {"arguments": array(text), "environment": mapping(text)}, open_=True),
        "options": mapping(text),
    },
    open_=True,
)


def _transport(value: Json, pointer: str, report: Report) -> None:
    _transport_members(value, pointer, report)
    if isinstance(value, dict):
        exactly_one(value, ("http", "stdio"), pointer, report)


_mcp = members(
    {"method": word(*_MCP_METHODS), "transport": _transport},
    {
        "protocolVersion": text,
        "parameters": object_or_expression,
        "timeout": duration,
        "client": members({"name": text, "version": anything}, {"description": text}, open_=True),
    },
    open_=True,
)


def _asyncapi(tasks: Check) -> Check:
    consume_members = members(optional={"for": duration, "amount": integer(), "while": expression, "until": expression})

    def consume(value: Json, pointer: str, report: Report) -> None:
        consume_members(value, pointer, report)
        if isinstance(value, dict):
            exactly_one(value, ("amount", "while", "until"), pointer, report)

    subscription = members({"consume": consume}, {"filter": expression, "foreach": iterator(tasks)})
    inner = members(
        {"document": resource},
        {
            "channel": text,
            "operation": text,
            "server": members({"name": text}, {"variables": _object_template}),
            "protocol": word(*_PROTOCOLS),
            "message": members(optional={"payload": _object_template, "headers": _object_template}),
            "subscription": subscription,
            "authentication": referenceable,
        },
    )

    def check(value: Json, pointer: str, report: Report) -> None:
        inner(value, pointer, report)
        if isinstance(value, dict):
            exactly_one(value, ("channel", "operation"), pointer, report)
            exactly_one(value, ("message", "subscription"), pointer, report)

    return check


def call(tasks: Check) -> Check:
    """A whole call task: its function and the arguments that fit it. `tasks` checks a list of tasks."""
    built_in: Mapping[str, Check] = {
        "a2a": _a2a,
        "asyncapi": _asyncapi(tasks),
        "grpc": _grpc,
        "http": http,
        "mcp": _mcp,
        "openapi": _openapi,
    }

    def check(task: Json, pointer: str, report: Report) -> None:
        function = task["call"]
        place = child(pointer, "call")
        if not isinstance(function, str):
            report.expected("the name of a function", function, place)
        elif function in built_in:
            if "with" in task:
                built_in[function](task["with"], child(pointer, "with"), report)
            else:
                report.problem(pointer, 'expected the property "with", which is missing')
        else:
            _function(function, task, pointer, report)

    return check


def _function(function: str, task: Mapping[str, Json], pointer: str, report: Report) -> None:
    """DSL reference, "Call", by custom functions: of ``use.functions``, of a catalog, or at a URI."""
    place = child(pointer, "call")
    if report.uses.platform_function(function) is not None:
        catalog.FUNCTIONS[function](
            http, task.get("with", {}), child(pointer, "with") if "with" in task else pointer, report
        )
        return
    if "with" in task:
        _object_template(task["with"], child(pointer, "with"), report)
    if function in report.uses.functions:
        report.calls(function)
        return
    if "://" in function:
        report.need(pins.FUNCTION, function, place)
        return
    name, at, in_catalog = function.rpartition("@")
    if not at or not name:
        _unknown_function(function, place, report)
        return
    _catalogued(function, name, in_catalog, place, report)


def _unknown_function(function: str, place: str, report: Report) -> None:
    own = tuple(report.uses.functions)
    known = (*BUILT_IN, *own[:20])
    catalogued = tuple(name.partition(":")[0] for name in catalog.FUNCTIONS)
    hint = suggestion(function, (*BUILT_IN, *own)) or _versioned_suggestion(function, catalogued)
    report.problem(
        place,
        f"expected one of {listed(known)}, name:version@catalog, or a URI, found {quoted(function)}{hint}",
    )


def _versioned_suggestion(function: str, names: tuple[str, ...]) -> str:
    full = {name.partition(":")[0]: name for name in catalog.FUNCTIONS}
    close = suggestion(function.partition(":")[0], names)
    for name, whole in full.items():
        if close.endswith(f"{quoted(name)}?"):
            return f"; did you mean {quoted(whole)}?"
    return ""


def _catalogued(function: str, name: str, in_catalog: str, place: str, report: Report) -> None:
    declared = in_catalog == DEFAULT_CATALOG or in_catalog in report.uses.catalogs
    if not declared and report.published:
        report.warn(place, f"whoever calls this function must declare the catalog {quoted(in_catalog)}")
    elif not declared:
        known = (DEFAULT_CATALOG, *report.uses.catalogs)
        report.problem(
            place,
            f"expected one of the catalogs {listed(known)}, found {quoted(in_catalog)}{suggestion(in_catalog, known)}",
        )
        return
    if ":" not in name:
        report.problem(place, f"expected name:version@catalog, found {quoted(function)}, which has no version")
        return
    report.need(pins.FUNCTION, function, place)
