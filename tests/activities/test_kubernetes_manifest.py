"""The Job and the Secret of ``run: container``: by table, and against the schemas of Kubernetes."""

import base64
from typing import Any
from uuid import UUID

import kubernetes_validate
import pytest

from perdure.activities.contract import Call, CallFailed
from perdure.activities.kubernetes import manifest
from perdure.settings import Settings

ACTIVITY = UUID("0190b5c0-0000-8000-8000-00000000000a")
NAME = "perdure-0190b5c0000080008000" + "00000000000a-1"


def call(attempt: int = 1, **request: Any) -> Call:
    request = {"image": "busybox:1", "name": "My_Flow.step", **request}
    return Call(UUID(int=1), ACTIVITY, attempt, "container", "/do/0/r", request, "default", "key/1")


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def container(**request: Any) -> dict[str, Any]:
    (only,) = pod(**request)["containers"]
    return only


def pod(**request: Any) -> dict[str, Any]:
    return manifest.job_of(call(**request), settings())["spec"]["template"]["spec"]


EVERYTHING = {
    "command": "cat; echo $1 $$",
    "arguments": ["a", {"b": 1}],
    "stdin": {"c": "✓"},
    "environment": {"MINE": "x", "LEFT_OUT": None},
    "volumes": {"claim": "/data"},
    "pullPolicy": "always",
    "lifetime": {"cleanup": "eventually", "after": "PT5M"},
}


@pytest.mark.parametrize("version", ["1.25", "1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("request_", [{}, {"arguments": ["a"]}, EVERYTHING], ids=["bare", "arguments", "everything"])
def test_kubernetes_knows_every_field(version: str, request_: dict[str, Any]) -> None:
    given = call(**request_)
    for made in (
        manifest.job_of(given, settings(run_container_volumes="claim", run_seconds_max=0.5)),
        manifest.secret_of(given),
    ):
        kubernetes_validate.validate(made, version, strict=True)


def test_the_whole_job() -> None:
    limits = settings(run_seconds_max=90.5, run_memory_bytes_max=2**26)
    labels = {
        "app.kubernetes.io/managed-by": "perdure",
        "dev.perdure/process": str(UUID(int=1)),
        "dev.perdure/activity": str(ACTIVITY),
        "dev.perdure/attempt": "1",
    }
    assert manifest.job_of(call(), limits) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": NAME,
            "labels": labels,
            "annotations": {"dev.perdure/reference": "/do/0/r", "dev.perdure/name": "My_Flow.step"},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 91,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 5,
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [
                        {
                            "name": "main",
                            "image": "busybox:1",
                            "imagePullPolicy": "IfNotPresent",
                            "env": [
                                {
                                    "name": "IDEMPOTENCY_KEY",
                                    "valueFrom": {"secretKeyRef": {"name": NAME, "key": "env.IDEMPOTENCY_KEY"}},
                                }
                            ],
                            "resources": {"limits": {"memory": "67108864"}},
                            "securityContext": {"allowPrivilegeEscalation": False},
                            "volumeMounts": [],
                        }
                    ],
                    "volumes": [],
                },
            },
        },
    }


def test_another_attempt_is_another_job() -> None:
    assert manifest.name_of(call(attempt=2)) == NAME[:-1] + "2"
    assert manifest.selector_of(call(attempt=2)) == f"dev.perdure/activity={ACTIVITY},dev.perdure/attempt=2"
    assert len(manifest.name_of(call(attempt=10**9))) <= 63


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, {}),
        ({"arguments": []}, {}),
        ({"arguments": ["-n", 3, {"a": 1}]}, {"args": ["-n", "3", '{"a":1}']}),
        ({"command": "ls"}, {"command": ["/bin/sh", "-c", "ls", "sh"]}),
        ({"command": "ls $1", "arguments": ["x"]}, {"command": ["/bin/sh", "-c", "ls $$1", "sh", "x"]}),
        ({"command": "ls", "stdin": None}, {"command": ["/bin/sh", "-c", "ls", "sh"]}),
        ({"command": "cat", "stdin": "x"}, {"command": ["/bin/sh", "-c", "exec </perdure/stdin; cat", "sh"]}),
        ({"arguments": ["$(HOME) $$"]}, {"args": ["$$(HOME) $$$$"]}),
    ],
)
def test_words(request_: dict[str, Any], words: dict[str, Any]) -> None:
    made = container(**request_)
    assert {key: made[key] for key in ("command", "args") if key in made} == words


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(None, "IfNotPresent"), ("ifNotPresent", "IfNotPresent"), ("always", "Always"), ("never", "Never")],
)
def test_pull_policies(policy: str | None, expected: str) -> None:
    assert container(pullPolicy=policy)["imagePullPolicy"] == expected


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        (None, None),
        ({"cleanup": "never"}, None),
        ({"cleanup": "always"}, 0),
        ({"cleanup": "eventually", "after": {"minutes": 30}}, 1800),
        ({"cleanup": "eventually", "after": "PT0.2S"}, 1),
        ({"cleanup": "eventually", "after": "P900Y"}, 2**31 - 1),
    ],
)
def test_lifetimes(lifetime: Any, seconds: int | None) -> None:
    assert manifest.seconds_kept({"lifetime": lifetime}) == seconds


def test_what_may_be_secret_is_in_the_secret_alone() -> None:
    given = call(command="cat", stdin="tok-in", environment={"T": "tok-env"})
    made = manifest.secret_of(given)
    assert made["metadata"]["name"] == NAME
    data = {key: base64.b64decode(value).decode() for key, value in made["data"].items()}
    assert data == {"env.IDEMPOTENCY_KEY": "key/1", "env.T": "tok-env", "stdin": "tok-in"}
    assert "tok-" not in str(manifest.job_of(given, settings()))


def test_claims_that_are_allowed() -> None:
    made = manifest.job_of(call(volumes={"b": "/b", "a": "/a"}), settings(run_container_volumes="a, b"))
    spec = made["spec"]["template"]["spec"]
    assert [volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"]] == ["b", "a"]
    assert spec["containers"][0]["volumeMounts"] == [
        {"name": "volume-0", "mountPath": "/b"},
        {"name": "volume-1", "mountPath": "/a"},
    ]


@pytest.mark.parametrize(
    ("request_", "name", "detail"),
    [
        ({"ports": {"8080": 80}}, "configuration", "`ports` can't be mapped"),
        ({"volumes": {"/etc": "/data"}}, "authorization", "PERDURE_RUN_CONTAINER_VOLUMES"),
        ({"volumes": {"": "/data"}}, "authorization", "PERDURE_RUN_CONTAINER_VOLUMES"),
        ({"volumes": ["a"]}, "configuration", "`volumes` must be an object"),
        ({"stdin": "x", "arguments": ["cat"]}, "configuration", "`stdin` needs `command`"),
        ({"image": ""}, "configuration", "`image` must be a string"),
    ],
)
def test_what_can_not_be_offered(request_: dict[str, Any], name: str, detail: str) -> None:
    with pytest.raises(CallFailed, match=detail) as caught:
        manifest.job_of(call(**request_), settings())
    assert caught.value.error.type.endswith(f"/{name}")
