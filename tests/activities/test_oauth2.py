"""OAuth2 and OpenID Connect against a provider that checks what it is told and issues tokens that end."""

import asyncio
import contextlib
import json

import pytest
from calling import failure, made
from joserfc import jwk, jwt
from oauth_provider import ASSERTION, CLIENT, EXCHANGE, SECRET
from oauth_provider import provider as providing

from perdure import clock
from perdure.activities.authentication.oauth2 import Policy
from perdure.activities.authentication.provider import published
from perdure.activities.contract import CallFailed
from perdure.activities.http import HttpPerformer
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings


@pytest.fixture
async def provider():
    async with providing() as provider:
        yield provider


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer


@contextlib.asynccontextmanager
async def performing(**secrets):
    environ = {f"PERDURE_SECRET_{name}": json.dumps(value) for name, value in secrets.items()}
    settings = Settings(_env_file=None, egress_allow="127.0.0.0/8", call_timeout_seconds=10)
    outside = Outside(settings, Secrets(environ))
    await outside.start()
    try:
        yield HttpPerformer(outside)
    finally:
        await outside.stop()


@pytest.fixture
def time(monkeypatch):
    """The monotonic clock, to be moved by hand."""

    class Time:
        now = 1000.0

    monkeypatch.setattr(clock, "monotonic", lambda: Time.now)
    return Time


def policy(provider, **changes):
    client = changes.pop("client", {})
    return {
        "authority": provider.base,
        "grant": "client_credentials",
        "client": {"id": CLIENT, "secret": SECRET, **client},
        **changes,
    }


def call(provider, authentication, *, tenant="default", output="content", path="/resource"):
    return made(
        "http",
        {"method": "get", "uri": provider.base + path, "output": output, "authentication": authentication},
        "SHOP",
        tenant=tenant,
    )


def sent(provider):
    return provider.requests[-1][1]


# grants


async def test_client_credentials(provider, performer):
    authentication = {"oauth2": policy(provider, scopes=["read", "write"], audiences=["stock"])}
    assert (await performer.perform(call(provider, authentication)))["grant"] == "client_credentials"
    assert sent(provider) == {
        "grant_type": "client_credentials",
        "scope": "read write",
        "audience": "stock",
        "client_id": CLIENT,
        "client_secret": SECRET,
    }


async def test_password(provider, performer):
    authentication = {"oauth2": policy(provider, grant="password", username="ada", password="correct-horse")}
    assert (await performer.perform(call(provider, authentication)))["grant"] == "password"


async def test_refresh_token(provider, performer):
    provider.refresh_tokens.add("a-refresh-token")
    subject = {"token": "a-refresh-token", "type": "refresh_token"}
    authentication = {"oauth2": policy(provider, grant="refresh_token", subject=subject)}
    assert (await performer.perform(call(provider, authentication)))["grant"] == "refresh_token"


async def test_token_exchange(provider, performer):
    authentication = {
        "oauth2": policy(
            provider,
            grant=EXCHANGE,
            subject={"token": "token-of-ada", "type": "access_token"},
            actor={"token": "token-of-robot", "type": "urn:example:robot"},
            audiences=["stock", "billing"],
        )
    }
    assert (await performer.perform(call(provider, authentication)))["grant"] == EXCHANGE
    assert {name: value for name, value in sent(provider).items() if "client" not in name} == {
        "grant_type": EXCHANGE,
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token": "token-of-ada",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "actor_token": "token-of-robot",
        "actor_token_type": "urn:example:robot",
        "audience": ["stock", "billing"],
    }


async def test_an_authorization_code_that_a_browser_has_got(provider, performer):
    provider.codes["code-from-browser"] = ("https://shop.example/back", "verifier-verifier-verifier")
    authentication = {
        "oauth2": policy(
            provider,
            grant="authorization_code",
            subject={"token": "code-from-browser", "type": "authorization_code"},
            request={"redirectUri": "https://shop.example/back", "codeVerifier": "verifier-verifier-verifier"},
        )
    }
    for _ in range(2):  # the code works once, the token goes on
        assert (await performer.perform(call(provider, authentication)))["grant"] == "authorization_code"
    provider.valid.clear()  # and the refresh token that came with it after that
    assert (await performer.perform(call(provider, authentication)))["grant"] == "refresh_token"


# client authentication


