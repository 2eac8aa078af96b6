"""Compiled definitions, kept at hand. A registered version never changes, so none is ever thrown out as stale."""

from collections import OrderedDict
from typing import Protocol, TypeAlias

from perdure.codec import decode
from perdure.definition.loader import compile_document
from perdure.definition.program import Program
from perdure.store.contract import DefinitionRecord

Name: TypeAlias = tuple[str, str, str, str]
"""Tenant, namespace, name, version."""

PROGRAMS_MAX = 500


class Definitions(Protocol):
    """Where definitions are found: the store, or what a step has taken of it."""

    async def definition(
        self, tenant: str, namespace: str, name: str, version: str | None
    ) -> DefinitionRecord | None: ...


class Programs:
    """The least recently used are dropped above `PROGRAMS_MAX`; they are compiled again when needed."""

    def __init__(self) -> None:
        self._programs: OrderedDict[Name, Program] = OrderedDict()

    async def get(self, name: Name, definitions: Definitions) -> Program:
        """Raises `LookupError` where the version isn't registered."""
        program = self._programs.get(name)
        if program is not None:
            self._programs.move_to_end(name)
            return program
        record = await definitions.definition(*name)
        if record is None:
            raise LookupError(f"definition {'/'.join(name[1:3])}:{name[3]} is not registered")
        program = compile_document(decode(record.document))
        self.keep(name, program)
        return program

    def keep(self, name: Name, program: Program) -> None:
        self._programs[name] = program
        if len(self._programs) > PROGRAMS_MAX:
            self._programs.popitem(last=False)
