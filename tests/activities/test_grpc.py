"""The gRPC performer against a real server on this machine."""

import asyncio
import contextlib
import datetime
import ipaddress
import sys
from dataclasses import replace

import grpc
import pytest
from calling import ACTIVITY, PROCESS, made, traced
from calling import titled_failure as failure
from oauth_provider import CLIENT, SECRET
from oauth_provider import provider as providing

from perdure.activities.grpc import GrpcPerformer
from perdure.activities.outside import Outside
from perdure.secrets import Secrets
from perdure.settings import Settings
from servers.certificates import issue
from servers.grpc_shop import grpc_server, grpc_shop
from servers.server import free_port

SECRETS = Secrets({"PERDURE_SECRET_TOKEN": "tok-1234567890"})


@pytest.fixture
async def shop():
    async with grpc_shop() as shop:
        yield shop


@contextlib.asynccontextmanager
async def performing(**changes):
    settings = {"egress_allow": "127.0.0.0/8,::1", "call_timeout_seconds": 20, **changes}
    outside = Outside(Settings(_env_file=None, **settings), SECRETS)
    performer = GrpcPerformer(outside)
    await outside.start()
    try:
        yield performer
    finally:
        await performer.stop()
        await outside.stop()


@pytest.fixture
async def performer():
    async with performing() as performer:
        yield performer


def call(shop, method, arguments=None, **changes):
    service = {"name": "shop.v1.Orders", "host": "127.0.0.1", "port": shop.port, **changes.pop("service", {})}
    request = {
        "proto": {"endpoint": f"{shop.protos}/shop/v1/orders.proto"},
        "service": service,
        "method": method,
        "arguments": arguments or {},
        **changes,
    }
    return made("grpc", request, "TOKEN")


async def test_a_unary_call_takes_and_gives_the_json_form_of_messages(shop, performer):
    arguments = {
        "orderId": "o-1",
        "quantity": 9007199254740993,
        "tags": ["a", "b"],
        "total": {"currency": "EUR", "minor_units": 1250},
        "state": "PAID",
        "placed_at": "2026-01-02T03:04:05Z",
        "details": {"a": [1, None, {"b": True}]},
        "note": "careful",
        "extra": {"@type": "type.googleapis.com/shop.v1.Money", "currency": "USD"},
        "patience": "1.500s",
        "seal": "AAH/",
        "stock": {"x": 3},
    }
    output = await performer.perform(call(shop, "Place", arguments))
    assert output == {
        "orderId": "o-1",
        "quantity": "9007199254740993",
        "tags": ["a", "b"],
        "total": {"currency": "EUR", "minorUnits": "1250"},
        "state": "PAID",
        "placedAt": "2026-01-02T03:04:05Z",
        "details": {"a": [1, None, {"b": True}]},
        "note": "careful",
        "extra": {"@type": "type.googleapis.com/shop.v1.Money", "currency": "USD", "minorUnits": "0"},
        "patience": "1.500s",
        "seal": "AAH/",
        "stock": {"x": 3},
        "gift": False,
    }
    assert shop.placed[0].total.minor_units == 1250
    assert shop.placed[0].seal == b"\x00\x01\xff"


async def test_defaults_are_there_and_null_is_nothing(shop, performer):
    output = await performer.perform(call(shop, "Place", {"order_id": None}))
    assert output == {
        "orderId": "", "quantity": "0", "tags": [], "state": "STATE_UNKNOWN", "seal": "", "stock": {}, "gift": False,
    }  # fmt: skip


async def test_the_service_is_found_without_its_package(shop, performer):
    output = await performer.perform(call(shop, "Metadata", service={"name": "Orders"}))
    assert output["metadata"]["idempotency-key"] == f"{PROCESS}/{ACTIVITY}"
    assert output["metadata"]["traceparent"].startswith(f"00-{PROCESS.hex}-")
    assert output["metadata"]["user-agent"].startswith("perdure ")
    assert "authorization" not in output["metadata"]


async def test_authentication_is_metadata_and_is_removed_where_it_is_echoed(shop, performer):
    service = {"authentication": {"bearer": {"use": "TOKEN"}}}
    output = await performer.perform(call(shop, "Metadata", service=service))
    assert shop.metadata[0]["authorization"] == "Bearer tok-1234567890"
    assert output["metadata"]["authorization"] == "Bearer ***"
    kind, status, _, detail = await failure(
        performer, call(shop, "Fail", {"code": "UNAUTHENTICATED", "message": "no tok-1234567890"}, service=service)
    )
    assert (kind, status) == ("authentication", 401)
    assert detail.endswith("was answered with UNAUTHENTICATED: no ***")


