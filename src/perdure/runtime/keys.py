"""API keys: shown once, kept as a digest. A key has 256 random bits, so a fast digest is as good as a slow one."""

import base64
from uuid import UUID

from perdure import clock
from perdure.definition.problems import Problem
from perdure.engine.draft import PERDURE
from perdure.runtime.errors import Invalid, NotFound
from perdure.runtime.grouping import Group
from perdure.runtime.views import KeyView, Principal
from perdure.store.contract import Store
from perdure.store.digests import token_digest
from perdure.store.records import KeyRecord

PREFIX = "pdk_"
SHOWN_CHARACTERS = 10
"""How much of a key its listing shows, to tell keys apart."""
ROLES = ("admin",)
TENANTS = ("default",)
NAME_CHARACTERS_MAX = 100


async def create(store: Store, name: str, tenant: str, role: str) -> tuple[KeyView, str]:
    """A new key and its record. Raises `Invalid` for roles and tenants that are not enforced yet."""
    _one_of("role", role, ROLES)
    _one_of("tenant", tenant, TENANTS)
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        detail = f"expected a printable name of 1 to {NAME_CHARACTERS_MAX} characters"
        raise Invalid(f"name: {detail}", (Problem("/name", detail),))
    if name == PERDURE:
        detail = f"{PERDURE!r} is what the history calls the platform itself; expected another name"
        raise Invalid(f"name: {detail}", (Problem("/name", detail),))
    key = PREFIX + base64.urlsafe_b64encode(clock.random_bytes(32)).decode().rstrip("=")
    record = KeyRecord(
        id=clock.uuid7(),
        tenant=tenant,
        name=name,
        role=role,
        prefix=key[:SHOWN_CHARACTERS],
        created_at=clock.now(),
        revoked_at=None,
    )
    await store.add_key(record, token_digest(key))
    return _view(record), key


async def listing(store: Store) -> list[KeyView]:
    return [_view(record) for record in await store.keys()]


async def revoke(store: Store, key: UUID) -> KeyView:
    record = await store.revoke_key(key)
    if record is None:
        raise NotFound(f"There is no key {key}.")
    return _view(record)


class Doorkeeper:
    """Knows whose key it is. Keys that come at the same time are looked up together, and each time anew: one that is
    revoked opens nothing from then on.
    """

    def __init__(self, store: Store) -> None:
        self._lookups = Group(store.keys_by_digest)

    async def authenticate(self, key: str) -> Principal | None:
        """None where the key is unknown or revoked."""
        record = await self._lookups.add(token_digest(key))
        if record is None or record.revoked_at is not None:
            return None
        return Principal(record.name, record.tenant, record.role)


def _one_of(field: str, found: str, allowed: tuple[str, ...]) -> None:
    if found not in allowed:
        detail = f"expected {' or '.join(allowed)}, found {found!r}: others are not enforced yet"
        raise Invalid(f"{field}: {detail}", (Problem(f"/{field}", detail),))


def _view(record: KeyRecord) -> KeyView:
    return KeyView(
        record.id,
        record.name,
        record.tenant,
        record.role,
        record.prefix,
        record.created_at,
        record.revoked_at,
    )
