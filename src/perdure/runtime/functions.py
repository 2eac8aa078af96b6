"""The default catalog (DSL, "Default Catalog"): registering and finding a team's own functions."""

import asyncio

from perdure import clock
from perdure.codec import decode, encode
from perdure.definition import catalogs
from perdure.definition import versions as semantic
from perdure.definition.functions import Function, load
from perdure.definition.problems import DefinitionInvalid, Problem
from perdure.runtime import cursors, platform_functions
from perdure.runtime.context import Context
from perdure.runtime.definitions import check_expressions, order_text, warning_of
from perdure.runtime.errors import Conflict, Invalid, NotFound
from perdure.runtime.views import FunctionRegistration, FunctionView, Page, Principal
from perdure.store.digests import document_digest
from perdure.store.records import FunctionRecord

SUBJECT = "function"
"""What a refusal says is wrong."""


async def register(
    context: Context, who: Principal, name: str, version: str, source: bytes, media_type: str, *, dry_run: bool
) -> FunctionRegistration:
    """See `runtime.platform.Platform.register_function`."""
    _check_name(name, version)
    try:
        function = await asyncio.to_thread(load, source, media_type)
        await check_expressions(context, function.expressions, function.locate)
    except DefinitionInvalid as invalid:
        raise DefinitionInvalid(invalid.problems, SUBJECT) from None
    record = _record(who, name, version, function, source, media_type)
    present = None if dry_run else await context.store.add_function(record)
    if present is not None and present.digest != record.digest:
        raise Conflict(
            f"The function {name}:{version} is registered with other content, and a version never changes: "
            "register it under a new version."
        )
    return FunctionRegistration(
        created=present is None and not dry_run,
        function=_view(present or record),
        warnings=tuple(map(warning_of, function.warnings)),
    )


async def page(context: Context, who: Principal, *, limit: int, cursor: str | None) -> Page[FunctionView]:
    """Those of the platform stand among the team's own."""
    read = cursors.read(cursor, cursors.texts(2))
    after = None if read is None else (read[0], read[1])
    found = [_view(record) for record in await context.store.functions(who.tenant, limit + 1, after)]
    found += [view for view in _PLATFORM if after is None or _follows(view, after)]
    items, next_ = cursors.page(_ordered(found)[: limit + 1], limit, lambda f: (f.name, order_text(f.version)))
    return Page(items, next_)


async def get(context: Context, who: Principal, name: str, version: str) -> FunctionView:
    for view in _PLATFORM:
        if (view.name, view.version) == (name, version):
            return view
    try:
        catalogs.check_name(name)
        semantic.parse(version)
        record = await context.store.function(who.tenant, name, version)
    except ValueError:
        record = None
    if record is None:
        raise NotFound(f"No function {name}:{version} is registered. Register it with POST /v1/functions.")
    return _view(record)


def _check_name(name: str, version: str) -> None:
    """Raise `Invalid` where no function may be called so, `Conflict` where the platform has the name."""
    problems = []
    for parameter, check in (("name", catalogs.check_name), ("version", semantic.parse)):
        try:
            check(name if parameter == "name" else version)
        except ValueError as error:
            problems.append(Problem("", f"{parameter}: {error}"))
    if problems:
        raise Invalid(problems[0].detail, tuple(problems))
    if name in platform_functions.NAMES:
        raise Conflict(f"The name {name} belongs to a function of the platform; register yours under another.")


def _follows(view: FunctionView, after: tuple[str, str]) -> bool:
    name, order = after
    return view.name > name or (view.name == name and order_text(view.version) < order)


def _ordered(views: list[FunctionView]) -> list[FunctionView]:
    """By name, and version from the highest."""
    highest_first = sorted(views, key=lambda view: order_text(view.version), reverse=True)
    return sorted(highest_first, key=lambda view: view.name)


def _record(
    who: Principal, name: str, version: str, function: Function, source: bytes, media_type: str
) -> FunctionRecord:
    return FunctionRecord(
        tenant=who.tenant,
        name=name,
        version=version,
        version_order=order_text(version),
        document=encode(function.document),
        source=source,
        media_type=media_type,
        digest=document_digest(function.document),
        created_at=clock.now(),
        created_by=who.name,
    )


def _view(record: FunctionRecord) -> FunctionView:
    return FunctionView(
        name=record.name,
        version=record.version,
        built_in=False,
        created_at=record.created_at,
        document=decode(record.document),
        source=record.source.decode("utf-8", "replace"),
        media_type=record.media_type,
    )


_PLATFORM = tuple(
    FunctionView(
        name=function.partition(":")[0],
        version=function.partition(":")[2],
        built_in=True,
        created_at=None,
        document=document,
        source=encode(document).decode(),  # JSON is YAML
        media_type="application/json",
    )
    for function, document in platform_functions.DOCUMENTS.items()
)
