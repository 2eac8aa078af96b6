"""Equality of JSON values, as filters of events compare them."""

from copy import deepcopy
from typing import Any

import pytest

from perdure.engine.matching import same

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    "1",
    [],
    [1],
    [True],
    [1, 2],
    [2, 1],
    [[1]],
    {},
    {"a": 1},
    {"a": [1]},
    {"b": 1},
]


@pytest.mark.parametrize("one", VALUES, ids=repr)
def test_a_value_is_the_same_as_itself_alone(one: Any) -> None:
    assert [repr(other) for other in VALUES if same(one, deepcopy(other))] == [repr(one)]
