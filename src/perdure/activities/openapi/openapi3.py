"""Operations of OpenAPI 3.0 and 3.1."""

from perdure.activities.http_request import misconfigured
from perdure.activities.openapi.model import (
    MISSING,
    Body,
    Content,
    Operation,
    Parameter,
    Property,
    Requirement,
    Scheme,
    Server,
    Style,
)
from perdure.activities.openapi.operations import Found, parameters_of
from perdure.activities.openapi.properties import is_binary, shape_of
from perdure.activities.references import Node, References
from perdure.codec import Json, text_of

_DEFAULT_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_STYLES = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Headers that a document may not declare ("Parameter Object", ``in: header``)."""


async def operation_of(found: Found, references: References) -> Operation:
    """Raises `CallFailed` (configuration)."""
    parameters = []
    for node in await parameters_of(found, references):
        if node.object["in"] == "header" and node.object["name"].lower() in _IGNORED_HEADERS:
            continue
        parameters.append(await _parameter(node, references))
    return Operation(
        id=found.id,
        method=found.method,
        path=found.path,
        server=_server(found),
        parameters=parameters,
        body=await _body(found, references),
        security=await _security(found, references),
        answers_json=await _answers_json(found, references),
    )


async def _parameter(node: Node, references: References) -> Parameter:
    said, place = node.object, node.object["in"]
    if place not in _STYLES:
        raise misconfigured(f"{node.document.uri}: the parameter {said['name']} is in {place!r}, which is unknown.")
    content = node.member("content").object
    name = said.get("style") or _DEFAULT_STYLES[place]
    if name not in _STYLES[place]:
        expected = ", ".join(_STYLES[place])
        detail = f"the parameter {said['name']} has the style {name!r}; one in {place} may have {expected}."
        raise misconfigured(f"{node.document.uri}: {detail}")
    schema = await references.follow(node.member("schema"))
    return Parameter(
        said["name"],
        place,
        place == "path" or said.get("required") is True,
        _style(said, name),
        next(iter(content), None),
        schema.object.get("default", MISSING),
    )


def _style(said: dict[str, Json], name: str) -> Style:
    explode = said.get("explode")
    return Style(name, explode if isinstance(explode, bool) else name == "form", said.get("allowReserved") is True)


async def _body(found: Found, references: References) -> Body | None:
    node = await references.follow(found.operation.member("requestBody"))
    if not node.object:
        return None
    contents = [
        await _content(media_type, entry, references) for media_type, entry in node.member("content").members().items()
    ]
    return Body(contents, node.object.get("required") is True)


async def _content(media_type: str, node: Node, references: References) -> Content:
    shape = await shape_of(node.member("schema"), references)
    encodings = node.member("encoding").members()
    properties = {}
    for name, schema in shape.properties.items():
        encoding = await references.follow(encodings[name]) if name in encodings else None
        properties[name] = await _property(schema, encoding, references)
    return Content(media_type, properties, shape.closed)


async def _property(schema: Node, encoding: Node | None, references: References) -> Property:
    said = encoding.object if encoding is not None else {}
    media_type = said.get("contentType")
    styled = any(name in said for name in ("style", "explode", "allowReserved"))
    return Property(
        await is_binary(schema, references),
        media_type.partition(",")[0].strip() if isinstance(media_type, str) else None,
        _style(said, str(said.get("style") or "form")) if styled else None,
    )


def _server(found: Found) -> Server:
    """The first server of the operation, of its path, or of the document; else where the document came from."""
    for holder in (found.operation, found.item, found.root):
        servers = holder.member("servers").items()
        if servers:
            server = servers[0]
            uri = server.object.get("url")
            if not isinstance(uri, str):
                raise misconfigured(f"{found.root.document.uri}: a server has no url.")
            variables = server.member("variables").members()
            return Server(
                uri,
                {name: text_of(variable.object.get("default", "")) for name, variable in variables.items()},
                {name: [text_of(one.value) for one in node.member("enum").items()] for name, node in variables.items()},
            )
    return Server("/")


async def _security(found: Found, references: References) -> list[Requirement]:
    asked = found.operation if "security" in found.operation.object else found.root
    declared = found.root.member("components").member("securitySchemes").members()
    requirements: list[Requirement] = []
    for requirement in asked.member("security").items():
        schemes = []
        for name in requirement.object:
            node = await references.follow(declared[name]) if name in declared else Node(None, found.root.document)
            schemes.append(_scheme(node.object))
        requirements.append(schemes)
    return requirements


def _scheme(said: dict[str, Json]) -> Scheme:
    kind = str(said.get("type"))
    if kind == "http":
        return Scheme(str(said.get("scheme")).lower())
    return Scheme(kind, str(said.get("in", "")), str(said.get("name", "")))


async def _answers_json(found: Found, references: References) -> bool:
    for node in found.operation.member("responses").members().values():
        response = await references.follow(node)
        if any("json" in str(media_type) for media_type in response.member("content").object):
            return True
    return False
