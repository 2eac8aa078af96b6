"""Finds an operation by its id, in documents of every version."""

from dataclasses import dataclass

from perdure.activities.http_request import misconfigured
from perdure.activities.lookup import suggestion
from perdure.activities.references import Node, References

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Found:
    """An operation as the document has it, and what stands around it."""

    id: str
    method: str
    path: str
    operation: Node
    item: Node
    root: Node


async def find(root: Node, references: References, operation_id: str) -> Found:
    """The operation with that id. Raises `CallFailed` (configuration) that names those that are written alike."""
    ids: list[str] = []
    for path, entry in root.member("paths").members().items():
        item = await references.follow(entry)
        for method in METHODS:
            operation = item.member(method)
            found = operation.object.get("operationId")
            if found == operation_id:
                return Found(operation_id, method, path, operation, item, root)
            if isinstance(found, str):
                ids.append(found)
    raise misconfigured(
        f"{root.document.uri} has no operation with the operationId {operation_id!r}{suggestion(operation_id, ids)}"
    )


async def parameters_of(found: Found, references: References) -> list[Node]:
    """The operation's parameters, and those of its path that it does not replace."""
    parameters: dict[tuple[str, str], Node] = {}
    for entry in (*found.item.member("parameters").items(), *found.operation.member("parameters").items()):
        parameter = await references.follow(entry)
        name, place = parameter.object.get("name"), parameter.object.get("in")
        if not isinstance(name, str) or not isinstance(place, str):
            raise misconfigured(f"{found.root.document.uri}: a parameter of {found.id} has no name or place.")
        parameters[place, name.lower() if place == "header" else name] = parameter
    return list(parameters.values())
