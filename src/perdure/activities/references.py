"""Follows ``$ref`` in API documents, within one and to others, as far as a call needs it."""

from dataclasses import dataclass
from urllib.parse import unquote

from yarl import URL

from perdure.activities.contract import Call
from perdure.activities.documents import Document, Documents
from perdure.activities.http_request import misconfigured
from perdure.activities.resources import beside
from perdure.codec import Json

CHAIN_MAX = 20
DOCUMENTS_MAX = 20
REFERENCES_MAX = 2000


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the document that it stands in."""

    value: Json
    document: Document

    def member(self, name: str) -> "Node":
        """A member of an object; null where there is none."""
        return Node(self.value.get(name) if isinstance(self.value, dict) else None, self.document)

    @property
    def object(self) -> dict[str, Json]:
        return self.value if isinstance(self.value, dict) else {}

    def members(self) -> "dict[str, Node]":
        return {str(name): Node(value, self.document) for name, value in self.object.items()}

    def items(self) -> "list[Node]":
        return [Node(item, self.document) for item in self.value] if isinstance(self.value, list) else []


class References:
    """For one call. Other documents get the credentials of the first only at the origin that the author wrote."""

    def __init__(self, documents: Documents, endpoint: Json, call: Call) -> None:
        self._documents = documents
        self._endpoint = endpoint
        self._call = call
        self._known: dict[str, Document] = {}
        self._left = REFERENCES_MAX

    async def root(self) -> Node:
        """The document itself. Raises `CallFailed`."""
        document = await self._documents.fetch(self._endpoint, self._call)
        self._known[document.uri] = document
        return Node(document.value, document)

    async def follow(self, node: Node) -> Node:
        """What a node stands for. Raises `CallFailed` (configuration) where a reference leads nowhere."""
        start = node.object.get("$ref")
        for _ in range(CHAIN_MAX):
            reference = node.object.get("$ref")
            if not isinstance(reference, str):
                return node
            node = await self._target(reference, node)
        raise misconfigured(f"{node.document.uri}: the reference {start} leads in a circle.")

    async def _target(self, reference: str, node: Node) -> Node:
        self._left -= 1
        if self._left < 0:
            raise misconfigured(f"{node.document.uri} has more than {REFERENCES_MAX} references on the way.")
        path, _, fragment = reference.partition("#")
        document = await self._document(path, node) if path else node.document
        value = document.value
        pointer = unquote(fragment)
        steps = pointer.split("/")
        if steps[0]:
            raise misconfigured(f"{node.document.uri}: the reference {reference} is no JSON pointer.")
        for step in steps[1:]:
            value, found = _child(value, step.replace("~1", "/").replace("~0", "~"))
            if not found:
                raise misconfigured(f"{node.document.uri}: there is nothing at the reference {reference}.")
        return Node(value, document)

    async def _document(self, path: str, node: Node) -> Document:
        try:
            target = URL(node.document.uri).join(URL(path)).with_fragment(None)
        except ValueError:
            raise misconfigured(f"{node.document.uri}: the reference {path} is no URI.") from None
        uri = str(target)
        if uri in self._known:
            return self._known[uri]
        if len(self._known) >= DOCUMENTS_MAX:
            raise misconfigured(f"{node.document.uri} refers to more than {DOCUMENTS_MAX} documents on the way.")
        document = await self._documents.fetch(beside(self._endpoint, uri), self._call)
        self._known[uri] = document
        return document


def _child(value: Json, step: str) -> tuple[Json, bool]:
    if isinstance(value, dict):
        if step in value:
            return value[step], True
        number = int(step) if step.isdecimal() and len(step) < 10 else None  # YAML's `404:` is a number
        return (value[number], True) if number in value else (None, False)
    if isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
        return value[int(step)], True
    return None, False
