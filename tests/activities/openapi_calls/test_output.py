"""What comes back: output modes, redirections, and what is asked for."""

import base64
import json

import pytest
from aiohttp import web
from calling import failure

from .service import call, openapi, swagger


async def test_output_modes_and_redirections(service, performer):
    endpoint = service.put(openapi({}))
    raw = await performer.perform(call(endpoint, output="raw"))
    assert json.loads(base64.b64decode(raw))["uri"] == "/api/things"
    response = await performer.perform(call(endpoint, output="response"))
    assert response["statusCode"] == 200 and response["request"]["method"] == "get"
    assert response["content"]["uri"] == "/api/things"

    service.answer = web.Response(status=302, headers={"Location": "/openapi.yaml"})
    assert (await failure(performer, call(endpoint)))[:2] == ("communication", 302)
    service.answer = web.Response(status=302, headers={"Location": "/openapi.yaml"})
    assert "openapi" in await performer.perform(call(endpoint, redirect=True))
    service.answer = web.Response(status=503)
    assert (await failure(performer, call(endpoint)))[:2] == ("communication", 503)


@pytest.mark.parametrize(
    "offers, accept", [(["application/xml", "application/json"], "application/json, */*;q=0.8"), (["text/xml"], "*/*")]
)
async def test_json_is_asked_for_where_it_is_offered(service, performer, offers, accept):
    responses = {"200": {"description": "ok", "content": {name: {} for name in offers}}}
    endpoint = service.put(openapi({"responses": responses}))
    assert (await performer.perform(call(endpoint)))["headers"]["Accept"] == accept
    endpoint = service.put(swagger({"produces": offers}), "/2.yaml")
    assert (await performer.perform(call(endpoint)))["headers"]["Accept"] == accept
