"""What the engine asks its driver for in the middle of a step.

The engine does no I/O: `advance` is a generator that yields an ask and is sent the answer, or has an
`AskFailed` thrown into it.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from perdure.codec import Json
from perdure.definition.template import Template
from perdure.engine.errors import Error
from perdure.engine.refs import Key


class Authorization(msgspec.Struct, frozen=True):
    """The authentication policy of a task, as its call will use it, and the secrets that it may name."""

    policy: Json
    secrets: frozenset[str]


class Evaluate(msgspec.Struct, frozen=True):
    """Evaluate a template. The answer is its value.

    `input` is what ``.`` means. `variables` holds every variable that the template mentions and may see.
    `secrets` is None where the template may not see secrets, else the names it may: the driver supplies
    ``$secrets`` itself, so that the engine never holds them. So it does ``$authorization``, where
    `authorization` is there.
    """

    template: Template
    input: Json
    variables: Mapping[str, Json]
    secrets: frozenset[str] | None = None
    authorization: Authorization | None = None


class Load(msgspec.Struct, frozen=True):
    """Load stored payloads. The answer is a mapping from key to value."""

    keys: tuple[Key, ...]


Ask: TypeAlias = Evaluate | Load


class AskFailed(Exception):
    """An evaluation failed; `error` is a standard ``expression`` or ``authorization`` error without instance."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.detail)
        self.error = error
