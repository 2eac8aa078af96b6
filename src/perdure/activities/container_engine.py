"""A container engine by its API over a Unix socket: Docker Engine API 1.41, which Podman serves too."""

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from perdure.activities.contract import CallFailed
from perdure.engine.errors import standard

VERSION = "v1.41"
ANSWER_SECONDS_MAX = 60.0
PULL_SECONDS_MAX = 900.0
MESSAGE_CHARACTERS_MAX = 500

_SOCKETS = ("/var/run/docker.sock", "/run/podman/podman.sock")
_READ_BYTES = 64 * 1024
_FRAME_HEADER_BYTES = 8
_STDERR = 2


class TooMuch(Exception):
    """The container wrote more than it may."""


class EngineRefused(Exception):
    """The engine answered with an error. `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message[:MESSAGE_CHARACTERS_MAX])
        self.status = status


class EngineGarbled(Exception):
    """The engine said what can't be understood, or broke off."""


def socket_path(configured: str | None) -> str:
    """The engine's socket: as configured, by DOCKER_HOST, or at one of the usual places. Raises `CallFailed`."""
    host = os.environ.get("DOCKER_HOST", "")
    own = os.environ.get("XDG_RUNTIME_DIR")
    candidates = [
        configured or "",
        host.removeprefix("unix://") if host.startswith("unix://") else "",
        *_SOCKETS,
        f"{own}/podman/podman.sock" if own else "",
    ]
    for candidate in candidates[:1] if configured else candidates:
        if candidate and Path(candidate).is_socket():
            return candidate
    place = f"at {configured}" if configured else "at the usual places"
    detail = f"There is no socket of Docker or Podman {place}; name it with PERDURE_CONTAINER_SOCKET."
    raise CallFailed(standard("configuration", detail))


