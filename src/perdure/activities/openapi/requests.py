"""The HTTP request of an operation and its arguments."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from yarl import URL

from perdure.activities.contract import Call
from perdure.activities.http_request import (
    Request,
    follows_redirections,
    headers_of,
    misconfigured,
    output_mode_of,
    platform_headers,
    url_of,
)
from perdure.activities.openapi import bodies
from perdure.activities.openapi.arguments import Arguments
from perdure.activities.openapi.model import MISSING, Operation, Parameter
from perdure.activities.openapi.styles import encoded, in_cookie, in_header, in_path, in_query
from perdure.codec import Json, encode, text_of

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_LITERAL = "/:@!$&'()*+,;=~%-._"
_ACCEPT_JSON = "application/json, */*;q=0.8"


def request_of(operation: Operation, arguments: Arguments, document_uri: str, call: Call) -> Request:
    """Raises `CallFailed` (configuration)."""
    headers = headers_of({p.name: _header(p, value) for p, value in arguments.parameters if p.place == "header"})
    cookies = [_cookie(p, value) for p, value in arguments.parameters if p.place == "cookie"]
    if cookies:
        headers["Cookie"] = "; ".join(filter(None, cookies))
    body = None
    if arguments.body is not MISSING and operation.body is not None:
        media_type, body = bodies.encoded(bodies.chosen(operation.body.contents, arguments.body), arguments.body)
        headers["Content-Type"] = media_type
    if operation.answers_json:
        headers.setdefault("Accept", _ACCEPT_JSON)
    for name, value in platform_headers(call):
        headers.setdefault(name, value)
    return Request(
        method=operation.method,
        url=_url(operation, arguments, document_uri),
        headers=headers,
        body=body,
        output=output_mode_of(call.request),
        redirect=follows_redirections(call.request),
    )


def _url(operation: Operation, arguments: Arguments, document_uri: str) -> URL:
    base = _base(operation, arguments.variables, document_uri)
    query = [_query(p, value) for p, value in arguments.parameters if p.place == "query"]
    values = {p.name: _path(p, value, operation) for p, value in arguments.parameters if p.place == "path"}
    path = _filled(operation, values)
    text = "&".join(filter(None, (base.raw_query_string, *query)))
    return URL(f"{str(base.with_query(None)).rstrip('/')}{path}{'?' if text else ''}{text}", encoded=True)


def _base(operation: Operation, given: Mapping[str, str], document_uri: str) -> URL:
    """The server's URI, variables put in, relative to the document."""
    server = operation.server
    values = {**server.defaults, **given}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise misconfigured(f"The server {server.uri} of {document_uri} does not declare its variable {match[1]}.")
        return values[match[1]]

    uri = _VARIABLE.sub(value, server.uri)
    try:
        return url_of(str(URL(document_uri).join(URL(uri))), "server")
    except ValueError:
        raise misconfigured(f"The server {uri} of {document_uri} is no valid URI.") from None


def _filled(operation: Operation, values: Mapping[str, str]) -> str:
    """The path with its parameters. No value may change which resource the path leads to."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise misconfigured(
                f"The path {operation.path} of {operation.id} does not declare its parameter {match[1]}."
            )
        return values[match[1]]

    segments = []
    for segment in operation.path.split("/"):
        parts = _VARIABLE.split(segment)
        literal = "".join(
            quote(part, safe=_LITERAL) if index % 2 == 0 else f"{{{part}}}" for index, part in enumerate(parts)
        )
        filled = _VARIABLE.sub(value, literal)
        if "{" in segment and filled in (".", ".."):
            raise misconfigured(f"The path {operation.path} of {operation.id} can't have {filled!r} in it.")
        segments.append(filled)
    path = "/".join(segments)
    return path if path.startswith("/") else f"/{path}"


def _path(parameter: Parameter, value: Json, operation: Operation) -> str:
    if parameter.media_type is not None:
        return encoded(_content(parameter, value))
    text = in_path(parameter.name, value, parameter.style)
    if not text:
        raise misconfigured(f"The path parameter {parameter.name} of {operation.id} is empty; it needs a value.")
    return text


def _query(parameter: Parameter, value: Json) -> str:
    if parameter.media_type is not None:
        return f"{encoded(parameter.name)}={encoded(_content(parameter, value))}"
    return in_query(parameter.name, value, parameter.style)


def _header(parameter: Parameter, value: Json) -> str:
    return _content(parameter, value) if parameter.media_type is not None else in_header(value, parameter.style)


def _cookie(parameter: Parameter, value: Json) -> str:
    if parameter.media_type is not None:
        return f"{encoded(parameter.name)}={encoded(_content(parameter, value))}"
    return in_cookie(parameter.name, value, parameter.style)


def _content(parameter: Parameter, value: Json) -> str:
    """A parameter that the document describes by a media type: text as it is, everything else as JSON."""
    assert parameter.media_type is not None
    is_text = parameter.media_type.startswith("text/")
    return text_of(value) if is_text else encode(value).decode()
