"""Whole programs."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.compilation.context import Context
from perdure.definition.compilation.schedule import schedule
from perdure.definition.compilation.tasks import scope
from perdure.definition.program import Program
from perdure.definition.uses import Uses, is_loose


def program(document: Mapping[str, Json]) -> Program:
    """The program of a valid document whose every feature is supported."""
    context = Context(Uses.of(document), loose=is_loose(document))
    input_schema, input_from = context.data(document, "input", "", "from")
    body = scope(context, document["do"], "/do")
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
        input_schema=input_schema,
        input_from=input_from,
        output_schema=output_schema,
        output_as=output_as,
        timeout=timeout,
        secrets=context.uses.secrets,
        schedule=scheduled,
    )
