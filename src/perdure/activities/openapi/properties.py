"""What a schema says of an object's properties, as far as a body is written by it."""

from dataclasses import dataclass, field

from perdure.activities.references import Node, References

NESTING_MAX = 10

_BINARY_FORMATS = frozenset({"binary", "byte"})


@dataclass(slots=True)
class Shape:
    """`closed` says that there may be no other properties."""

    properties: dict[str, Node] = field(default_factory=dict)
    closed: bool = False


async def shape_of(schema: Node, references: References) -> Shape:
    """The properties that a schema and those that it is made of declare."""
    shape = Shape()
    await _collect(schema, references, shape, NESTING_MAX)
    return shape


async def is_binary(schema: Node, references: References) -> bool:
    """Whether a text stands for bytes: by ``format`` (OpenAPI 3.0, Swagger 2.0), or as 3.1 says it; also where it
    is the item of an array."""
    said = (await references.follow(schema)).object
    if said.get("type") == "array":
        said = (await references.follow(Node(said.get("items"), schema.document))).object
    media_type = said.get("contentMediaType")
    is_other_than_text = isinstance(media_type, str) and not media_type.startswith("text/")
    return is_other_than_text or str(said.get("format")) in _BINARY_FORMATS


async def _collect(schema: Node, references: References, shape: Shape, levels: int) -> None:
    if levels == 0:
        return
    node = await references.follow(schema)
    shape.properties |= node.member("properties").members()
    if node.object.get("additionalProperties") is False or node.object.get("unevaluatedProperties") is False:
        shape.closed = True
    for keyword in ("allOf", "oneOf", "anyOf"):
        for part in node.member(keyword).items():
            await _collect(part, references, shape, levels - 1)
