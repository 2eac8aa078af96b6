"""Whole programs."""

from collections.abc import Iterable, Mapping

from perdure.codec import Json
from perdure.definition.compilation.context import Context
from perdure.definition.compilation.schedule import schedule
from perdure.definition.compilation.tasks import scope, single
from perdure.definition.pins import Pin, Pins
from perdure.definition.pointers import child
from perdure.definition.problems import unavailable
from perdure.definition.program import Extension, Program, Scope
from perdure.definition.uses import Uses, foreign_language, is_loose, unknown_language


def program(document: Mapping[str, Json], pins: Iterable[Pin] = ()) -> Program:
    """The program of a valid document whose every feature is supported."""
    language = foreign_language(document)
    if language is not None:
        return _unusable(document, unavailable(*unknown_language(language)))
    context = Context(Uses.of(document), Pins.of(pins), loose=is_loose(document))
    input_schema, input_from = context.data(document, "input", "", "from")
    body = scope(context, document["do"], "/do")
    extensions = _extensions(context)
    functions = _functions(context)
    output_schema, output_as = context.data(document, "output", "", "as")
    timeout = context.timeout(document, "")
    scheduled = schedule(context, document)
    head = document["document"]
    return Program(
        namespace=head["namespace"],
        name=head["name"],
        version=head["version"],
        document=document,
        body=body,
        tasks=context.tasks,
        expressions=tuple(dict.fromkeys(context.expressions)),
        functions=functions,
        extensions=extensions,
        missing=frozenset(context.missing),
        input_schema=input_schema,
        input_from=input_from,
        output_schema=output_schema,
        output_as=output_as,
        timeout=timeout,
        secrets=context.uses.secrets,
        schedule=scheduled,
    )


def _extensions(context: Context) -> tuple[Extension, ...]:
    """Every extension, in the order in which they are declared."""
    made = []
    for index, (name, value) in enumerate(context.uses.extensions):
        place = child(f"/use/extensions/{index}", name)
        with context.extension(value):
            when = context.optional_expression(value, "when", place)
            before = scope(context, value.get("before", []), f"{place}/before")
            after = scope(context, value.get("after", []), f"{place}/after")
        made.append(Extension(name, when, before, after))
    return tuple(made)


def _functions(context: Context) -> Mapping[str, Scope]:
    """The functions that are called, and those that they call; pinned ones last, in their order."""
    functions: dict[str, Scope] = {}
    while name := next((name for name in context.called if name not in functions), None):
        functions[name] = single(context, name, context.uses.functions[name], child("/use/functions", name))
    for key, pin in context.pins.functions.items():
        with context.pinned(pin):
            functions[key] = single(context, key, pin.document, child("/use/functions", key))
    return functions


def _unusable(document: Mapping[str, Json], reason: str) -> Program:
    """The program of a definition that can be registered, but whose processes can't run."""
    head = document["document"]
    return Program(
        namespace=head["namespace"],
        name=head["name"],
        version=head["version"],
        document=document,
        body=Scope((), {}),
        tasks=(),
        expressions=(),
        unavailable=reason,
    )
