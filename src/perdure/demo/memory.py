"""What the stand-in services remember, so that they survive being killed as real services do."""

from pathlib import Path
from typing import Any

from perdure.codec import Json, decode, encode


class Memory:
    """Named JSON objects, kept in a file if there is one. Every change is on disk when `save` returns."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises `ValueError` where the file is not one of ours."""
        self._path = path
        self._content: dict[str, dict[str, Json]] = {}
        if path is not None and path.exists():
            content = decode(path.read_bytes())
            if not isinstance(content, dict):
                raise ValueError(f"{path} should hold a JSON object")
            self._content = content

    def part(self, name: str) -> dict[str, Any]:
        """The object of that name, empty at first. Change it, then call `save`."""
        return self._content.setdefault(name, {})

    def save(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(encode(self._content))
        fresh.replace(self._path)
