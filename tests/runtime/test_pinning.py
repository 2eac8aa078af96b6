"""What definitions need from outside their documents: found at registration, pinned, found later."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import yaml
from aiohttp import web

from perdure.runtime import pinning, programs
from perdure.runtime.step import Stepper
from runtime.conftest import WHO, Platform, open_platform

CONFIGURATION = "https://serverlessworkflow.io/spec/1.0.0/errors/configuration"


@dataclass
class Shelf:
    """A server of documents, by path; credentials are asked for below /private."""

    url: str = ""
    documents: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path.startswith("/private") and request.headers.get("Authorization") != "Bearer open-sesame-77":
            return web.Response(status=401)
        if request.path not in self.documents:
            return web.Response(status=404)
        return web.Response(text=self.documents[request.path], content_type="text/plain")

    def put(self, path: str, document: object) -> None:
        self.documents[path] = document if isinstance(document, str) else yaml.safe_dump(document)


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    made = Shelf()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def source(name: str, do: list[object], **top: object) -> bytes:
    document = {"dsl": "1.0.3", "namespace": "test", "name": name, "version": "1.0.0"}
    return yaml.safe_dump({"document": document, **top, "do": do}, sort_keys=False).encode()


async def register(
    platform: Platform, name: str, do: list[object], *, dry_run: bool = False, **top: object
) -> list[str]:
    """Answers the warnings."""
    text = source(name, do, **top)
    done = await platform.service.register_definition(WHO, text, "application/yaml", dry_run=dry_run)
    return [warning.detail for warning in done.warnings]


GREET = {
    "input": {"schema": {"document": {"type": "object", "required": ["name"]}}},
    "set": {"text": '${ "Hello, " + .name }'},
}


async def test_a_catalogued_function_is_pinned_with_the_definition(platform: Platform, shelf: Shelf) -> None:
    shelf.put("/root/functions/greet/1.2.0/function.yaml", GREET)
    catalogs = {"ours": {"endpoint": {"uri": f"{shelf.url}/root/"}}}
    do = [{"say": {"call": "greet:1.2.0@ours", "with": {"name": "Ann"}}}]
    assert await register(platform, "pinned", do, use={"catalogs": catalogs}) == []
    shelf.documents.clear()
    ended = await platform.ended(await platform.start("pinned"))
    assert ended.output == {"text": "Hello, Ann"}
    assert shelf.asked == ["/root/functions/greet/1.2.0/function.yaml"]
    assert await register(platform, "pinned", do, use={"catalogs": catalogs}) == []
    assert len(shelf.asked) == 1
    async with open_platform(platform.dsn) as other:  # nothing kept in memory
        assert (await other.ended(await other.start("pinned"))).output == {"text": "Hello, Ann"}


async def test_functions_at_uris_may_call_further_ones(platform: Platform, shelf: Shelf) -> None:
    shelf.put("/greet/function.yaml", {"do": [{"inner": {"call": f"{shelf.url}/deep.json", "with": {"n": "${ .n }"}}}]})
    shelf.put("/deep.json", '{"set": {"doubled": "${ .n * 2 }"}}')
    do = [{"say": {"call": f"{shelf.url}/greet", "with": {"n": 4}}}]
    assert await register(platform, "transitive", do) == []
    assert (await platform.ended(await platform.start("transitive"))).output == {"doubled": 8}


async def test_credentials_of_a_catalog_come_from_secrets(
    database: str, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERDURE_SECRET_SHELF", "open-sesame-77")
    shelf.put("/private/functions/f/1.0.0/function.yaml", {"set": {"in": True}})
    use = {
        "secrets": ["SHELF"],
        "authentications": {"key": {"bearer": {"use": "SHELF"}}},
        "catalogs": {"c": {"endpoint": {"uri": f"{shelf.url}/private", "authentication": {"use": "key"}}}},
    }
    async with open_platform(database) as platform:
        assert await register(platform, "private", [{"t": {"call": "f:1.0.0@c"}}], use=use) == []
        assert (await platform.ended(await platform.start("private"))).output == {"in": True}
        (warning,) = await register(
            platform,
            "locked",
            [{"t": {"call": "f:1.0.0@c"}}],
            use={"catalogs": {"c": {"endpoint": f"{shelf.url}/private"}}},
        )
        assert "401" in warning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "404"),
        ("- [", "neither YAML nor JSON"),
        ("set: {a: 1}\nx: 1", '/x: unknown property "x"'),
        ("set: {a: '${ 1 + }'}", "/set/a: "),
        ("call: helper", "expected one of"),
        ("set: {a: 1}\ninput: {from: $secrets}", "uses $secrets"),
        (
            "call: http\nwith: {method: get, endpoint: {uri: 'http://a.example', authentication: {bearer: {use: S}}}}",
            "use.secrets lists",
        ),
        ("call: f:1.0.0@nowhere", 'expected one of the catalogs "default", found "nowhere"'),
    ],
)
async def test_what_can_not_be_used_is_a_warning_and_a_configuration_error(
    platform: Platform, shelf: Shelf, text: str | None, words: str
) -> None:
    if text is not None:
        shelf.put("/f.yaml", text)
    use = {"secrets": ["S"], "functions": {"helper": {"set": {"a": 1}}}}
    do = [{"t": {"call": f"{shelf.url}/f.yaml"}}]
    warnings = await register(platform, "broken", do, use=use)
    assert len(warnings) == 1 and words in warnings[0], warnings
    ended = await platform.ended(await platform.start("broken"))
    assert ended.error is not None
    assert ended.error.type == CONFIGURATION
    assert ended.error.instance is not None and ended.error.instance.startswith(("/do/0/t", "/use/functions/"))
    # Mended, and registered again: the faulted process can go on.
    shelf.put("/f.yaml", "set: {a: 2}")
    assert await register(platform, "broken", do, use=use) == []
    await platform.service.command(WHO, ended.id, "retry", None)
    assert (await platform.ended(ended)).output == {"a": 2}


async def test_registering_again_looks_for_what_was_missing_and_a_retry_finds_it(
    platform: Platform, shelf: Shelf
) -> None:
    do = [{"t": {"call": f"{shelf.url}/f.yaml"}}]
    assert len(await register(platform, "late", do)) == 1
    process = await platform.ended(await platform.start("late"))
    shelf.put("/f.yaml", "set: {a: 2}")
    assert await register(platform, "late", do) == []
    await platform.service.command(WHO, process.id, "retry", None)
    assert (await platform.ended(process)).output == {"a": 2}


async def test_a_dry_run_looks_too_and_keeps_nothing(platform: Platform, shelf: Shelf) -> None:
    do = [{"t": {"call": f"{shelf.url}/f.yaml"}}]
    assert len(await register(platform, "dry", do, dry_run=True)) == 1
    shelf.put("/f.yaml", "set: {a: 2}")
    assert await register(platform, "dry", do, dry_run=True) == []
    assert (await platform.service.list_definitions(WHO, limit=5, cursor=None)).items == []


async def test_an_external_schema_is_pinned(platform: Platform, shelf: Shelf) -> None:
    shelf.put("/order.json", '{"type": "object", "required": ["id"]}')
    schema = {"schema": {"resource": {"endpoint": {"uri": f"{shelf.url}/order.json"}}}}
    assert await register(platform, "schema", [{"t": {"set": {"a": 1}}}], input=schema) == []
    shelf.documents.clear()
    assert (await platform.ended(await platform.start("schema", {"id": 1}))).output == {"a": 1}
    ended = await platform.ended(await platform.start("schema", {}))
    assert ended.error is not None and ended.error.type.endswith("/validation")
    for name, text in (("no-schema", "type: strange"), ("no-document", None)):
        if text:
            shelf.put("/order.json", text)
        else:
            shelf.documents.clear()
        (warning,) = await register(platform, name, [{"t": {"set": {"a": 1}}}], input=schema)
        assert "order.json" in warning
        ended = await platform.ended(await platform.start(name, {"id": 1}))
        assert ended.error is not None and ended.error.type == CONFIGURATION


async def test_what_schemas_refer_to_is_pinned_too(platform: Platform, shelf: Shelf) -> None:
    shelf.put("/types/order.json", '{"type": "object", "properties": {"line": {"$ref": "line.json#/$defs/line"}}}')
    shelf.put(
        "/types/line.json",
        '{"$defs": {"line": {"required": ["sku"], "properties": {"sku": {"$ref": "#/$defs/sku"}}}, '
        '"sku": {"type": "string"}}}',
    )
    inline = {"schema": {"document": {"properties": {"order": {"$ref": f"{shelf.url}/types/order.json"}}}}}
    external = {"schema": {"resource": {"endpoint": f"{shelf.url}/types/order.json"}}}
    do = [{"t": {"set": {"a": 1}}}]
    assert await register(platform, "inline", do, input=inline) == []
    assert await register(platform, "external", do, input=external) == []
    shelf.documents.clear()
    for name, wrap in (("inline", lambda order: {"order": order}), ("external", lambda order: order)):
        assert (await platform.ended(await platform.start(name, wrap({"line": {"sku": "mug"}})))).status == "completed"
        ended = await platform.ended(await platform.start(name, wrap({"line": {"sku": 5}})))
        assert ended.error is not None and ended.error.type.endswith("/validation"), name
    (warning,) = await register(platform, "inline-missing", do, input=inline)
    assert f'the schema at "{shelf.url}/types/order.json" is not available' in warning
    ended = await platform.ended(await platform.start("inline-missing", {}))
    assert ended.error is not None and ended.error.type == CONFIGURATION
    assert "order.json" in (ended.error.detail or "")


async def test_addresses_behind_the_guard_are_not_reached(database: str, shelf: Shelf) -> None:
    shelf.put("/f.yaml", "set: {a: 2}")
    async with open_platform(database, egress_allow="") as platform:
        (warning,) = await register(platform, "guarded", [{"t": {"call": f"{shelf.url}/f.yaml"}}])
        assert "PERDURE_EGRESS_ALLOW" in warning
        assert shelf.asked == []


async def test_a_catalog_named_default_hides_the_platform_s(platform: Platform, shelf: Shelf) -> None:
    shelf.put("/functions/human-task/1.0.0/function.yaml", "set: {outcome: automatic}")
    use = {"catalogs": {"default": {"endpoint": shelf.url}}}
    do = [{"t": {"call": "human-task:1.0.0@default", "with": {"anything": 1}}}]
    assert await register(platform, "hidden", do, use=use) == []
    assert (await platform.ended(await platform.start("hidden"))).output == {"outcome": "automatic"}


async def test_a_program_that_lacks_a_pinned_function_is_loaded_again(
    database: str, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "INCOMPLETE_SECONDS", 3600.0)
    do = [{"t": {"call": f"{shelf.url}/f.yaml"}}]
    async with open_platform(database, working=False) as early, open_platform(database, working=False) as late:
        await register(early, "stale", do)
        name = ("default", "test", "stale", "1.0.0")
        assert (await early.context.programs.get(name)).missing
        shelf.put("/f.yaml", "do: [pause: {wait: PT1H}]")
        assert await register(late, "stale", do) == []
        process = await late.start("stale")
        await Stepper(late.context).step_now(process.id)
        assert (await late.service.get_process(WHO, process.id)).status == "waiting"
        assert (await early.context.programs.get(name)).missing
        suspended = await early.service.command(WHO, process.id, "suspend", None)
        assert suspended.status == "suspended"
        assert not (await early.context.programs.get(name)).missing
        await early.service.command(WHO, process.id, "cancel", None)


async def test_two_registrations_at_once_pin_the_same(database: str, shelf: Shelf) -> None:
    for name in "abcdef":
        shelf.put(f"/{name}.yaml", f"set: {{at: {name}}}")
    do = [{name: {"call": f"{shelf.url}/{name}.yaml"}} for name in "abcdef"]
    async with open_platform(database, working=False) as one, open_platform(database, working=False) as two:
        await asyncio.gather(*(register(platform, "both", do) for platform in (one, two) for _ in range(3)))
        pins = await one.context.store.pins(("default", "test", "both", "1.0.0"))
    assert [pin.ordinal for pin in pins] == list(range(6))
    assert sorted(pin.key for pin in pins) == [f"{shelf.url}/{name}.yaml" for name in "abcdef"]


async def test_what_a_definition_may_need_is_bounded(platform: Platform, shelf: Shelf) -> None:
    for number in range(pinning.PINS_MAX + 5):
        shelf.put(f"/{number}.yaml", f"call: {shelf.url}/{number + 1}.yaml")
    warnings = await register(platform, "chain", [{"t": {"call": f"{shelf.url}/0.yaml"}}])
    assert len(warnings) == 1 and f"at most {pinning.PINS_MAX} things" in warnings[0]
    assert len(shelf.asked) == pinning.PINS_MAX
