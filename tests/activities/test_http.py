"""The HTTP performer against a real server on this machine."""

import asyncio
import base64
import contextlib
import gzip
import json

import pytest
from aiohttp import web
from calling import ACTIVITY, PROCESS, failure, made, traced

from perdure.activities.contract import CallFailed
from perdure.activities.http import HttpPerformer
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings

SECRETS = Secrets(
    {
        "PERDURE_SECRET_LOGIN": '{"username": "ada", "password": "correct-horse"}',
        "PERDURE_SECRET_TOKEN": "tok-1234567890",
        "PERDURE_SECRET_BROKEN": '{"username": "ada"}',
    }
)


class Shop:
    """A service that records what it was asked."""

    def __init__(self):
        self.requests = []
        self.base = ""
        self.closing = asyncio.Event()
        self.port = 0

    async def echo(self, request):
        self.requests.append(request)
        body = await request.read()
        return web.json_response(
            {
                "method": request.method,
                "path": request.raw_path,
                "headers": dict(request.headers),
                "body": body.decode(),
            }
        )

    async def reply(self, request):
        self.requests.append(request)
        query = request.query
        headers = {"Content-Type": query["type"]} if "type" in query else {}
        if "location" in query:
            headers["Location"] = query["location"]
        body = query.get("body", "").encode()
        return web.Response(status=int(query.get("status", "200")), body=body or None, headers=headers)

    async def binary(self, request):
        return web.Response(body=b"\x00\xff\x01", content_type="application/octet-stream")

    async def chunked(self, request):
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for part in (b'{"a"', b": [1,", b" 2]}"):
            await response.write(part)
        return response

    async def endless(self, request):
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 10_000)
        return response

    async def bomb(self, request):
        body = gzip.compress(b"0" * 5_000_000)
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"})

    async def garbled(self, request):
        return web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    async def slow(self, request):
        await self.closing.wait()


@pytest.fixture
async def shop():
    shop = Shop()
    app = web.Application()
    app.router.add_route("*", "/echo{tail:.*}", shop.echo)
    app.router.add_route("*", "/reply", shop.reply)
    for name in ("binary", "chunked", "endless", "bomb", "garbled", "slow"):
        app.router.add_get(f"/{name}", getattr(shop, name))
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.port = runner.addresses[0][1]
    shop.base = f"http://127.0.0.1:{shop.port}"
    yield shop
    shop.closing.set()
    await runner.cleanup()


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer


@contextlib.asynccontextmanager
async def performing(**changes):
    settings = {
        "egress_allow": "127.0.0.0/8,::1",
        "response_body_bytes_max": 100_000,
        "call_timeout_seconds": 10,
        **changes,
    }
    outside = Outside(Settings(_env_file=None, **settings), SECRETS)
    performer = HttpPerformer(outside)
    await outside.start()
    yield performer
    await outside.stop()


@contextlib.asynccontextmanager
async def raw_server(*answers):
    """A server that answers connections one after another with these bytes, then closes them."""
    connections = []
    replies = iter(answers)

    async def serve(reader, writer):
        connections.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(next(replies))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}", connections


def call(uri, *, attempt=1, secrets=("LOGIN", "TOKEN", "BROKEN", "GONE"), **arguments):
    return made(
        "http",
        {"method": "get", "uri": uri, "output": "content", "redirect": False, **arguments},
        *secrets,
        attempt=attempt,
    )


# what goes out


async def test_every_attempt_carries_the_same_key_and_trace(shop, performer):
    first = await performer.perform(call(shop.base + "/echo"))
    second = await performer.perform(call(shop.base + "/echo", attempt=2))
    keys = {answer["headers"]["Idempotency-Key"] for answer in (first, second)}
    assert keys == {f"{PROCESS}/{ACTIVITY}"}
    traces = [answer["headers"]["traceparent"].split("-") for answer in (first, second)]
    assert traces[0][:2] == traces[1][:2] == ["00", PROCESS.hex]
    assert traces[0][2] != traces[1][2] and len(traces[0][2]) == 16


async def test_an_authors_own_idempotency_key_goes_first(shop, performer):
    answer = await performer.perform(call(shop.base + "/echo", headers={"idempotency-key": "order-7"}))
    assert [value for name, value in answer["headers"].items() if name.lower() == "idempotency-key"] == ["order-7"]


