"""Finds an operation by its id, in documents of every version."""

import difflib
from dataclasses import dataclass

from perdure.activities.http_request import misconfigured
from perdure.activities.references import Node, References

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

SUGGESTIONS_MAX = 3
NAMES_MAX = 2000


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
        f"{root.document.uri} has no operation with the operationId {operation_id!r}{_suggestion(operation_id, ids)}"
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


def _suggestion(operation_id: str, ids: list[str]) -> str:
    if not ids:
        return "; none of its operations has one."
    folded = {name.lower(): name for name in ids[:NAMES_MAX]}
    close = difflib.get_close_matches(operation_id.lower(), folded, SUGGESTIONS_MAX, 0.6)
    if close:
        return f"; did you mean {' or '.join(folded[name] for name in close)}?"
    some = ", ".join(ids[:10])
    return f"; it has {some}{', …' if len(ids) > 10 else ''}."
