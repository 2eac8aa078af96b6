"""Errors to raise, what try tasks catch, and how they retry."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.compilation.context import Context
from perdure.definition.pointers import child
from perdure.definition.program import Backoff, Catch, RetryPolicy, Scope
from perdure.definition.template import Template


def error(context: Context, value: Json, pointer: str) -> Template:
    """An error in place, or by its name under ``use.errors``."""
    if isinstance(value, str):
        return context.template(context.uses.errors[value], child("/use/errors", value))
    return context.template(value, pointer)


def catch(context: Context, value: Mapping[str, Json], pointer: str, body: Scope | None) -> Catch:
    return Catch(
        filter=(value.get("errors") or {}).get("with") or {},
        as_=value.get("as", "error"),
        when=context.optional_expression(value, "when", pointer),
        except_when=context.optional_expression(value, "exceptWhen", pointer),
        retry=_retry(context, value["retry"], child(pointer, "retry")) if "retry" in value else None,
        body=body,
    )


def _retry(context: Context, value: Json, pointer: str) -> RetryPolicy:
    if isinstance(value, str):
        return _retry(context, context.uses.retries[value], child("/use/retries", value))
    limit = value.get("limit") or {}
    attempt = limit.get("attempt") or {}
    jitter = value.get("jitter") or {}
    count = attempt.get("count")
    return RetryPolicy(
        when=context.optional_expression(value, "when", pointer),
        except_when=context.optional_expression(value, "exceptWhen", pointer),
        delay=context.optional_duration(value, "delay", pointer),
        backoff=_backoff(value.get("backoff")),
        attempt_count=None if count is None else int(count),
        attempt_duration=context.optional_duration(attempt, "duration", f"{pointer}/limit/attempt"),
        duration=context.optional_duration(limit, "duration", f"{pointer}/limit"),
        jitter_from=context.optional_duration(jitter, "from", f"{pointer}/jitter"),
        jitter_to=context.optional_duration(jitter, "to", f"{pointer}/jitter"),
    )


def _backoff(value: Mapping[str, Json] | None) -> Backoff | None:
    if value is None:
        return None
    ((shape, parameters),) = value.items()
    return Backoff(shape, parameters)
