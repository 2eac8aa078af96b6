"""Which events a webhook gets. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache

from perdure.store.lifecycle import Owed, WebhookRecord


@lru_cache(maxsize=4096)
def _pattern(types: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(".*".join(map(re.escape, type_.split("*"))) for type_ in types), re.DOTALL)


def wants_type(types: tuple[str, ...], type_: str) -> bool:
    """Whether one of the patterns is the type; ``*`` stands for any text, points included."""
    return _pattern(types).fullmatch(type_) is not None


def wants_process(webhook: WebhookRecord, owed: Owed) -> bool:
    """Whether the webhook wants to hear of this process at all."""
    return (
        webhook.tenant == owed.tenant
        and webhook.namespace in (None, owed.namespace)
        and webhook.name in (None, owed.name)
        and _has(owed.tags, webhook.tags)
    )


def _has(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(tags.get(name) == value for name, value in wanted.items())
