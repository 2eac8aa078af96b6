"""Operations of Swagger 2.0, told in the terms of OpenAPI 3."""

from yarl import URL

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
from perdure.activities.openapi.properties import shape_of
from perdure.activities.references import Node, References

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_COLLECTIONS = {"ssv": "spaceDelimited", "tsv": "tabDelimited", "pipes": "pipeDelimited"}


async def operation_of(found: Found, references: References) -> Operation:
    """Raises `CallFailed` (configuration)."""
    nodes = await parameters_of(found, references)
    by_place: dict[str, list[Node]] = {}
    for node in nodes:
        by_place.setdefault(node.object["in"], []).append(node)
    if by_place.keys() - {"path", "query", "header", "body", "formData"}:
        raise misconfigured(f"{found.root.document.uri}: {found.id} has parameters in unknown places.")
    consumes, produces = _media_types(found, "consumes"), _media_types(found, "produces")
    return Operation(
        id=found.id,
        method=found.method,
        path=found.path,
        server=_server(found),
        parameters=[_parameter(node) for place in ("path", "query", "header") for node in by_place.get(place, [])],
        body=await _body(by_place.get("body", []), by_place.get("formData", []), consumes, references),
        security=_security(found),
        answers_json=any("json" in media_type for media_type in produces),
    )


def _media_types(found: Found, name: str) -> list[str]:
    holder = found.operation if name in found.operation.object else found.root
    return [str(item.value) for item in holder.member(name).items()]


def _parameter(node: Node) -> Parameter:
    said, place = node.object, node.object["in"]
    required = place == "path" or said.get("required") is True
    return Parameter(said["name"], place, required, _style(node), default=said.get("default", MISSING))


def _style(node: Node) -> Style:
    collection = str(node.object.get("collectionFormat") or "csv")
    in_form = node.object["in"] in ("query", "formData")
    if collection == "multi":
        return Style("form", explode=True)
    return Style(_COLLECTIONS.get(collection, "form" if in_form else "simple"))


async def _body(body: list[Node], fields: list[Node], consumes: list[str], references: References) -> Body | None:
    if body:
        said = body[0].object
        shape = await shape_of(body[0].member("schema"), references)
        properties = {name: Property() for name in shape.properties}
        contents = [Content(media_type, properties, shape.closed) for media_type in consumes or ["application/json"]]
        return Body(contents, said.get("required") is True, said["name"])
    if not fields:
        return None
    files = any(node.object.get("type") == "file" for node in fields)
    offered = [name for name in consumes if name in (_FORM, _MULTIPART)]
    media_type = _MULTIPART if files or (offered and _FORM not in offered) else _FORM
    fields_ = {node.object["name"]: Property(node.object.get("type") == "file", style=_style(node)) for node in fields}
    required = frozenset(node.object["name"] for node in fields if node.object.get("required") is True)
    return Body([Content(media_type, fields_, closed=True)], bool(required), "", required)


def _server(found: Found) -> Server:
    root = found.root.object
    source = URL(found.root.document.uri)
    declared = found.operation.member("schemes").items() or found.root.member("schemes").items()
    schemes = [str(item.value) for item in declared]
    usable = [scheme for scheme in schemes if scheme in ("https", "http")]
    if schemes and not usable:
        detail = f"{found.id} is reached by {', '.join(schemes)}; only http and https can be used."
        raise misconfigured(f"{found.root.document.uri}: {detail}")
    scheme = "https" if "https" in usable else usable[0] if usable else source.scheme
    host = root.get("host") or source.authority
    base = str(root.get("basePath") or "").rstrip("/")
    return Server(f"{scheme}://{host}{base}")


def _security(found: Found) -> list[Requirement]:
    asked = found.operation if "security" in found.operation.object else found.root
    declared = found.root.member("securityDefinitions").members()
    return [
        [_scheme(declared[name]) if name in declared else Scheme("unknown") for name in requirement.object]
        for requirement in asked.member("security").items()
    ]


def _scheme(node: Node) -> Scheme:
    said = node.object
    return Scheme(str(said.get("type")), str(said.get("in", "")), str(said.get("name", "")))
