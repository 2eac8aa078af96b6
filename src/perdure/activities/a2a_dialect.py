"""The DSL's A2A methods and parameters, which are those of A2A 0.3, for agents that speak only 1.0.

What both versions share goes through as it is, and so does what is written for 1.0 already.
"""

from collections.abc import Mapping

from perdure.codec import Json

METHODS_V1: Mapping[str, str] = {
    "message/send": "SendMessage",
    "message/stream": "SendStreamingMessage",
    "tasks/get": "GetTask",
    "tasks/list": "ListTasks",
    "tasks/cancel": "CancelTask",
    "tasks/resubscribe": "SubscribeToTask",
    "tasks/pushNotificationConfig/set": "CreateTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/get": "GetTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/list": "ListTaskPushNotificationConfigs",
    "tasks/pushNotificationConfig/delete": "DeleteTaskPushNotificationConfig",
    "agent/getAuthenticatedExtendedCard": "GetExtendedAgentCard",
}
"""Each method of the DSL, by its name in 1.0."""

_ROLES = {"user": "ROLE_USER", "agent": "ROLE_AGENT"}


def parameters_v1(method: str, parameters: Json) -> Json:
    """The parameters of a method as 1.0 has them."""
    if not isinstance(parameters, dict):
        return parameters
    if method in ("message/send", "message/stream"):
        return _sent(parameters)
    if method == "tasks/pushNotificationConfig/set" and isinstance(parameters.get("pushNotificationConfig"), dict):
        rest = _without(parameters, "pushNotificationConfig")
        return {**_notification(parameters["pushNotificationConfig"]), **rest}
    if method.startswith("tasks/pushNotificationConfig/") and "taskId" not in parameters and "id" in parameters:
        renamed = _renamed(parameters, {"id": "taskId"})
        return _renamed(renamed, {"pushNotificationConfigId": "id"})
    return parameters


def _sent(parameters: dict[str, Json]) -> Json:
    found = dict(parameters)
    if isinstance(found.get("message"), dict):
        found["message"] = _message(found["message"])
    if isinstance(found.get("configuration"), dict):
        found["configuration"] = _configuration(found["configuration"])
    return found


def _message(message: dict[str, Json]) -> Json:
    found = _without(message, "kind")
    role = found.get("role")
    found["role"] = _ROLES.get(role, role) if isinstance(role, str) else role
    parts = found.get("parts")
    if isinstance(parts, list):
        found["parts"] = [_part(part) if isinstance(part, dict) else part for part in parts]
    return found


def _part(part: dict[str, Json]) -> Json:
    found = _without(part, "kind")
    file = found.pop("file", None)
    if isinstance(file, dict):
        found |= _renamed(file, {"uri": "url", "bytes": "raw", "name": "filename", "mimeType": "mediaType"})
    return found


def _configuration(configuration: dict[str, Json]) -> Json:
    found = dict(configuration)
    blocking = found.pop("blocking", None)
    if isinstance(blocking, bool):
        found["returnImmediately"] = not blocking
    notification = found.pop("pushNotificationConfig", None)
    if isinstance(notification, dict):
        found["taskPushNotificationConfig"] = _notification(notification)
    return found


def _notification(config: dict[str, Json]) -> dict[str, Json]:
    authentication = config.get("authentication")
    if not isinstance(authentication, dict) or not isinstance(authentication.get("schemes"), list):
        return config
    scheme = next(iter(authentication["schemes"]), None)
    return {**config, "authentication": {**_without(authentication, "schemes"), "scheme": scheme}}


def _without(value: dict[str, Json], name: str) -> dict[str, Json]:
    return {key: item for key, item in value.items() if key != name}


def _renamed(value: dict[str, Json], names: Mapping[str, str]) -> dict[str, Json]:
    return {names.get(key, key): item for key, item in value.items()}
