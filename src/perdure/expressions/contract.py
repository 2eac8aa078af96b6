"""What evaluates runtime expressions (DSL, "Runtime Expressions"), as `runtime` sees it."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from perdure.codec import Json
from perdure.definition.template import Expression
from perdure.engine.asks import Authorization, Evaluate

Authorize: TypeAlias = Callable[[Authorization], Json]
"""From a task's authentication policy, ``{scheme, parameter}`` (DSL, "Authorization Descriptor"), or None where only
the call itself can know. Raises `AskFailed`."""


class NotInline(Exception):
    """The template needs the sandbox: call `Evaluator.evaluate`."""


class EvaluatorUnavailable(Exception):
    """No sandbox could be started. Nothing is wrong with the expression: try the step again later."""


class Evaluator(Protocol):
    """Evaluates templates. An expression's value is the first output of its jq program.

    A program without any output has no value and is an error, as is one that fails. In loose mode
    (`Expression.fallback`) both yield the fallback instead; running into a limit never does.
    """

    def evaluate_inline(self, ask: Evaluate) -> Json:
        """The template's value, computed here and now, in time linear to its input.

        The value may share structure with the input; neither may be changed. Raises `NotInline` where that
        can't be done, or where evaluation fails in a way that jq itself should word; `AskFailed` where a
        variable or a secret is not available.
        """

    async def evaluate(self, ask: Evaluate) -> Json:
        """The template's value, with all that can't be computed inline evaluated by jq in the sandbox.

        Raises `AskFailed` with a standard ``expression`` error, or an ``authorization`` error for a secret
        that is missing or not listed; `EvaluatorUnavailable`.
        """

    async def check(self, expressions: Iterable[Expression]) -> list[tuple[Expression, str]]:
        """The expressions that are no jq programs, and why. Which variables are known is not checked.

        Raises `EvaluatorUnavailable`.
        """

    async def start(self) -> None:
        """Make ready. Raises `EvaluatorUnavailable` where no sandbox can be started."""

    async def stop(self) -> None:
        """End all sandboxes. Evaluations under way fail with `EvaluatorUnavailable`."""
