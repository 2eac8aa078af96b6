"""The HTTP request of a call, checked and complete: what goes over the wire and what may be shown of it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from urllib.parse import urlencode

from multidict import CIMultiDict
from yarl import URL

from perdure.activities.contract import Call, CallFailed
from perdure.activities.credentials import Credentials, credentials
from perdure.codec import Json, encode
from perdure.engine.errors import standard
from perdure.secrets import Secrets

SCHEMES = ("http", "https")
OUTPUTS = ("content", "raw", "response")
USER_AGENT = "perdure"

HOP_HEADERS = frozenset({"connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer"})
"""Headers that belong to the connection, not to the author."""

HIDDEN_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers that carry credentials: never shown, never sent to another origin."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send. `method` is as the author wrote it."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    body: bytes | None
    output: str
    redirect: bool
    credentials: Credentials = field(default_factory=Credentials)

    @property
    def verb(self) -> str:
        return self.method.upper()

    def redirected(self, status: int, location: str, secrets: Secrets) -> "Request":
        """The request to follow a redirection with (RFC 9110, section 15.4). Raises `CallFailed`.

        Another origin gets neither credentials nor any header with a secret in it.
        """
        try:
            url = self.url.join(URL(location))
        except ValueError as error:
            raise CallFailed(standard("communication", f"{self.url} redirects to a malformed URI: {error}.")) from None
        url = _url(str(url)).with_user(None)
        headers = self.headers.copy()
        if url.origin() != self.url.origin():
            for name, value in self.headers.items():
                if name.lower() in HIDDEN_HEADERS or secrets.redact_text(value) != value:
                    headers.popall(name, None)
        becomes_get = (status == 303 and self.verb != "HEAD") or (status in (301, 302) and self.verb == "POST")
        if not becomes_get:
            return replace(self, url=url, headers=headers)
        for name in ("Content-Type", "Content-Encoding", "Content-Language"):
            headers.popall(name, None)
        return replace(self, method="get", url=url, headers=headers, body=None)

    def shown(self) -> Json:
        """The request as the DSL's HTTP request object, without credentials."""
        return {
            "method": self.method,
            "uri": str(self.url),
            "headers": shown_headers(self.headers),
        }


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for people and expressions: repeated ones joined, those with credentials left out."""
    result: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower() not in HIDDEN_HEADERS:
            first = names.setdefault(name.lower(), name)
            result[first] = f"{result[first]}, {value}" if first in result else value
    return result


def request_of(call: Call, secrets: Secrets) -> Request:
    """The request that a call asks for. Raises `CallFailed` (configuration, authentication, authorization)."""
    arguments = call.request
    if not isinstance(arguments, dict):
        raise misconfigured(f"The arguments of an HTTP call are an object; found {_kind(arguments)}.")
    url = _url(arguments.get("uri"))
    headers = _headers(arguments.get("headers"))
    body = _body(arguments.get("body"), headers)
    credentials_ = credentials(arguments.get("authentication"), call, secrets, user=url.user, password=url.password)
    if credentials_.authorization is not None:
        headers["Authorization"] = credentials_.authorization
    for name, value in platform_headers(call):
        headers.setdefault(name, value)
    return Request(
        method=_method(arguments.get("method")),
        url=_with_query(url.with_user(None), arguments.get("query")),
        headers=headers,
        body=body,
        output=_one_of("output", arguments.get("output") or "content", OUTPUTS),
        redirect=_boolean("redirect", arguments.get("redirect") or False),
        credentials=credentials_,
    )


def platform_headers(call: Call) -> Iterable[tuple[str, str]]:
    """What every call carries. An author's own header of the same name goes first."""
    span = blake2b(call.activity.bytes + call.attempt.to_bytes(8, "big"), digest_size=8).hexdigest()
    yield "Idempotency-Key", call.idempotency_key
    yield "traceparent", f"00-{call.process.hex}-{span}-01"
    yield "User-Agent", USER_AGENT
    yield "Accept", "*/*"


def _method(value: Json) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise misconfigured(f"`method` must be the name of an HTTP method; found {_shown(value)}.")
    return value


def _url(value: Json) -> URL:
    if not isinstance(value, str):
        raise misconfigured(f"`endpoint` must be a URI; found {_kind(value)}.")
    try:
        url = URL(value)
        valid = url.is_absolute() and bool(url.host)
    except ValueError as error:
        raise misconfigured(f"`endpoint` is no valid URI ({error}); found {_shown(value)}.") from None
    if url.scheme not in SCHEMES:
        raise misconfigured(f"`endpoint` must be an http or https URI; found {_shown(value)}.")
    if not valid:
        raise misconfigured(f"`endpoint` has no host; found {_shown(value)}.")
    return url.with_fragment(None)


def _with_query(url: URL, query: Json) -> URL:
    """The URI with the query parameters added; a list repeats its name, null leaves it out."""
    if query is None:
        return url
    if not isinstance(query, dict):
        raise misconfigured(f"`query` must be an object; found {_kind(query)}.")
    pairs = [(name, text) for name, value in query.items() for text in _texts(value)]
    return url.extend_query(pairs) if pairs else url


def _headers(value: Json) -> CIMultiDict[str]:
    if value is not None and not isinstance(value, dict):
        raise misconfigured(f"`headers` must be an object; found {_kind(value)}.")
    headers: CIMultiDict[str] = CIMultiDict()
    for name, item in (value or {}).items():
        if not _TOKEN.fullmatch(name):
            raise misconfigured(f"{_shown(name)} can't be the name of a header.")
        if name.lower() in HOP_HEADERS:
            raise misconfigured(f"The header {name} belongs to the connection; leave it out.")
        texts = _texts(item)
        if any(character in text for text in texts for character in "\r\n\0"):
            raise misconfigured(f"The header {name} has a line break in its value.")
        if texts:
            headers[name] = ", ".join(texts)
    return headers


def _body(value: Json, headers: CIMultiDict[str]) -> bytes | None:
    """The body as bytes. Text goes as it is, everything else as JSON, objects as a form where the type says so."""
    if value is None:
        return None
    if isinstance(value, str):
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        return value.encode()
    media_type = headers.setdefault("Content-Type", "application/json").partition(";")[0].strip().lower()
    if media_type == _FORM and isinstance(value, dict):
        return urlencode([(name, text) for name, item in value.items() for text in _texts(item)]).encode()
    return encode(value)


def _texts(value: Json) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value if isinstance(value, str) else encode(value).decode()]


def _one_of(name: str, value: Json, expected: tuple[str, ...]) -> str:
    if value not in expected:
        raise misconfigured(f"`{name}` must be one of {', '.join(expected)}; found {_shown(value)}.")
    return str(value)


def _boolean(name: str, value: Json) -> bool:
    if not isinstance(value, bool):
        raise misconfigured(f"`{name}` must be true or false; found {_shown(value)}.")
    return value


def misconfigured(detail: str) -> CallFailed:
    """The definition asks for something that can't be done, whatever the other side says."""
    return CallFailed(standard("configuration", detail))


def _kind(value: Json) -> str:
    return "nothing" if value is None else type(value).__name__


def _shown(value: Json) -> str:
    text = encode(value).decode()
    return text if len(text) <= 200 else text[:200] + "…"
