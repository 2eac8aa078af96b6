"""What is behind the API of the stand-in for a Kubernetes cluster: its controllers, and its one node."""

import asyncio
import base64
import contextlib
import copy
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4


class Machinery:
    """What the API shows and changes."""

    def __init__(self) -> None:
        self.images: dict[str, list[str]] = {"busybox:1": ["sh"], "hello:1": ["echo", "hello"]}
        """The command of each image that can be pulled."""
        self.schedulable = True
        self.admitted = True
        """Whether pods may be made; otherwise the Job stays without, and an event says why."""
        self.jobs: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, Any]] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.started = 0
        """How many containers have been started."""
        self.logs: dict[str, bytearray] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self.changes: list[str] = []
        """The pod of each change; its index is the version before it."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.directory = Path(tempfile.mkdtemp(prefix="perdure-test-kubernetes-"))

    async def delete_pod(self, name: str) -> None:
        """As whoever may, or a node that is drained, would."""
        self.pods[name]["metadata"]["deletionTimestamp"] = now()
        self.changes.append(name)
        process = self._processes.get(name)
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            await process.wait()
        self.pods.pop(name, None)
        self.changes.append(name)

    async def control(self, job: dict[str, Any]) -> None:
        """Makes the Job's pod, and says how it ended."""
        name = job["metadata"]["name"]
        job["status"] = {"startTime": now()}
        if not self.admitted:
            warning = {"reason": "FailedCreate", "message": "exceeded quota", "lastTimestamp": now()}
            self.events.append({"involvedObject": {"name": name}, "type": "Warning", **warning})
        pod = self._pod(job)
        try:
            async with asyncio.timeout(job["spec"]["activeDeadlineSeconds"]):
                if self.admitted:
                    self.pods[pod["metadata"]["name"]] = pod
                    await self._run(pod)
                else:
                    await asyncio.Event().wait()
        except TimeoutError:
            for own in self.pods_of(job):
                await self.delete_pod(own)
            condition = {"type": "Failed", "reason": "DeadlineExceeded", "message": "Job was active longer"}
        else:
            deleted = "deletionTimestamp" in pod["metadata"]
            succeeded = not deleted and status_of(pod)["state"]["terminated"]["exitCode"] == 0
            failure = {
                "type": "Failed",
                "reason": "BackoffLimitExceeded",
                "message": "it has reached the backoff limit",
            }
            condition = {"type": "Complete"} if succeeded else failure
        job["status"]["conditions"] = [{**condition, "status": "True"}]
        self.changes.append(pod["metadata"]["name"])
        self.task(self.expire(job))

    def _pod(self, job: dict[str, Any]) -> dict[str, Any]:
        template = copy.deepcopy(job["spec"]["template"])
        template["metadata"] |= {
            "name": f"{job['metadata']['name']}-{uuid4().hex[:5]}",
            "creationTimestamp": now(),
            "ownerReferences": [{"kind": "Job", "uid": job["metadata"]["uid"]}],
        }
        waiting = {"name": template["spec"]["containers"][0]["name"], "state": {"waiting": {"reason": "Pending"}}}
        return {**template, "status": {"phase": "Pending", "containerStatuses": [waiting]}}

    def pods_of(self, job: dict[str, Any]) -> list[str]:
        uid = job["metadata"]["uid"]
        return [name for name, pod in self.pods.items() if pod["metadata"]["ownerReferences"][0]["uid"] == uid]

    async def _run(self, pod: dict[str, Any]) -> None:
        """Returns when the container has ended, not at all where it can't begin."""
        container = pod["spec"]["containers"][0]
        image = container["image"]
        if not self.schedulable:
            reason = {"reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient memory."}
            pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", **reason}]
        elif image not in self.images:
            waiting = {"reason": "ErrImagePull", "message": f"failed to pull image {image!r}: not found"}
            status_of(pod)["state"] = {"waiting": waiting}
        else:
            await self._run_container(pod, container)
            return
        self.changes.append(pod["metadata"]["name"])
        await asyncio.Event().wait()

    async def _run_container(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        name = pod["metadata"]["name"]
        words = [*container.get("command", ()), *container.get("args", ())] or self.images[container["image"]]
        variables = {variable["name"]: self._secret(variable) for variable in container["env"]}
        words = [self._mounted(pod, container, _expanded(word, variables)) for word in words]
        self.logs[name] = bytearray()
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], **variables},
                start_new_session=True,
            )
        except OSError as error:
            terminated = {"exitCode": 128, "reason": "StartError", "message": f"exec: {error}"}
        else:
            self.started += 1
            self._processes[name] = process
            pod["status"]["phase"] = "Running"
            status_of(pod)["state"] = {"running": {"startedAt": now()}}
            self.changes.append(name)
            assert process.stdout is not None
            while data := await process.stdout.read(4096):
                self.logs[name] += data
            code = await process.wait()
            terminated = {"exitCode": code if code >= 0 else 128 - code, "reason": "Error" if code else "Completed"}
        pod["status"]["phase"] = "Failed" if terminated["exitCode"] else "Succeeded"
        status_of(pod)["state"] = {"terminated": terminated}
        self.changes.append(name)

    def _secret(self, variable: dict[str, Any]) -> str:
        reference = variable["valueFrom"]["secretKeyRef"]
        return base64.b64decode(self.secrets[reference["name"]]["data"][reference["key"]]).decode()

    def _mounted(self, pod: dict[str, Any], container: dict[str, Any], word: str) -> str:
        """With the paths of mounted Secrets leading to where they are here."""
        for mount in container["volumeMounts"]:
            volume = next(volume for volume in pod["spec"]["volumes"] if volume["name"] == mount["name"])
            if "secret" not in volume:
                continue
            place = self.directory / pod["metadata"]["name"]
            place.mkdir(exist_ok=True)
            data = self.secrets[volume["secret"]["secretName"]]["data"]
            for item in volume["secret"]["items"]:
                (place / item["path"]).write_bytes(base64.b64decode(data[item["key"]]))
            word = word.replace(mount["mountPath"], str(place))
        return word

    async def expire(self, job: dict[str, Any]) -> None:
        """The controller of what has ended."""
        seconds, name = job["spec"].get("ttlSecondsAfterFinished"), job["metadata"]["name"]
        if seconds is None or not job.get("status", {}).get("conditions"):
            return
        await asyncio.sleep(seconds)
        if self.jobs.pop(name, None) is not None:
            for pod in self.pods_of(job):
                await self.delete_pod(pod)

    def task(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def status_of(pod: dict[str, Any]) -> dict[str, Any]:
    return pod["status"]["containerStatuses"][0]


def _expanded(word: str, variables: dict[str, str]) -> str:
    """As Kubernetes documents it: two dollars are one, variables in parentheses are replaced where they are known."""

    def one(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else variables.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, word)


def now() -> str:
    return datetime.now(UTC).isoformat()
