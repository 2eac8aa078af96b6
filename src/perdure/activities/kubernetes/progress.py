"""How far a Job has come, from what the cluster says of it and of its pods. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perdure.activities.contract import CallFailed
from perdure.activities.kubernetes.manifest import CONTAINER
from perdure.engine.errors import standard


@dataclass(frozen=True, slots=True)
class Waiting:
    """Its container has not begun, or the cluster has not said yet how it ended. `why`, where that is known."""

    why: str


@dataclass(frozen=True, slots=True)
class Running:
    pod: str


@dataclass(frozen=True, slots=True)
class Ended:
    pod: str
    code: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """The cluster ended it, as its time was over."""


Progress = Waiting | Running | Ended | Overdue

HOPELESS: Mapping[str, str] = {
    "CreateContainerError": "configuration",
    "ErrImageNeverPull": "configuration",
    "ErrImagePull": "communication",
    "ImageInspectError": "communication",
    "ImagePullBackOff": "communication",
    "InvalidImageName": "configuration",
    "RegistryUnavailable": "communication",
    "RunContainerError": "configuration",
    "SignatureValidationFailed": "configuration",
}
"""Why containers wait that will not start soon, though the cluster would try for ever, and what error that is."""

_NEVER_RAN = ("StartError", "ContainerCannotRun")

_Object = Mapping[str, Any]


def of(job: _Object | None, pods: Sequence[_Object]) -> Progress:
    """Raises `CallFailed` where the container will never end by itself with an exit code."""
    if job is None:
        raise CallFailed(standard("runtime", "The Job was deleted while it was waited for."))
    complete, failed = _condition(job, "Complete"), _condition(job, "Failed") or _condition(job, "FailureTarget")
    if failed is not None and failed.get("reason") == "DeadlineExceeded":
        return Overdue()
    pod = _newest(job, pods)
    state = _state(pod)
    _raise_for_pod(pod)
    if pod is not None and "terminated" in state and (complete or not _is_being_deleted(pod)):
        return _ended(pod, state["terminated"])
    if failed is not None:
        raise CallFailed(standard("runtime", f"The Job failed: {_reason(failed)}."))
    if complete is not None:
        raise CallFailed(standard("runtime", "The Job is complete, but its pod is gone, and what it wrote with it."))
    if pod is not None and "running" in state and not _is_being_deleted(pod):
        return Running(pod["metadata"]["name"])
    return Waiting(_why(pod, state.get("waiting") or {}))


def _newest(job: _Object, pods: Sequence[_Object]) -> _Object | None:
    """There is one, unless the cluster had to replace it."""
    own = [pod for pod in pods if any(owner["uid"] == job["metadata"]["uid"] for owner in _owners(pod))]
    return max(own, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


def _owners(pod: _Object) -> Sequence[_Object]:
    owners: Sequence[_Object] = pod["metadata"].get("ownerReferences") or ()
    return owners


def _state(pod: _Object | None) -> _Object:
    """Of the container: one of ``waiting``, ``running`` and ``terminated``, with what is known of it."""
    statuses = [] if pod is None else pod["status"].get("containerStatuses") or []
    own = [status.get("state") or {} for status in statuses if status["name"] == CONTAINER]  # others may be injected
    return own[0] if own else {}


def _is_being_deleted(pod: _Object) -> bool:
    """Then its exit code tells only that it was killed."""
    return "deletionTimestamp" in pod["metadata"]


def _raise_for_pod(pod: _Object | None) -> None:
    """A node that ends a pod (evicted, shut down) says so; a container that can't start waits for ever."""
    if pod is None:
        return
    status = pod["status"]
    if status.get("phase") == "Failed" and status.get("reason"):
        raise CallFailed(standard("runtime", f"The pod failed: {_reason(status)}."))
    waiting = _state(pod).get("waiting") or {}
    if waiting.get("reason") in HOPELESS:
        raise CallFailed(standard(HOPELESS[waiting["reason"]], f"The container can't start: {_reason(waiting)}."))


def _ended(pod: _Object, terminated: _Object) -> Ended:
    if terminated.get("reason") in _NEVER_RAN:
        raise CallFailed(standard("configuration", f"The container can't start: {_reason(terminated)}."))
    return Ended(pod["metadata"]["name"], int(terminated["exitCode"]))


def _why(pod: _Object | None, waiting: _Object) -> str:
    """What keeps it from beginning: its container's reason, or that it finds no node."""
    if pod is None:
        return ""
    conditions = pod["status"].get("conditions") or ()
    unmet = [one for one in conditions if one["type"] == "PodScheduled" and one["status"] == "False"]
    return _reason(unmet[0]) if unmet else _reason(waiting)


def _condition(job: _Object, name: str) -> _Object | None:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == name and one["status"] == "True"), None)


def _reason(said: _Object) -> str:
    return ": ".join(str(said[key]).rstrip(".") for key in ("reason", "message") if said.get(key))