async def test_a_token_that_the_server_refuses_is_renewed_once(shop, performer):
    async with providing() as provider:
        provider.opaque = True
        client = {"id": CLIENT, "secret": SECRET}
        policy = {"oauth2": {"authority": provider.base, "grant": "client_credentials", "client": client}}
        asked = call(shop, "Metadata", service={"authentication": policy})
        for number in (1, 2):
            shop.admits = {f"Bearer opaque-token-{number}"}
            output = await performer.perform(asked)
            assert output["metadata"]["authorization"] == "Bearer ***"
        shop.admits = {}
        kind, status, title, detail = await failure(performer, asked)
    assert (kind, status, title) == ("authentication", 401, "UNAUTHENTICATED")
    assert detail.endswith("not Bearer ***")
    assert [found["authorization"] for found in shop.metadata] == [
        f"Bearer opaque-token-{number}" for number in (1, 1, 2, 2, 3)
    ]


async def test_authentication_that_needs_more_than_metadata_is_told(shop, performer, tmp_path):
    issue(tmp_path, "localhost")
    pem = (tmp_path / "certificate.pem").read_text() + (tmp_path / "key.pem").read_text()
    login = {"username": "ann", "password": "pass-word-1"}
    for scheme, policy in (("digest", login), ("certificate", {"certificate": pem})):
        service = {"authentication": {scheme: policy}}
        kind, _, _, detail = await failure(performer, call(shop, "Metadata", service=service))
        assert (kind, f"can't use {scheme} authentication" in detail) == ("configuration", True)
    assert shop.metadata == []


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("CANCELLED", "communication", 499),
        ("UNKNOWN", "communication", 500),
        ("INVALID_ARGUMENT", "communication", 400),
        ("DEADLINE_EXCEEDED", "timeout", 408),
        ("NOT_FOUND", "communication", 404),
        ("ALREADY_EXISTS", "communication", 409),
        ("PERMISSION_DENIED", "authorization", 403),
        ("RESOURCE_EXHAUSTED", "communication", 429),
        ("FAILED_PRECONDITION", "communication", 400),
        ("ABORTED", "communication", 409),
        ("OUT_OF_RANGE", "communication", 400),
        ("UNIMPLEMENTED", "communication", 501),
        ("INTERNAL", "communication", 500),
        ("UNAVAILABLE", "communication", 503),
        ("DATA_LOSS", "communication", 500),
        ("UNAUTHENTICATED", "authentication", 401),
    ],
)
async def test_each_status_is_an_error_of_the_dsl(shop, performer, code, kind, status):
    found = await failure(performer, call(shop, "Fail", {"code": code, "message": "because\nof this"}))
    assert found[:3] == (kind, status, code)
    assert found[3].startswith(f"shop.v1.Orders/Fail at 127.0.0.1:{shop.port} was answered with {code}: ")
    assert "because of this" in found[3] or code == "DEADLINE_EXCEEDED"


async def test_the_trace_tells_who_answered_and_with_which_code(shop, performer):
    by = f"127.0.0.1:{shop.port}"
    with traced() as trace:
        await performer.perform(call(shop, "Place"))
    assert (trace.by, trace.status) == (by, 0)
    assert trace.sent is not None
    with traced() as trace:
        await failure(performer, call(shop, "Fail", {"code": "NOT_FOUND"}))
    assert (trace.by, trace.status) == (by, 5)


async def test_the_trace_tells_of_no_answer_where_there_may_have_been_none(shop, performer):
    """Least of all that of the server of the proto file, which has answered."""
    with traced() as trace:
        await failure(performer, call(shop, "Nothing"))
    assert trace.sent is None and trace.by is None, "nothing was sent but for the proto file"
    for asked in (call(shop, "Fail", {"code": "UNAVAILABLE"}), call(shop, "Place", service={"port": free_port()})):
        with traced() as trace:
            assert (await failure(performer, asked))[:2] == ("communication", 503)
        assert (trace.by, trace.status) == (None, None)
        assert trace.sent is not None


async def test_a_stream_of_responses_is_an_array_in_order(shop, performer):
    output = await performer.perform(call(shop, "Watch", {"count": 3}))
    assert [answer["number"] for answer in output] == [0, 1, 2]
    assert await performer.perform(call(shop, "Watch", {})) == []
    long = await performer.perform(call(shop, "Watch", {"count": 3, "size": 100_000}))
    assert [(answer["number"], len(answer["text"])) for answer in long] == [(0, 100_000), (1, 100_000), (2, 100_000)]


async def test_a_stream_that_fails_midway_fails(shop, performer):
    found = await failure(performer, call(shop, "Watch", {"count": 2, "code": "ABORTED", "message": "gone"}))
    assert found[:3] == ("communication", 409, "ABORTED")


