"""HTTP over a bare connection: requests can be encoded before the clock starts, answers are hardly looked at."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

BODY_BYTES_MAX = 64 * 1024 * 1024


def encode(
    method: str, path: str, body: Any = None, *, key: str | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """A whole request; `body` as JSON."""
    data = b"" if body is None else msgspec.json.encode(body)
    lines = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(data))}
    if key:
        lines["Authorization"] = f"Bearer {key}"
    head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **(headers or {})}.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data


class Connection:
    """Kept open between requests, made when first needed and again after it was lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> tuple[int, bytes, float]:
        """Status, body, and after how many seconds to try again where the answer says so, else 0.

        Raises `OSError` or `EOFError` where the connection can't be made or is lost.
        """
        if self._streams is not None and self._streams[0].at_eof():  # closed meanwhile, as it was idle
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=BODY_BYTES_MAX)
        reader, writer = self._streams
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            body = await reader.readexactly(int(_field(head, b"content-length") or 0))
        except BaseException:
            self.close()
            raise
        if _field(head, b"connection") == b"close":
            self.close()
        return int(head[9:12]), body, float(_field(head, b"retry-after") or 0)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _field(head: bytes, name: bytes) -> bytes | None:
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return None
    start += len(name) + 3
    return head[start : head.index(b"\r\n", start)].strip()
