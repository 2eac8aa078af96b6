"""What ``run: container`` becomes on Kubernetes: a Job, and a Secret with what its container is given. Pure.

Both are named by activity and attempt, so that a repeat of the attempt finds them instead of making others.
"""

import base64
import math
from collections.abc import Iterator, Mapping
from typing import Any

from perdure.activities import container_request, programs
from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_request import misconfigured
from perdure.codec import Json, text_of
from perdure.engine.errors import standard
from perdure.settings import Settings

CONTAINER = "main"
STDIN = "stdin"
STDIN_DIRECTORY = "/perdure"
STOP_SECONDS = 5
"""What a container gets to end by itself once it is to be killed."""
TTL_SECONDS_MAX = 2**31 - 1

_PULL_POLICIES = {"always": "Always", "never": "Never"}
_LABEL = "dev.perdure/"


Manifest = dict[str, Any]


def name_of(call: Call) -> str:
    """Of the Job and of the Secret; a Job's name may have 63 characters."""
    return f"perdure-{call.activity.hex}-{call.attempt}"


def selector_of(call: Call) -> str:
    """By labels, what belongs to this attempt."""
    return f"{_LABEL}activity={call.activity},{_LABEL}attempt={call.attempt}"


def seconds_kept(request: Json) -> int | None:
    """How long the Job is to stay once it has ended, as Kubernetes counts it; None: nobody deletes it."""
    kept = container_request.seconds_kept(request)
    return None if kept is None else min(math.ceil(kept), TTL_SECONDS_MAX)


def secret_of(call: Call) -> Manifest:
    """Environment and standard input: whoever may read Jobs should not read them."""
    data = {_key(name): value.encode() for name, value in programs.environment_of(call).items()}
    data[STDIN] = programs.stdin_of(call.request)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(call),
        "immutable": True,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def job_of(call: Call, settings: Settings) -> Manifest:
    """It runs one pod with one container, once. Raises `CallFailed` for what can't be offered."""
    if call.request.get("ports"):
        raise misconfigured("On Kubernetes `ports` can't be mapped: nothing of a host is a Job's. Leave them out.")
    mounted = [*_stdin_mount(call), *_claims(call.request, settings)]
    container = {
        "name": CONTAINER,
        "image": programs.required_text(call.request, "image"),
        "imagePullPolicy": _PULL_POLICIES.get(call.request.get("pullPolicy"), "IfNotPresent"),
        **_words(call.request),
        "env": [_variable(call, name) for name in programs.environment_of(call)],
        "resources": {"limits": {"memory": str(settings.run_memory_bytes_max)}},
        "securityContext": {"allowPrivilegeEscalation": False},
        "volumeMounts": [mount for _, mount in mounted],
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": STOP_SECONDS,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [volume for volume, _ in mounted],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(call),
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": math.ceil(settings.run_seconds_max),
            "template": {"metadata": {"labels": _labels(call)}, "spec": pod},
        },
    }


def _metadata(call: Call) -> dict[str, Any]:
    """The author's name for the container need not be one that Kubernetes takes, so it is a note."""
    notes = {f"{_LABEL}reference": call.reference, f"{_LABEL}name": text_of(call.request.get("name"))}
    return {"name": name_of(call), "labels": _labels(call), "annotations": notes}


def _labels(call: Call) -> dict[str, str]:
    return {
        "app.kubernetes.io/managed-by": "perdure",
        f"{_LABEL}process": str(call.process),
        f"{_LABEL}activity": str(call.activity),
        f"{_LABEL}attempt": str(call.attempt),
    }


def _words(request: Json) -> dict[str, list[str]]:
    """The command by the image's shell, as on an engine; without one the arguments replace the image's own."""
    arguments = programs.arguments_of(request)
    if request.get("command") is not None:
        script = programs.required_text(request, "command")
        if programs.stdin_of(request):
            script = f"exec <{STDIN_DIRECTORY}/{STDIN}; {script}"
        return {"command": [_literal(word) for word in ("/bin/sh", "-c", script, "sh", *arguments)]}
    if programs.stdin_of(request):
        raise misconfigured(
            "On Kubernetes `stdin` needs `command`, whose shell reads it from a file: a Job has no standard input."
        )
    return {"args": [_literal(word) for word in arguments]} if arguments else {}


def _literal(word: str) -> str:
    """Kubernetes puts variables in place of ``$(NAME)``, and one ``$`` in place of two."""
    return word.replace("$", "$$")


def _variable(call: Call, name: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": name_of(call), "key": _key(name)}}}


def _key(variable: str) -> str:
    return f"env.{variable}"


_Mounted = tuple[Mapping[str, Any], Mapping[str, Any]]


def _stdin_mount(call: Call) -> Iterator[_Mounted]:
    if programs.stdin_of(call.request):
        secret = {"secretName": name_of(call), "items": [{"key": STDIN, "path": STDIN}]}
        mount = {"name": STDIN, "mountPath": STDIN_DIRECTORY, "readOnly": True}
        yield {"name": STDIN, "secret": secret}, mount


def _claims(request: Json, settings: Settings) -> Iterator[_Mounted]:
    """Persistent volume claims that the operator lets containers see. Nothing of a node is to be seen."""
    allowed = container_request.volumes_allowed(settings)
    for number, (claim, target) in enumerate(container_request.volumes_of(request).items()):
        if claim not in allowed:
            detail = (
                f"Containers may not see {claim!r}. On Kubernetes volumes are persistent volume claims; the operator "
                "lists those that they may see in PERDURE_RUN_CONTAINER_VOLUMES."
            )
            raise CallFailed(standard("authorization", detail))
        name = f"volume-{number}"
        mount = {"name": name, "mountPath": text_of(target)}
        yield {"name": name, "persistentVolumeClaim": {"claimName": claim}}, mount
