"""Performs ``run: container`` (DSL reference, "Container Process", "Container Lifetime") on Docker or Podman.

The container's name is the same in every repeat of an attempt: a worker that takes the call over from one that died
finds the container and waits for it, instead of running it twice.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from perdure import clock
from perdure.activities import container_engine, programs
from perdure.activities.container_engine import Engine, EngineGarbled, EngineRefused, TooMuch
from perdure.activities.container_request import seconds_kept, volumes_allowed, volumes_of
from perdure.activities.contract import GIVEN_UP, Call, CallFailed, trace_of_call
from perdure.activities.http_request import misconfigured
from perdure.activities.outside import Outside
from perdure.codec import Json, text_of
from perdure.engine.errors import standard

CALL = "dev.perdure.call"
"""Label: which attempt of which activity the container belongs to."""
REMOVE_AFTER = "dev.perdure.remove-after"
"""Label: how many seconds after its end it is to be deleted."""

PIDS_MAX = 512
REAP_SECONDS = 60.0

_ENGINE_ERRORS = (aiohttp.ClientError, EngineGarbled, EngineRefused, OSError, TimeoutError)

log = structlog.get_logger("perdure.containers")


class ContainerPerformer:
    """The implementation of `contract.Performer` for ``container``."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._settings = outside.settings
        self._engine: Engine | None = None
        self._reaping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._settings.run_container:
            self._reaping = asyncio.create_task(self._reap())

    async def stop(self) -> None:
        if self._reaping is not None:
            self._reaping.cancel()
            await asyncio.gather(self._reaping, return_exceptions=True)
        if self._engine is not None:
            await self._engine.close()

    async def perform(self, call: Call) -> Json:
        programs.require_permission(self._settings.run_container, "containers", "PERDURE_RUN_CONTAINER")
        redact = self._outside.secrets.redact_text
        try:
            async with self._outside.programs:
                code, stdout, stderr = await self._run(call)
        except CallFailed as failure:
            raise self._outside.caller.redacted(failure.error) from None
        except EngineRefused as refused:
            name = "configuration" if refused.status < 500 else "communication"
            raise self._failed(name, f"The container engine refused it: {refused}.") from None
        except TooMuch:
            limit = f"{self._settings.run_output_bytes_max} bytes (PERDURE_RUN_OUTPUT_BYTES_MAX)"
            raise self._failed("runtime", f"The container wrote more than {limit}.") from None
        except EngineGarbled as garbled:
            raise self._failed("communication", f"The container engine can't be understood: {garbled}.") from None
        except (aiohttp.ClientError, OSError) as error:
            reason = str(error) or "it does not answer"
            raise self._failed("communication", f"The container engine can't be reached: {reason}.") from None
        texts = [redact(output.decode("utf-8", "replace")) for output in (stdout, stderr)]
        return {"code": code, "stdout": texts[0], "stderr": texts[1]}

    def _failed(self, name: str, detail: str) -> CallFailed:
        return self._outside.caller.redacted(standard(name, detail))

    async def _run(self, call: Call) -> tuple[int, bytes, bytes]:
        """Create it, or find it, see it end, read what it wrote, and delete it as its lifetime says."""
        engine = self._open()
        seconds = self._settings.run_seconds_max
        container, begins = await self._container(engine, call)
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                if begins:
                    await self._begin(engine, container, call.request)
                code = await engine.wait(container)
            output = await engine.output(container, self._settings.run_output_bytes_max)
        except asyncio.CancelledError as cancelled:
            if cancelled.args == (GIVEN_UP,):
                await self._remove(engine, container)
            raise
        except (TimeoutError, TooMuch):
            await self._remove(engine, container)
            if not limit.expired():
                raise
            detail = f"The container took longer than {seconds:g} seconds (PERDURE_RUN_SECONDS_MAX)."
            raise CallFailed(standard("timeout", detail)) from None
        if seconds_kept(call.request) == 0:
            await self._remove(engine, container)
        return code, *output

    def _open(self) -> Engine:
        if self._engine is None:
            self._engine = Engine(container_engine.socket_path(self._settings.container_socket))
        return self._engine

    async def _container(self, engine: Engine, call: Call) -> tuple[str, bool]:
        """The container of this attempt, and whether it has still to be started."""
        request, mark = call.request, f"{call.activity}/{call.attempt}"
        name = text_of(request["name"])
        found = await engine.find(name)
        if found is None:
            await self._have_image(engine, programs.required_text(request, "image"), request.get("pullPolicy"))
            return await engine.create(name, self._body(call, mark)), True
        if _labels_of(found).get(CALL) != mark:
            detail = f"There is a container named {name!r} already. Delete it, or let `name` tell them apart."
            raise misconfigured(detail)
        return str(found["Id"]), found["State"]["Status"] in ("created", "configured", "initialized")

    async def _begin(self, engine: Engine, container: str, request: Json) -> None:
        """Start it and feed it. One that can't be started would only be in the way of its name."""
        trace_of_call().sends()
        try:
            await engine.start(container, programs.stdin_of(request) if "stdin" in request else None)
        except EngineRefused:
            await self._remove(engine, container)
            raise

    async def _have_image(self, engine: Engine, image: str, policy: Json) -> None:
        if policy == "never" or (policy != "always" and await engine.has_image(image)):
            return
        await engine.pull(image)

    def _body(self, call: Call, mark: str) -> dict[str, Any]:
        """What the engine needs to create it."""
        request = call.request
        ports = _ports(request.get("ports"))
        volumes = volumes_of(request).items()
        body: dict[str, Any] = {
            "Image": request["image"],
            "Env": [f"{name}={value}" for name, value in programs.environment_of(call).items()],
            "Labels": {CALL: mark, **_lifetime_label(seconds_kept(request))},
            "OpenStdin": "stdin" in request,
            "StdinOnce": "stdin" in request,
            "ExposedPorts": {port: {} for port in ports},
            "HostConfig": {
                "PortBindings": ports,
                "Binds": [f"{self._source(source)}:{text_of(target)}" for source, target in volumes],
                "Memory": self._settings.run_memory_bytes_max,
                "PidsLimit": PIDS_MAX,
            },
        }
        arguments = programs.arguments_of(request)
        if request.get("command") is not None:
            # As the reference's example has it: a script of the shell, which sees the arguments as $1, $2 …
            body["Entrypoint"] = ["/bin/sh", "-c"]
            arguments = [programs.required_text(request, "command"), "sh", *arguments]
        if arguments:
            body["Cmd"] = arguments
        return body

    def _source(self, source: str) -> str:
        """A volume's name as it is; a directory with all links followed, as a container may have made some."""
        if "/" not in source:
            return source
        path = Path(source).resolve()
        allowed = [Path(place).resolve() for place in volumes_allowed(self._settings)]
        if not Path(source).is_absolute() or not any(path.is_relative_to(place) for place in allowed):
            detail = (
                f"Containers may not see {source} of the host. The operator lists the directories that they may in "
                "PERDURE_RUN_CONTAINER_VOLUMES; volumes by name need no permission."
            )
            raise CallFailed(standard("authorization", detail))
        return str(path)

    async def _remove(self, engine: Engine, container: str) -> None:
        """Best effort: what is left over does no harm, and bears our label."""
        try:
            await asyncio.shield(engine.remove(container))
        except _ENGINE_ERRORS as error:
            log.warning("a container could not be deleted", container=container, reason=str(error))

    async def _reap(self) -> None:
        """Delete containers whose lifetime is over, whichever worker ran them."""
        while True:
            try:
                with contextlib.suppress(CallFailed, *_ENGINE_ERRORS):  # tried again soon
                    await self.reap_once(clock.now())
            except Exception:
                log.exception("containers whose lifetime is over could not be looked for; it goes on")
            await clock.sleep(REAP_SECONDS)

    async def reap_once(self, now: datetime) -> None:
        """One round, at `now`."""
        engine = self._open()
        for summary in await engine.labelled(REMOVE_AFTER):
            found = await engine.find(summary["Id"])
            if found is not None and _is_over(found, now):
                await self._remove(engine, summary["Id"])


