"""Proto files of gRPC calls: fetched with what they import, compiled, looked up.

Compiled by a child process with limits, as a proto file is text from elsewhere, and remembered by content.
"""

import asyncio
import contextlib
import re
import sys
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from perdure.activities import protoc
from perdure.activities.child import directory
from perdure.activities.contract import Call, CallFailed
from perdure.activities.http_request import misconfigured
from perdure.activities.resources import Resources, beside
from perdure.codec import Json, encode

FILES_MAX = 100
KEPT_MAX = 64
LIKELY_MAX = 1000
COMPILE_SECONDS_MAX = 30.0
COMPLAINT_CHARACTERS_MAX = 500
COMPLAINT_BYTES_MAX = 64 * 1024

_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_IMPORT = re.compile(r"""\bimport\s+(?:public\s+|weak\s+)?["']([^"'\n]+)["']\s*;""")
_PACKAGE = re.compile(r"\bpackage\s+([A-Za-z0-9_.]+)\s*;")


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a service. `path` is that of its HTTP/2 requests; the classes are those of its messages."""

    path: str
    request: Any
    response: Any
    client_streaming: bool
    server_streaming: bool
    pool: Any


class Descriptors:
    """What one proto file and its imports declare."""

    def __init__(self, data: bytes) -> None:
        files = descriptor_pb2.FileDescriptorSet.FromString(data).file
        self._pool = descriptor_pool.DescriptorPool()
        self._services: list[str] = []
        for file in files:
            self._pool.Add(file)
            self._services += [f"{file.package}.{service.name}".lstrip(".") for service in file.service]

    def method(self, service: str, name: str) -> Method:
        """A method by the name of its service, with or without its package. Raises `CallFailed` (configuration)."""
        found = self._pool.FindServiceByName(self._service(service))
        method = found.methods_by_name.get(name)
        if method is None:
            raise misconfigured(
                f"The service {found.full_name} has no method {name!r}; it has {_listed(found.methods_by_name)}."
            )
        return Method(
            path=f"/{found.full_name}/{name}",
            request=message_factory.GetMessageClass(method.input_type),
            response=message_factory.GetMessageClass(method.output_type),
            client_streaming=method.client_streaming,
            server_streaming=method.server_streaming,
            pool=self._pool,
        )

    def _service(self, name: str) -> str:
        if name in self._services:
            return name
        found = [service for service in self._services if service.rpartition(".")[2] == name]
        if len(found) != 1:
            what = "several services" if found else "no service"
            raise misconfigured(f"The proto file has {what} {name!r}; it has {_listed(found or self._services)}.")
        return found[0]


class Protos:
    """Fetches and compiles, each content once."""

    def __init__(self, resources: Resources, bytes_max: int) -> None:
        self._resources = resources
        self._bytes_max = bytes_max
        self._bundled = [Path(place) for place in protoc.bundled()]
        self._kept: OrderedDict[bytes, Descriptors] = OrderedDict()
        self._compiling: dict[bytes, asyncio.Lock] = {}
        self._likely: OrderedDict[tuple[str, ...], str] = OrderedDict()
        """Where an import was found before, so that no call asks in vain."""

    async def descriptors(self, resource: Json, call: Call) -> Descriptors:
        """What the external resource at ``proto`` declares. Raises `CallFailed`."""
        main, files = await self._gather(resource, call)
        key = blake2b(encode([main, sorted(files.items())]), digest_size=16).digest()
        async with self._compiling.setdefault(key, asyncio.Lock()):
            try:
                if key not in self._kept:
                    self._kept[key] = Descriptors(await _compiled(main, files))
                    if len(self._kept) > KEPT_MAX:
                        self._kept.popitem(last=False)
                self._kept.move_to_end(key)
                return self._kept[key]
            except (DecodeError, TypeError) as error:
                raise misconfigured(f"The proto file can't be used: {error}.") from None
            finally:
                self._compiling.pop(key, None)

    async def _gather(self, resource: Json, call: Call) -> tuple[str, Mapping[str, str]]:
        """The name of the file, and the texts of it and of all that it imports and that is not bundled."""
        endpoint = resource.get("endpoint") if isinstance(resource, dict) else None
        found = await self._resources.fetch(endpoint, call)
        text = _text(found.body, found.uri)
        main = PurePosixPath(urlsplit(found.uri).path).name or "main.proto"
        main = main if main.endswith(".proto") else f"{main}.proto"
        files = {main: text}
        roots = _roots(found.uri, text)
        wanted = _imports(text)
        size = len(text)
        while wanted:
            name = wanted.pop()
            if name in files or self._is_bundled(name):
                continue
            text = await self._import(name, roots, endpoint, call)
            size += len(text)
            if len(files) == FILES_MAX or size > self._bytes_max:
                limit = f"{FILES_MAX} files or {self._bytes_max} bytes (PERDURE_RESOURCE_BYTES_MAX)"
                raise misconfigured(f"{found.uri} imports more than {limit}.")
            files[name] = text
            wanted += _imports(text)
        return main, files

    def _is_bundled(self, name: str) -> bool:
        return any((place / name).is_file() for place in self._bundled)

    async def _import(self, name: str, roots: Iterable[str], endpoint: Json, call: Call) -> str:
        """An imported file, from the first root that has it, with the credentials of `endpoint` where they are good."""
        failure: CallFailed | None = None
        likely = self._likely.get((*roots, name))
        for root in sorted(roots, key=lambda root: root != likely):
            uri = urljoin(root, name)
            try:
                found = await self._resources.fetch(beside(endpoint, uri), call)
            except CallFailed as error:
                failure = failure or error
            else:
                self._likely[*roots, name] = root
                if len(self._likely) > LIKELY_MAX:
                    self._likely.popitem(last=False)
                return _text(found.body, found.uri)
        assert failure is not None
        raise misconfigured(f"The proto file imports {name!r}, which can't be fetched: {failure.error.detail}")


async def _compiled(main: str, files: Mapping[str, str]) -> bytes:
    """The descriptor set of a file and its imports. Raises `CallFailed` (configuration) with the complaint."""
    async with directory("protoc") as place:
        await asyncio.to_thread(_write, place / "in", files)
        output = place / "out"
        program = (sys.executable, "-I", protoc.__file__, str(place / "in"), main, str(output))
        child = await asyncio.create_subprocess_exec(
            *program,
            env={},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(COMPILE_SECONDS_MAX):
                complaint = await _start_of(child.stderr)
                code = await child.wait()
        except TimeoutError:
            raise misconfigured(f"{main} could not be compiled within {COMPILE_SECONDS_MAX:g} seconds.") from None
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        if code != 0:
            text = complaint.decode(errors="replace").replace(f"{place / 'in'}/", "")
            words = " ".join(text.split())[:COMPLAINT_CHARACTERS_MAX]
            raise misconfigured(f"{main} is no valid proto file: {words or f'the compiler ended with {code}'}")
        return await asyncio.to_thread(output.read_bytes)


async def _start_of(stream: asyncio.StreamReader | None) -> bytes:
    """The first bytes of a stream, which is read to its end so that whoever writes it never waits."""
    found = b""
    while stream is not None and (some := await stream.read(COMPLAINT_BYTES_MAX)):
        found = (found + some)[:COMPLAINT_BYTES_MAX]
    return found


def _write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _text(body: bytes, uri: str) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise misconfigured(f"{uri} is no proto file: it is not UTF-8 text.") from None


def _imports(text: str) -> list[str]:
    """What a proto file imports. Raises `CallFailed` (configuration) for what leads out of its directory."""
    names = _IMPORT.findall(_COMMENT.sub(lambda match: match[1] or " ", text))
    for name in names:
        parts = name.split("/")
        if "\\" in name or ":" in name or not all(parts) or {".", ".."} & set(parts):
            raise misconfigured(f"The proto file imports {name!r}: expected a path such as common/types.proto.")
    return names


def _roots(uri: str, text: str) -> list[str]:
    """Where imports may be relative to: the directory of the file, or that of its package's first part."""
    here = urljoin(uri, ".")
    package = _PACKAGE.search(_COMMENT.sub(lambda match: match[1] or " ", text))
    inner = f"/{package[1].replace('.', '/')}/" if package else "/"
    outer = here[: -len(inner) + 1] if inner != "/" and urlsplit(here).path.endswith(inner) else here
    return list(dict.fromkeys((here, outer)))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:20]) or "none"