@pytest.mark.parametrize(
    "body, headers, sent, media_type",
    [
        ({"a": [1, "ü"]}, {}, '{"a":[1,"ü"]}', "application/json"),
        ([1], {"content-type": "application/vnd.x+json"}, "[1]", "application/vnd.x+json"),
        (7, {}, "7", "application/json"),
        (False, {}, "false", "application/json"),
        ("<a/>", {"Content-Type": "application/xml"}, "<a/>", "application/xml"),
        ("plain", {}, "plain", "text/plain; charset=utf-8"),
        (
            {"a": "1 2", "b": [True, "x"]},
            {"Content-Type": "application/x-www-form-urlencoded"},
            "a=1+2&b=true&b=x",
            "application/x-www-form-urlencoded",
        ),
        (None, {}, "", None),
    ],
)
async def test_bodies(shop, performer, body, headers, sent, media_type):
    answer = await performer.perform(call(shop.base + "/echo", method="post", body=body, headers=headers))
    assert answer["method"] == "POST"
    assert answer["body"] == sent
    assert answer["headers"].get("Content-Type", answer["headers"].get("content-type")) == media_type


async def test_query_and_headers(shop, performer):
    query = {"q": "a b&c", "tag": ["x", "y"], "n": 1.5, "flag": True, "none": None, "empty": []}
    answer = await performer.perform(
        call(shop.base + "/echo?kept=1", query=query, headers={"X-Number": 3, "X-List": ["a", "b"], "X-None": None})
    )
    assert answer["path"] == "/echo?kept=1&q=a+b%26c&tag=x&tag=y&n=1.5&flag=true"
    assert answer["headers"]["X-Number"] == "3"
    assert answer["headers"]["X-List"] == "a, b"
    assert "X-None" not in answer["headers"]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"uri": "ftp://example.com"}, "http or https"),
        ({"uri": "no uri"}, "http or https"),
        ({"uri": "http://"}, "host"),
        ({"uri": "http://[::1"}, "valid URI"),
        ({"uri": "http://example.com:99999"}, "valid URI"),
        ({"uri": None}, "`endpoint` must be a URI"),
        ({"method": "GE T"}, "`method`"),
        ({"method": 1}, "`method`"),
        ({"headers": {"a b": "c"}}, "header"),
        ({"headers": {"X": "a\r\nEvil: 1"}}, "line break"),
        ({"headers": {"Content-Length": "5"}}, "leave it out"),
        ({"headers": []}, "`headers`"),
        ({"query": "a=1"}, "`query`"),
        ({"output": "xml"}, "content, raw, response"),
        ({"redirect": "yes"}, "`redirect`"),
        ({"authentication": {"negotiate": {}}}, "basic, bearer, certificate, digest, oauth2, oidc; found negotiate"),
    ],
)
async def test_what_can_not_be_sent_is_a_configuration_error(performer, changes, said):
    changes = {"uri": "http://127.0.0.1:9", **changes}
    name, status, detail = await failure(performer, call(**changes))
    assert (name, status) == ("configuration", 400)
    assert said in detail


# what comes back


@pytest.mark.parametrize(
    "media_type, body, content",
    [
        ("application/json", '{"a": 9007199254740993}', {"a": 9007199254740993}),
        ("application/problem+json; charset=utf-8", "[1]", [1]),
        ("text/plain", "grüß", "grüß"),
        ("text/html; charset=nonsense", "x", "x"),
        ("text/plain; charset=utf-7", "+2AA-", "\N{REPLACEMENT CHARACTER}"),
        ("text/plain; charset=idna", "x", "x"),
        ("application/xml", "<a/>", "<a/>"),
        ("image/png", "abc", base64.b64encode(b"abc").decode()),
        ("application/json", "", None),
        ("text/plain", "", None),
    ],
)
async def test_content(shop, performer, media_type, body, content):
    query = {"type": media_type, "body": body}
    assert await performer.perform(call(shop.base + "/reply", query=query)) == content


async def test_raw_is_base64_whatever_it_is(shop, performer):
    assert await performer.perform(call(shop.base + "/binary", output="raw")) == "AP8B"
    query = {"type": "application/json", "body": "{oops"}
    raw = await performer.perform(call(shop.base + "/reply", query=query, output="raw"))
    assert base64.b64decode(raw) == b"{oops"


