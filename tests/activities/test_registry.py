from uuid import UUID

import pytest

from perdure.activities.contract import Call, CallFailed
from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.secrets import Secrets
from perdure.settings import Settings


async def test_a_function_without_performer_is_named():
    registry = Registry(Outside(Settings(_env_file=None), Secrets({})))
    call = Call(UUID(int=1), UUID(int=2), 1, "smoke-signals", "/do/0/x", {}, "default", "1/2")
    with pytest.raises(CallFailed, match="'smoke-signals'; this release knows asyncapi, container, http, ") as caught:
        await registry.perform(call)
    assert caught.value.error.status == 400
