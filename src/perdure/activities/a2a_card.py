"""Agent cards (A2A, "Agent Discovery"): where an agent can be reached by JSON-RPC, and in which version."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from perdure.activities.contract import Call
from perdure.activities.http_request import misconfigured
from perdure.activities.resources import Resources, beside
from perdure.codec import Json, decode

WELL_KNOWN = "/.well-known/agent-card.json"

BINDING = "JSONRPC"

V0: Final = "0.3"
"""The version whose methods the DSL names; all versions before 1.0 count as it."""

V1: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Interface:
    """One way to an agent. `endpoint` is a URI, or an object with ``uri`` and ``authentication``."""

    endpoint: Json
    version: str


async def interfaces_of(card: Json, resources: Resources, call: Call) -> list[Interface]:
    """The JSON-RPC interfaces of the agent whose card is at the external resource, 0.3 before 1.0.

    The card's endpoint without a path means the well-known one. Its credentials are good for the agent too, as far
    as that is at the origin of the endpoint as it is written. Raises `CallFailed`.
    """
    endpoint = card.get("endpoint") if isinstance(card, dict) else None
    endpoint = endpoint if isinstance(endpoint, dict) else {"uri": endpoint}
    uri = endpoint.get("uri")
    if isinstance(uri, str) and urlsplit(uri).path in ("", "/"):
        endpoint = {**endpoint, "uri": urljoin(uri, WELL_KNOWN)}
    found = await resources.fetch(endpoint, call)
    try:
        value = decode(found.body)
    except ValueError as error:
        raise misconfigured(f"{found.uri} is no agent card: {error}.") from None
    offered = _offered(value) if isinstance(value, dict) else []
    usable = []
    for address, binding, version in offered:
        if isinstance(address, str) and str(binding).upper() == BINDING and version.startswith(("0.", "1.")):
            place = beside(endpoint, urljoin(found.uri, address))
            usable.append(Interface(place, V0 if version.startswith("0.") else V1))
    if not usable:
        kinds = ", ".join(f"{binding} {version}" for _, binding, version in offered) or "no interface"
        raise misconfigured(f"The agent card at {found.uri} must offer JSONRPC 0.3 or 1.0; it offers {kinds}.")
    return sorted(usable, key=lambda interface: interface.version)


def _offered(card: dict[str, Json]) -> list[tuple[Json, Json, str]]:
    """URL, binding and version of each interface: cards of 1.0 list them, older ones have a main one and more."""
    listed = card.get("supportedInterfaces")
    found = [
        (item.get("url"), item.get("protocolBinding"), str(item.get("protocolVersion") or "1.0"))
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict)
    ]
    version = str(card.get("protocolVersion") or V0)
    if "url" in card:
        found.append((card["url"], card.get("preferredTransport", BINDING), version))
    more = card.get("additionalInterfaces")
    found += [
        (item.get("url"), item.get("transport"), version)
        for item in (more if isinstance(more, list) else ())
        if isinstance(item, dict)
    ]
    return list(dict.fromkeys((url, binding, version) for url, binding, version in found if isinstance(url, str)))