async def test_a_stream_of_requests_is_one_request(shop, performer):
    assert (await performer.perform(call(shop, "Collect", {"message": "hello"})))["number"] == 1
    output = await performer.perform(call(shop, "Chat", {"message": "hello", "count": 2}))
    assert [(answer["number"], answer["text"]) for answer in output] == [(0, "hello"), (1, "hello")]


@pytest.mark.parametrize(("count", "size"), [(1, 20_000), (40, 500)])
async def test_responses_are_bounded(shop, count, size):
    async with performing(response_body_bytes_max=10_000) as performer:
        kind, status, _, detail = await failure(performer, call(shop, "Watch", {"count": count, "size": size}))
    assert (kind, status) == ("communication", 500)
    assert "10000 bytes (PERDURE_RESPONSE_BODY_BYTES_MAX)" in detail


async def test_a_server_that_does_not_answer_is_given_up(shop):
    async with performing(call_timeout_seconds=1) as performer:
        kind, status, title, detail = await failure(performer, call(shop, "Hang"))
    assert (kind, status, title) == ("timeout", 408, "DEADLINE_EXCEEDED")
    assert "1 seconds (PERDURE_CALL_TIMEOUT_SECONDS)" in detail


async def test_a_required_field_of_proto2_is_required(shop, performer):
    proto = {"endpoint": f"{shop.protos}/legacy.proto"}
    service = {"name": "Greeter"}
    greeting = await performer.perform(call(shop, "Greet", {"name": "Ada"}, proto=proto, service=service))
    assert greeting == {"message": "Hello AdaHello Ada"}
    found = await failure(performer, call(shop, "Greet", {"times": 1}, proto=proto, service=service))
    assert found[:2] == ("configuration", 400)
    assert found[3] == "`arguments` lack what GreetRequest requires: name."


@pytest.mark.parametrize(
    ("method", "arguments", "changes", "words"),
    [
        ("Place", {"orderNumber": 1}, {}, 'no field named "orderNumber"'),
        ("Place", {"total": {"cents": 1}}, {}, 'no field named "cents"'),
        ("Place", {"quantity": "many"}, {}, "quantity"),
        ("Place", {"state": "LOST"}, {}, "LOST"),
        ("Ship", {}, {}, "has no method 'Ship'; it has Chat, Collect, Fail"),
        ("Place", {}, {"service": {"name": "Stock"}}, "has no service 'Stock'; it has shop.v1.Orders."),
        ("Place", {}, {"proto": {"endpoint": "ftp://a/b.proto"}}, "http or https URI"),
    ],
)
async def test_what_does_not_fit_the_proto_file_is_named(shop, performer, method, arguments, changes, words):
    kind, status, _, detail = await failure(performer, call(shop, method, arguments, **changes))
    assert (kind, status) == ("configuration", 400)
    assert words in detail
    assert shop.placed == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("syntax = 'proto3'; mesage A {}", "own.proto:1"),
        ('syntax = "proto3"; import "../up.proto";', "expected a path such as"),
        ('syntax = "proto3"; import "/etc/passwd";', "expected a path such as"),
        ('syntax = "proto3"; import "https://a.example/x.proto";', "expected a path such as"),
        ('syntax = "proto3"; import "absent.proto";', "'absent.proto', which can't be fetched"),
        ('syntax = "proto3"; import "loop.proto";', "own.proto is no valid proto file"),
    ],
)
async def test_a_bad_proto_file_is_named(shop, performer, text, words):
    shop.files = {"own.proto": text, "loop.proto": 'syntax = "proto3"; import "own.proto";'}
    found = await failure(performer, call(shop, "Place", proto={"endpoint": f"{shop.protos}/own.proto"}))
    assert found[:2] == ("configuration", 400)
    assert words in found[3]


async def test_a_redirection_of_the_proto_file_takes_no_credentials_along(shop, performer):
    written = shop.protos.replace("127.0.0.1", "localhost")
    shop.moved = {"old.proto": f"{shop.protos}/shop/v1/orders.proto"}
    endpoint = {"uri": f"{written}/old.proto", "authentication": {"bearer": {"use": "TOKEN"}}}
    await performer.perform(call(shop, "Watch", {"count": 1}, proto={"endpoint": endpoint}))
    assert len(shop.shown) > 2  # it imports others
    assert shop.shown == ["Bearer tok-1234567890"] + [None] * (len(shop.shown) - 1)


async def test_imports_get_the_credentials_of_their_file(shop, performer):
    endpoint = {"uri": f"{shop.protos}/shop/v1/orders.proto", "authentication": {"bearer": {"use": "TOKEN"}}}
    await performer.perform(call(shop, "Watch", {"count": 1}, proto={"endpoint": endpoint}))
    assert set(shop.shown) == {"Bearer tok-1234567890"}


