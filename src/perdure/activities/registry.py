"""Which performer does which kind of work."""

from collections.abc import Mapping

from perdure.activities.contract import Call, CallFailed, Performer
from perdure.activities.http import HttpPerformer
from perdure.codec import Json
from perdure.engine.errors import standard
from perdure.secrets import Secrets
from perdure.settings import Settings


def performers(settings: Settings, secrets: Secrets) -> Mapping[str, Performer]:
    """The performer of each function, by the name that `engine.effects.PerformCall` gives it."""
    return {
        "http": HttpPerformer(settings, secrets),
    }


class Registry:
    """All performers as one."""

    def __init__(self, performers_: Mapping[str, Performer]) -> None:
        self._performers = performers_

    async def perform(self, call: Call) -> Json:
        """The output of the call. Raises `CallFailed`, also where no performer knows the function."""
        performer = self._performers.get(call.function)
        if performer is None:
            known = ", ".join(sorted(self._performers))
            detail = f"No performer for the function {call.function!r}; this release knows {known}."
            raise CallFailed(standard("configuration", detail))
        return await performer.perform(call)

    async def start(self) -> None:
        for performer in self._performers.values():
            await performer.start()

    async def stop(self) -> None:
        for performer in self._performers.values():
            await performer.stop()
