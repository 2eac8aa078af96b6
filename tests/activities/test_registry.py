from uuid import UUID

import pytest

from perdure.activities.contract import Call, Postponed
from perdure.activities.outside import Outside
from perdure.activities.registry import Registry
from perdure.secrets import Secrets
from perdure.settings import Settings


async def test_a_function_that_only_a_later_release_knows_is_left_to_it():
    registry = Registry(Outside(Settings(_env_file=None), Secrets({})))
    call = Call(UUID(int=1), UUID(int=2), 1, "smoke-signals", "/do/0/x", {}, "default", "1/2")
    with pytest.raises(Postponed):
        await registry.perform(call)