@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "application/json"])
@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "none"])
async def test_client_authentication(provider, performer, way, encoding):
    client = {"authentication": way, **({"id": "public"} if way == "none" else {})}
    authentication = {
        "oauth2": policy(provider, client=client, request={"encoding": encoding}, audiences=["stock", "billing"])
    }
    assert (await performer.perform(call(provider, authentication)))["grant"] == "client_credentials"
    media_type, parameters = provider.requests[-1]
    assert media_type == encoding
    assert parameters["audience"] == ["stock", "billing"]
    assert ("client_secret" in parameters) == (way == "client_secret_post")


def private_keys():
    rsa, p384, ed = (
        jwk.RSAKey.generate_key(2048),
        jwk.ECKey.generate_key("P-384"),
        jwk.OKPKey.generate_key("Ed25519"),
    )
    return [
        ("RS256", rsa, rsa.as_pem(private=True).decode()),
        ("ES384", p384, p384.as_pem(private=True).decode()),
        ("EdDSA", ed, ed.as_pem(private=True).decode()),
        ("PS256", rsa, json.dumps({**rsa.as_dict(private=True), "alg": "PS256", "kid": "k1"})),
    ]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm, key, text", private_keys(), ids=lambda value: str(value)[:5])
async def test_private_key_jwt(provider, performer, algorithm, key, text):
    provider.keys[algorithm] = key
    client = {"authentication": "private_key_jwt", "secret": None, "assertion": text}
    authentication = {"oauth2": policy(provider, client=client)}
    assert (await performer.perform(call(provider, authentication)))["grant"] == "client_credentials"
    provider.valid.clear()
    await performer.perform(call(provider, authentication))  # signs another one: the provider takes each once
    assert len(provider.assertions) == 2


async def test_an_assertion_that_is_signed_already_goes_as_it_is(provider, performer):
    key = provider.keys["RS256"] = jwk.RSAKey.generate_key(2048)
    now = int(clock.now().timestamp())
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": provider.base + "/oauth2/token", "jti": "j", "iat": now}
    assertion = jwt.encode({"alg": "RS256"}, {**claims, "exp": now + 60}, key)
    client = {"authentication": "private_key_jwt", "assertion": assertion}
    await performer.perform(call(provider, {"oauth2": policy(provider, client=client)}))
    assert sent(provider)["client_assertion"] == assertion
    assert sent(provider)["client_assertion_type"] == ASSERTION


@pytest.mark.parametrize("assertion", ["no key at all", "{}", '{"kty": "oct", "k": "c2VjcmV0LXNlY3JldA"}', "{not json"])
async def test_a_key_that_can_not_sign(provider, performer, assertion):
    client = {"authentication": "private_key_jwt", "assertion": assertion}
    name, _, detail = await failure(performer, call(provider, {"oauth2": policy(provider, client=client)}))
    assert name == "configuration" and "PEM or JWK" in detail
    assert provider.asked["token"] == 0


# where the endpoints are


@pytest.mark.parametrize("suffix", ["", "/", "/.well-known/openid-configuration"])
async def test_oidc_discovers_its_endpoints(provider, performer, suffix):
    authentication = {"oidc": policy(provider, authority=provider.base + suffix)}
    await performer.perform(call(provider, authentication))
    assert provider.asked["configuration"] == 1


async def test_oidc_refuses_a_provider_that_says_it_is_another(provider, performer):
    provider.issuer = "https://other.example"
    name, status, detail = await failure(performer, call(provider, {"oidc": policy(provider)}))
    assert (name, status) == ("authentication", 401)
    assert "https://other.example" in detail and "`issuers`" in detail
    await performer.perform(call(provider, {"oidc": policy(provider, issuers=["https://other.example"])}))