def _is_over(container: Mapping[str, Any], now: datetime) -> bool:
    """Whether it has ended as long ago as its label says. One with another kind of label is none of ours."""
    state = container["State"]
    if state.get("Running") or state.get("Status") not in ("exited", "stopped", "dead"):
        return False
    try:
        after = timedelta(seconds=float(_labels_of(container)[REMOVE_AFTER]))
        return datetime.fromisoformat(state["FinishedAt"]) + after <= now
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def _labels_of(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """The engine says null where there are none."""
    return (container.get("Config") or {}).get("Labels") or {}


def _lifetime_label(kept: float | None) -> dict[str, str]:
    return {REMOVE_AFTER: f"{kept:.0f}"} if kept else {}


def _ports(ports: Json) -> dict[str, list[dict[str, str]]]:
    """From ``{host port: container port}`` to what the engine wants; a protocol may follow, as in ``53/udp``."""
    if ports is not None and not isinstance(ports, dict):
        raise misconfigured(f"`ports` must be an object; found {type(ports).__name__}.")
    bindings: dict[str, list[dict[str, str]]] = {}
    for host, inner in (ports or {}).items():
        port = text_of(inner)
        bindings.setdefault(port if "/" in port else f"{port}/tcp", []).append({"HostPort": host})
    return bindings
