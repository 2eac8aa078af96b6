"""The request of an HTTP call, from its evaluated arguments (DSL reference, "HTTP Call")."""

import re
from collections.abc import Mapping

from perdure.codec import Json, encode
from perdure.definition.template import Expression, Interpolation, ObjectTemplate, Template
from perdure.engine.dataflow import DEFINITION, argument_of, evaluate, fault
from perdure.engine.draft import Draft
from perdure.engine.durations import kind_of
from perdure.engine.payloads import Flow
from perdure.engine.state import Frame
from perdure.engine.uris import UriUnexpandable, expand, expand_endpoints, is_text, member

OUTPUTS = ("content", "raw", "response")

_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


def request_of(draft: Draft, frame: Frame, arguments: Template, own: Mapping[str, Json]) -> Flow[Json]:
    """What `PerformCall` carries for ``http``."""
    uri = _uri_of(arguments)
    source = yield from draft.payloads.get(argument_of(frame))
    try:
        if isinstance(uri, Interpolation) and uri.parts != (parts := _expanded(uri.parts, source)):
            arguments = _with_uri(arguments, Interpolation(parts))
        value = yield from evaluate(draft, frame, arguments, argument_of(frame), DEFINITION, own=own)
        request = _request(value)
        if is_text(uri, request["uri"]):
            request["uri"] = expand(request["uri"], source)
        policy = _policy_of(arguments)
        if policy is not None and "authentication" in request:
            request["authentication"] = expand_endpoints(policy, request["authentication"], source)
    except UriUnexpandable as problem:
        raise fault(draft, frame, "expression", f"the endpoint can't be expanded: {problem}") from None
    except ValueError as problem:
        raise fault(draft, frame, "configuration", str(problem)) from None
    return request


def _uri_of(arguments: Template) -> Template | None:
    """The endpoint's URI as the author wrote it: URI templates are filled in there, not in what an
    expression yields."""
    endpoint = member(arguments, "endpoint")
    return endpoint if endpoint is None else member(endpoint, "uri") or endpoint


def _policy_of(arguments: Template) -> Template | None:
    endpoint = member(arguments, "endpoint")
    return endpoint if endpoint is None else member(endpoint, "authentication")


def _expanded(parts: tuple[str | Expression, ...], source: Json) -> tuple[str | Expression, ...]:
    return tuple(expand(part, source) if isinstance(part, str) else part for part in parts)


def _with_uri(arguments: Template, uri: Template) -> Template:
    assert isinstance(arguments, ObjectTemplate)
    members = dict(arguments.members)
    endpoint = members["endpoint"]
    if isinstance(endpoint, ObjectTemplate):
        endpoint = ObjectTemplate(tuple((dict(endpoint.members) | {"uri": uri}).items()))
    else:
        endpoint = uri
    return ObjectTemplate(tuple((members | {"endpoint": endpoint}).items()))


def _request(value: Json) -> dict[str, Json]:
    """The checked request. Raises `ValueError` with what is wrong with the arguments."""
    arguments = _object(value, "with")
    endpoint = arguments.get("endpoint")
    authentication = None
    if isinstance(endpoint, dict):
        authentication = endpoint.get("authentication")
        endpoint = endpoint.get("uri")
    if not isinstance(endpoint, str) or not endpoint:
        raise ValueError(f"expected with.endpoint to yield a URI, found {kind_of(endpoint)}")
    request: dict[str, Json] = {"method": _method(arguments.get("method")), "uri": endpoint}
    if arguments.get("headers") is not None:
        request["headers"] = _headers(_object(arguments["headers"], "with.headers"))
    if arguments.get("query") is not None:
        request["query"] = _object(arguments["query"], "with.query")
    if "body" in arguments:
        request["body"] = arguments["body"]
    request["output"] = _output(arguments.get("output"))
    request["redirect"] = _redirect(arguments.get("redirect"))
    if authentication is not None:
        request["authentication"] = _object(authentication, "with.endpoint.authentication")
    return request


def _method(value: Json) -> str:
    if isinstance(value, str) and _METHOD.fullmatch(value):
        return value.upper()
    raise ValueError(f"expected with.method to be an HTTP method such as GET, found {kind_of(value)}")


def _output(value: Json) -> str:
    if value is None:
        return "content"
    if value in OUTPUTS:
        return str(value)
    raise ValueError(f"expected with.output to be one of {', '.join(OUTPUTS)}")


def _redirect(value: Json) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise ValueError(f"expected with.redirect to be a boolean, found {kind_of(value)}")


def _headers(value: dict[str, Json]) -> dict[str, str]:
    """Header values as text; null leaves a header out."""
    headers = {}
    for name, header in value.items():
        if isinstance(header, list | dict):
            raise ValueError(f"expected the header {name} to be a string, found {kind_of(header)}")
        if header is not None:
            headers[name] = header if isinstance(header, str) else encode(header).decode()
    return headers


def _object(value: Json, what: str) -> dict[str, Json]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"expected {what} to be an object, found {kind_of(value)}")
