"""Digest authentication (RFC 7616): the challenge of a 401 is answered with the request sent again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from perdure import clock
from perdure.activities.authentication.challenges import Challenge, challenges_of
from perdure.activities.credentials import Credentials, Refusal

_Hash = Callable[[str | bytes], str]

_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_SESSION = "-sess"


def digest(username: str, password: str) -> Credentials:
    """Nothing at first: the service says what it wants to see."""
    return Credentials(proofs=(password,), responder=_Login(username, password))


@dataclass(frozen=True, slots=True)
class _Login:
    """Answers a first challenge, and one more that only says that the nonce was too old."""

    username: str
    password: str
    nonce: str | None = None

    async def answer(self, refusal: Refusal) -> Credentials | None:
        challenge = _chosen(refusal.challenges)
        if challenge is None:
            return None
        parameters = challenge.parameters
        if self.nonce is not None and (parameters.get("stale", "").lower() != "true" or self._is_old(parameters)):
            return None
        cnonce = clock.random_bytes(16).hex()
        authorization = authorization_of(challenge, refusal, self.username, self.password, cnonce)
        responder = _Login(self.username, self.password, parameters["nonce"])
        return Credentials(authorization, responder=responder, again=digest(self.username, self.password))

    def _is_old(self, parameters: dict[str, str]) -> bool:
        return parameters["nonce"] == self.nonce


def authorization_of(challenge: Challenge, refusal: Refusal, username: str, password: str, cnonce: str) -> str:
    """The Authorization header that answers a challenge (RFC 7616, section 3.4)."""
    parameters = challenge.parameters
    algorithm = parameters.get("algorithm", "MD5")
    hash_ = _hash_of(algorithm)
    assert hash_ is not None, "only challenges that can be answered are chosen"
    realm, nonce, count = parameters.get("realm", ""), parameters["nonce"], "00000001"
    quality = _quality_of(parameters)

    secret = hash_(f"{username}:{realm}:{password}")
    if algorithm.lower().endswith(_SESSION):
        secret = hash_(f"{secret}:{nonce}:{cnonce}")
    action = f"{refusal.method}:{refusal.target}"
    if quality == "auth-int":
        action = f"{action}:{hash_(refusal.body)}"
    proof = f"{nonce}:{count}:{cnonce}:{quality}" if quality else nonce
    response = hash_(f"{secret}:{proof}:{hash_(action)}")

    fields = [_username(username, realm, parameters, hash_)]
    fields += [_quoted("realm", realm), _quoted("nonce", nonce), _quoted("uri", refusal.target)]
    fields += [f"algorithm={algorithm}"] if "algorithm" in parameters else []
    fields += [_quoted("response", response)]
    fields += [_quoted("opaque", parameters["opaque"])] if "opaque" in parameters else []
    fields += [f"qop={quality}", f"nc={count}", _quoted("cnonce", cnonce)] if quality else []
    fields += ["userhash=true"] if _hides_user(parameters) else []
    return "Digest " + ", ".join(fields)


def _chosen(values: tuple[str, ...]) -> Challenge | None:
    """The first challenge that can be answered: services list the one they like best first."""
    for challenge in challenges_of(values):
        parameters = challenge.parameters
        if (
            challenge.scheme == "digest"
            and parameters.get("nonce")
            and _hash_of(parameters.get("algorithm", "MD5")) is not None
            and _quality_of(parameters) is not None
        ):
            return challenge
    return None


def _hash_of(algorithm: str) -> _Hash | None:
    name = algorithm[: -len(_SESSION)] if algorithm.lower().endswith(_SESSION) else algorithm
    found = _ALGORITHMS.get(name.upper())
    if found is None or found not in hashlib.algorithms_available:
        return None

    def hashed(text: str | bytes) -> str:
        data = text.encode() if isinstance(text, str) else text
        return hashlib.new(found, data, usedforsecurity=False).hexdigest()

    return hashed


def _quality_of(parameters: dict[str, str]) -> str | None:
    """The quality of protection: empty where the service offers none (RFC 2069), None for unknown ones."""
    if "qop" not in parameters:
        return ""
    offered = {quality.strip().lower() for quality in parameters["qop"].split(",")}
    return "auth" if "auth" in offered else "auth-int" if "auth-int" in offered else None


def _hides_user(parameters: dict[str, str]) -> bool:
    return parameters.get("userhash", "").lower() == "true"


def _username(username: str, realm: str, parameters: dict[str, str], hash_: _Hash) -> str:
    if _hides_user(parameters):
        return _quoted("username", hash_(f"{username}:{realm}"))
    if username.isascii() and username.isprintable():
        return _quoted("username", username)
    return f"username*=UTF-8''{quote(username, safe='')}"


def _quoted(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
