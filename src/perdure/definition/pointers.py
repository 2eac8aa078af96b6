"""JSON Pointers (RFC 6901)."""


def child(pointer: str, token: str | int) -> str:
    """The pointer of a member or item of what `pointer` points at."""
    if isinstance(token, str) and ("~" in token or "/" in token):
        token = token.replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{token}"


def tokens(pointer: str) -> list[str]:
    """The member names and indices that the pointer consists of. Raises `ValueError` where it is not one."""
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise ValueError(f'expected a JSON Pointer, which is empty or begins with "/", found "{pointer}"')
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]
