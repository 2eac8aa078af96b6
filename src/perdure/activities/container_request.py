"""What ``run: container`` asks for, whatever runs it (DSL reference, "Container Process", "Container Lifetime")."""

from collections.abc import Mapping

from perdure.activities.http_request import misconfigured
from perdure.codec import Json
from perdure.definition import durations
from perdure.settings import Settings


def seconds_kept(request: Json) -> float | None:
    """How long the container is to stay once it has ended; None: nobody deletes it. Raises `CallFailed`."""
    lifetime = request.get("lifetime") or {}
    match lifetime.get("cleanup"):
        case "always":
            return 0.0
        case "eventually":
            try:
                return durations.seconds_of(durations.of(lifetime["after"]))
            except (KeyError, ValueError) as error:
                raise misconfigured(f"`lifetime.after` must be a duration: {error}.") from None
        case _:
            return None


def volumes_of(request: Json) -> Mapping[str, Json]:
    """What is to be seen, and where. Raises `CallFailed`."""
    volumes = request.get("volumes")
    if volumes is not None and not isinstance(volumes, dict):
        raise misconfigured(f"`volumes` must be an object; found {type(volumes).__name__}.")
    return volumes or {}


def volumes_allowed(settings: Settings) -> list[str]:
    """What the operator lets containers see."""
    return [place for item in settings.run_container_volumes.split(",") if (place := item.strip())]