async def test_imports_have_a_bound(shop, performer):
    shop.files = {f"n{n}.proto": f'syntax = "proto3"; import "n{n + 1}.proto";' for n in range(150)}
    found = await failure(performer, call(shop, "Place", proto={"endpoint": f"{shop.protos}/n0.proto"}))
    assert "imports more than 100 files" in found[3]


async def test_a_proto_file_is_fetched_and_compiled_once_for_many_calls(shop, performer, monkeypatch):
    await performer.perform(call(shop, "Watch", {"count": 1}))
    assert shop.fetched.count("/protos/shop/v1/orders.proto") == 1
    shop.fetched.clear()
    await asyncio.gather(*(performer.perform(call(shop, "Watch", {"count": 1})) for _ in range(20)))
    assert shop.fetched == []
    monkeypatch.setattr(sys, "executable", "/absent")  # what compiles
    await performer.perform(call(shop, "Watch", {"count": 1}))


async def test_the_network_is_guarded(shop):
    async with performing(egress_allow="127.0.0.1") as performer:
        await performer.perform(call(shop, "Metadata"))
        for host in ("127.0.0.2", "0.0.0.0", "169.254.169.254"):
            kind, status, _, detail = await failure(performer, call(shop, "Metadata", service={"host": host}))
            assert (kind, status) == ("authorization", 403)
            assert "PERDURE_EGRESS_ALLOW" in detail


async def test_what_can_not_be_reached_is_a_communication_error(shop, performer):
    kind, status, title, detail = await failure(performer, call(shop, "Metadata", service={"port": free_port()}))
    assert (kind, status, title) == ("communication", 503, "UNAVAILABLE")
    found = await failure(performer, call(shop, "Metadata", service={"host": "absent.invalid"}))
    assert found[0] == "communication"
    assert "the name absent.invalid can't be resolved" in found[3]


async def test_a_server_that_comes_back_is_called_again(shop, performer):
    port = free_port()
    there = call(shop, "Collect", {"message": "x"}, service={"host": "localhost", "port": port})
    async with grpc_server(shop, port=port):
        await performer.perform(there)
    assert (await failure(performer, there))[2] == "UNAVAILABLE"
    async with grpc_server(shop, port=port):
        assert (await performer.perform(there))["number"] == 1


async def test_a_cancelled_call_is_dropped_at_the_server(shop, performer):
    task = asyncio.create_task(performer.perform(call(shop, "Hang")))
    await performer.perform(call(shop, "Metadata"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await performer.perform(call(shop, "Collect", {"message": "x"})))["number"] == 1


def certificate(path, *, host):
    """A certificate that signs itself, as PEM, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    try:
        alternative = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return grpc.ssl_server_credentials([(secret, pem)])


async def test_tls_is_used_where_the_server_speaks_it(performer, tmp_path, monkeypatch):
    credentials = certificate(tmp_path / "ca.pem", host="localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with grpc_shop(credentials) as shop:
        output = await performer.perform(call(shop, "Metadata", service={"host": "localhost"}))
        assert output["text"] == "ssl"
        found = await failure(performer, call(shop, "Metadata"))  # 127.0.0.1 is not in the certificate
        assert found[:3] == ("communication", 503, "UNAVAILABLE")
        monkeypatch.delenv("SSL_CERT_FILE")
        async with performing() as stranger:
            found = await failure(stranger, call(shop, "Metadata", service={"host": "localhost"}))
        assert found[:3] == ("communication", 503, "UNAVAILABLE")
        assert "certificate" in found[3]


async def test_without_leave_nothing_goes_in_plain_text(shop):
    async with performing(grpc_plaintext="10.0.0.0/8") as performer:
        found = await failure(performer, call(shop, "Metadata"))
    assert found[:3] == ("communication", 503, "UNAVAILABLE")
    assert "PERDURE_GRPC_PLAINTEXT" in found[3]
    assert shop.metadata == []


async def test_a_setting_that_can_not_be_understood_is_named():
    with pytest.raises(ValueError, match="PERDURE_GRPC_PLAINTEXT"):
        async with performing(grpc_plaintext="everything"):
            pass


async def test_the_port_may_be_left_out_but_not_wrong(shop, performer):
    wrong = replace(call(shop, "Metadata"), request={**call(shop, "Metadata").request})
    wrong.request["service"] = {"name": "Orders", "host": "127.0.0.1", "port": 0}
    assert "1 to 65535" in (await failure(performer, wrong))[3]
    del wrong.request["service"]["port"]
    found = await failure(performer, wrong)
    assert found[2] == "UNAVAILABLE"
    assert "127.0.0.1:443" in found[3]


async def test_without_the_extra_calls_say_what_to_install(shop, performer, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("perdure.activities.grpc_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "grpc", None)
    kind, status, _, detail = await failure(performer, call(shop, "Metadata"))
    assert (kind, status) == ("configuration", 400)
    assert "pip install 'perdure[grpc]'" in detail
