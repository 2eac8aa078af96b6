"""Which tasks extensions apply to (DSL reference, "Extension")."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.compilation.context import Context

_COMPOSITE = frozenset({"do", "fork"})
"""The tasks that consist of others; the DSL once called both so."""


def around(context: Context, kind: str) -> tuple[int, ...]:
    """The extensions that apply to tasks of a kind, the outermost first.

    A task of an extension is extended by those that ask for ``extension`` alone, and theirs are by none.
    """
    if not context.uses.extensions:
        return ()
    return tuple(
        index
        for index, (_, extension) in enumerate(context.uses.extensions)
        if _applies(extension["extend"], kind, context.extending)
    )


def _applies(extend: str, kind: str, extending: Mapping[str, Json] | None) -> bool:
    if extending is not None:
        return extend == "extension" and extending["extend"] != "extension"
    return extend in ("all", kind) or (extend == "composite" and kind in _COMPOSITE)
