"""Registering and finding definitions."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from perdure import clock
from perdure.codec import decode, encode
from perdure.definition.document import Position
from perdure.definition.loader import Definition, load
from perdure.definition.pins import Pin
from perdure.definition.problems import DefinitionInvalid, Problem
from perdure.definition.template import Expression
from perdure.definition.uses import Uses
from perdure.definition.versions import is_stable, parse
from perdure.runtime import availability, cursors, pinning, schedules
from perdure.runtime.context import Context
from perdure.runtime.errors import Conflict, NotFound
from perdure.runtime.views import DefinitionView, Page, Principal, Registration, Warning_
from perdure.store.digests import document_digest
from perdure.store.records import DefinitionRecord


async def register(context: Context, who: Principal, source: bytes, media_type: str, *, dry_run: bool) -> Registration:
    """See `runtime.platform.Platform.register_definition`."""
    definition = await asyncio.to_thread(load, source, media_type)  # large ones take a while
    await check_expressions(context, definition.expressions, definition.locate)
    record = _record(who, definition, source, media_type)
    if dry_run:
        pinned = await _find(context, who, definition, [])
        warnings = _warnings(context, definition, pinned.warnings)
        return Registration(created=False, definition=_view(record), warnings=warnings)
    name = (record.tenant, record.namespace, record.name, record.version)
    known: list[Pin] = []
    if definition.needs:
        _check_same(await context.store.definition(*name), record)  # before anything is fetched for nothing
        known = await context.store.pins(name)
    pinned = await _find(context, who, definition, known)
    scheduled = await schedules.of_version(context, record, definition.program)
    present = await context.store.add_definition(record, pinned.found, scheduled)
    _check_same(present, record)
    if definition.needs:
        context.programs.forget(name)
    else:
        context.programs.keep(name, definition.program)
    return Registration(
        created=present is None,
        definition=_view(present or record),
        warnings=_warnings(context, definition, pinned.warnings),
    )


async def page(context: Context, who: Principal, *, limit: int, cursor: str | None) -> Page[DefinitionView]:
    after = cursors.read(cursor, cursors.texts(3))
    found = await context.store.definitions(who.tenant, limit + 1, after)  # type: ignore[arg-type]
    items, next_ = cursors.page(found, limit, lambda r: (r.namespace, r.name, r.version_order))
    return Page([_view(record) for record in items], next_)


async def versions(
    context: Context, who: Principal, namespace: str, name: str, *, limit: int, cursor: str | None
) -> Page[DefinitionView]:
    after = cursors.read(cursor, cursors.texts(1))
    found = await context.store.versions(who.tenant, namespace, name, limit + 1, after[0] if after else None)
    if not found and after is None:
        raise NotFound(f"No definition {namespace}/{name} is registered.")
    items, next_ = cursors.page(found, limit, lambda r: (r.version_order,))
    return Page([_view(record) for record in items], next_)


async def get(context: Context, who: Principal, namespace: str, name: str, version: str) -> DefinitionView:
    return _view(await find(context, who.tenant, namespace, name, None if version == "latest" else version))


async def find(context: Context, tenant: str, namespace: str, name: str, version: str | None) -> DefinitionRecord:
    """The version, or the highest stable one. Raises `NotFound`."""
    record = await context.store.definition(tenant, namespace, name, version)
    if record is None:
        raise not_registered(namespace, name, version)
    return record


def not_registered(namespace: str, name: str, version: str | None) -> NotFound:
    wanted = f"{namespace}/{name}:{version}" if version else f"{namespace}/{name} in a stable version"
    return NotFound(f"No definition {wanted} is registered. Register it with POST /v1/definitions.")


def _check_same(present: DefinitionRecord | None, record: DefinitionRecord) -> None:
    """Raise `Conflict` where the version stands for another document."""
    if present is not None and present.digest != record.digest:
        raise Conflict(
            f"{record.namespace}/{record.name}:{record.version} is registered with other content, and a version "
            "never changes: give the document a new `document.version`"
        )


async def _find(context: Context, who: Principal, definition: Definition, known: list[Pin]) -> pinning.Findings:
    sources = pinning.Sources(context.store, context.fetcher, context.evaluator)
    return await pinning.find(sources, who.tenant, Uses.of(definition.document), definition.needs, known)


async def check_expressions(
    context: Context, expressions: Iterable[Expression], locate: Callable[[str], Position | None]
) -> None:
    """Raise `DefinitionInvalid` for those that are no jq programs; `locate` finds their places."""
    problems = []
    for expression, message in await context.evaluator.check(expressions):
        line, column = locate(expression.pointer) or (None, None)
        detail = f"the expression does not compile: {message}"
        problems.append(Problem(expression.pointer, detail, line, column))
    if problems:
        raise DefinitionInvalid(tuple(problems))


def _record(who: Principal, definition: Definition, source: bytes, media_type: str) -> DefinitionRecord:
    return DefinitionRecord(
        tenant=who.tenant,
        namespace=definition.namespace,
        name=definition.name,
        version=definition.version,
        version_order=order_text(definition.version),
        stable=is_stable(definition.version),
        title=definition.title,
        summary=definition.summary,
        document=encode(definition.document),
        source=source,
        media_type=media_type,
        digest=document_digest(definition.document),
        created_at=clock.now(),
        created_by=who.name,
    )


def order_text(version: str) -> str:
    """Text that sorts, byte by byte, as semantic versions do (Semantic Versioning 2.0.0, section 11)."""
    core, stable, prerelease, build = parse(version).key
    numbers = " ".join(_number_text(number) for number in core)
    # "," sorts below all that may stand in an identifier, and " ", which ends them, below ",".
    words = ",".join("1" + word if kind else "0" + _number_text(number) for kind, number, word in prerelease)
    return f"{numbers} {'~' if stable else '!' + words} {build}"


def _number_text(number: int) -> str:
    digits = str(number)
    return f"{len(digits):03d}{digits}"


def _view(record: DefinitionRecord) -> DefinitionView:
    return DefinitionView(
        namespace=record.namespace,
        name=record.name,
        version=record.version,
        title=record.title,
        summary=record.summary,
        created_at=record.created_at,
        document=decode(record.document),
        source=record.source.decode("utf-8", "replace"),
        media_type=record.media_type,
    )


def _warnings(context: Context, definition: Definition, pinning_: Sequence[Problem]) -> tuple[Warning_, ...]:
    problems = [*definition.warnings, *pinning_]
    for problem in availability.warnings(definition.program, context.settings):
        line, column = definition.locate(problem.pointer) or (None, None)
        problems.append(Problem(problem.pointer, problem.detail, line, column))
    return tuple(map(warning_of, problems))


def warning_of(problem: Problem) -> Warning_:
    return Warning_(problem.pointer, problem.detail, problem.line, problem.column)