@pytest.mark.parametrize(
    "configuration, name, words",
    [
        ({"issuer": "https://a.example", "token_endpoint": "https://b.example/t"}, None, ""),
        ({"issuer": "https://a.example/", "token_endpoint": "https://b.example/t"}, None, ""),
        ({"issuer": "https://a.example", "token_endpoint": "http://a.example/t"}, "authentication", "without TLS"),
        (
            {
                "issuer": "https://a.example",
                "token_endpoint": "https://a.example/t",
                "introspection_endpoint": "http://a.example/i",
            },
            "authentication",
            "without TLS",
        ),
        ({"issuer": "https://b.example", "token_endpoint": "https://a.example/t"}, "authentication", "its issuer is"),
        ({"issuer": "https://a.example"}, "communication", "token_endpoint"),
        ({"issuer": 5, "token_endpoint": "https://a.example/t"}, "communication", "$.issuer"),
        ([], "communication", "no OpenID Connect"),
        ({"x": "y" * 300_000}, "communication", "longer than"),
    ],
)
def test_what_a_provider_publishes(configuration, name, words):
    wanted = Policy("https://a.example", "client_credentials")
    body = json.dumps(configuration).encode()
    if name is None:
        assert published(wanted, "https://a.example/x", body).token == configuration["token_endpoint"]
    else:
        with pytest.raises(CallFailed) as caught:
            published(wanted, "https://a.example/x", body)
        assert caught.value.error.type.endswith(name) and words in caught.value.error.detail


@pytest.mark.parametrize(
    "status, answer, name, words",
    [
        (200, {}, "communication", "without an access_token"),
        (200, [], "communication", "without an access_token"),
        (200, {"access_token": 5}, "communication", "without an access_token"),
        (200, {"access_token": "a\nb"}, "authentication", "characters"),
        (200, {"error": "invalid_grant"}, "authentication", "invalid_grant"),
        (200, {"error": "strange"}, "communication", "strange"),
        (400, {"error": ["x"], "error_description": 5}, "communication", "400"),
        (400, {"error": "invalid_grant", "error_description": "a\x1b[31m" + "b" * 1000}, "authentication", "a [31mb"),
        (400, {"error": "unauthorized_client"}, "authorization", "unauthorized_client"),
        (401, {}, "authentication", "refused the client"),
        (503, {"error": "temporarily_unavailable"}, "communication", "503"),
        (302, {}, "communication", "302"),
        (200, {"access_token": "ok-ok-ok", "expires_in": ["x"], "token_type": None, "refresh_token": 5}, None, ""),
        (200, {"access_token": "a.b.c", "expires_in": "60", "token_type": "bearer"}, None, ""),
        (200, {"access_token": "ok-ok-ok", "expires_in": -5}, None, ""),
    ],
)
async def test_answers_of_a_token_endpoint(provider, performer, status, answer, name, words):
    provider.answer = (status, answer)
    provider.valid = {"ok-ok-ok": "x", "a.b.c": "x"}
    provider.opaque = True
    if name is None:
        await performer.perform(call(provider, {"oauth2": policy(provider)}))
    else:
        found, _, detail = await failure(performer, call(provider, {"oauth2": policy(provider)}))
        assert found == name and words in detail and len(detail) < 700


async def test_endpoints_are_paths_below_the_authority_or_uris(provider, performer):
    for token in ("connect/token", "/connect/token", provider.base + "/connect/token"):
        authentication = {"oauth2": policy(provider, endpoints={"token": token}, scopes=[token])}
        await performer.perform(call(provider, authentication))
    assert provider.asked["configuration"] == 0


async def test_an_authority_that_is_not_there(provider, performer):
    for changes, words in (
        ({"authority": "http://127.0.0.1:1"}, "no connection"),
        ({"endpoints": {"token": "/nowhere"}}, "404"),
    ):
        name, _, detail = await failure(performer, call(provider, {"oauth2": policy(provider, **changes)}))
        assert name == "communication" and words in detail
    name, _, _ = await failure(performer, call(provider, {"oauth2": policy(provider, authority="http://10.1.2.3")}))
    assert name == "authorization"  # the guard for outgoing calls


# issuers


async def test_the_issuer_of_a_token_must_be_listed(provider, performer):
    provider.issuer = "https://issuer.example"
    allowed = {"oauth2": policy(provider, issuers=["https://other.example", "https://issuer.example"])}
    await performer.perform(call(provider, allowed))
    name, status, detail = await failure(
        performer, call(provider, {"oauth2": policy(provider, issuers=["https://other.example"])})
    )
    assert (name, status) == ("authentication", 401)
    assert "https://issuer.example" in detail and "https://other.example" in detail


