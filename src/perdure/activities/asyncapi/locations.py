"""AsyncAPI's runtime expressions: ``$message.payload#/user/id``, ``$message.header#/correlationId``."""

from perdure.codec import Json


def at(location: str, message: Json) -> Json:
    """What an expression points to in ``{payload, headers}``; None where there is nothing. Headers fold case."""
    source, _, pointer = location.partition("#")
    side = source.removeprefix("$message.")
    if side == "payload":
        value = message.get("payload")
    elif side in ("header", "headers"):
        headers = message.get("headers") or {}
        value = {name.lower(): item for name, item in headers.items()}
        pointer = pointer.lower()
    else:
        return None
    for part in pointer.split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
