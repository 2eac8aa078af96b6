"""Compiled definitions, kept at hand. A registered version never changes, so none is ever thrown out as stale.

But a definition may have been registered before a function that it calls: its program is looked at again soon.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from perdure import clock
from perdure.codec import decode
from perdure.definition.loader import compile_document
from perdure.definition.pins import FUNCTION, Need, Pin
from perdure.definition.program import Program
from perdure.definition.uses import DEFAULT_CATALOG, Uses
from perdure.runtime import pinning
from perdure.store.contract import Store
from perdure.store.records import DefinitionName, DefinitionRecord

PROGRAMS_MAX = 500

INCOMPLETE_SECONDS = 1.0
"""How long a program is kept that calls functions which were not found yet."""


@dataclass(frozen=True, slots=True)
class _Kept:
    program: Program
    until: float | None
    """When it is to be looked at again (monotonic), None for never."""


class Definitions(Protocol):
    """Where definitions are found: the store, or what a step has taken of it."""

    async def definition(
        self, tenant: str, namespace: str, name: str, version: str | None
    ) -> DefinitionRecord | None: ...
    async def pins(self, definition: DefinitionName) -> list[Pin]: ...


class Programs:
    """The least recently used are dropped above `PROGRAMS_MAX`; they are compiled again when needed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._programs: OrderedDict[DefinitionName, _Kept] = OrderedDict()

    async def get(self, name: DefinitionName, definitions: Definitions | None = None) -> Program:
        """Raises `LookupError` where the version isn't registered."""
        kept = self._programs.get(name)
        if kept is not None and (kept.until is None or kept.until > clock.monotonic()):
            self._programs.move_to_end(name)
            return kept.program
        return await self.load(name, definitions)

    async def load(self, name: DefinitionName, definitions: Definitions | None = None) -> Program:
        """As `get`, with everything that has been pinned by now. Raises `LookupError`."""
        definitions = definitions or self._store
        record = await definitions.definition(*name)
        if record is None:
            raise LookupError(f"definition {'/'.join(name[1:3])}:{name[3]} is not registered")
        document = decode(record.document)
        pins = await definitions.pins(name)
        program = compile_document(document, pins)
        if program.missing:
            found = await self._latecomers(name, Uses.of(document), program, pins)
            if found:
                program = compile_document(document, await self._store.add_pins(name, found))
        self.keep(name, program)
        return program

    async def _latecomers(self, name: DefinitionName, uses: Uses, program: Program, pins: list[Pin]) -> list[Pin]:
        """Functions of the default catalog that were registered after the definition that calls them."""
        ending = f"@{DEFAULT_CATALOG}"
        needs = [Need(FUNCTION, key, "") for key in sorted(program.missing) if key.endswith(ending)]
        return (await pinning.find(pinning.Sources(self._store), name[0], uses, needs, pins)).found

    def keep(self, name: DefinitionName, program: Program) -> None:
        until = clock.monotonic() + INCOMPLETE_SECONDS if program.missing else None
        self._programs[name] = _Kept(program, until)
        if len(self._programs) > PROGRAMS_MAX:
            self._programs.popitem(last=False)

    def forget(self, name: DefinitionName) -> None:
        self._programs.pop(name, None)