async def test_the_issuer_of_an_opaque_token_is_asked_for(provider, performer):
    provider.opaque = True
    await performer.perform(call(provider, {"oauth2": policy(provider, issuers=["https://other.example"])}))
    assert provider.asked["introspect"] == 0  # nothing says where to ask
    for issuers, ok in (([provider.base], True), (["https://other.example"], False)):
        authentication = {
            "oauth2": policy(provider, issuers=issuers, endpoints={"introspection": "/oauth2/introspect"})
        }
        if ok:
            await performer.perform(call(provider, authentication))
        else:
            assert (await failure(performer, call(provider, authentication)))[0] == "authentication"
    assert provider.asked["introspect"] == 2


# how long tokens are kept


async def test_a_token_is_requested_once_for_many_calls(provider, performer):
    provider.gate = asyncio.Event()
    calls = [asyncio.create_task(performer.perform(call(provider, {"oauth2": policy(provider)}))) for _ in range(20)]
    async with asyncio.timeout(5):
        while provider.asked["token"] == 0:
            await asyncio.sleep(0.01)
    provider.gate.set()
    assert len({answer["grant"] for answer in await asyncio.gather(*calls)}) == 1
    await performer.perform(call(provider, {"oauth2": policy(provider)}))
    assert provider.asked["token"] == 1
    assert provider.asked["resource"] == 21


async def test_one_caller_who_gives_up_does_not_spoil_it_for_the_others(provider, performer):
    provider.gate = asyncio.Event()
    first = asyncio.create_task(performer.perform(call(provider, {"oauth2": policy(provider)})))
    async with asyncio.timeout(5):
        while provider.asked["token"] == 0:
            await asyncio.sleep(0.01)
    second = asyncio.create_task(performer.perform(call(provider, {"oauth2": policy(provider)})))
    await asyncio.sleep(0)
    first.cancel()
    provider.gate.set()
    assert (await second)["grant"] == "client_credentials"
    assert provider.asked["token"] == 1


@pytest.mark.parametrize("seconds, still, over", [(3600, 3569, 3571), (10, 7.9, 8.1)])
async def test_a_token_is_renewed_shortly_before_its_end(provider, performer, time, seconds, still, over):
    provider.seconds = seconds
    begin = time.now
    for passed, requests in ((0, 1), (still, 1), (over, 2)):
        time.now = begin + passed
        await performer.perform(call(provider, {"oauth2": policy(provider)}))
        assert provider.asked["token"] == requests


async def test_a_token_that_does_not_say_when_it_ends_is_kept_for_a_while(provider, performer, time):
    provider.silent_about_seconds = True
    await performer.perform(call(provider, {"oauth2": policy(provider)}))
    time.now += 200
    await performer.perform(call(provider, {"oauth2": policy(provider)}))
    assert provider.asked["token"] == 1
    time.now += 100
    await performer.perform(call(provider, {"oauth2": policy(provider)}))
    assert provider.asked["token"] == 2


async def test_tokens_are_not_shared_across_tenants_policies_and_secrets(provider):
    async with performing(SHOP=policy(provider)) as performer:
        await performer.perform(call(provider, {"oauth2": {"use": "SHOP"}}))
        await performer.perform(call(provider, {"oauth2": policy(provider)}))  # the very same words in place
        assert provider.asked["token"] == 1
        await performer.perform(call(provider, {"oauth2": {"use": "SHOP"}}, tenant="other"))
        await performer.perform(call(provider, {"oauth2": policy(provider, scopes=["read"])}))
        await performer.perform(call(provider, {"oidc": policy(provider)}))
        assert provider.asked["token"] == 4
        name, _, _ = await failure(
            performer, call(provider, {"oauth2": policy(provider, client={"secret": "wrong-wrong"})})
        )
        assert name == "authentication" and provider.asked["token"] == 5


async def test_a_refused_token_is_replaced_exactly_once(provider, performer):
    authentication = {"oauth2": policy(provider)}
    await performer.perform(call(provider, authentication))
    provider.valid.clear()
    await performer.perform(call(provider, authentication))
    assert (provider.asked["token"], provider.asked["resource"]) == (2, 3)

    provider.valid = Deaf()
    name, status, detail = await failure(performer, call(provider, authentication))
    assert (name, status) == ("authentication", 401)
    assert (provider.asked["token"], provider.asked["resource"]) == (3, 5)
    assert "eyJ" not in detail  # the service echoed the token


class Deaf(dict):
    """Forgets what it is told."""

    def __setitem__(self, key, value):
        pass


