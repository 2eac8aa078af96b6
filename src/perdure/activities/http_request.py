"""The HTTP request of a call, checked and complete: what goes over the wire and what may be shown of it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from urllib.parse import quote, urlencode

from multidict import CIMultiDict
from yarl import URL

from perdure.activities.contract import Call, CallFailed
from perdure.activities.credentials import Credentials, Refusal
from perdure.codec import Json, encode, text_of
from perdure.engine.errors import standard
from perdure.secrets import REDACTED, Secrets

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
class KeyPlace:
    """Where a service wants an API key: in a header, the query or a cookie, under a name."""

    place: str
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send. `method` is as the author wrote it, `key` where the credentials are, if not in
    Authorization."""

    method: str
    url: URL
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: bytes | None = None
    output: str = "content"
    redirect: bool = False
    credentials: Credentials = field(default_factory=Credentials)
    key: KeyPlace | None = None

    @property
    def shown_url(self) -> str:
        """The URI for people and expressions, without an API key."""
        if self.key is None or self.key.place != "query" or self.key.name not in self.url.query:
            return str(self.url)
        return str(self.url.update_query({self.key.name: REDACTED}))

    @property
    def verb(self) -> str:
        return self.method.upper()

    def authenticated(self, credentials: Credentials) -> "Request":
        """The request with these credentials, which replace any it had. The URI no longer holds any."""
        headers = self.headers.copy()
        if credentials.authorization is not None:
            headers["Authorization"] = credentials.authorization
        return replace(
            self,
            url=self.url.with_user(None),
            headers=headers,
            credentials=self.credentials.renewed(credentials),
        )

    def keyed(self, credentials: Credentials, key: KeyPlace) -> "Request":
        """The request with the credentials' bare key where the service wants it. Raises `CallFailed`."""
        text = credentials.key or ""
        headers, url, quoted = self.headers.copy(), self.url.with_user(None), quote(text, safe="")
        match key.place:
            case "header":
                headers[key.name] = text
            case "query":
                query = f"{quote(key.name, safe='')}={quoted}"
                url = URL(f"{url}{'&' if url.raw_query_string else '?'}{query}", encoded=True)
            case "cookie":
                cookie = f"{key.name}={quoted}"
                headers["Cookie"] = f"{headers['Cookie']}; {cookie}" if "Cookie" in headers else cookie
            case _:
                raise misconfigured(f"The API key {key.name} is wanted in {key.place!r}, which is unknown.")
        held = Credentials(proofs=(text, quoted), key=text)
        return replace(self, url=url, headers=headers, credentials=held, key=key)

    def refused(self, challenges: Iterable[str]) -> Refusal:
        """What to answer a 401 by."""
        return Refusal(self.verb, self.url.raw_path_qs, self.body or b"", tuple(challenges))

    def redirected(self, status: int, location: str, secrets: Secrets) -> "Request":
        """The request to follow a redirection with (RFC 9110, section 15.4). Raises `CallFailed`.

        Another origin gets neither credentials nor any header with a secret in it.
        """
        try:
            url = self.url.join(URL(location))
        except ValueError as error:
            raise CallFailed(
                standard("communication", f"{self.shown_url} redirects to a malformed URI: {error}.")
            ) from None
        url = url_of(str(url)).with_user(None)
        headers = self.headers.copy()
        credentials = self.credentials
        if url.origin() != self.url.origin():
            credentials = credentials.withheld()
            for name, value in self.headers.items():
                if self._hides(name) or secrets.redact_text(value) != value:
                    headers.popall(name, None)
        elif credentials.again is not None:
            credentials = credentials.renewed(credentials.again)
            headers.popall("Authorization", None)
        becomes_get = (status == 303 and self.verb != "HEAD") or (status in (301, 302) and self.verb == "POST")
        if not becomes_get:
            return replace(self, url=url, headers=headers, credentials=credentials)
        for name in ("Content-Type", "Content-Encoding", "Content-Language"):
            headers.popall(name, None)
        return replace(self, method="get", url=url, headers=headers, body=None, credentials=credentials)

    def shown(self) -> Json:
        """The request as the DSL's HTTP request object, without credentials."""
        return {
            "method": self.method,
            "uri": self.shown_url,
            "headers": shown_headers({name: value for name, value in self.headers.items() if not self._hides(name)}),
        }

    def _hides(self, header: str) -> bool:
        in_header = self.key is not None and self.key.place == "header" and self.key.name.lower() == header.lower()
        return in_header or header.lower() in HIDDEN_HEADERS


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for people and expressions: repeated ones joined, those with credentials left out."""
    result: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, raw in headers.items():
        if name.lower() not in HIDDEN_HEADERS:
            value = _shown_value(raw)
            first = names.setdefault(name.lower(), name)
            result[first] = f"{result[first]}, {value}" if first in result else value
    return result


def _shown_value(value: str) -> str:
    """Bytes that are no UTF-8 arrive as lone surrogates, which no JSON can hold: ISO 8859-1 then (RFC 9110, 5.5)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value


def request_of(call: Call) -> Request:
    """The request that a call asks for, before it is authenticated. Raises `CallFailed` (configuration)."""
    arguments = call.request
    if not isinstance(arguments, dict):
        raise misconfigured(f"The arguments of an HTTP call are an object; found {_kind(arguments)}.")
    url = url_of(arguments.get("uri"))
    headers = headers_of(arguments.get("headers"))
    body = _body(arguments.get("body"), headers)
    for name, value in platform_headers(call):
        headers.setdefault(name, value)
    return Request(
        method=_method(arguments.get("method")),
        url=_with_query(url, arguments.get("query")),
        headers=headers,
        body=body,
        output=output_mode_of(arguments),
        redirect=follows_redirections(arguments),
    )


def output_mode_of(arguments: Mapping[str, Json]) -> str:
    return _one_of("output", arguments.get("output") or "content", OUTPUTS)


def follows_redirections(arguments: Mapping[str, Json]) -> bool:
    return _boolean("redirect", arguments.get("redirect") or False)


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


def url_of(value: Json, name: str = "endpoint") -> URL:
    """An absolute http or https URI without fragment. Raises `CallFailed` (configuration) that calls it `name`."""
    if not isinstance(value, str):
        raise misconfigured(f"`{name}` must be a URI; found {_kind(value)}.")
    try:
        url = URL(value)
        valid = url.is_absolute() and bool(url.host)
    except ValueError as error:
        raise misconfigured(f"`{name}` is no valid URI ({error}); found {_shown(value)}.") from None
    if url.scheme not in SCHEMES:
        raise misconfigured(f"`{name}` must be an http or https URI; found {_shown(value)}.")
    if not valid:
        raise misconfigured(f"`{name}` has no host; found {_shown(value)}.")
    return url.with_fragment(None)


def _with_query(url: URL, query: Json) -> URL:
    """The URI with the query parameters added; a list repeats its name, null leaves it out."""
    if query is None:
        return url
    if not isinstance(query, dict):
        raise misconfigured(f"`query` must be an object; found {_kind(query)}.")
    pairs = [(name, text) for name, value in query.items() for text in _texts(value)]
    return url.extend_query(pairs) if pairs else url


def headers_of(value: Json) -> CIMultiDict[str]:
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
    return [text_of(value)]


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