async def test_headers_are_text_whatever_their_bytes(performer):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Name: caf\xe9\r\nX-More: gr\xc3\xbc\xc3\x9f\r\n\r\n"
    async with raw_server(answer) as (base, _):
        output = await performer.perform(call(base, output="response"))
    assert (output["headers"]["X-Name"], output["headers"]["X-More"]) == ("café", "grüß")


async def test_response_shows_the_exchange_without_credentials(shop, performer):
    output = await performer.perform(
        call(
            shop.base + "/echo",
            output="response",
            headers={"X-Own": "1", "Cookie": "session=abc", "X-Token": "tok-1234567890"},
            authentication={"basic": {"use": "LOGIN"}},
        )
    )
    assert output["statusCode"] == 200
    assert output["request"]["method"] == "get"
    assert output["request"]["uri"] == shop.base + "/echo"
    assert output["request"]["headers"]["X-Own"] == "1"
    assert output["request"]["headers"]["X-Token"] == "***"
    assert output["headers"]["Content-Type"].startswith("application/json")
    assert output["content"]["path"] == "/echo"
    shown = json.dumps(output)
    assert "Authorization" not in output["request"]["headers"]
    assert "Cookie" not in output["request"]["headers"]
    assert "correct-horse" not in shown
    assert base64.b64encode(b"ada:correct-horse").decode() not in shown  # although the service echoed it


async def test_chunked(shop, performer):
    assert await performer.perform(call(shop.base + "/chunked")) == {"a": [1, 2]}


async def test_head_and_no_content(shop, performer):
    assert await performer.perform(call(shop.base + "/echo", method="HEAD")) is None
    assert await performer.perform(call(shop.base + "/reply", query={"status": "204"})) is None


@pytest.mark.parametrize("status", [300, 302, 304, 400, 401, 404, 418, 500, 503, 599])
async def test_a_status_is_a_communication_error_with_that_status(shop, performer, status):
    query = {"status": str(status), "type": "text/plain", "body": "sold out"}
    name, found, detail = await failure(performer, call(shop.base + "/reply", query=query))
    assert (name, found) == ("communication", status)
    assert str(status) in detail
    assert ("sold out" in detail) == (status != 304)


async def test_the_excerpt_of_an_error_is_short_and_without_secrets(shop, performer):
    query = {"status": "500", "type": "text/plain", "body": "tok-1234567890 " + "x" * 5000}
    _, _, detail = await failure(performer, call(shop.base + "/reply", method="post", query=query))
    assert "tok-1234567890" not in detail
    assert detail.count("x") < 7000


# redirection


async def test_redirect_false_treats_a_redirection_as_an_error(shop, performer):
    query = {"status": "302", "location": "/echo"}
    name, status, _ = await failure(performer, call(shop.base + "/reply", query=query))
    assert (name, status) == ("communication", 302)
    assert len(shop.requests) == 1


@pytest.mark.parametrize(
    "status, method, followed_by",
    [
        (301, "post", "GET"),
        (302, "post", "GET"),
        (303, "put", "GET"),
        (307, "post", "POST"),
        (308, "put", "PUT"),
    ],
)
async def test_redirect_true_follows(shop, performer, status, method, followed_by):
    query = {"status": str(status), "location": "/echo/there"}
    answer = await performer.perform(
        call(shop.base + "/reply", method=method, query=query, redirect=True, body={"a": 1})
    )
    assert answer["path"] == "/echo/there"
    assert answer["method"] == followed_by
    assert answer["body"] == ("" if followed_by == "GET" else '{"a":1}')
    assert answer["headers"]["Idempotency-Key"] == f"{PROCESS}/{ACTIVITY}"


@pytest.mark.parametrize("location, by, status", [("/echo", "own", 200), ("http://127.0.0.1:1/", None, None), ("http://10.0.0.1/", None, None)])  # fmt: skip
async def test_the_trace_tells_who_answered_in_the_end(shop, performer, location, by, status):
    """Not who had sent the request on."""
    query = {"status": "302", "location": location}
    with traced() as trace, contextlib.suppress(CallFailed):
        await performer.perform(call(shop.base + "/reply", query=query, redirect=True))
    assert trace.by == (f"127.0.0.1:{shop.port}" if by else None)
    assert trace.status == status
    assert trace.sent is not None


