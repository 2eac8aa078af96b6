"""jq in this process: what is tried here is not the sandbox."""

from typing import Any

from driver import evaluate

from perdure.expressions.contract import NotInline


class PlainEvaluator:
    """See `perdure.expressions.contract.Evaluator`."""

    def evaluate_inline(self, ask: Any) -> Any:
        return evaluate(ask, {})

    async def evaluate(self, ask: Any) -> Any:
        raise NotInline

    async def check(self, expressions: Any) -> list[Any]:
        return []