async def test_a_new_token_that_is_refused_is_not_replaced(provider, performer):
    provider.valid = Deaf()
    name, _, _ = await failure(performer, call(provider, {"oauth2": policy(provider)}))
    assert name == "authentication"
    assert (provider.asked["token"], provider.asked["resource"]) == (1, 1)


async def test_many_calls_with_a_refused_token_renew_it_once(provider, performer):
    authentication = {"oauth2": policy(provider)}
    await performer.perform(call(provider, authentication))
    provider.valid.clear()
    await asyncio.gather(*(performer.perform(call(provider, authentication)) for _ in range(10)))
    assert provider.asked["token"] == 2


@pytest.mark.parametrize("rotates", [False, True])
async def test_a_refresh_token_renews(provider, performer, time, rotates):
    provider.rotates = rotates
    authentication = {"oauth2": policy(provider, grant="password", username="ada", password="correct-horse")}
    grants = []
    for _ in range(3):
        grants.append((await performer.perform(call(provider, authentication)))["grant"])
        time.now += 4000
    assert grants == ["password", "refresh_token", "refresh_token"]
    provider.refresh_tokens.clear()
    assert (await performer.perform(call(provider, authentication)))["grant"] == "password"


async def test_tokens_are_revoked_at_the_end_where_the_policy_says_where(provider):
    async with performing() as performer:
        await performer.perform(call(provider, {"oauth2": policy(provider)}))
        kept = {"endpoints": {"revocation": "/oauth2/revoke"}}
        await performer.perform(call(provider, {"oauth2": policy(provider, **kept)}))
    assert len(provider.revoked) == 1
    assert provider.revoked[0] in provider.valid


# what goes wrong


@pytest.mark.parametrize(
    "changes, name, words",
    [
        ({"client": {"secret": "wrong-secret-1"}}, "authentication", "invalid_client"),
        ({"grant": "password", "username": "ada", "password": "wrong-pass-1"}, "authentication", "invalid_grant"),
        ({"scopes": ["everything"]}, "configuration", "invalid_scope"),
        ({"grant": EXCHANGE, "subject": {"token": "strange-one"}}, "configuration", "invalid_request"),
        ({"grant": "password"}, "configuration", "no username and no password"),
        ({"grant": EXCHANGE}, "configuration", "subject.token"),
        ({"grant": "refresh_token"}, "configuration", "subject.token"),
        ({"grant": "authorization_code"}, "configuration", "subject.token"),
        ({"client": {"id": None}}, "configuration", "client.id"),
        ({"client": {"secret": None}}, "configuration", "client.secret"),
        ({"client": {"authentication": "private_key_jwt"}}, "configuration", "client.assertion"),
        ({"grant": "implicit"}, "configuration", "$.grant"),
        ({"authority": None}, "configuration", "$.authority"),
        ({"authority": "ftp://a.example"}, "configuration", "http or https"),
        ({"scopes": "read"}, "configuration", "$.scopes"),
    ],
)
async def test_errors(provider, performer, changes, name, words):
    found, _, detail = await failure(performer, call(provider, {"oauth2": policy(provider, **changes)}))
    assert found == name
    assert words in detail
    for secret in (SECRET, "wrong-secret-1", "wrong-pass-1"):
        assert secret not in detail  # although the provider quotes it


async def test_a_token_of_another_type(provider, performer):
    provider.token_type = "DPoP"
    name, _, detail = await failure(performer, call(provider, {"oauth2": policy(provider)}))
    assert name == "configuration" and "only Bearer" in detail


async def test_a_secret_that_is_not_listed_or_not_there_or_no_policy(provider):
    async with performing(OTHER=policy(provider), SHOP="just text") as performer:
        assert (await failure(performer, call(provider, {"oauth2": {"use": "OTHER"}})))[0] == "authorization"
        name, _, detail = await failure(performer, call(provider, {"oauth2": {"use": "SHOP"}}))
        assert name == "configuration" and "just text" not in detail
    async with performing() as performer:
        assert (await failure(performer, call(provider, {"oauth2": {"use": "SHOP"}})))[0] == "authorization"


async def test_the_token_is_in_no_output(provider, performer):
    provider.opaque = True
    for output in ("content", "response"):
        shown = json.dumps(await performer.perform(call(provider, {"oauth2": policy(provider)}, output=output)))
        assert "***" in shown and "opaque-token" not in shown