async def test_the_trace_tells_nothing_of_who_gave_no_token(shop, performer):
    client = {"id": "c", "secret": "s-1234567890"}
    endpoints = {"token": "/reply?status=503"}
    policy = {
        "oauth2": {"authority": shop.base, "grant": "client_credentials", "client": client, "endpoints": endpoints}
    }
    with traced() as trace, pytest.raises(CallFailed):
        await performer.perform(call(shop.base + "/echo", authentication=policy))
    assert [request.path for request in shop.requests] == ["/reply"]
    assert (trace.sent, trace.by, trace.status) == (None, None, None)


@pytest.mark.parametrize("status", [300, 301, 304])
async def test_a_redirection_that_leads_nowhere_is_no_error(shop, performer, status):
    output = await performer.perform(
        call(shop.base + "/reply", query={"status": str(status)}, redirect=True, output="response")
    )
    assert output["statusCode"] == status


async def test_redirections_end(shop, performer):
    url = f"{shop.base}/reply?status=302"
    query = {"status": "302", "location": url + "&location=" + "/reply%3Fstatus%3D302"}
    output = await performer.perform(call(shop.base + "/reply", query=query, redirect=True, output="response"))
    assert output["statusCode"] == 302
    async with raw_server(*[b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"] * 10) as (base, seen):
        name, _, detail = await failure(performer, call(base, redirect=True))
        assert name == "communication" and "redirected more than 5 times" in detail
        assert len(seen) == 6


async def test_credentials_stay_with_their_origin(shop, performer):
    other = shop.base.replace("127.0.0.1", "localhost") + "/echo"
    for location, expected in ((shop.base + "/echo", True), (other, False)):
        answer = await performer.perform(
            call(
                shop.base + "/reply",
                query={"status": "307", "location": location},
                redirect=True,
                headers={"X-Key": "tok-1234567890", "X-Plain": "1"},
                authentication={"bearer": {"token": "abc"}},
            )
        )
        assert ("Authorization" in answer["headers"]) == expected
        assert ("X-Key" in answer["headers"]) == expected
        assert answer["headers"]["X-Plain"] == "1"


@pytest.mark.parametrize(
    "location, name", [("http://169.254.169.254/meta", "authorization"), ("file:///etc", "configuration")]
)
async def test_a_redirection_does_not_leave_the_permitted_networks(shop, performer, location, name):
    query = {"status": "302", "location": location}
    found, _, _ = await failure(performer, call(shop.base + "/reply", query=query, redirect=True))
    assert found == name


# authentication


@pytest.mark.parametrize(
    "authentication, header",
    [
        ({"basic": {"username": "ada", "password": "ü:x"}}, "Basic " + base64.b64encode("ada:ü:x".encode()).decode()),
        ({"basic": {"use": "LOGIN"}}, "Basic " + base64.b64encode(b"ada:correct-horse").decode()),
        ({"bearer": {"token": "abc"}}, "Bearer abc"),
        ({"bearer": {"use": "TOKEN"}}, "Bearer tok-1234567890"),
        (None, None),
    ],
)
async def test_authentication(shop, performer, authentication, header):
    await performer.perform(call(shop.base + "/echo", authentication=authentication))
    assert shop.requests[0].headers.get("Authorization") == header


async def test_credentials_in_the_uri(shop, performer):
    uri = shop.base.replace("//", "//ada:pass-word@") + "/echo"
    output = await performer.perform(call(uri, output="response"))
    assert shop.requests[0].headers["Authorization"].startswith("Basic ")
    assert output["request"]["uri"] == shop.base + "/echo"


@pytest.mark.parametrize(
    "authentication, secrets, expected, said",
    [
        ({"basic": {"use": "LOGIN"}}, (), ("authorization", 403), "use.secrets"),
        ({"basic": {"use": "GONE"}}, ("GONE",), ("authorization", 403), "PERDURE_SECRET_GONE"),
        ({"basic": {"use": "BROKEN"}}, ("BROKEN",), ("authentication", 401), "password"),
        ({"bearer": {}}, (), ("authentication", 401), "token"),
        ({"bearer": {"token": "a\nb"}}, (), ("authentication", 401), "characters"),
    ],
)
async def test_credentials_that_are_not_to_be_had(shop, performer, authentication, secrets, expected, said):
    request = call(shop.base + "/echo", authentication=authentication, secrets=secrets)
    name, status, detail = await failure(performer, request)
    assert (name, status) == expected
    assert said in detail
    assert not shop.requests


# trouble


async def test_a_refused_connection(performer):
    async with raw_server() as (base, _):
        pass
    name, status, detail = await failure(performer, call(base))
    assert (name, status) == ("communication", 500)
    assert "no connection" in detail


async def test_an_unknown_name(performer):
    name, status, detail = await failure(performer, call("http://nowhere.invalid/"))
    assert (name, status) == ("communication", 500)
    assert "nowhere.invalid can't be resolved" in detail


async def test_a_service_that_does_not_answer(shop):
    async with performing(call_timeout_seconds=0.2) as performer:
        name, status, detail = await failure(performer, call(shop.base + "/slow"))
    assert (name, status) == ("timeout", 408)
    assert "PERDURE_CALL_TIMEOUT_SECONDS" in detail


@pytest.mark.parametrize("path", ["/endless", "/bomb"])
async def test_a_response_without_end(shop, performer, path):
    name, _, detail = await failure(performer, call(shop.base + path))
    assert name == "communication"
    assert "PERDURE_RESPONSE_BODY_BYTES_MAX" in detail


async def test_json_that_is_none(shop, performer):
    query = {"type": "application/json", "body": "{oops"}
    name, _, detail = await failure(performer, call(shop.base + "/reply", query=query))
    assert name == "communication" and "can't be decoded" in detail
    name, _, detail = await failure(
        performer,
        call(shop.base + "/reply", query={"type": "application/json", "body": "[" * 101 + "]" * 101}),
    )
    assert name == "communication" and "PERDURE_PAYLOAD_DEPTH_MAX" in detail


async def test_an_encoding_that_is_none(shop, performer):
    name, _, _ = await failure(performer, call(shop.base + "/garbled"))
    assert name == "communication"


@pytest.mark.parametrize(
    "answer, said",
    [
        (b"", "without an answer"),
        (b"garbage\r\n\r\n", "no valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "broke off"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "no valid HTTP"),
    ],
)
async def test_a_broken_answer(performer, answer, said):
    async with raw_server(answer) as (base, seen):
        name, status, detail = await failure(performer, call(base, method="post"))
    assert (name, status) == ("communication", 500)
    assert said in detail
    assert len(seen) == 1


async def test_a_connection_that_was_closed_meanwhile_is_opened_again(performer):
    """A kept-open connection may be closed by the other side at any time: no reason to fail a call."""
    answered = asyncio.Event()
    bodies = []

    async def serve(reader, writer):
        bodies.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        if len(bodies) == 1:
            with contextlib.suppress(asyncio.IncompleteReadError):
                bodies.append(await reader.readuntil(b"\r\n\r\n"))
        answered.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        await performer.perform(call(base, method="post"))
        await performer.perform(call(base, method="post"))
    assert len(bodies) == 3
    assert bodies[1] == bodies[2]


async def test_ipv6(performer):
    app = web.Application()
    app.router.add_get("/", _six)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "::1", 0).start()
        port = runner.addresses[0][1]
        assert await performer.perform(call(f"http://[::1]:{port}/")) == "six"
    finally:
        await runner.cleanup()


async def _six(_):
    return web.Response(text="six")


# egress


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "0.0.0.0"])
async def test_private_targets_are_refused_unless_allowed(shop, host):
    async with performing(egress_allow="") as performer:
        name, status, detail = await failure(performer, call(f"http://{host}:{shop.port}/echo"))
    assert (name, status) == ("authorization", 403)
    assert "PERDURE_EGRESS_ALLOW" in detail
    assert not shop.requests


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f000001", "0177.0.0.1"])
async def test_odd_spellings_of_an_address_do_not_get_around(shop, host):
    async with performing(egress_allow="") as performer:
        await failure(performer, call(f"http://{host}:{shop.port}/echo"))
    assert not shop.requests


async def test_many_calls_at_once(shop, performer):
    calls = (performer.perform(call(f"{shop.base}/echo/{n}")) for n in range(200))
    answers = await asyncio.gather(*calls)
    assert [answer["path"] for answer in answers] == [f"/echo/{n}" for n in range(200)]


async def test_cancelling_drops_the_call(shop, performer):
    task = asyncio.create_task(performer.perform(call(shop.base + "/slow")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
