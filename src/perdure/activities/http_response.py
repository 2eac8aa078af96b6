"""What an HTTP call yields from its response, in each of the DSL's output modes, or as an error."""

import base64
import re
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus

from multidict import CIMultiDictProxy

from perdure.activities.contract import CallFailed
from perdure.activities.http_request import Request, shown_headers
from perdure.codec import Json, decode_shallow
from perdure.engine.errors import standard

TITLE_CHARACTERS_MAX = 100
EXCERPT_CHARACTERS_MAX = 500

TEXT_TYPES = frozenset({"application/xml", "application/x-www-form-urlencoded", "application/javascript"})

_SURROGATES = re.compile("[\ud800-\udfff]")
"""What a few charsets can yield by themselves, and no JSON can hold."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response, read to its end."""

    status: int
    reason: str
    headers: CIMultiDictProxy[str]
    body: bytes


def output_of(request: Request, response: Response, depth_max: int) -> Json:
    """The output of the call. Raises `CallFailed` (communication) where the content is not what it says."""
    if request.output == "raw":
        return base64.b64encode(response.body).decode()
    content = content_of(response, depth_max)
    if request.output == "content":
        return content
    return {
        "request": request.shown(),
        "statusCode": response.status,
        "headers": shown_headers(response.headers),
        "content": content,
    }


def content_of(response: Response, depth_max: int) -> Json:
    """JSON as the value it says, text as a string, other content in base64, none as null."""
    if not response.body:
        return None
    media_type, charset = _content_type(response)
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            return decode_shallow(response.body, depth_max)
        except ValueError as error:
            detail = f"The response says that it is {media_type}, but it can't be decoded: {error}."
            raise CallFailed(standard("communication", detail)) from None
    if media_type.startswith("text/") or media_type in TEXT_TYPES or media_type.endswith("+xml"):
        return _text(response.body, charset)
    return base64.b64encode(response.body).decode()


def failure_of(request: Request, response: Response) -> CallFailed:
    """The error that a response status stands for: a communication error with that status.

    A 401 to a request that said who calls is an authentication error.
    """
    name = "authentication" if response.status == 401 and request.credentials.authenticate else "communication"
    title = (response.reason or _phrase(response.status))[:TITLE_CHARACTERS_MAX]
    detail = f"{request.verb} {request.shown_url} was answered with {response.status} {title}".rstrip()
    excerpt = _excerpt(response)
    return CallFailed(
        standard(
            name,
            f"{detail}: {excerpt}" if excerpt else f"{detail}.",
            status=response.status,
            title=title or f"{name.capitalize()} error",
        )
    )


def _excerpt(response: Response) -> str:
    media_type, charset = _content_type(response)
    if media_type.startswith(("image/", "audio/", "video/")) or media_type == "application/octet-stream":
        return ""
    return printable(_text(response.body[: EXCERPT_CHARACTERS_MAX * 4], charset), EXCERPT_CHARACTERS_MAX)


def printable(text: str, characters_max: int) -> str:
    """The text on one line, without what a terminal would act upon, cut where it is long."""
    text = "".join(character if character.isprintable() else " " for character in text).strip()
    return text if len(text) <= characters_max else text[:characters_max] + "…"


def _content_type(response: Response) -> tuple[str, str]:
    header = Message()
    header["Content-Type"] = response.headers.get("Content-Type", "application/octet-stream")
    return header.get_content_type(), header.get_content_charset("utf-8")


def _text(body: bytes, charset: str) -> str:
    try:
        text = body.decode(charset, "replace")
    except (LookupError, UnicodeError):  # no charset, or one that can't replace
        text = body.decode("utf-8", "replace")
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
