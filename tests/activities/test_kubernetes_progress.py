"""What becomes of a Job, from what the API says: a table."""

from typing import Any

import pytest

from perdure.activities.contract import CallFailed
from perdure.activities.kubernetes import progress
from perdure.activities.kubernetes.progress import Ended, Overdue, Running, Waiting


def job(kind: str | None = None, reason: str = "", message: str = "") -> dict[str, Any]:
    conditions = [] if kind is None else [{"type": kind, "status": "True", "reason": reason, "message": message}]
    return {"metadata": {"uid": "u"}, "status": {"conditions": conditions}}


def pod(
    state: dict[str, Any] | None = None,
    *,
    name: str = "p",
    at: str = "1",
    owner: str = "u",
    deleted: bool = False,
    **status: Any,
) -> dict[str, Any]:
    statuses = [] if state is None else [{"name": "main", "state": state}]
    metadata = {"name": name, "creationTimestamp": at, "ownerReferences": [{"uid": owner}]}
    metadata |= {"deletionTimestamp": "2"} if deleted else {}
    return {"metadata": metadata, "status": {"containerStatuses": statuses, **status}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def terminated(code: int, reason: str = "", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


RUNNING: dict[str, Any] = {"running": {}}
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node."}
SIDECAR = {"metadata": pod()["metadata"], "status": {"containerStatuses": [{"name": "proxy", "state": terminated(9)}]}}


@pytest.mark.parametrize(
    ("seen", "pods", "expected"),
    [
        (job(), [], Waiting("")),
        ({"metadata": {"uid": "u"}}, [pod()], Waiting("")),
        (job(), [pod(waiting("ContainerCreating"))], Waiting("ContainerCreating")),
        (
            job(),
            [pod(waiting("CreateContainerConfigError", "secret cache."))],
            Waiting("CreateContainerConfigError: secret cache"),
        ),
        (job(), [pod(conditions=[UNSCHEDULABLE])], Waiting("Unschedulable: no node")),
        (job(), [pod(RUNNING)], Running("p")),
        (job(), [pod(terminated(0))], Ended("p", 0)),
        (job(), [pod(terminated(3))], Ended("p", 3)),
        (job(), [pod(terminated(137, "OOMKilled"), phase="Failed")], Ended("p", 137)),
        (job("Failed", "BackoffLimitExceeded"), [pod(terminated(3))], Ended("p", 3)),
        (job("Complete"), [pod(terminated(0), deleted=True)], Ended("p", 0)),
        (job(), [pod(terminated(137), deleted=True)], Waiting("")),
        (job(), [pod(RUNNING, deleted=True)], Waiting("")),
        (job(), [pod(terminated(1), name="old", at="0"), pod(RUNNING, name="new", at="1")], Running("new")),
        (job(), [pod(terminated(1), owner="another")], Waiting("")),
        (job(), [SIDECAR], Waiting("")),
        (job("Failed", "DeadlineExceeded"), [pod(terminated(143))], Overdue()),
        (job("FailureTarget", "DeadlineExceeded"), [pod(RUNNING, deleted=True)], Overdue()),
    ],
)
def test_progress(seen: dict[str, Any], pods: list[dict[str, Any]], expected: progress.Progress) -> None:
    assert progress.of(seen, pods) == expected


@pytest.mark.parametrize(
    ("seen", "pods", "name", "detail"),
    [
        (None, [], "runtime", "The Job was deleted"),
        (job(), [pod(waiting("ErrImagePull", "not found"))], "communication", "ErrImagePull: not found"),
        (job(), [pod(waiting("ImagePullBackOff", "Back-off"))], "communication", "ImagePullBackOff: Back-off"),
        (job(), [pod(waiting("InvalidImageName", "bad"))], "configuration", "InvalidImageName: bad"),
        (job(), [pod(waiting("ErrImageNeverPull", "absent"))], "configuration", "ErrImageNeverPull: absent"),
        (job(), [pod(terminated(128, "StartError", "no such file"))], "configuration", "StartError: no such file"),
        (
            job(),
            [pod(terminated(137), phase="Failed", reason="Evicted", message="low on memory")],
            "runtime",
            "Evicted: low on memory",
        ),
        (job("Failed", "BackoffLimitExceeded", "limit"), [], "runtime", "BackoffLimitExceeded: limit"),
        (
            job("Failed", "BackoffLimitExceeded"),
            [pod(terminated(137), deleted=True)],
            "runtime",
            "BackoffLimitExceeded",
        ),
        (job("Complete"), [], "runtime", "its pod is gone"),
    ],
)
def test_what_will_never_end_well(seen: Any, pods: list[dict[str, Any]], name: str, detail: str) -> None:
    with pytest.raises(CallFailed, match=detail) as caught:
        progress.of(seen, pods)
    assert caught.value.error.type.endswith(f"/{name}")
