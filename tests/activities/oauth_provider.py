"""An OAuth2 and OpenID Connect provider with a resource behind it, strict about what it is told.

It knows the client ``shop`` with the secret ``open:sesame %`` or a key registered in `Provider.keys`, the user ada
with the password ``correct-horse``, and issues signed tokens of `Provider.seconds`, or opaque ones.
"""

import base64
import contextlib
from collections import Counter
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import web
from joserfc import jwk, jwt

CLIENT = "shop"
SECRET = "open:sesame %-and-quite-long"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Provider:
    def __init__(self):
        self.base = ""
        self.issuer = None  # what it says its issuer is; the base where None
        self.seconds = 3600
        self.opaque = False
        self.rotates = False
        self.silent_about_seconds = False
        self.token_type = "Bearer"
        self.answer = None  # a status and what the token endpoint says with it, whatever it is asked
        self.gate = None  # an event that token requests wait for
        self.key = jwk.RSAKey.generate_key(2048)
        self.keys = {}
        self.requests = []
        self.asked = Counter()
        self.valid = {}
        self.refresh_tokens = set()
        self.revoked = []
        self.codes = {}
        self.assertions = set()
        self.issued = 0

    # endpoints

    async def configuration(self, request):
        self.asked["configuration"] += 1
        return web.json_response(
            {
                "issuer": self.issuer or self.base,
                "token_endpoint": self.base + "/connect/token",
                "introspection_endpoint": self.base + "/oauth2/introspect",
                "revocation_endpoint": self.base + "/oauth2/revoke",
            }
        )

    async def token(self, request):
        self.asked["token"] += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.answer is not None:
            return web.json_response(self.answer[1], status=self.answer[0], headers={"Location": "/resource"})
        try:
            parameters = await self._parameters(request)
            self._check_client(request, parameters)
            return web.json_response(self._granted(parameters))
        except _Wrong as wrong:
            status = 401 if wrong.code == "invalid_client" else 400
            return web.json_response({"error": wrong.code, "error_description": wrong.words}, status=status)

    async def introspect(self, request):
        self.asked["introspect"] += 1
        parameters = await self._parameters(request)
        self._check_client(request, parameters)
        known = parameters["token"] in self.valid
        return web.json_response({"active": True, "iss": self.issuer or self.base} if known else {"active": False})

    async def revoke(self, request):
        parameters = await self._parameters(request)
        self._check_client(request, parameters)
        self.revoked.append(parameters["token"])
        return web.Response()

    async def resource(self, request):
        self.asked["resource"] += 1
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.valid:
            return web.json_response({"echo": token}, status=401, headers={"WWW-Authenticate": "Bearer"})
        if not self.opaque:
            claims = jwt.decode(token, self.key).claims
            assert claims["iss"] == (self.issuer or self.base)
        return web.json_response({"grant": self.valid[token], "echo": token})

    # what it checks

    async def _parameters(self, request):
        body = (await request.read()).decode()
        if request.content_type == "application/json":
            parameters = await request.json()
        else:
            assert request.content_type == "application/x-www-form-urlencoded"
            parameters = {}
            pairs = parse_qsl(body, strict_parsing=True, keep_blank_values=True)
            for name in dict(pairs):
                values = [value for other, value in pairs if other == name]
                parameters[name] = values if len(values) > 1 else values[0]
        self.requests.append((request.content_type, parameters))
        return parameters

    def _check_client(self, request, parameters):
        authorization = request.headers.get("Authorization")
        if authorization is not None:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            name, secret = map(unquote_plus, pair.split(":"))
            assert "client_id" not in parameters and "client_secret" not in parameters
            if (name, secret) != (CLIENT, SECRET):
                raise _Wrong("invalid_client", f"not {secret}")
        elif "client_assertion" in parameters:
            assert parameters["client_assertion_type"] == ASSERTION
            self._check_assertion(parameters["client_assertion"], request)
        elif "client_secret" in parameters:
            if (parameters["client_id"], parameters["client_secret"]) != (CLIENT, SECRET):
                raise _Wrong("invalid_client", f"not {parameters['client_secret']}")
        elif parameters.get("client_id") != "public":
            raise _Wrong("invalid_client", "who are you?")

    def _check_assertion(self, assertion, request):
        header = jwt.decode(assertion, lambda guest: self._client_key(guest.headers()), algorithms=ALGORITHMS)
        claims = header.claims
        assert claims["iss"] == claims["sub"] == CLIENT
        assert claims["aud"] == str(request.url)
        assert 0 < claims["exp"] - claims["iat"] <= 300
        if claims["jti"] in self.assertions:
            raise _Wrong("invalid_client", "seen before")
        self.assertions.add(claims["jti"])

    def _client_key(self, header):
        if header["alg"] == "HS256":
            return jwk.OctKey.import_key(SECRET)
        if header["alg"] not in self.keys:
            raise _Wrong("invalid_client", "unknown key")
        return self.keys[header["alg"]]

    def _granted(self, parameters):
        grant = parameters["grant_type"]
        answer = {}
        match grant:
            case "client_credentials":
                pass
            case "password":
                if (parameters["username"], parameters["password"]) != ("ada", "correct-horse"):
                    raise _Wrong("invalid_grant", f"wrong password {parameters['password']}")
                answer["refresh_token"] = self._refresh_token()
            case "refresh_token":
                if parameters["refresh_token"] not in self.refresh_tokens:
                    raise _Wrong("invalid_grant", "no such refresh token")
                if self.rotates:
                    self.refresh_tokens.discard(parameters["refresh_token"])
                    answer["refresh_token"] = self._refresh_token()
            case "authorization_code":
                expected = self.codes.pop(parameters["code"], None)
                if expected is None or expected != (parameters.get("redirect_uri"), parameters.get("code_verifier")):
                    raise _Wrong("invalid_grant", "no such code")
                answer["refresh_token"] = self._refresh_token()
            case _ if grant == EXCHANGE:
                if parameters["subject_token"] != "token-of-ada":
                    raise _Wrong("invalid_request", "strange subject")
            case _:
                raise _Wrong("unsupported_grant_type", grant)
        if parameters.get("scope") == "everything":
            raise _Wrong("invalid_scope", "everything is too much")
        access = self._access_token()
        self.valid[access] = grant
        answer |= {"access_token": access, "token_type": self.token_type}
        return answer if self.silent_about_seconds else {**answer, "expires_in": self.seconds}

    def _access_token(self):
        self.issued += 1
        if self.opaque:
            return f"opaque-token-{self.issued}"
        claims = {"iss": self.issuer or self.base, "sub": CLIENT, "n": self.issued}
        return jwt.encode({"alg": "RS256"}, claims, self.key)

    def _refresh_token(self):
        token = f"refresh-token-{self.issued}-{len(self.refresh_tokens)}"
        self.refresh_tokens.add(token)
        return token


ALGORITHMS = ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"]


class _Wrong(Exception):
    def __init__(self, code, words):
        self.code = code
        self.words = words


@contextlib.asynccontextmanager
async def provider():
    """Serves while the context lasts."""
    provider = Provider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.configuration)
    for path in ("/oauth2/token", "/connect/token"):
        app.router.add_post(path, provider.token)
    app.router.add_post("/oauth2/introspect", provider.introspect)
    app.router.add_post("/oauth2/revoke", provider.revoke)
    app.router.add_get("/resource", provider.resource)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()
