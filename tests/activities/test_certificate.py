"""Client certificates, against a TLS server that wants one from its own authority."""

import contextlib
import datetime
import ssl

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from test_oauth2 import call, failure, performing


class Authority:
    """Issues certificates."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("authority", self.key.public_key(), x509.BasicConstraints(True, None))

    def issue(self, name, password=None):
        """PEM texts of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return self._pem(self._signed(name, key.public_key(), names)), pem.decode()

    def pem(self):
        return self._pem(self.certificate)

    def _pem(self, certificate):
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _signed(self, name, key, extension):
        now = datetime.datetime.now(datetime.UTC)
        issuer = "authority"
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if isinstance(extension, x509.BasicConstraints):
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256())


class Vault:
    def __init__(self, base):
        self.base = base


async def _who(request):
    certificate = request.transport.get_extra_info("peercert")
    return web.json_response(dict(part[0] for part in certificate["subject"]))


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
async def vault(authority, tmp_path, monkeypatch):
    certificate, key = authority.issue("localhost")
    (tmp_path / "server.pem").write_text(certificate + key)
    (tmp_path / "authority.pem").write_text(authority.pem())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    context.load_verify_locations(tmp_path / "authority.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    async with serving(context) as port:
        yield Vault(f"https://localhost:{port}")


@contextlib.asynccontextmanager
async def serving(context):
    app = web.Application()
    app.router.add_get("/resource", _who)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_certificate_and_key_from_a_secret(authority, vault):
    certificate, key = authority.issue("worker-7")
    async with performing(SHOP={"certificate": certificate, "key": key}) as performer:
        assert await performer.perform(call(vault, {"certificate": {"use": "SHOP"}})) == {"commonName": "worker-7"}


async def test_both_in_one_text(authority, vault):
    async with performing(SHOP="\n".join(authority.issue("worker-8"))) as performer:
        assert await performer.perform(call(vault, {"certificate": {"use": "SHOP"}})) == {"commonName": "worker-8"}


async def test_a_key_with_a_password(authority, vault):
    certificate, key = authority.issue("worker-9", b"open-sesame")
    secret = {"certificate": certificate, "key": key, "password": "open-sesame"}
    async with performing(SHOP=secret) as performer:
        assert await performer.perform(call(vault, {"certificate": {"use": "SHOP"}})) == {"commonName": "worker-9"}
    for password in ("wrong-sesame", ""):
        async with performing(SHOP={**secret, "password": password}) as performer:
            name, _, detail = await failure(performer, call(vault, {"certificate": {"use": "SHOP"}}))
            assert name == "configuration" and "password" in detail and "sesame" not in detail


async def test_calls_do_not_share_connections_with_other_certificates(authority, vault):
    async with performing(SHOP="\n".join(authority.issue("worker-1"))) as performer:
        certificate, key = authority.issue("worker-2")
        other = {"certificate": {"certificate": certificate, "key": key}}
        for _ in range(2):
            for policy, name in (({"certificate": {"use": "SHOP"}}, "worker-1"), (other, "worker-2")):
                assert await performer.perform(call(vault, policy)) == {"commonName": name}
        error, _, _ = await failure(performer, call(vault, None))
        assert error == "communication"


async def test_a_certificate_of_a_stranger(vault):
    async with performing(SHOP="\n".join(Authority().issue("worker-1"))) as performer:
        name, _, _ = await failure(performer, call(vault, {"certificate": {"use": "SHOP"}}))
        assert name == "communication"


@pytest.mark.parametrize("secret", ["no certificate", {"key": "x"}, {"certificate": 5}, ""])
async def test_no_certificate(vault, secret):
    async with performing(SHOP=secret) as performer:
        name, _, detail = await failure(performer, call(vault, {"certificate": {"use": "SHOP"}}))
        assert name == "configuration" and "ertificate" in detail
