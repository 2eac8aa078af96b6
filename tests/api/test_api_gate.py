"""Who gets in, what every answer bears, and what the log may not say."""

import json

import pytest
import structlog
from edge_platform import ID, KEY

from perdure.runtime.errors import NotFound

CLOSED = [
    ("GET", "/v1/processes"),
    ("POST", "/v1/processes"),
    ("GET", f"/v1/processes/{ID}/events"),
    ("POST", "/v1/events"),
    ("GET", "/v1/human-tasks"),
    ("POST", "/v1/definitions"),
    ("GET", "/metrics"),
    ("GET", "/nothing"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize(
    "authorization", [None, "Bearer nonsense", f"Basic {KEY}", "Bearer", f"Bearer {KEY}x", "Bearer " + "k" * 600]
)
async def test_without_a_valid_key_nothing_is_open(keyed, platform, method, path, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    async with keyed.request(method, path, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="perdure"')
        assert response.content_type == "application/problem+json"
    assert platform.calls == []


async def test_a_valid_key_acts_under_its_name(keyed, platform):
    body = {"definition": {"namespace": "a", "name": "b"}}
    headers = {"Authorization": f"bearer {KEY}"}
    async with keyed.post("/v1/processes", json=body, headers=headers) as response:
        assert response.status == 201
    assert platform.calls[0][1].name == "ops"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/docs"])
async def test_these_need_no_key(keyed, path):
    async with keyed.get(path) as response:
        assert response.status == 200


async def test_a_callbacks_token_is_its_key(keyed, platform):
    async with keyed.post("/v1/callbacks/t") as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8080"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_open_access_is_for_this_machine_only(edge, platform, headers):
    async with edge.post(f"/v1/processes/{ID}/cancel", headers=headers) as response:
        assert response.status == 403
    assert platform.calls == []


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080"])
async def test_open_access_by_any_name_of_this_machine(edge, host):
    async with edge.get("/v1/processes", headers={"Host": host, "Origin": f"http://{host}"}) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/processes", "/nothing", "/docs"])
async def test_every_answer_bears_security_headers(edge, path):
    async with edge.get(path) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert "Cache-Control" in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Server" not in response.headers


async def test_readiness_names_what_is_wrong(edge, platform):
    platform.checks = {"database": "ok", "broker": "can't reach amqp://user:pw@broker"}
    async with edge.get("/readyz") as response:
        assert response.status == 503
        assert await response.json() == {
            "status": "unavailable",
            "checks": {"database": "ok", "broker": "can't reach amqp://user:***@broker"},
        }


async def test_requests_are_counted_by_route_not_by_path(edge):
    (await edge.get(f"/v1/processes/{ID}")).release()
    async with edge.get("/metrics") as response:
        assert response.content_type == "text/plain"
        lines = (await response.text()).splitlines()
    wanted = 'perdure_http_requests_total{method="GET",route="/v1/processes/{id}",status="200"}'
    assert any(line.startswith(wanted) for line in lines)
    assert not any(str(ID) in line for line in lines)


async def test_the_access_log_is_structured_and_keeps_tokens_out(edge, platform, capsys):
    platform.error = NotFound("no")
    (await edge.post("/v1/callbacks/s3cret-token?x=s3cret-token", json={"a": "s3cret-token"})).release()
    (await edge.get("/v1/callback/s3cret-token")).release()
    (await edge.get(f"/v1/processes/{ID}", headers={"Authorization": "Bearer s3cret-token"})).release()
    text = capsys.readouterr().err
    assert "s3cret-token" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    said = [(line["route"], line["status"], line.get("process_id")) for line in lines if line["event"] == "request"]
    assert said == [
        ("/v1/callbacks/{token}", 422, None),
        ("unmatched", 404, None),
        ("/v1/processes/{id}", 404, str(ID)),
    ]


async def test_secrets_are_masked_wherever_they_come_from(capsys):
    log = structlog.get_logger("test")
    log.info("x", password="s3cret", api_key="s3cret", url="amqp://u:s3cret@h/", header="Bearer s3cret-key")
    try:
        raise OSError("postgresql://u:s3cret@db refused; POST /v1/callbacks/s3cret")
    except OSError:
        log.exception("failed")
    text = capsys.readouterr().err
    assert "s3cret" not in text
    assert "refused" in text