class Engine:
    """One connection pool.

    Every operation raises `EngineRefused`, `EngineGarbled`, `aiohttp.ClientError`, `OSError` or `TimeoutError`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path), timeout=aiohttp.ClientTimeout(total=None)
        )

    async def close(self) -> None:
        await self._session.close()

    async def has_image(self, image: str) -> bool:
        try:
            await self._json("GET", f"/images/{quote(image, safe='')}/json")
        except EngineRefused as refused:
            if refused.status == 404:
                return False
            raise
        return True

    async def pull(self, image: str) -> None:
        name, tag = _image_parts(image)
        async with asyncio.timeout(PULL_SECONDS_MAX):
            async with self._request("POST", "/images/create", params={"fromImage": name, "tag": tag}) as response:
                await _raise_for(response)
                with _understood():
                    async for line in response.content:
                        said = json.loads(line) if line.strip() else {}
                        if "error" in said:
                            raise EngineRefused(500, str(said["error"]))

    async def find(self, name: str) -> Mapping[str, Any] | None:
        """What the engine knows of a container, None where there is none of that name."""
        try:
            found: Mapping[str, Any] = await self._json("GET", f"/containers/{quote(name)}/json")
        except EngineRefused as refused:
            if refused.status == 404:
                return None
            raise
        return found

    async def create(self, name: str, body: Mapping[str, Any]) -> str:
        """The id of a new container."""
        created = await self._json("POST", "/containers/create", params={"name": name}, body=body)
        with _understood():
            return str(created["Id"])

    async def start(self, container: str, stdin: bytes | None) -> None:
        """Start it; `stdin` is written to it, to its end, which takes as long as the container wants."""
        feeding = None if stdin is None else await self._attach(container)
        try:
            await self._json("POST", f"/containers/{container}/start")
            if feeding is not None and stdin is not None:
                with contextlib.suppress(ConnectionError):  # it need not read all of it
                    feeding.write(stdin)
                    await feeding.drain()
                    feeding.write_eof()
        finally:
            if feeding is not None:
                feeding.close()

    async def wait(self, container: str) -> int:
        """Its exit code, once it has ended."""
        async with self._request("POST", f"/containers/{container}/wait") as response:
            await _raise_for(response)
            with _understood():
                return int((await response.json(content_type=None))["StatusCode"])

    async def output(self, container: str, bytes_max: int) -> tuple[bytes, bytes]:
        """What it has written to stdout and stderr. Raises `TooMuch` where either is longer."""
        params = {"stdout": "1", "stderr": "1"}
        outputs = (bytearray(), bytearray())
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            async with self._request("GET", f"/containers/{container}/logs", params=params) as response:
                await _raise_for(response)
                with _understood():
                    await _demultiplex(response.content, outputs, bytes_max)
        return bytes(outputs[0]), bytes(outputs[1])

    async def remove(self, container: str) -> None:
        """Kill it if it runs, and delete it. One that is gone already is no error."""
        try:
            await self._json("DELETE", f"/containers/{container}", params={"force": "true", "v": "true"})
        except EngineRefused as refused:
            if refused.status not in (404, 409):
                raise

    async def labelled(self, label: str) -> list[Mapping[str, Any]]:
        """All containers, ended ones too, that have a label."""
        filters = json.dumps({"label": [label]})
        found: list[Mapping[str, Any]] = await self._json(
            "GET", "/containers/json", params={"all": "true", "filters": filters}
        )
        return found

    def _request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Any = None
    ) -> "aiohttp.client._RequestContextManager":
        return self._session.request(method, f"http://engine/{VERSION}{path}", params=params, json=body)

    async def _json(self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Any = None) -> Any:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            async with self._request(method, path, params=params, body=body) as response:
                await _raise_for(response)
                with _understood():
                    return await response.json(content_type=None) if response.status not in (204, 304) else None

    async def _attach(self, container: str) -> asyncio.StreamWriter:
        """The container's stdin. The API answers by handing over the connection, which HTTP clients can't."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            reader, writer = await asyncio.open_unix_connection(self._path)
            path = f"/{VERSION}/containers/{container}/attach?stream=1&stdin=1"
            head = f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
            try:
                writer.write(head.encode())
                with _understood():
                    status = int((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1])
                if status not in (101, 200):
                    raise EngineRefused(status, "the container's standard input can't be attached")
            except BaseException:
                writer.close()
                raise
        return writer


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """Turns what goes wrong where the engine's words are read into an `EngineGarbled`."""
    try:
        yield
    except (EOFError, LookupError, TypeError, ValueError, asyncio.LimitOverrunError) as error:
        raise EngineGarbled(f"{type(error).__name__}: {error}"[:MESSAGE_CHARACTERS_MAX]) from None


async def _demultiplex(stream: aiohttp.StreamReader, outputs: tuple[bytearray, bytearray], bytes_max: int) -> None:
    """The frames of a log, each to stdout or stderr (Docker Engine API, "Attach to a container", "Stream format")."""
    while header := await _exactly(stream, _FRAME_HEADER_BYTES):
        output = outputs[1 if header[0] == _STDERR else 0]
        size = int.from_bytes(header[4:])
        if len(output) + size > bytes_max:
            raise TooMuch
        output += await stream.readexactly(size)


async def _raise_for(response: aiohttp.ClientResponse) -> None:
    if response.status < 400:
        return
    text = (await response.content.read(4 * MESSAGE_CHARACTERS_MAX)).decode("utf-8", "replace")
    try:
        message = str(json.loads(text).get("message") or text)
    except (ValueError, AttributeError):
        message = text
    raise EngineRefused(response.status, message)


async def _exactly(stream: aiohttp.StreamReader, size: int) -> bytes:
    """So many bytes, or none at the end."""
    try:
        return await stream.readexactly(size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""


def _image_parts(image: str) -> tuple[str, str]:
    """Name and tag (or digest) of an image; the tag is ``latest`` where there is none."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return name, digest
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")
