"""What becomes of calls in doubt: ``metadata.inDoubt`` of their tasks."""

from collections.abc import Mapping

from perdure.codec import Json
from perdure.definition.compilation import arguments
from perdure.definition.compilation.context import Context
from perdure.definition.program import InDoubt


def of(context: Context, task: Mapping[str, Json], pointer: str) -> InDoubt:
    """What the task says, or that the call is made again."""
    metadata, place = task.get("metadata", {}), f"{pointer}/metadata"
    policy = metadata.get("inDoubt", "retry")
    if policy not in ("verify", "ask"):
        return InDoubt()
    question = context.optional_template(metadata, "ask", place)
    if policy == "ask":
        return InDoubt(policy=policy, question=question)
    lookup, within = metadata["lookup"], f"{place}/lookup"
    return InDoubt(
        policy=policy,
        lookup=arguments.of(context, lookup["with"], f"{within}/with"),
        done=context.optional_expression(lookup, "done", within),
        output=context.optional_template(lookup, "output", within),
        question=question,
    )
