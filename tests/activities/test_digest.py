"""Digest authentication: the examples of RFC 7616, and a server that checks every field."""

import asyncio
import hashlib
import re
import secrets

import pytest
from aiohttp import web
from calling import serving_app
from test_oauth2 import call as oauth_call
from test_oauth2 import failure, performing

from perdure.activities.authentication.challenges import challenges_of
from perdure.activities.authentication.digest import authorization_of
from perdure.activities.credentials import Refusal

USERS = {"ada": "correct-horse", "jäg": "über:x"}


def fields(header):
    assert header.startswith("Digest ")
    found = re.findall(r"""([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))""", header)
    return {
        name: quoted.replace('\\"', '"').replace("\\\\", "\\") if quoted else plain for name, quoted, plain in found
    }


# RFC 7616, sections 3.9.1 and 3.9.2; RFC 2617, section 3.5


@pytest.mark.parametrize(
    "algorithm, response",
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_rfc(algorithm, response):
    challenge = challenges_of(
        [
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=' + algorithm + ", "
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        ]
    )[0]
    refusal = Refusal("GET", "/dir/index.html", b"", ())
    header = authorization_of(
        challenge, refusal, "Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    )
    assert fields(header) == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "qop": "auth",
        "response": response,
        "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    }


def test_a_server_without_quality_of_protection():
    challenge = challenges_of(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'])[0]
    header = authorization_of(challenge, Refusal("GET", "/dir/index.html", b"", ()), "Mufasa", "Circle Of Life", "x")
    found = fields(header)
    assert found["response"] == "670fd8c2df070c60b045671b8b24ff02"  # RFC 2069 as corrected by its errata
    assert "qop" not in found and "cnonce" not in found


# challenges


@pytest.mark.parametrize(
    "values, expected",
    [
        (['Basic realm="a, b"'], [("basic", {"realm": "a, b"})]),
        (["Negotiate"], [("negotiate", {})]),
        (["Negotiate dG9rZW4="], [("negotiate", {})]),
        (
            ['Basic realm="x", Digest realm="q\\"q", nonce=abc , stale=TRUE'],
            [("basic", {"realm": "x"}), ("digest", {"realm": 'q"q', "nonce": "abc", "stale": "TRUE"})],
        ),
        (['Newauth realm="apps", type=1,title="Login to \\"apps\\"", Basic realm="simple"'], None),
        (["Bearer", 'Digest nonce="n"'], [("bearer", {}), ("digest", {"nonce": "n"})]),
        (['Digest nonce="unclosed'], [("digest", {})]),
        (["", ",,,", "="], []),
    ],
)
def test_challenges(values, expected):
    found = [(challenge.scheme, challenge.parameters) for challenge in challenges_of(values)]
    if expected is None:
        expected = [
            ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
            ("basic", {"realm": "simple"}),
        ]
    assert found == expected


def test_challenges_are_bounded():
    assert len(challenges_of([", ".join(["Digest nonce=a"] * 1000)])) == 20


# over the wire


class Door:
    """Asks for a digest and checks it by the letter."""

    def __init__(self):
        self.base = ""
        self.algorithm = "SHA-256"
        self.qop = "auth"
        self.before = ""
        self.userhash = False
        self.uses_max = 10
        self.stale_next = 0
        self.nonces = {}
        self.seen = []

    async def enter(self, request):
        body = await request.read()
        self.seen.append(request.headers.get("Authorization"))
        problem = self._problem(request, body)
        if problem is not None:
            return web.Response(status=401, text=problem, headers=self._challenge(stale=problem == "stale"))
        return web.json_response({"body": body.decode(), "key": request.headers["Idempotency-Key"]})

    async def away(self, request):
        return (
            web.Response(status=307, headers={"Location": "/enter/there?b=2"})
            if self._is_known(request)
            else (web.Response(status=401, headers=self._challenge()))
        )

    def _is_known(self, request):
        return "Authorization" in request.headers and self._problem(request, b"") is None

    def _challenge(self, stale=False):
        nonce = secrets.token_urlsafe(12)
        self.nonces[nonce] = 0
        parts = ['realm="the \\"door\\""', f'nonce="{nonce}"', f"algorithm={self.algorithm}", 'opaque="o=1"']
        parts += [f'qop="{self.qop}"'] if self.qop else []
        parts += ["stale=true"] if stale else []
        parts += ["userhash=true"] if self.userhash else []
        return {"WWW-Authenticate": self.before + "Digest " + ", ".join(parts)}

    def _problem(self, request, body):
        header = request.headers.get("Authorization")
        if header is None:
            return "who?"
        found = fields(header)
        if found["nonce"] not in self.nonces:
            return "strange nonce"
        if self.stale_next:
            self.stale_next -= 1
            return "stale"
        assert found["uri"] == request.raw_path
        assert found["opaque"] == "o=1" and found["realm"] == 'the "door"'
        if self.qop:
            count = int(found["nc"], 16)
            assert count > self.nonces[found["nonce"]], "replayed"
            self.nonces[found["nonce"]] = count
        return None if found["response"] in self._expected(request, body, found) else "wrong"

    def _expected(self, request, body, found):
        name = self.algorithm.removesuffix("-sess")
        h = lambda text: hashlib.new({"MD5": "md5", "SHA-256": "sha256"}[name], text).hexdigest()  # noqa: E731
        for user, password in USERS.items():
            user_sent = found.get("username") or found["username*"]
            names = {h(f"{user}:{found['realm']}".encode())} if self.userhash else {user, "UTF-8''j%C3%A4g"}
            if user_sent not in names:
                continue
            a1 = h(f"{user}:{found['realm']}:{password}".encode())
            if self.algorithm.endswith("-sess"):
                a1 = h(f"{a1}:{found['nonce']}:{found['cnonce']}".encode())
            a2 = f"{request.method}:{found['uri']}"
            if self.qop == "auth-int":
                a2 += f":{h(body)}"
            a2 = h(a2.encode())
            if self.qop:
                yield h(f"{a1}:{found['nonce']}:{found['nc']}:{found['cnonce']}:{found['qop']}:{a2}".encode())
            else:
                yield h(f"{a1}:{found['nonce']}:{a2}".encode())


@pytest.fixture
async def door():
    door = Door()
    app = web.Application()
    app.router.add_route("*", "/enter{tail:.*}", door.enter)
    app.router.add_route("*", "/away", door.away)
    async with serving_app(app) as door.base:
        yield door


@pytest.fixture
async def performer():
    async with performing(SHOP={"username": "ada", "password": "correct-horse"}) as performer:
        yield performer


def call(door, authentication, path="/enter/a%20b?x=1&y=%2F", **arguments):
    made = oauth_call(door, {"digest": authentication}, path=path)
    made.request.update(arguments)
    return made


ADA = {"username": "ada", "password": "correct-horse"}


@pytest.mark.parametrize("qop", ["auth", "auth-int", "", "auth,auth-int"])
@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"])
async def test_the_challenge_is_answered(door, performer, algorithm, qop):
    if algorithm.endswith("-sess") and not qop:
        qop = "auth"  # a session needs the client's nonce
    door.algorithm, door.qop = algorithm, qop
    answer = await performer.perform(call(door, {"use": "SHOP"}, method="post", body={"a": 1}))
    assert answer["body"] == '{"a":1}'
    assert door.seen[0] is None and len(door.seen) == 2


@pytest.mark.parametrize("userhash", [False, True])
async def test_names_beyond_ascii(door, performer, userhash):
    door.userhash = userhash
    await performer.perform(call(door, {"username": "jäg", "password": "über:x"}))


async def test_the_first_challenge_that_is_known_is_answered(door, performer):
    door.before = 'Basic realm="x", Digest nonce="n", algorithm=SHA-3, '
    await performer.perform(call(door, ADA))


async def test_a_nonce_that_was_too_old_is_replaced(door, performer):
    door.stale_next = 1
    await performer.perform(call(door, ADA))
    assert len(door.seen) == 3


async def test_a_server_that_finds_all_nonces_too_old_is_given_up(door, performer):
    door.stale_next = 100
    name, status, _ = await failure(performer, call(door, ADA))
    assert (name, status, len(door.seen)) == ("authentication", 401, 3)


async def test_a_wrong_password_is_tried_once(door, performer):
    name, status, detail = await failure(performer, call(door, {"username": "ada", "password": "wrong-wrong"}))
    assert (name, status, len(door.seen)) == ("authentication", 401, 2)
    assert "wrong-wrong" not in detail


async def test_a_redirection_is_answered_anew(door, performer):
    await performer.perform(call(door, ADA, path="/away", redirect=True))
    assert [fields(header)["uri"] for header in door.seen if header] == ["/enter/there?b=2"]


async def test_calls_at_once(door, performer):
    answers = await asyncio.gather(*(performer.perform(call(door, ADA, method="put", body=str(n))) for n in range(20)))
    assert [answer["body"] for answer in answers] == [str(n) for n in range(20)]


async def test_a_server_that_asks_for_something_else(performer):
    async def basic(request):
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    app = web.Application()
    app.router.add_get("/enter", basic)
    other = Door()
    async with serving_app(app) as other.base:
        name, status, _ = await failure(performer, call(other, ADA, path="/enter"))
    assert (name, status) == ("authentication", 401)
