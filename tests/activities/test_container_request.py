"""What a container is asked for, as the engine's performer and that of Kubernetes both read it."""

from typing import Any

import pytest

from perdure.activities.container_request import seconds_kept, volumes_allowed, volumes_of
from perdure.activities.contract import CallFailed
from perdure.settings import Settings


@pytest.mark.parametrize(
    ("said", "allowed"),
    [("", []), ("/data", ["/data"]), ("/data, /more ,", ["/data", "/more"]), (" , ", [])],
)
def test_the_volumes_that_an_operator_allows(said: str, allowed: list[str]) -> None:
    settings = Settings(_env_file=None, run_container_volumes=said)  # type: ignore[call-arg]
    assert volumes_allowed(settings) == allowed


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (None, None),
        ({"cleanup": "never"}, None),
        ({"cleanup": "always"}, 0.0),
        ({"cleanup": "eventually", "after": {"minutes": 1}}, 60.0),
    ],
)
def test_how_long_it_is_kept(lifetime: Any, seconds: float | None) -> None:
    assert seconds_kept({"lifetime": lifetime}) == seconds


@pytest.mark.parametrize(
    ("read", "request_", "words"),
    [
        (seconds_kept, {"lifetime": {"cleanup": "eventually"}}, "`lifetime.after` must be a duration"),
        (seconds_kept, {"lifetime": {"cleanup": "eventually", "after": "soon"}}, "`lifetime.after` must be a duration"),
        (volumes_of, {"volumes": ["/data"]}, "`volumes` must be an object; found list"),
    ],
)
def test_what_can_not_be_read_is_told(read: Any, request_: Any, words: str) -> None:
    with pytest.raises(CallFailed) as caught:
        read(request_)
    assert words in (caught.value.error.detail or "")
    assert caught.value.error.type.endswith("/configuration")
